"""Demands counted by place and by hour, for maps and charts. What is counted lies within a scope; None is everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool


@dataclass(frozen=True)
class Within:
    """Only demands of these communities or led by these units; with both None, all of them."""

    communities: list[str] | None = None
    units: list[str] | None = None
    community: str | None = None


_WITHIN = """
    ($1::text[] is null or community = any($1) or unit = any($2::text[])) and ($3::text is null or community = $3)
"""
# What is handled with another demand counts with that one, as on the board.
_OPEN = f"""
select grid, count(*) as open, count(*) filter (where breached) as overdue from demand
where stage <> 'closed' and (primary_number is null or stage = 'feedback') and {_WITHIN}
group by grid
"""
# A number begins with its local day, so the key of the table bounds what is read; the instants are exact.
_HOURS = f"""
select extract(isodow from opened_at at time zone $4)::int as weekday, extract(hour from opened_at at time zone $4)::int as hour,
    count(*) as n
from demand
where number >= $5 and opened_at >= $6 and opened_at < $7 and {_WITHIN}
group by 1, 2
"""


async def open_by_grid(pool: Pool, within: Within) -> dict[str | None, tuple[int, int]]:
    """Grid (None: not located yet) → how many are open, and how many of them have broken a clock."""
    rows = await pool.fetch(_OPEN, within.communities, within.units, within.community)
    return {row["grid"]: (row["open"], row["overdue"]) for row in rows}


async def opened_by_hour(
    pool: Pool, within: Within, zone: str, first_number: str, start: datetime, end: datetime
) -> dict[tuple[int, int], int]:
    """(ISO weekday, local hour) → how many were taken in from `start` until just before `end`."""
    rows = await pool.fetch(_HOURS, within.communities, within.units, within.community, zone, first_number, start, end)
    return {(row["weekday"], row["hour"]): row["n"] for row in rows}
