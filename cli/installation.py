"""Which installation a command works on: the environment names one, or the demo that runs on this machine is it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from devstack.folder import DataFolder
from devstack.postgres import DATABASE, USER
from devstack.program import ROOT
from runtime.settings import Settings
from service.identity_marks import Marks
from service.people import People
from service.publish_watch import Watch, open_watch
from store.pool import Pool, open_pool

DATA = ROOT / ".data"
NO_INSTALLATION = (
    "No running demo was found in {}. Start one with ./run demo in another terminal (--data DIR if it is elsewhere), "
    "or set DATABASE_URL and LINLI_DATA_KEYS as for the API."
)


class NoInstallation(Exception):
    """The sentence says what to do."""


@dataclass(frozen=True)
class Installation:
    """Its database, and what is in force there."""

    pool: Pool
    watch: Watch
    marks: Marks

    @property
    def people(self) -> People:
        return People(self.pool, self.watch)

    def now(self) -> datetime:
        return datetime.now(UTC)


@contextlib.asynccontextmanager
async def opened(data: Path) -> AsyncIterator[Installation]:
    """Raises NoInstallation, ConfigError, and store.pool.UNAVAILABLE where the database does not answer."""
    settings = settings_of(data)
    pool = await open_pool(settings.database_url, size=2)
    try:
        watch = open_watch(settings, pool)
        await watch.take_over()
        yield Installation(pool, watch, Marks(settings.key_ring()))
    finally:
        await pool.close()


def settings_of(data: Path) -> Settings:
    """What the environment leaves open, the demo in the data folder says. Raises NoInstallation."""
    given: dict[str, str] = {}
    try:
        if not os.environ.get("DATABASE_URL"):
            given["database_url"] = _demo_database(data)
        if not os.environ.get("LINLI_DATA_KEYS") and _secret(data, "data_keys").exists():
            given["data_keys"] = _secret(data, "data_keys").read_text().strip()
    except OSError as problem:
        raise NoInstallation(f"{problem.filename} cannot be read ({problem.strerror}).") from None
    try:
        return Settings.model_validate(given)
    except ValidationError as wrong:
        names = sorted({str(error["loc"][0]) for error in wrong.errors(include_url=False, include_input=False)})
        raise NoInstallation(f"These settings are missing or cannot be used: {', '.join(names)}.") from None


def _secret(data: Path, name: str) -> Path:
    return data / "secrets" / name


def _demo_database(data: Path) -> str:
    folder = DataFolder(data)
    if folder.holder() is None:
        raise NoInstallation(NO_INSTALLATION.format(data))
    try:
        port = json.loads((folder.path / "stack.json").read_text())["postgres_port"]
    except (OSError, ValueError, KeyError):
        port = None
    if port is None:
        raise NoInstallation(f"The demo in {data} uses a database elsewhere: set DATABASE_URL as for the demo.")
    password = _secret(data, "postgres_password").read_text().strip()
    return f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
