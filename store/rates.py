"""The event logs that figures are computed from, a demand at a time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from domain.kpi_log import READ_TYPES
from store.pool import Pool

PATIENCE_SECONDS = 300
BATCH = 500

# Demands that can have a case between $1 and $2: something happened since $1, or is still to happen, or the time to
# respond ends later, which the row knows exactly once the demand has come to rest. Promises and candidates are long, and
# nothing here reads them.
_LOGS = """
select e.number, e.seq, e.type, e.at, (e.data - '{promise,routing}'::text[])::text as data
from demand d join demand_event e on e.number = d.number
where d.opened_at < $2 and e.at < $2 and e.type = any($3::text[]) and ($4::text is null or d.number >= $4)
    and (
        d.updated_at >= $1 or d.stage <> 'closed'
        or greatest((d.state #>> '{clocks,accept,due_at}')::timestamptz,
                    (d.state #>> '{clocks,contact,due_at}')::timestamptz) >= $1
    )
order by e.number, e.seq
"""


class LogLine(NamedTuple):
    """An entry of a log as far as the figures read it; not validated again, for a year has two million of them."""

    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


Log = tuple[str, list[LogLine]]

_LOG = """
select seq, type, at, (data - '{promise,routing}'::text[])::text as data from demand_event
where number = $1 and type = any($2::text[]) order by seq
"""


async def log_of(pool: Pool, number: str) -> list[LogLine]:
    """What the figures read of one demand."""
    rows = await pool.fetch(_LOG, number, list(READ_TYPES))
    return [LogLine(row["seq"], row["type"], row["at"], json.loads(row["data"])) for row in rows]


@asynccontextmanager
async def logs(
    pool: Pool, start: datetime, end: datetime, *, first: str | None = None
) -> AsyncIterator[AsyncIterator[list[Log]]]:
    """Logs up to `end` of the demands that can count between `start` and `end`, in batches, by number, as of one moment.

    `first` leaves out all numbers before that one.
    """
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        cursor = await connection.cursor(_LOGS, start, end, list(READ_TYPES), first, timeout=PATIENCE_SECONDS)
        yield _batches(cursor)


async def _batches(cursor: asyncpg.cursor.Cursor[asyncpg.Record]) -> AsyncIterator[list[Log]]:
    """The last demand of a batch waits for the next one, which may hold the rest of it."""
    number, entries = "", list[LogLine]()
    while rows := await cursor.fetch(BATCH, timeout=PATIENCE_SECONDS):
        whole: list[Log] = []
        for row in rows:
            if row["number"] != number:
                whole.append((number, entries))
                number, entries = row["number"], []
            entries.append(LogLine(row["seq"], row["type"], row["at"], json.loads(row["data"])))
        yield [log for log in whole if log[0]]
    if number:
        yield [(number, entries)]
