"""Past demands with what routing looks at, read a batch at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from store.pool import Pool

PATIENCE_SECONDS = 120

_PAST = """
select number, category, community, grid, compound, stage <> 'closed' still_open, unit,
    state ? 'past_units' handed_off
from demand
where community is not null and grid is not null and ($1::timestamptz is null or opened_at >= $1)
    and (stage <> 'closed' or number >= coalesce((
        select min(number) from (
            select number from demand where stage = 'closed' and community is not null order by number desc limit $2
        ) newest), ''))
order by number desc
"""


@dataclass(frozen=True)
class Past:
    """`unit` is the unit that leads it now, or did when it was closed; `handed_off` whether a unit ever did."""

    number: str
    category: str
    community: str
    grid: str
    compound: str | None
    still_open: bool
    unit: str | None
    handed_off: bool


@asynccontextmanager
async def past_demands(
    pool: Pool, *, since: datetime | None, most_closed: int, batch: int
) -> AsyncIterator[AsyncIterator[list[Past]]]:
    """All open ones and the newest `most_closed` of the others, those opened since then, as of one moment."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_PAST, since, most_closed, timeout=PATIENCE_SECONDS)
        yield _batches(cursor, batch)


async def _batches(cursor: asyncpg.cursor.Cursor[asyncpg.Record], batch: int) -> AsyncIterator[list[Past]]:
    while rows := await cursor.fetch(batch, timeout=PATIENCE_SECONDS):
        yield [Past(**dict(row)) for row in rows]
