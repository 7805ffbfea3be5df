"""Sealed texts and reporters: written before the command that names them, read only for those who may."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from store.pool import Pool


async def put(pool: Pool, *, text_id: str, number: str, kind: str, author: str, at: datetime, sealed: bytes) -> bool:
    """Keep a sealed text under its id; False when the id was there before, and nothing changed.

    The commit does not wait for the disk: the text counts only once the command that names it is recorded, and that
    later commit flushes the log up to itself, this text included.
    """
    done = await pool.execute(
        "with quick as materialized (select set_config('synchronous_commit', 'off', true))"
        " insert into demand_text (id, number, kind, author, written_at, sealed)"
        " select $1, $2, $3, $4, $5, $6 from quick"
        " on conflict do nothing",
        text_id, number, kind, author, at, sealed,
    )  # fmt: skip
    return done == "INSERT 0 1"


async def drop(pool: Pool, text_id: str) -> None:
    """Forget a text whose command was refused."""
    await pool.execute("delete from demand_text where id = $1", text_id)


async def of_demand(pool: Pool, number: str) -> list[tuple[str, str, str, datetime, bytes]]:
    """(id, kind, author, written_at, sealed) of every text of a demand, oldest first."""
    rows = await pool.fetch(
        "select id, kind, author, written_at, sealed from demand_text where number = $1 order by written_at, id", number
    )
    return [(r["id"], r["kind"], r["author"], r["written_at"], r["sealed"]) for r in rows]


async def reporter(pool: Pool, number: str) -> bytes | None:
    sealed: bytes | None = await pool.fetchval("select sealed from reporter where number = $1", number)
    return sealed


async def some(pool: Pool, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """(number, sealed) of each of these texts that is kept, by id."""
    rows = await pool.fetch("select id, number, sealed from demand_text where id = any($1::text[])", list(ids))
    return {r["id"]: (r["number"], r["sealed"]) for r in rows}
