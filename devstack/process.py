"""Child processes that die with the launcher, are stopped by id, and are known again after a crash."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.errors import StackError

# The kernel's "your parent died" signal is tied to the *thread* that forked. One thread that lives as long as the
# process starts every child, so that any other thread may ask for a start and end.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="linli-spawn")
_LAUNCH = Path(__file__).with_name("launch.py")
KEPT_LOGS = 5


def _wrapped(command: Sequence[str], user: str | None, on_launcher_death: signal.Signals) -> list[str]:
    head = [sys.executable, "-I", "-S", str(_LAUNCH), str(os.getpid()), str(int(on_launcher_death)), user or "-", "--"]
    return [*head, *command]


@dataclass(frozen=True)
class Identity:
    """A process id with the instant it started: ids are reused, the pair is not."""

    pid: int
    started_at: float

    @classmethod
    def of(cls, pid: int) -> Identity:
        return cls(pid, psutil.Process(pid).create_time())

    def process(self) -> psutil.Process | None:
        """The process if it still is the same one and not yet buried."""
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(self.pid)
            same = abs(found.create_time() - self.started_at) < 2.0
            return found if same and found.status() != psutil.STATUS_ZOMBIE else None
        return None


class Child:
    """One running program; its output goes to `log`."""

    def __init__(self, name: str, popen: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.log = log
        self._popen = popen
        self.identity = Identity.of(popen.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def alive(self) -> bool:
        return self._popen.poll() is None

    def ending(self) -> str:
        """How it ended, in words."""
        code = self._popen.poll()
        if code is None:
            return "still running"
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def send(self, signal_number: signal.Signals) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal_number)

    def wait(self, seconds: float) -> bool:
        try:
            self._popen.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def stop(self, signal_number: signal.Signals = signal.SIGTERM, grace_seconds: float = 10.0) -> None:
        """Ask, wait, then insist; afterwards nothing of its process group is left."""
        self.send(signal_number)
        self.wait(grace_seconds)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._popen.wait()


def spawn(
    name: str,
    command: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: Path,
    user: str | None = None,
    on_launcher_death: signal.Signals = signal.SIGKILL,
) -> Child:
    """Start a program in a session of its own, so that a Ctrl-C reaches only the launcher, which stops in order."""

    def start() -> subprocess.Popen[bytes]:
        with log.open("ab") as out:
            return subprocess.Popen(
                _wrapped(command, user, on_launcher_death),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=dict(env),
                cwd=cwd,
                start_new_session=True,
            )

    return Child(name, _SPAWNER.submit(start).result(), log)


def run(
    command: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    user: str | None = None,
    seconds: float = 120.0,
) -> subprocess.CompletedProcess[str]:
    """Run a short program to its end with its output caught; it too dies with the launcher."""

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            _wrapped(command, user, signal.SIGKILL),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
        )

    with _SPAWNER.submit(start).result() as popen:
        try:
            out, err = popen.communicate(timeout=seconds)
        except BaseException as problem:
            os.killpg(popen.pid, signal.SIGKILL)
            if isinstance(problem, subprocess.TimeoutExpired):
                raise StackError(f"{Path(command[0]).name} did not end within {seconds:.0f} s.") from problem
            raise
    return subprocess.CompletedProcess(list(command), popen.returncode, out, err)


def end_leftover(identity: Identity, expected: str, signal_number: signal.Signals, grace_seconds: float) -> bool:
    """End a process of an earlier, crashed run. False when there is none, or when the id now belongs to another."""
    process = identity.process()
    if process is None:
        return False
    with contextlib.suppress(psutil.Error):
        if expected not in " ".join(process.cmdline()):
            return False
        process.send_signal(signal_number)
        try:
            process.wait(grace_seconds)
        except psutil.TimeoutExpired:
            process.kill()
            process.wait(5)
    return True


def rotate(log: Path) -> None:
    """Begin a new log: `api.log` becomes `api.log.1`, the oldest of five is dropped."""
    for number in range(KEPT_LOGS - 1, 0, -1):
        older = log.with_name(f"{log.name}.{number}")
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))
    if log.exists() and log.stat().st_size:
        log.replace(log.with_name(f"{log.name}.1"))
    log.touch(mode=0o600)


def tail(log: Path, lines: int = 12) -> str:
    with contextlib.suppress(OSError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    return ""
