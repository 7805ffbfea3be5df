"""Sealing anew with the present key: counted, and done a batch at a time, beside whoever writes meanwhile.

What is left to do stands in the data itself (the name of the key before each value), so nothing else has to be remembered.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from store.pool import Pool
from store.sealed_columns import SealedColumn

_LOCK = 7_310_022


@dataclass(frozen=True)
class Old:
    """A value that another key sealed."""

    key: tuple[Any, ...]
    bound_to: str
    sealed: bytes


@asynccontextmanager
async def only_one(pool: Pool) -> AsyncIterator[bool]:
    """Whether this is the only rotation that runs; it stays the only one until the end of the block."""
    async with pool.acquire() as connection:
        mine = bool(await connection.fetchval("select pg_try_advisory_lock($1)", _LOCK))
        try:
            yield mine
        finally:
            if mine:
                await connection.execute("select pg_advisory_unlock($1)", _LOCK)


async def counted(pool: Pool, column: SealedColumn) -> dict[str, int]:
    """How many values each key sealed, by the key's id. What is no sealed value at all stands under an empty id."""
    c = column.column
    rows = await pool.fetch(
        f"""select case when position('\\x3a'::bytea in {c}) between 2 and 17
            then encode(substring({c} from 1 for position('\\x3a'::bytea in {c}) - 1), 'escape') else '' end id, count(*) n
            from {column.table} where {c} is not null group by 1 order by 1""",
        timeout=600,
    )  # fmt: skip
    return {row["id"]: row["n"] for row in rows}


async def others(
    pool: Pool, column: SealedColumn, *, key_id: str, after: tuple[Any, ...] | None, limit: int
) -> list[Old]:
    """Values that this key did not seal, in the order of their rows, from after that row on."""
    keys = ", ".join(column.key)
    casts = ", ".join(f"${n}::{type_}" for n, type_ in enumerate(column.key.values(), start=3))
    from_there = f"and ({keys}) > ({casts})" if after is not None else ""
    rows = await pool.fetch(
        f"""select {keys}, {column.bound_to} as bound_to__, {column.column} as sealed__ from {column.table}
            where {column.column} is not null and substring({column.column} from 1 for length($1::bytea)) <> $1
            {from_there} order by {keys} limit $2""",
        f"{key_id}:".encode(), limit, *(after or ()), timeout=600,
    )  # fmt: skip
    return [Old(tuple(row[name] for name in column.key), row["bound_to__"], row["sealed__"]) for row in rows]


async def replace(pool: Pool, column: SealedColumn, pairs: list[tuple[Old, bytes]]) -> int:
    """Put the new bytes where the old ones still stand; how many. What was changed meanwhile is left as it is."""
    names = [*column.key, "old__", "new__"]
    types = [*column.key.values(), "bytea", "bytea"]
    given = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(types, start=1))
    same = " and ".join(f"t.{name} = g.{name}" for name in column.key)
    columns = [list(values) for values in zip(*((*old.key, old.sealed, new) for old, new in pairs), strict=True)]
    done = await pool.execute(
        f"""update {column.table} t set {column.column} = g.new__ from unnest({given}) g ({", ".join(names)})
            where {same} and t.{column.column} = g.old__""",
        *columns, timeout=600,
    )  # fmt: skip
    return int(done.rpartition(" ")[2])
