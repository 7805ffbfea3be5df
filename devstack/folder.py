"""The data folder of a stack: who uses it, its secrets, its logs, and what an earlier run left in it."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import secrets
import shutil
import signal
from collections.abc import Callable, Mapping
from pathlib import Path

from devstack import process
from devstack.errors import StackError, disk_full
from devstack.process import Identity

NEEDED_BYTES = 200 * 1024 * 1024
MARK = "linli-data"  # a folder without it is never removed by `./run reset`

# What the command line of each part must hold before an earlier run's process is ended.
EXPECTED: Mapping[str, str] = {
    "api": "server:create_app",
    "worker": "worker.py",
    "temporal": "start-dev",
    "postgres": "postgres",
}


class DataFolder:
    """Locked by one stack at a time. The lock is the kernel's: it ends with the process, however that ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock: int | None = None
        self._ledger_path = self.path / "stack.json"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def locked(self) -> bool:
        return self._lock is not None

    def open(self, say: Callable[[str], None]) -> None:
        """Make and lock the folder; clean up after a run that crashed. Raises StackError or OSError."""
        # Root's PostgreSQL runs as another user, who must pass through but need not list.
        self.path.mkdir(parents=True, mode=0o711 if os.geteuid() == 0 else 0o700, exist_ok=True)
        if shutil.disk_usage(self.path).free < NEEDED_BYTES:
            raise disk_full(self.path)
        (self.path / MARK).touch()
        self.logs.mkdir(mode=0o700, exist_ok=True)
        self._take_lock()
        self._end_leftovers(say)

    def holder(self) -> int | None:
        """The id of the live stack that uses this folder, if any."""
        if not (self.path / "lock").exists():
            return None
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(os.read(descriptor, 32) or 0)
        finally:
            os.close(descriptor)
        return None

    def _take_lock(self) -> None:
        descriptor = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(descriptor, 32).decode().strip() or "unknown"
            os.close(descriptor)
            raise StackError(
                f"{self.path} is in use by a running stack (process {holder}): stop that one, "
                "or choose another folder with --data DIR.",
                exit_code=2,
            ) from None
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        self._lock = descriptor

    def close(self) -> None:
        """Say that the run ended in order, and let the next one in."""
        if self._lock is not None:
            self._ledger_path.unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def record(self, facts: Mapping[str, object], parts: Mapping[str, Identity]) -> None:
        """Keep what runs, so that the next start knows what a crash left behind."""
        ledger = {
            "launcher": os.getpid(),
            **facts,
            "parts": {name: {"pid": one.pid, "started_at": one.started_at} for name, one in parts.items()},
        }
        fresh = self._ledger_path.with_suffix(".new")
        fresh.write_text(json.dumps(ledger, indent=1))
        fresh.replace(self._ledger_path)

    def _end_leftovers(self, say: Callable[[str], None]) -> None:
        if not self._ledger_path.exists():
            return
        try:
            ledger = json.loads(self._ledger_path.read_text())
            parts = {name: Identity(one["pid"], one["started_at"]) for name, one in ledger["parts"].items()}
        except (ValueError, KeyError, TypeError):  # torn by the crash itself
            ledger, parts = {}, {}
        say(f"The last run (process {ledger.get('launcher', 'unknown')}) did not end in order; cleaning up after it.")
        for name in ("api", "worker", "temporal", "postgres"):
            sign = signal.SIGINT if name == "postgres" else signal.SIGTERM
            if name in parts and process.end_leftover(parts[name], EXPECTED[name], sign, grace_seconds=10):
                say(f"Ended its {name} (process {parts[name].pid}).")
        self._ledger_path.unlink(missing_ok=True)

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A secret made once and kept readable by the owner only."""
        folder = self.path / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        place = folder / name
        if not place.exists():
            fresh = folder / f"{name}.new"
            fresh.unlink(missing_ok=True)
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as out:
                out.write(make())
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(place)  # never a half-written key
        return place.read_text().strip()

    def data_keys(self) -> str:
        return self.secret("data_keys", lambda: "k1:" + base64.b64encode(secrets.token_bytes(32)).decode())

    def token_secret(self) -> str:
        return self.secret("dev_token_secret", lambda: secrets.token_urlsafe(32))
