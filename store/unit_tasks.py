"""What units have to do, from the demands' rows: demands they lead, and demands they help with."""

from __future__ import annotations

from collections.abc import Collection

from store.pool import Pool

_TASKS = """
select unit, number from demand where stage = 'unit' and unit is not null and unit = any($1::text[])
union
select helper, number from demand, jsonb_array_elements_text(co_units) helper
where stage <> 'closed' and co_units <> '[]'::jsonb and co_units ?| $1::text[] and helper = any($1::text[])
"""

_COUNTED = """
select unit, count(*) tasks from (
    select unit, number from demand where stage = 'unit' and unit is not null
    union
    select helper, number from demand, jsonb_array_elements_text(co_units) helper
    where stage <> 'closed' and co_units <> '[]'::jsonb
) t group by unit
"""


async def tasks(pool: Pool, units: Collection[str]) -> list[tuple[str, str]]:
    """(unit, demand number) for each open task of these units, as committed now."""
    return [(row["unit"], row["number"]) for row in await pool.fetch(_TASKS, list(units))]


async def counted(pool: Pool) -> dict[str, int]:
    """How many open tasks each unit has that has any."""
    return {row["unit"]: row["tasks"] for row in await pool.fetch(_COUNTED)}
