"""The stack heals what dies, goes when it is told, and leaves nobody behind even when it is not asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from devstack.program import ROOT
from devstack.stack import Stack

SERVERS = ("postgres", "temporal")


def eventually(holds: Callable[[], bool], seconds: float = 30.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return holds()


def alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def test_a_server_that_dies_is_started_again_and_one_that_is_stopped_stays_so(folder: Path) -> None:
    said: list[str] = []
    with Stack(folder / "data", parts=SERVERS, say=said.append) as stack:
        before = stack.pids["temporal"]
        stack.kill("temporal")
        assert eventually(lambda: stack.pids["temporal"] not in (None, before))
        assert any("temporal ended (signal 9); starting it again" in line for line in said)
        address = stack.temporal_address
        stack.stop_part("temporal")
        told = len(said)
        time.sleep(1.5)  # longer than the watch takes to notice
        assert (stack.pids["temporal"], said[told:]) == (None, [])
        stack.start_part("temporal")
        assert stack.temporal_address == address
        pids = [pid for pid in stack.pids.values() if pid]
    assert not any(alive(pid) for pid in pids)


def test_no_process_outlives_a_launcher_that_is_killed_and_the_next_start_says_so(folder: Path) -> None:
    script = (
        "import json, sys, time; from pathlib import Path; from devstack.stack import Stack;"
        f"one = Stack(Path(sys.argv[1]), parts={SERVERS!r}); one.start();"
        "print(json.dumps(one.pids), flush=True); time.sleep(60)"
    )
    launcher = subprocess.Popen([sys.executable, "-c", script, str(folder / "data")], stdout=subprocess.PIPE, cwd=ROOT)
    assert launcher.stdout is not None
    with launcher.stdout:
        pids = [pid for pid in json.loads(launcher.stdout.readline()).values() if pid]
    assert all(alive(pid) for pid in pids)
    launcher.kill()
    launcher.wait()
    assert eventually(lambda: not any(alive(pid) for pid in pids))
    said: list[str] = []
    with Stack(folder / "data", parts=SERVERS, say=said.append):
        assert f"The last run (process {launcher.pid}) did not end in order; cleaning up after it." in said


def running(data: Path, part: str) -> int | None:
    """The process of a part, as the stack has written it down."""
    pid: int | None = json.loads((data / "stack.json").read_text())["parts"].get(part, {}).get("pid")
    return pid


class Demo:
    """`./run demo --json` as a script sees it."""

    def __init__(self, data: Path, *options: str) -> None:
        command = [sys.executable, "-m", "devstack", "demo", "--json", "--port", "0", "--data", str(data), *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.end()[1])
        self.facts: dict[str, Any] = json.loads(line)

    def get(self, path: str) -> Any:
        token = next(one["token"] for one in self.facts["logins"] if one["role"] == "supervisor")
        request = urllib.request.Request(self.facts["url"] + path, headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def end(self, sign: signal.Signals = signal.SIGINT) -> tuple[str, str]:
        self.process.send_signal(sign)
        return self.process.communicate(timeout=60)


def test_a_demo_lives_heals_ends_and_goes_on_with_the_same_demands(folder: Path) -> None:
    first = Demo(folder / "data")
    facts = first.facts
    demands = first.get("/api/v1/demands?limit=100")
    assert len(demands) == 24
    assert {one["stage"] for one in demands} == {"intake", "grid", "unit", "meeting", "feedback", "closed"}
    assert first.get("/readyz")["status"] == "ok"
    roles = {one["role"] for one in facts["logins"]}
    assert {"resident", "grid_worker", "unit_liaison", "chair", "operator", "supervisor", "auditor", "admin"} <= roles
    os.kill(facts["pids"]["worker"], signal.SIGKILL)
    assert eventually(lambda: running(folder / "data", "worker") not in (None, facts["pids"]["worker"]))
    healed = running(folder / "data", "worker")
    assert healed is not None
    assert alive(healed)
    out, err = first.end()
    assert (first.process.returncode, out) == (0, "")
    assert "The worker ended (signal 9); starting it again" in err
    assert not any(alive(pid) for pid in (healed, *facts["pids"].values()))

    second = Demo(folder / "data")
    again = second.get("/api/v1/demands?limit=100")
    assert {one["number"] for one in again} == {one["number"] for one in demands}
    assert [one["token"] for one in second.facts["logins"]] == [one["token"] for one in facts["logins"]]
    out, err = second.end(signal.SIGTERM)
    assert "Seeding" not in err
    assert not any(alive(pid) for pid in second.facts["pids"].values())


def test_a_busy_port_is_one_sentence_and_exit_code_2_before_anything_starts(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        command = [sys.executable, "-m", "devstack", "demo", "--port", str(port), "--data", str(folder / "data")]
        refused = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)
    assert refused.returncode == 2
    assert refused.stderr == (
        f"Port {port} is already in use on 127.0.0.1: stop the program that holds it, or choose another with --port N.\n"
    )
    assert not (folder / "data").exists()
