"""The product's own processes, API and worker: settings by environment only."""

from __future__ import annotations

import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from devstack import process
from devstack.errors import StackError, disk_full, port_taken
from devstack.process import Child

ROOT = Path(__file__).resolve().parent.parent
# First start on a slow, cold disk: compiling the modules takes most of it.
_READY_SECONDS = 120.0


class Program:
    """A Python command of this checkout. `start` returns at once; whether it serves is asked by `await_ready`."""

    def __init__(
        self, name: str, arguments: list[str], env: Mapping[str, str], log: Path, grace_seconds: float
    ) -> None:
        self.name = name
        self._arguments = arguments
        self._env = env
        self._log = log
        self._grace_seconds = grace_seconds
        self._child: Child | None = None
        self._begin = 0
        self.notes: list[str] = []

    @property
    def child(self) -> Child | None:
        return self._child

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    def start(self) -> None:
        if self.pid is not None:
            return
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        self._child = process.spawn(
            self.name, [sys.executable, *self._arguments], log=self._log, env=self._env, cwd=ROOT
        )

    def stop(self) -> None:
        if self._child:
            self._child.stop(signal.SIGTERM, self._grace_seconds)

    def kill(self) -> None:
        if self._child:
            self._child.send(signal.SIGKILL)
            self._child.wait(5)

    def failure(self) -> StackError:
        said = self._log.read_bytes()[self._begin :].decode(errors="replace") if self._log.exists() else ""
        if "No space left on device" in said:
            return disk_full(self._log.parent)
        last = "\n".join(said.strip().splitlines()[-8:])
        ending = self._child.ending() if self._child else "never started"
        return StackError(f"The {self.name} did not come up ({ending}). {self._log} ends with:\n{last}")


class Api(Program):
    """uvicorn with the API on `port` of the loopback interface."""

    def __init__(self, port: int, env: Mapping[str, str], log: Path) -> None:
        arguments = [
            *("-m", "uvicorn", "--factory", "server:create_app", "--host", "127.0.0.1", "--port", str(port)),
            # Without the limit an open event stream would hold up the stop for as long as its reader likes.
            *("--no-access-log", "--timeout-graceful-shutdown", "5"),
        ]
        super().__init__("api", arguments, env, log, grace_seconds=10)
        self.port = port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def await_ready(self) -> None:
        """Raises PortTaken when another program was quicker, StackError when it ends or never says it is ready."""
        until = time.monotonic() + _READY_SECONDS
        said = ""
        while time.monotonic() < until:
            if self.pid is None:
                if "address already in use" in self._log.read_bytes()[self._begin :].decode(errors="replace"):
                    raise port_taken(self.port)
                raise self.failure()
            said = self._asked()
            if said == "ready":
                return
            time.sleep(0.1)
        self.stop()
        raise StackError(f"The API was not ready within {_READY_SECONDS:.0f} s: {said}. {self._log} may say why.")

    def _asked(self) -> str:
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=5) as answer:
                return "ready" if answer.status == 200 else f"/readyz answered {answer.status}"
        except urllib.error.HTTPError as problem:
            return f"/readyz answered {problem.code}: {problem.read(500).decode(errors='replace')}"
        except OSError as problem:
            return f"/readyz did not answer ({problem})"
