"""`./run` itself: what it says when it cannot do what is asked."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from devstack.program import ROOT

TOOLS = ("sh", "cat", "cksum", "dirname", "mkdir", "mv", "rm", "sleep", "tail")


@pytest.fixture
def checkout(folder: Path) -> Path:
    """A fresh checkout in a folder with a space in its name, without an environment."""
    place = folder / "a check out"
    (place / "requirements").mkdir(parents=True)
    shutil.copy(ROOT / "run", place / "run")
    for name in ("demo.txt", "dev.txt"):
        (place / "requirements" / name).write_text("# nothing\n")
    tools = folder / "tools"
    tools.mkdir()
    for name in TOOLS:
        found = shutil.which(name)
        assert found is not None, name
        (tools / name).symlink_to(found)
    return place


def ask(checkout: Path, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {"PATH": str(checkout.parent / "tools"), "HOME": str(checkout.parent)}
    command = ["sh", str(checkout / "run"), *words]
    return subprocess.run(
        command, env=env, cwd=cwd or checkout.parent, capture_output=True, text=True, timeout=60, check=False
    )


def test_help_names_every_command(checkout: Path) -> None:
    said = ask(checkout, "help").stdout
    for command in ("demo", "test", "check", "import", "simulate", "bench", "reset", "logs"):
        assert f"\n  {command} " in said
    assert ask(checkout).stdout == said


def test_an_unknown_command_is_exit_code_2(checkout: Path) -> None:
    refused = ask(checkout, "dmeo")
    assert refused.returncode == 2
    assert refused.stderr.startswith("There is no command 'dmeo'.\n")


def test_a_machine_without_python_hears_what_to_install(checkout: Path) -> None:
    refused = ask(checkout, "demo")
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stderr
    assert not (checkout / ".venv.lock").exists()


def test_a_python_that_is_too_old_is_not_taken(checkout: Path) -> None:
    old = checkout.parent / "tools" / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    assert "needs Python 3.11 or newer" in ask(checkout, "demo").stderr


def test_a_lock_left_by_a_dead_start_is_taken_over(checkout: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (checkout / ".venv.lock").mkdir()
    (checkout / ".venv.lock" / "pid").write_text(f"{dead.pid}\n")
    assert "needs Python 3.11 or newer" in ask(checkout, "demo").stderr


def test_logs_without_a_run_say_where_they_come_from(checkout: Path) -> None:
    refused = ask(checkout, "logs")
    assert refused.returncode == 1
    assert "./run demo makes them" in refused.stderr
    assert "There is no log 'api.log'" in ask(checkout, "logs", "api.log").stderr


def test_logs_show_the_part_that_is_asked_for_from_any_folder(checkout: Path) -> None:
    logs = checkout / ".data" / "logs"
    logs.mkdir(parents=True)
    (logs / "api.log").write_text("from the api\n")
    (logs / "worker.log").write_text("from the worker\n")
    assert ask(checkout, "logs", "api", cwd=Path("/")).stdout == "from the api\n"
    relative = ask(checkout, "logs", "worker", "--data", "a check out/.data")
    assert relative.stdout == "from the worker\n"


def test_it_is_executable_and_plain_sh() -> None:
    assert os.access(ROOT / "run", os.X_OK)
    assert (ROOT / "run").read_text().startswith("#!/bin/sh\n")
    assert subprocess.run(["sh", "-n", str(ROOT / "run")], check=False).returncode == 0
