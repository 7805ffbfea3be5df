"""Forgetting: which demands are due for it, and taking away what is personal of them in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store import personal
from store.pool import Connection, Pool
from store.sealed_columns import ALSO_FORGOTTEN, SEALED, SealedColumn

_CLOSED_FOR_GOOD = "d.stage = 'closed' and coalesce((d.state->>'sealed')::bool, false)"
_NOT_YET = "not exists (select from erasure e where e.number = d.number and e.done_at is not null)"

_CANDIDATES = f"""
select d.number, d.category, d.closed_at from demand d
where d.number > $1 and d.closed_at <= $2 and {_CLOSED_FOR_GOOD} and {_NOT_YET} order by d.number limit $3
"""
_WAITING = f"""
select e.number from erasure e join demand d using (number)
where e.done_at is null and e.number > $1 and {_CLOSED_FOR_GOOD} order by e.number limit $2
"""
_DONE = """
insert into erasure (number, asked_at, asked_by, why, done_at) select n, $2, $3, $4, $2 from unnest($1::text[]) n
on conflict (number) do update set done_at = excluded.done_at where erasure.done_at is null
"""


@dataclass(frozen=True)
class Candidate:
    number: str
    category: str
    closed_at: datetime


@dataclass(frozen=True)
class Erasure:
    """`done_at` unset: as soon as the demand is closed for good."""

    number: str
    asked_at: datetime
    asked_by: str
    why: str
    done_at: datetime | None


async def candidates(pool: Pool, *, closed_before: datetime, after: str, limit: int) -> list[Candidate]:
    """Demands closed for good by then that still have what is personal, in the order of their numbers."""
    rows = await pool.fetch(_CANDIDATES, after, closed_before, limit, timeout=600)
    return [Candidate(**dict(row)) for row in rows]


async def waiting(pool: Pool, *, after: str, limit: int) -> list[str]:
    """Demands that somebody asked to have erased and that are closed for good by now."""
    return [row["number"] for row in await pool.fetch(_WAITING, after, limit)]


async def asked(where: Pool | Connection, number: str) -> Erasure | None:
    row = await where.fetchrow("select * from erasure where number = $1", number)
    return None if row is None else Erasure(**dict(row))


async def ask(connection: Connection, number: str, *, at: datetime, by: str) -> None:
    """From now on it is erased as soon as it is closed for good; asking again changes nothing."""
    await connection.execute(
        "insert into erasure (number, asked_at, asked_by, why) values ($1, $2, $3, 'request') on conflict do nothing",
        number, at, by,
    )  # fmt: skip


async def erase(
    connection: Connection, markers: dict[str, bytes], *, at: datetime, by: str, why: str, keep_kinds: Sequence[str]
) -> int:
    """Take away what is personal of these demands; how many texts and rows that were. Part of a transaction.

    `markers` is what stands in the texts afterwards, sealed, by number; texts of `keep_kinds` stay as they are.
    """
    numbers, gone = sorted(markers), 0
    await personal.lock_persons(connection, numbers)
    for column in SEALED:
        if column.of_demand is None:
            continue
        given: tuple[object, ...] = (numbers,)
        if column.erase == "overwrite":
            given = (numbers, [markers[number] for number in numbers], at, list(keep_kinds))
        done = await connection.execute(_taking_away(column), *given)
        gone += int(done.rpartition(" ")[2])
    for statement in ALSO_FORGOTTEN:
        await connection.execute(statement, numbers)
    await connection.execute(_DONE, numbers, at, by, why)
    return gone


def _taking_away(column: SealedColumn) -> str:
    table, number = column.table, column.of_demand
    match column.erase:
        case "delete":
            return f"delete from {table} where {number} = any($1::text[])"
        case "empty":
            return f"update {table} set {column.column} = null where {number} = any($1::text[]) and {column.column} is not null"
        case "overwrite":
            return f"""update {table} t set {column.column} = g.marker, erased_at = $3
                from unnest($1::text[], $2::bytea[]) g (number, marker)
                where t.{number} = g.number and t.erased_at is null and not t.kind = any($4::text[])"""
