"""Which installation a command works on: the environment names one, or the demo that runs on this machine is it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from devstack.folder import DataFolder
from devstack.postgres import DATABASE, USER
from runtime.settings import Settings, SettingsError, load_settings
from service.identity_marks import Marks
from service.people import People
from service.publish_watch import Watch, open_watch
from store.pool import Pool, open_pool

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
    if os.environ.get("DATABASE_URL"):
        try:
            return load_settings()
        except SettingsError as wrong:
            raise NoInstallation(str(wrong)) from None
    folder = DataFolder(data)
    port = _port_of(folder)
    if folder.holder() is None or port is None:
        raise NoInstallation(NO_INSTALLATION.format(data))
    try:
        password, keys = (_secret(folder, name) for name in ("postgres_password", "data_keys"))
    except OSError as problem:
        raise NoInstallation(f"{problem.filename} cannot be read ({problem.strerror}).") from None
    url = f"postgresql://{USER}:{password}@127.0.0.1:{port}/{DATABASE}"
    return Settings.model_validate({"database_url": url, "data_keys": keys})


def _secret(folder: DataFolder, name: str) -> str:
    return (folder.path / "secrets" / name).read_text().strip()


def _port_of(folder: DataFolder) -> int | None:
    """As PostgreSQL itself wrote it down; None where none runs, or it keeps its files elsewhere."""
    raise NotImplementedError(folder)
