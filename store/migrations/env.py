"""Alembic's entry: migrate one database under an advisory lock, so that several starters do not collide."""

from __future__ import annotations

import asyncio

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import SQLModel

import store.bulk_tables
import store.delivery_tables
import store.exclusion_tables
import store.feed_tables
import store.file_tables
import store.forwarding_tables
import store.identity_tables
import store.likeness_tables
import store.link_tables
import store.list_tables
import store.notice_tables
import store.privacy_tables
import store.rotation_tables
import store.system_tables
import store.tables
import store.webhook_tables  # noqa: F401  (all of them fill SQLModel.metadata)

LOCK = 7_310_021


def _run(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, compare_type=True)
    with context.begin_transaction():
        connection.execute(text(f"select pg_advisory_xact_lock({LOCK})"))
        context.run_migrations()


async def _migrate(url: str) -> None:
    engine = create_async_engine(url.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        await connection.run_sync(_run)
        await connection.commit()
    await engine.dispose()


if given := context.config.attributes.get("connection"):
    _run(given)
else:
    asyncio.run(_migrate(context.config.attributes["url"]))
