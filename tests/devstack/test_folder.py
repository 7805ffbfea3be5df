"""A data folder: one user at a time, secrets that stay, and no harm to strangers when it is cleaned up."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from devstack.errors import StackError
from devstack.folder import DataFolder
from devstack.process import rotate
from devstack.reset import remove


def quiet(line: str) -> None:
    pass


def test_secrets_are_made_once_and_are_for_the_owner_only(folder: Path) -> None:
    data = DataFolder(folder / "data")
    data.open(quiet)
    keys, token = data.data_keys(), data.token_secret()
    data.close()
    again = DataFolder(folder / "data")
    assert (again.data_keys(), again.token_secret()) == (keys, token)
    modes = {stat.S_IMODE(one.stat().st_mode) for one in (folder / "data" / "secrets").iterdir()}
    assert modes == {0o600}
    name, _, key = keys.partition(":")
    assert name == "k1"
    assert len(key) == 44


def test_a_locked_folder_names_the_process_that_uses_it(folder: Path) -> None:
    first = DataFolder(folder / "data")
    first.open(quiet)
    assert DataFolder(folder / "data").holder() == os.getpid()
    with pytest.raises(StackError, match=f"in use by a running stack \\(process {os.getpid()}\\)") as refused:
        DataFolder(folder / "data").open(quiet)
    assert refused.value.exit_code == 2
    first.close()
    assert DataFolder(folder / "data").holder() is None


def test_the_lock_of_a_dead_process_is_no_lock(folder: Path) -> None:
    script = (
        "import os, sys; from pathlib import Path; from devstack.folder import DataFolder;"
        "one = DataFolder(Path(sys.argv[1])); one.open(print); one.record({}, {}); os.kill(os.getpid(), 9)"
    )
    dead = subprocess.run([sys.executable, "-c", script, str(folder / "data")], check=False)
    assert dead.returncode == -9
    said: list[str] = []
    data = DataFolder(folder / "data")
    data.open(said.append)
    data.close()
    assert any("did not end in order" in line for line in said)


@pytest.mark.parametrize("disguise", ["another start", "another program"])
def test_cleaning_up_never_ends_a_process_that_only_has_the_same_number(folder: Path, disguise: str) -> None:
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        began = psutil.Process(stranger.pid).create_time()
        ledger = {"pid": stranger.pid, "started_at": began - 100 if disguise == "another start" else began}
        data = DataFolder(folder / "data")
        data.path.mkdir()
        (data.path / "stack.json").write_text(json.dumps({"launcher": 1, "parts": {"worker": ledger}}))
        data.open(quiet)
        data.close()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_cleaning_up_ends_what_an_earlier_run_really_left(folder: Path) -> None:
    script = folder / "worker.py"
    script.write_text("import time; time.sleep(60)")
    left = subprocess.Popen([sys.executable, str(script)])
    try:
        data = DataFolder(folder / "data")
        data.path.mkdir()
        ledger = {"pid": left.pid, "started_at": psutil.Process(left.pid).create_time()}
        (data.path / "stack.json").write_text(json.dumps({"launcher": 1, "parts": {"worker": ledger}}))
        said: list[str] = []
        data.open(said.append)
        data.close()
        assert left.poll() is not None
        assert f"Ended its worker (process {left.pid})." in said
    finally:
        left.kill()
        left.wait()


def test_a_torn_ledger_does_not_stop_a_start(folder: Path) -> None:
    data = DataFolder(folder / "data")
    data.path.mkdir()
    (data.path / "stack.json").write_text('{"launcher": 1, "par')
    data.open(quiet)
    data.close()


def test_a_full_disk_is_said_before_anything_is_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=100 * 1024 * 1024))
    with pytest.raises(StackError, match="is full: free at least 200 MB"):
        DataFolder(folder / "data").open(quiet)
    assert list((folder / "data").iterdir()) == []


def test_only_a_data_folder_that_nobody_uses_is_removed(folder: Path) -> None:
    (folder / "mine").mkdir()
    with pytest.raises(StackError, match="is not a data folder"):
        remove(folder / "mine")
    data = DataFolder(folder / "data")
    data.open(quiet)
    with pytest.raises(StackError, match="stop that one first"):
        remove(data.path)
    data.close()
    remove(data.path)
    assert [one.name for one in folder.iterdir()] == ["mine"]


def test_logs_begin_anew_at_each_start_and_five_old_ones_are_kept(folder: Path) -> None:
    log = folder / "api.log"
    for run in range(8):
        rotate(log)
        log.write_text(f"run {run}")
    kept = {one.name: one.read_text() for one in folder.iterdir()}
    assert kept == {"api.log": "run 7", **{f"api.log.{age}": f"run {7 - age}" for age in range(1, 6)}}
