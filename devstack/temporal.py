"""A real Temporal server with its page, on disk, from the wheel's `temporal` program."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from devstack import ports, process
from devstack.errors import PortTaken, StackError, disk_full, port_taken
from devstack.process import Child

# One process with one SQLite connection: write-ahead log without a sync per write, one partition per task queue (first
# come, first served), and no reading of the search attributes' table at every start of a workflow.
FLAGS = (
    *("--sqlite-pragma", "journal_mode=WAL"),
    *("--sqlite-pragma", "synchronous=NORMAL"),
    *("--dynamic-config-value", "matching.numTaskqueueReadPartitions=1"),
    *("--dynamic-config-value", "matching.numTaskqueueWritePartitions=1"),
    *("--dynamic-config-value", "system.forceSearchAttributesCacheRefreshOnRead=false"),
    *("--log-level", "error"),
)
_READY_SECONDS = 60.0


def find_program() -> str:
    """`TEMPORAL_CLI`, else the wheel's program beside our Python, else one on the PATH."""
    chosen = os.environ.get("TEMPORAL_CLI")
    if chosen:
        if not os.access(chosen, os.X_OK) or Path(chosen).is_dir():
            raise StackError(f"TEMPORAL_CLI names {chosen}, which is not a program: correct or unset it.")
        return str(Path(chosen).absolute())
    found = shutil.which("temporal", path=str(Path(sys.executable).parent)) or shutil.which("temporal")
    if found is None:
        raise StackError(
            "The embedded Temporal is not installed: start with ./run, which installs it, "
            "or set TEMPORAL_ADDRESS to a server of yours."
        )
    return found


def declared_attributes() -> dict[str, str]:
    """Name to Temporal type of the search attributes the product uses."""
    from contracts.names import SEARCH_ATTRIBUTES  # the servers alone start without the product's code

    return dict(SEARCH_ATTRIBUTES)


class Temporal:
    """`temporal server start-dev` on one file. Ports are chosen at the first start and kept for the object's life."""

    name = "temporal"

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        ui_port: int | None = None,
        log: Path | None = None,
        search_attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._folder = data_dir.absolute()
        self._log = log or self._folder.with_name("temporal.log")
        self._port, self._ui_port = port, ui_port
        self._ports_are_given = port is not None or ui_port is not None
        self._attributes = search_attributes
        self._child: Child | None = None
        self._begin = 0
        self.notes: list[str] = []

    @property
    def child(self) -> Child | None:
        return self._child

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def ui(self) -> str:
        return f"http://127.0.0.1:{self._ui_port}"

    def start(self) -> None:
        self.launch()
        self.await_ready()

    def launch(self) -> None:
        """Start without waiting, so that other parts can start meanwhile; `await_ready` must follow."""
        if self.pid is not None:
            return
        self._folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self._keep_copy_before_upgrade()
        self._choose_ports()
        named = [word for name, kind in self._named().items() for word in ("--search-attribute", f"{name}={kind}")]
        self._begin = self._log.stat().st_size if self._log.exists() else 0
        self._child = process.spawn(
            self.name,
            [
                *(find_program(), "server", "start-dev", "--ip", "127.0.0.1"),
                *("--port", str(self._port), "--ui-port", str(self._ui_port)),
                *("--db-filename", str(self._folder / "temporal.db")),
                *FLAGS,
                *named,
            ],
            log=self._log,
            # Fewer garbage collections for 100 MB more memory.
            env={"GOGC": "400", **_own_environment()},
            cwd=self._folder,
        )

    def await_ready(self) -> None:
        """Raises StackError when it ends or does not serve in time; a chosen port lost to another is chosen anew."""
        for _ in range(5):
            with contextlib.suppress(PortTaken):
                self._await_serving()
                self._register_missing()
                (self._folder / "version").write_text(_version())
                return
            self._port = self._ui_port = None
            self.launch()
        raise StackError("Temporal found no free port in five tries.")

    def stop(self) -> None:
        if self._child:
            self._child.stop(signal.SIGTERM, grace_seconds=10)

    def kill(self) -> None:
        if self._child:
            self._child.send(signal.SIGKILL)
            self._child.wait(5)

    def _choose_ports(self) -> None:
        for port in (self._port, self._ui_port):
            if port is not None and not ports.is_free(port) and self._ports_are_given:
                raise StackError(str(port_taken(port)), exit_code=2)
        self._port = self._port or ports.free_port()
        self._ui_port = self._ui_port or ports.free_port()

    def _await_serving(self) -> None:
        assert self._child is not None
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if not self._child.alive:
                raise self._failed()
            if ports.answers(self._port or 0, seconds=0.5) and self._serves():
                return
            time.sleep(0.05)
        self._child.stop(signal.SIGKILL)
        raise StackError(f"Temporal did not answer within {_READY_SECONDS:.0f} s; {self._log} says why.")

    def _serves(self) -> bool:
        """The namespace is there, so calls of workers and clients are answered."""
        return self.operator("namespace", "describe", "default").returncode == 0

    def _named(self) -> Mapping[str, str]:
        return declared_attributes() if self._attributes is None else self._attributes

    def _register_missing(self) -> None:
        """The flag counts only when the file is made: a release that adds an attribute finds it lacking in old ones."""
        there = self.operator("search-attribute", "list").stdout.split()
        missing = {name: kind for name, kind in self._named().items() if name not in there}
        if not missing:
            return
        words = [word for name, kind in missing.items() for word in ("--name", name, "--type", kind)]
        made = self.operator("search-attribute", "create", *words)
        if made.returncode != 0:
            raise StackError(f"Temporal refused the search attributes {', '.join(missing)}: {made.stderr.strip()}")

    def operator(self, *words: str) -> subprocess.CompletedProcess[str]:
        command = [find_program(), "operator", *words, "--address", self.address]
        return process.run(command, env=_own_environment(), cwd=self._folder, seconds=20)

    def _failed(self) -> StackError:
        said = self._log.read_bytes()[self._begin :].decode(errors="replace") if self._log.exists() else ""
        if "address already in use" in said and not self._ports_are_given:
            return port_taken(self._port or 0)
        if "no space left on device" in said.lower() or "database or disk is full" in said:
            return disk_full(self._folder)
        last = "\n".join(said.strip().splitlines()[-8:])
        return StackError(f"Temporal could not start in {self._folder}. It said:\n{last}")

    def _keep_copy_before_upgrade(self) -> None:
        """Its file has no promised format: a newer program may not go back, so the old file is kept beside."""
        note, database = self._folder / "version", self._folder / "temporal.db"
        if not (note.exists() and database.exists()) or note.read_text() == _version():
            return
        kept = database.with_name("temporal-before-upgrade.db")
        for suffix in ("", "-wal", "-shm"):
            part = database.with_name(database.name + suffix)
            if part.exists():
                shutil.copy2(part, kept.with_name(kept.name + suffix))
        self.notes.append(f"Temporal's program changed; the file of the earlier one is kept as {kept}.")


def _version() -> str:
    asked = subprocess.run([find_program(), "--version"], capture_output=True, text=True, timeout=30, check=False)
    return asked.stdout.strip()


def _own_environment() -> dict[str, str]:
    """Without TEMPORAL_…: those settings speak of somebody else's server."""
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
