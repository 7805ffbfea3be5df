"""The migrations build exactly what the tables say, and can be taken back and applied again."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import store.tables  # noqa: F401
from store import migrate

_TABLES = "select table_name from information_schema.tables where table_schema = 'public' order by 1"


def apart(work: Callable[[], None]) -> Any:
    """Migrations run an event loop of their own."""
    return asyncio.get_running_loop().run_in_executor(None, work)


async def tables(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    found = {r["table_name"] for r in await connection.fetch(_TABLES)}
    await connection.close()
    return found


async def drift(url: str) -> list[Any]:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))

    def compare(connection: Connection) -> list[Any]:
        options = {"compare_type": True, "compare_server_default": True}
        return compare_metadata(MigrationContext.configure(connection, opts=options), SQLModel.metadata)

    async with engine.connect() as connection:
        found = await connection.run_sync(compare)
    await engine.dispose()
    return found


async def test_up_down_up_and_no_drift(new_database: Callable[..., str]) -> None:
    url = new_database(empty=True)
    await apart(lambda: migrate.upgrade(url))
    first = await tables(url)
    assert {"demand", "demand_event", "outbox", "meeting_item"} <= first
    await apart(lambda: command.downgrade(migrate.config(url), "base"))
    assert await tables(url) == {"alembic_version"}
    await apart(lambda: migrate.upgrade(url))
    assert await tables(url) == first
    assert await drift(url) == []


async def test_upgrading_again_and_from_several_places_at_once_is_harmless(
    new_database: Callable[..., str], project_root: Path
) -> None:
    url = new_database(empty=True)
    environment = {**os.environ, "DATABASE_URL": url}
    starting = (
        asyncio.create_subprocess_exec(sys.executable, "-m", "store.migrate", env=environment, cwd=project_root)
        for _ in range(3)
    )
    programs = await asyncio.gather(*starting)
    assert [await asyncio.wait_for(one.wait(), 30) for one in programs] == [0, 0, 0]
    await apart(lambda: migrate.upgrade(url))
    assert await drift(url) == []


async def test_every_time_carries_its_zone(database: str) -> None:
    connection = await asyncpg.connect(database)
    naive = await connection.fetch(
        "select table_name, column_name from information_schema.columns where table_schema = 'public'"
        " and data_type = 'timestamp without time zone'"
    )
    await connection.close()
    assert naive == []
