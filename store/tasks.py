"""What one person owes, and what of it is shown in a list: states, the first words, and the doors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool

_OWED = """
select state, updated_at from demand where holder = $1 and stage <> 'closed'
union all
select state, updated_at from demand
where community = any($2::text[]) and stage = 'unit' and holder <> $1 and state ->> 'worker' = $1
limit $3
"""

_USUAL = """
select category from demand where number > $2 and grid = any($1::text[])
group by category order by count(*) desc, category limit $3
"""

_AT_COMPOUND = """
select state from demand where number > $3 and compound = $1 and number <> $2 order by number desc limit $4
"""


@dataclass(frozen=True)
class Owed:
    state: str
    updated_at: datetime


async def owed(pool: Pool, person: str, communities: Sequence[str], *, limit: int) -> list[Owed]:
    """What the person holds; and of what lies with units, that whose resident the person answers to."""
    return [Owed(row["state"], row["updated_at"]) for row in await pool.fetch(_OWED, person, list(communities), limit)]


async def usual_categories(pool: Pool, grids: Sequence[str], *, since: datetime, limit: int) -> list[str]:
    """What is reported most in these grids; a demand's number begins with its day."""
    rows = await pool.fetch(_USUAL, list(grids), f"{since:%Y%m%d}", limit)
    return [row["category"] for row in rows]


async def at_compound(pool: Pool, compound: str, *, but: str, since: datetime, limit: int) -> list[str]:
    """The states of the other demands of a compound, newest first."""
    rows = await pool.fetch(_AT_COMPOUND, compound, but, f"{since:%Y%m%d}", limit)
    return [row["state"] for row in rows]


async def first_words(pool: Pool, numbers: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """(author, sealed) of what each reporter wrote."""
    rows = await pool.fetch(
        "select number, author, sealed from demand_text where number = any($1::text[]) and kind = 'demand'",
        list(numbers),
    )
    return {row["number"]: (row["author"], row["sealed"]) for row in rows}


async def reporters(pool: Pool, numbers: Sequence[str]) -> dict[str, bytes]:
    rows = await pool.fetch("select number, sealed from reporter where number = any($1::text[])", list(numbers))
    return {row["number"]: row["sealed"] for row in rows}
