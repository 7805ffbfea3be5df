"""Which open demands a change of the district concerns: of a unit, in a grid, held by a person."""

from __future__ import annotations

from dataclasses import dataclass

from store.pool import Pool

EXAMPLES = 20

_OF_UNIT = """
select number, stage = 'unit' and unit = $1 leads from demand where stage = 'unit' and unit = $1
union
select number, stage = 'unit' and coalesce(unit = $1, false) from demand
where stage <> 'closed' and co_units <> '[]'::jsonb and co_units ? $1
order by number
"""


@dataclass(frozen=True)
class OfUnit:
    """Numbers of open demands: those that it leads, and others that it helps with."""

    leads: tuple[str, ...]
    helps: tuple[str, ...]


async def of_unit(pool: Pool, unit: str) -> OfUnit:
    rows = await pool.fetch(_OF_UNIT, unit)
    leads, helps = ([r["number"] for r in rows if r["leads"] is wanted] for wanted in (True, False))
    return OfUnit(tuple(leads), tuple(helps))


async def in_grid(pool: Pool, community: str, grid: str, units: list[str]) -> tuple[int, int]:
    """How many demands of the grid are open, and how many of these one of `units` leads."""
    row = await pool.fetchrow(
        "select count(*) still_open, count(*) filter (where stage = 'unit' and unit = any($3::text[])) led"
        " from demand where community = $1 and grid = $2 and stage <> 'closed'",
        community, grid, units,
    )  # fmt: skip
    assert row is not None
    return row["still_open"], row["led"]


async def on_agenda(pool: Pool, meeting: str) -> int:
    found: int = await pool.fetchval(
        "select count(*) from meeting_item where meeting = $1 and ended_at is null", meeting
    )
    return found


async def held_by(pool: Pool, person: str) -> int:
    found: int = await pool.fetchval("select count(*) from demand where holder = $1 and stage <> 'closed'", person)
    return found
