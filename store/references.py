"""A demand's numbers in other systems: many for one demand, each for one demand only."""

from __future__ import annotations

from store.pool import Connection, Pool

MOST = 50
"""Numbers in other systems that one demand may have."""

_ADD = """
with room as (select count(*) < $4 as free from external_ref where number = $3)
insert into external_ref (system, ref, number) select $1, $2, $3 from room where free on conflict do nothing
"""


async def of_demand(where: Pool | Connection, number: str) -> list[tuple[str, str]]:
    """(system, number there), in that order."""
    rows = await where.fetch("select system, ref from external_ref where number = $1 order by system, ref", number)
    return [(row["system"], row["ref"]) for row in rows]


async def add(connection: Connection, number: str, system: str, ref: str) -> str | None:
    """The demand that this reference stands for afterwards: this one, or another that had it; None where it has too many."""
    await connection.execute(_ADD, system, ref, number, MOST)
    holder: str | None = await connection.fetchval(
        "select number from external_ref where system = $1 and ref = $2", system, ref
    )
    return holder


async def remove(connection: Connection, number: str, system: str, ref: str) -> bool:
    """False where the demand does not have it."""
    done = await connection.execute(
        "delete from external_ref where number = $1 and system = $2 and ref = $3", number, system, ref
    )
    return done == "DELETE 1"
