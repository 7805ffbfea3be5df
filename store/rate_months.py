"""The figures of months that are over, as they were computed: nothing is overwritten, another computation stands beside."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from store.pool import Pool

_PUT = """
insert into rate_figure (month, definition, computation, grouping, key, figure, numerator, denominator, excluded)
select $1, $2, $3, f.* from unnest($4::text[], $5::text[], $6::text[], $7::numeric[], $8::int[], $9::jsonb[])
    as f (grouping, key, figure, numerator, denominator, excluded)
"""

_PUT_MONTH = """
insert into rate_month (month, definition, computation, computed_at, computed_by, reason, inputs)
values ($1, $2, $3, $4, $5, $6, $7)
"""

_COMPUTATIONS = """
select m.definition, m.computation, m.computed_at, m.computed_by, m.reason, m.inputs::text as inputs,
    (select count(*) from rate_figure f
     where f.month = m.month and f.definition = m.definition and f.computation = m.computation) as figures
from rate_month m where m.month = $1 order by m.definition, m.computation
"""


@dataclass(frozen=True)
class Stored:
    """A figure as it is kept; `denominator` None: a count."""

    grouping: str
    key: str
    figure: str
    numerator: Decimal
    denominator: int | None
    excluded: dict[str, int]


@dataclass(frozen=True)
class Computation:
    """When, by whom and why a month was computed, from which inputs besides the log. The first needs no reason."""

    definition: str
    computation: int
    computed_at: datetime
    computed_by: str | None
    reason: str | None
    inputs: dict[str, Any]
    figures: int = 0


async def put(
    pool: Pool,
    month: date,
    computed: Computation,
    figures: Sequence[Stored],
    also: Callable[[PoolConnectionProxy[Any]], Awaitable[None]] | None = None,
) -> bool:
    """Keep a computation, all at once, and do what `also` belongs to the transaction.

    False where there is one of that number already, and it stays as it is.
    """
    c = computed
    columns = (
        [f.grouping for f in figures], [f.key for f in figures], [f.figure for f in figures],
        [f.numerator for f in figures], [f.denominator for f in figures], [json.dumps(f.excluded) for f in figures],
    )  # fmt: skip
    try:
        async with pool.acquire() as connection, connection.transaction():
            await connection.execute(
                _PUT_MONTH,
                month,
                c.definition,
                c.computation,
                c.computed_at,
                c.computed_by,
                c.reason,
                json.dumps(c.inputs),
            )
            await connection.execute(_PUT, month, c.definition, c.computation, *columns)
            if also is not None:
                await also(connection)
    except asyncpg.UniqueViolationError:
        return False
    return True


async def figures(pool: Pool, month: date, definition: str, computation: int) -> list[Stored]:
    rows = await pool.fetch(
        "select grouping, key, figure, numerator, denominator, excluded::text from rate_figure"
        " where month = $1 and definition = $2 and computation = $3 order by grouping, key, figure",
        month, definition, computation,
    )  # fmt: skip
    return [Stored(**{**dict(row), "excluded": json.loads(row["excluded"])}) for row in rows]


async def computations(pool: Pool, month: date) -> list[Computation]:
    """Of the month, by definition, the first one first."""
    rows = await pool.fetch(_COMPUTATIONS, month)
    return [Computation(**{**dict(row), "inputs": json.loads(row["inputs"])}) for row in rows]
