"""The asyncpg pool for writes and for the hot path; SQLModel's engine (`store/queries.py`) reads lists."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncpg
from asyncpg.pool import PoolConnectionProxy

if TYPE_CHECKING:
    Pool = asyncpg.Pool[asyncpg.Record]
    Connection = asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]
else:
    Pool = asyncpg.Pool
    Connection = asyncpg.Connection | PoolConnectionProxy

UNAVAILABLE = (asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
               asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, asyncpg.InterfaceError, OSError, TimeoutError)  # fmt: skip


async def _as_it_is(connection: object) -> None:
    """Nothing here leaves state in a session, so a connection goes back without the round trip of a reset."""


async def open_pool(url: str, *, size: int) -> Pool:
    """A pool of at most `size` connections; statements take at most 10 s."""
    return await asyncpg.create_pool(url, min_size=1, max_size=size, command_timeout=10, timeout=5, reset=_as_it_is)
