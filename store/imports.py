"""Rows of bulk imports: claimed by one process for a while, moved on a few rows at a time, gone on with after a kill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from store.pool import Connection, Pool

_COLUMNS = (
    "id, actor::text as actor, created_by, created_at, system, channel, columns, dry_run, format, size, sealed_key, state,"
    " claimed_until, rows_done, taken, there, refused, rows_in_all, problem, finished_at"
)
OVER = ("done", "failed", "cancelled")


@dataclass(frozen=True)
class StoredImport:
    """As in `BulkImportRow`; `actor` is JSON."""

    id: str
    actor: str
    created_by: str
    created_at: datetime
    system: str
    channel: str
    columns: str
    dry_run: bool
    format: str
    size: int
    sealed_key: bytes | None
    state: str
    claimed_until: datetime
    rows_done: int = 0
    taken: int = 0
    there: int = 0
    refused: int = 0
    rows_in_all: int | None = None
    problem: str | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True)
class Judged:
    """What became of the next `rows` rows; `refusals` are (row, line, code, field, what to do)."""

    rows: int
    taken: int
    there: int
    refusals: Sequence[tuple[int, int, str, str, str]]


def _found(row: Any) -> StoredImport | None:
    return None if row is None else StoredImport(**dict(row))


async def begin(pool: Pool, one: StoredImport) -> None:
    """From now on its file may exist; without `ready` it goes."""
    await pool.execute(
        "insert into bulk_import (id, actor, created_by, created_at, system, channel, columns, dry_run, format, size,"
        " sealed_key, state, claimed_until, rows_done, taken, there, refused)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'arriving', $4, 0, 0, 0, 0)",
        one.id, one.actor, one.created_by, one.created_at, one.system, one.channel, one.columns, one.dry_run, one.format,
        one.size, one.sealed_key,
    )  # fmt: skip


async def ready(connection: Connection, import_id: str) -> bool:
    done = await connection.execute(
        "update bulk_import set state = 'waiting' where id = $1 and state = 'arriving'", import_id
    )
    return done.endswith(" 1")


async def one(pool: Pool, import_id: str) -> StoredImport | None:
    return _found(
        await pool.fetchrow(f"select {_COLUMNS} from bulk_import where id = $1 and state <> 'arriving'", import_id)
    )


async def unfinished(pool: Pool, person: str) -> int:
    count: int = await pool.fetchval(
        "select count(*) from bulk_import where created_by = $1 and state in ('arriving', 'waiting')", person
    )
    return count


async def claim(pool: Pool, now: datetime, *, lease: timedelta) -> StoredImport | None:
    """The import that has waited longest and is nobody's, with the claim of whoever had it before."""
    return _found(
        await pool.fetchrow(
            "with next as (select id, claimed_until from bulk_import where state = 'waiting' and claimed_until <= $1"
            " order by created_at limit 1 for update skip locked)"
            " update bulk_import b set claimed_until = $2 from next where b.id = next.id returning "
            + ", ".join(f"b.{c.strip()}" for c in _COLUMNS.split(",")).replace("b.claimed_until", "next.claimed_until"),
            now, now + lease,
        )
    )  # fmt: skip


async def move_on(pool: Pool, one: StoredImport, judged: Judged, *, until: datetime) -> bool:
    """Keep what became of the rows after `one.rows_done`. False where somebody else has gone on, or it was cancelled."""
    async with pool.acquire() as connection, connection.transaction():
        done = await connection.execute(
            "update bulk_import set rows_done = rows_done + $3, taken = taken + $4, there = there + $5,"
            " refused = refused + $6, claimed_until = $7 where id = $1 and rows_done = $2 and state = 'waiting'",
            one.id, one.rows_done, judged.rows, judged.taken, judged.there, len(judged.refusals), until,
        )  # fmt: skip
        if not done.endswith(" 1"):
            return False
        await connection.executemany(
            "insert into bulk_import_refusal (import, row, line, code, field, what_to_do) values ($1, $2, $3, $4, $5, $6)",
            [(one.id, *refusal) for refusal in judged.refusals],
        )
    return True


async def start_again(pool: Pool, import_id: str) -> None:
    """A trial that was interrupted is made again from its first row."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("delete from bulk_import_refusal where import = $1", import_id)
        await connection.execute(
            "update bulk_import set rows_done = 0, taken = 0, there = 0, refused = 0 where id = $1", import_id
        )


async def end(
    pool: Pool, import_id: str, state: str, now: datetime, *, problem: str | None = None
) -> bool:  # fmt: skip
    """False where it has ended before."""
    done = await pool.execute(
        "update bulk_import set state = $2, finished_at = $3, problem = $4, rows_in_all = rows_done"
        " where id = $1 and state = 'waiting'",
        import_id, state, now, problem,
    )  # fmt: skip
    return done.endswith(" 1")


async def give_back(pool: Pool, import_id: str, now: datetime) -> None:
    """The process that had it stops: another may take it at once."""
    await pool.execute("update bulk_import set claimed_until = $2 where id = $1 and state = 'waiting'", import_id, now)


async def refusals(pool: Pool, import_id: str, *, after: int, limit: int) -> list[tuple[int, int, str, str, str]]:
    rows = await pool.fetch(
        "select row, line, code, field, what_to_do from bulk_import_refusal where import = $1 and row > $2"
        " order by row limit $3",
        import_id, after, limit,
    )  # fmt: skip
    return [tuple(row) for row in rows]


async def page(
    pool: Pool, person: str | None, *, before: tuple[datetime, str] | None, limit: int
) -> list[StoredImport]:  # fmt: skip
    """Newest first; of one person, or of all."""
    rows = await pool.fetch(
        f"select {_COLUMNS} from bulk_import where state <> 'arriving' and ($1::text is null or created_by = $1)"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4",
        person, *(before or (None, None)), limit,
    )  # fmt: skip
    return [StoredImport(**dict(row)) for row in rows]


# ---- forgetting


async def files_to_go(pool: Pool, now: datetime, *, unfinished: timedelta) -> list[str]:
    """Imports whose file is needed no more: they are over, or were cut off while they arrived."""
    rows = await pool.fetch(
        "select id from bulk_import where (state = any($1::text[]) and sealed_key is not null)"
        " or (state = 'arriving' and created_at < $2)",
        list(OVER), now - unfinished,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def files_gone(pool: Pool, ids: Sequence[str]) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("update bulk_import set sealed_key = null where id = any($1::text[])", list(ids))
        await connection.execute("delete from bulk_import where id = any($1::text[]) and state = 'arriving'", list(ids))


async def forget_reports(pool: Pool, now: datetime, *, kept: timedelta) -> None:
    """What each refused row needed is of no use after a while; how many there were stays."""
    await pool.execute(
        "delete from bulk_import_refusal r using bulk_import b where b.id = r.import and b.finished_at < $1", now - kept
    )
