"""Sealed texts and reporters: written before the command that names them, read only for those who may."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool
from store.seal import Sealer


@dataclass(frozen=True)
class KeptText:
    """A text as it is kept; with `erased_at` what is sealed says only that."""

    id: str
    kind: str
    author: str
    written_at: datetime
    sealed: bytes
    erased_at: datetime | None = None


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


async def copy_to(pool: Pool, sealer: Sealer, text_id: str, number: str) -> str:
    """The id of a demand's own copy of another one's text, sealed for it; the same copy however often it is asked for.

    A reply that is no text of ours but a code ("screening:police") stays what it is.
    """
    own = hashlib.sha256(f"{text_id}\n{number}".encode()).hexdigest()[:32]
    row = await pool.fetchrow("select number, kind, author, written_at, sealed from demand_text where id = $1", text_id)
    if row is None:
        return text_id
    sealed = sealer.seal(sealer.open(row["sealed"], row["number"]), number)
    await put(
        pool, text_id=own, number=number, kind=row["kind"], author=row["author"], at=row["written_at"], sealed=sealed
    )
    return own


async def drop_unnamed(pool: Pool, text_id: str, number: str) -> None:
    """Forget a reply that was copied for a demand which did not take it; one that its log names stays."""
    await pool.execute(
        "delete from demand_text where id = $1 and number = $2"
        " and not exists (select from demand_event where number = $2 and data ->> 'reply_id' = $1)",
        text_id, number,
    )  # fmt: skip


async def drop(pool: Pool, text_id: str) -> None:
    """Forget a text whose command was refused."""
    await pool.execute("delete from demand_text where id = $1", text_id)


async def drop_unsaid(pool: Pool, text_id: str, number: str) -> None:
    """Forget a text whose command was refused, unless an earlier try of it was taken: what the log names stays."""
    await pool.execute(
        "delete from demand_text where id = $1 and number = $2 and not exists (select from demand_event"
        " where number = $2 and $1 in (data ->> 'reply_id', data ->> 'note_id'))",
        text_id, number,
    )  # fmt: skip


async def kept(pool: Pool, number: str) -> list[KeptText]:
    """Every text of a demand, oldest first."""
    rows = await pool.fetch(
        "select id, kind, author, written_at, sealed, erased_at from demand_text where number = $1"
        " order by written_at, id",
        number,
    )  # fmt: skip
    return [KeptText(**dict(row)) for row in rows]


async def reporter(pool: Pool, number: str) -> bytes | None:
    sealed: bytes | None = await pool.fetchval("select sealed from reporter where number = $1", number)
    return sealed


async def some(pool: Pool, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """(number, sealed) of each of these texts that is kept, by id."""
    rows = await pool.fetch("select id, number, sealed from demand_text where id = any($1::text[])", list(ids))
    return {r["id"]: (r["number"], r["sealed"]) for r in rows}


async def of_kind(pool: Pool, numbers: Sequence[str], kind: str) -> list[tuple[str, KeptText]]:
    """The texts of this kind of these demands, oldest first, each with its demand's number."""
    rows = await pool.fetch(
        "select number, id, kind, author, written_at, sealed, erased_at from demand_text"
        " where number = any($1::text[]) and kind = $2 order by written_at, id",
        list(numbers), kind,
    )  # fmt: skip
    return [(row["number"], KeptText(**{k: v for k, v in row.items() if k != "number"})) for row in rows]
