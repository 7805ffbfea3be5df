"""PostgreSQL, Temporal, migrations, worker and API as one thing that starts, heals, and stops."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from devstack import ports, process
from devstack.errors import PortTaken, StackError, from_os_error, port_taken
from devstack.folder import DataFolder
from devstack.postgres import Postgres
from devstack.program import ROOT, Api, Program
from devstack.temporal import Temporal
from devstack.watch import Part, Watch

SERVERS = ("postgres", "temporal")
PARTS = (*SERVERS, "worker", "api")  # in the order of starting; they stop in reverse
DEFAULT_PORT = 8000
DEFAULT_PACK = ROOT / "config" / "shengli-road"
DEFAULT_CALENDAR = ROOT / "config" / "calendar"
_MIGRATE = "import os; from store.migrate import upgrade; upgrade(os.environ['DATABASE_URL'])"


def to_stderr(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # the terminal may be gone; the stack must still stop in order
        print(line, file=sys.stderr, flush=True)


def _from_environment(name: str) -> Path | None:
    """A path as worker and API understand it: from the checkout, wherever the caller stands."""
    given = os.environ.get(name)
    return ROOT / given if given else None


class Stack:
    """Use as `with Stack(folder) as stack:` or `async with …`; every method is safe from any thread.

    `port=None` takes 8000 or the next free one, `port=0` any free one, another number is taken or refused.
    `parts` limits what is started. `DATABASE_URL` and `TEMPORAL_ADDRESS` in the environment stand in for a server.
    `settings` are further environment variables for worker and API.
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int | None = None,
        parts: Collection[str] = PARTS,
        pack: Path | None = None,
        overlay: Path | None = None,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = to_stderr,
    ) -> None:
        self.folder = DataFolder(data_dir)
        self._port = port
        self._wanted_parts = tuple(one for one in PARTS if one in parts)
        self._given = {"postgres": os.environ.get("DATABASE_URL"), "temporal": os.environ.get("TEMPORAL_ADDRESS")}
        self.pack = pack.absolute() if pack else _from_environment("LINLI_PACK") or DEFAULT_PACK
        self.overlay = overlay.absolute() if overlay else _from_environment("LINLI_PACK_OVERLAY")
        self._settings = dict(settings or {})
        self._say = say
        self._parts: dict[str, Part] = {}
        self._guard = threading.RLock()
        self._watch = Watch(self._parts, self._guard, say, self._record)

    # -- what it offers ------------------------------------------------------------------------------------------

    @property
    def url(self) -> str:
        api = self._parts.get("api")
        if not isinstance(api, Api):
            raise StackError("This stack runs no API.")
        return api.url

    @property
    def database_url(self) -> str:
        part = self._parts.get("postgres")
        return part.url if isinstance(part, Postgres) else self._given["postgres"] or ""

    @property
    def temporal_address(self) -> str:
        part = self._parts.get("temporal")
        return part.address if isinstance(part, Temporal) else self._given["temporal"] or ""

    @property
    def temporal_ui(self) -> str | None:
        part = self._parts.get("temporal")
        return part.ui if isinstance(part, Temporal) else None

    @property
    def pids(self) -> dict[str, int | None]:
        """None for a part that is not ours or not running."""
        return {name: self._parts[name].pid if name in self._parts else None for name in PARTS}

    @property
    def token_secret(self) -> str:
        return os.environ.get("LINLI_DEV_TOKEN_SECRET") or self.folder.token_secret()

    def environment(self) -> dict[str, str]:
        """What worker and API read. Other tools of the checkout may be run with it too."""
        chosen = {
            "DATABASE_URL": self.database_url,
            "TEMPORAL_ADDRESS": self.temporal_address,
            "LINLI_PACK": str(self.pack),
            "LINLI_DATA_KEYS": os.environ.get("LINLI_DATA_KEYS") or self.folder.data_keys(),
            "LINLI_DEV_TOKEN_SECRET": self.token_secret,
            "LINLI_CALENDAR": os.environ.get("LINLI_CALENDAR") or str(DEFAULT_CALENDAR),
            # It serves plain http, on loopback alone.
            "LINLI_PLAIN_HTTP_COOKIE": os.environ.get("LINLI_PLAIN_HTTP_COOKIE") or "true",
            "LINLI_WEBHOOK_ALLOW": os.environ.get("LINLI_WEBHOOK_ALLOW") or "127.0.0.0/8,::1/128",
            "LINLI_FILES": os.environ.get("LINLI_FILES") or str(self.folder.path / "files"),
        }
        if self.temporal_ui is not None:
            chosen["LINLI_TEMPORAL_UI_URL"] = os.environ.get("LINLI_TEMPORAL_UI_URL") or self.temporal_ui
        if self.overlay is not None:
            chosen["LINLI_PACK_OVERLAY"] = str(self.overlay)
        return {**os.environ, **chosen, **self._settings, "PYTHONUNBUFFERED": "1"}

    # -- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Everything up and `/readyz` 200, or StackError with nothing left running."""
        try:
            self._start()
        except OSError as problem:
            self.stop()
            raise from_os_error(problem, self.folder.path) from problem
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        if self._port and "api" in self._wanted_parts and not ports.is_free(self._port):
            raise port_taken(self._port)
        self.folder.open(self._say)
        for name in PARTS:
            process.rotate(self.folder.logs / f"{name}.log")
        self._start_servers()
        if "worker" in self._wanted_parts or "api" in self._wanted_parts:
            self._migrate()
        self._start_programs()
        self._record()
        self._watch.start()

    def _start_servers(self) -> None:
        ours = [name for name in SERVERS if name in self._wanted_parts and not self._given[name]]
        temporal = Temporal(self.folder.path / "temporal", log=self.folder.logs / "temporal.log")
        if "temporal" in ours:
            self._say("Starting Temporal …")
            self._parts["temporal"] = temporal
            temporal.launch()  # comes up while PostgreSQL does
            self._record()
        if "postgres" in ours:
            self._say("Starting PostgreSQL …")
            password = self.folder.secret("postgres_password", lambda: os.urandom(16).hex())
            postgres = Postgres(self.folder.path / "postgres", log=self.folder.logs / "postgres.log", password=password)
            self._parts["postgres"] = postgres
            postgres.start()
            self._record()
        if "temporal" in ours:
            temporal.await_ready()
        for name in ours:
            self._noted(self._parts[name])

    def _migrate(self) -> None:
        self._say("Migrating the database …")
        done = process.run([sys.executable, "-c", _MIGRATE], env=self.environment(), cwd=ROOT, seconds=600)
        if done.returncode != 0:
            last = "\n".join((done.stderr or done.stdout).strip().splitlines()[-8:])
            raise StackError(f"The database could not be migrated:\n{last}")

    def _start_programs(self) -> None:
        env, logs = self.environment(), self.folder.logs
        if "worker" in self._wanted_parts:
            self._say("Starting the worker …")
            self._parts["worker"] = Program("worker", ["worker.py"], env, logs / "worker.log", grace_seconds=15)
            self._parts["worker"].start()
            self._record()
        if "api" in self._wanted_parts:
            self._start_api(env, logs / "api.log")
        worker = self._parts.get("worker")
        if isinstance(worker, Program) and worker.pid is None:
            raise worker.failure()

    def _start_api(self, env: Mapping[str, str], log: Path) -> None:
        for _ in range(5):
            port = self._port or (ports.free_port() if self._port == 0 else ports.next_free(DEFAULT_PORT))
            if self._port is None and port != DEFAULT_PORT:
                self._say(f"Port {DEFAULT_PORT} is in use; taking {port} instead (--port N chooses another).")
            self._say(f"Starting the API on port {port} …")
            api = Api(port, env, log)
            self._parts["api"] = api
            api.start()
            self._record()
            try:
                api.await_ready()
            except PortTaken:
                if self._port:
                    raise
                continue
            return
        raise StackError("The API found no free port in five tries.")

    def stop(self) -> None:
        """In reverse order of starting. Safe to call twice, and half-way through a start."""
        self._watch.close()
        with self._guard:
            for name in reversed(PARTS):
                if name in self._parts:
                    self._parts[name].stop()
            self.folder.close()

    # -- faults, for tests and for the watch ---------------------------------------------------------------------

    def kill(self, name: str) -> None:
        """kill -9. The watch starts it again, as after any death."""
        self._parts[name].kill()

    def stop_part(self, name: str) -> None:
        """Stop in order and keep stopped until `start_part`."""
        with self._guard:
            self._watch.held.add(name)
            self._parts[name].stop()

    def start_part(self, name: str) -> None:
        """On the same data and the same port as before."""
        with self._guard:
            part = self._parts[name]
            part.start()
            if isinstance(part, Api):
                part.await_ready()
            self._watch.held.discard(name)
            self._record()

    def restart_part(self, name: str) -> None:
        self.stop_part(name)
        self.start_part(name)

    # -- bookkeeping ---------------------------------------------------------------------------------------------

    def _record(self) -> None:
        running = {name: part.child.identity for name, part in self._parts.items() if part.child and part.pid}
        api, postgres = self._parts.get("api"), self._parts.get("postgres")
        facts = {
            "url": api.url if isinstance(api, Api) else None,
            "postgres_port": postgres.port if isinstance(postgres, Postgres) else None,
        }
        self.folder.record(facts, running)

    def _noted(self, part: Part) -> None:
        for note in part.notes:
            self._say(note)
        part.notes.clear()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.to_thread(self.start)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)
