"""The event logs that figures are computed from, a demand at a time; and the figures of months that are over."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
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

_PUT = """
insert into rate_figure (month, definition, grouping, key, figure, numerator, denominator, excluded, computed_at)
select $1, $2, f.*, $3 from unnest($4::text[], $5::text[], $6::text[], $7::numeric[], $8::int[], $9::jsonb[])
    as f (grouping, key, figure, numerator, denominator, excluded)
"""


class LogLine(NamedTuple):
    """An entry of a log as far as the figures read it; not validated again, for a year has two million of them."""

    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


Log = tuple[str, list[LogLine]]


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


@dataclass(frozen=True)
class Stored:
    """A figure as it is kept; `denominator` None: a count."""

    grouping: str
    key: str
    figure: str
    numerator: Decimal
    denominator: int | None
    excluded: dict[str, int]


async def put_month(pool: Pool, month: date, definition: str, figures: Sequence[Stored], at: datetime) -> bool:
    """Keep the figures of a month, all at once; False where they are kept already, and stay as they are."""
    columns = (
        [f.grouping for f in figures], [f.key for f in figures], [f.figure for f in figures],
        [f.numerator for f in figures], [f.denominator for f in figures], [json.dumps(f.excluded) for f in figures],
    )  # fmt: skip
    try:
        await pool.execute(_PUT, month, definition, at, *columns)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def month(pool: Pool, month: date, definition: str) -> list[Stored]:
    rows = await pool.fetch(
        "select grouping, key, figure, numerator, denominator, excluded::text from rate_figure"
        " where month = $1 and definition = $2 order by grouping, key, figure",
        month, definition,
    )  # fmt: skip
    return [Stored(**{**dict(row), "excluded": json.loads(row["excluded"])}) for row in rows]


async def computed_at(pool: Pool, month: date, definition: str) -> datetime | None:
    found: datetime | None = await pool.fetchval(
        "select computed_at from rate_figure where month = $1 and definition = $2 limit 1", month, definition
    )
    return found


async def definitions_of(pool: Pool, month: date) -> list[str]:
    """By which definitions the month's figures are kept."""
    rows = await pool.fetch("select distinct definition from rate_figure where month = $1 order by 1", month)
    return [row["definition"] for row in rows]
