"""Rows of uploaded files: from the first byte until they are forgotten. Their contents lie in `gateways/blobs`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from store.pool import Connection, Pool

_COLUMNS = (
    "id, number, uploader, kind, media_type, size, width, height, sha256, created_at, taken_at, use_location, gps,"
    " sealed_key, state, attached_with"
)


@dataclass(frozen=True)
class StoredFile:
    """`number`, `attached_with`: the demand and the command it stands with. `gps` and `sealed_key` are sealed."""

    id: str
    uploader: str
    kind: str
    media_type: str
    size: int
    sha256: str
    created_at: datetime
    sealed_key: bytes | None
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    use_location: bool = False
    gps: bytes | None = None
    number: str | None = None
    attached_with: str | None = None
    state: str = "arriving"


async def begin(pool: Pool, file: StoredFile) -> None:
    """From now on a content of this id may exist; without `finish` it goes within the hour."""
    await pool.execute(
        f"insert into file ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'arriving', $15)",
        file.id, file.number, file.uploader, file.kind, file.media_type, file.size, file.width, file.height, file.sha256,
        file.created_at, file.taken_at, file.use_location, file.gps, file.sealed_key, file.attached_with,
    )  # fmt: skip


async def finish(connection: Connection, file_id: str) -> bool:
    """Its content is kept. False where it took so long that the row has gone."""
    done = await connection.execute("update file set state = 'ready' where id = $1 and state = 'arriving'", file_id)
    return done.endswith(" 1")


async def one(pool: Pool, file_id: str) -> StoredFile | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from file where id = $1 and state = 'ready'", file_id)
    return None if row is None else StoredFile(**dict(row))


async def of_demand(pool: Pool, number: str) -> list[StoredFile]:
    rows = await pool.fetch(
        f"select {_COLUMNS} from file where number = $1 and state = 'ready' order by created_at, id", number
    )
    return [StoredFile(**dict(row)) for row in rows]


async def loose(pool: Pool, uploader: str) -> int:
    """How many files of this person are attached to nothing yet."""
    count: int = await pool.fetchval(
        "select count(*) from file where uploader = $1 and number is null and state <> 'going'", uploader
    )
    return count


@dataclass(frozen=True)
class Binding:
    """What came of attaching: `fresh` were loose before; `unknown` and `elsewhere` are why nothing was attached."""

    fresh: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    elsewhere: tuple[str, ...] = ()


# Under the same key, an intake of which nobody knows what became of it had them attached; its demand never came about.
_ABANDONED = """select count(*) from file where id = any($1::text[]) and attached_key = $2 and attached_with = 'submit'
and not exists (select from demand where demand.number = file.number)"""


async def bind(
    pool: Pool, number: str, ids: Sequence[str], *, by: str, command: str, key: str, at: datetime
) -> Binding:
    """Attach the caller's loose files to a demand: all, or none where one is not theirs or stands elsewhere.

    Those that are attached to this demand already stay as they are.
    """
    wanted = sorted(set(ids))
    async with pool.acquire() as connection, connection.transaction():
        rows = await connection.fetch(
            "select id, number, uploader from file where id = any($1::text[]) and state = 'ready' order by id for update",
            wanted,
        )
        found = {row["id"]: row for row in rows}
        unknown = tuple(id for id in wanted if _is_unknown(found.get(id), number, by))
        elsewhere = tuple(id for id, row in found.items() if row["number"] not in (None, number) and id not in unknown)
        if elsewhere and await connection.fetchval(_ABANDONED, elsewhere, key) == len(elsewhere):
            elsewhere = ()
        if unknown or elsewhere:
            return Binding(unknown=unknown, elsewhere=elsewhere)
        fresh = tuple(id for id, row in found.items() if row["number"] != number)
        await connection.execute(
            "update file set number = $2, attached_with = $3, attached_key = $4, attached_at = $5"
            " where id = any($1::text[])",
            fresh, number, command, key, at,
        )  # fmt: skip
    return Binding(fresh=fresh)


def _is_unknown(row: asyncpg.Record | None, number: str, by: str) -> bool:
    """Somebody else's file is like none at all, unless it stands with this demand already."""
    return row is None or (row["uploader"] != by and row["number"] != number)


async def unbind(pool: Pool, number: str, *, ids: Sequence[str] = (), key: str | None = None) -> None:
    """The command that named these files, or that came under this key, was refused: they are loose again."""
    await pool.execute(
        "update file set number = null, attached_with = null, attached_key = null, attached_at = null"
        " where number = $1 and (id = any($2::text[]) or attached_key = $3)",
        number, list(ids), key,
    )  # fmt: skip


async def first_point(pool: Pool, ids: Sequence[str], *, by: str) -> tuple[str, bytes] | None:
    """(id, sealed point) of the first of these files of the caller whose point may be used as the place."""
    row = await pool.fetchrow(
        "select id, gps from file where id = any($1::text[]) and uploader = $2 and state = 'ready' and use_location"
        " and gps is not null order by array_position($1::text[], id) limit 1",
        list(ids), by,
    )  # fmt: skip
    return None if row is None else (row["id"], row["gps"])


# ---- forgetting


async def expire(pool: Pool, now: datetime, *, unfinished: timedelta, loose: timedelta) -> None:
    """Mark what was never finished, never attached, or attached to an intake that never came about."""
    await pool.execute(
        "update file set state = 'going' where (state = 'arriving' and created_at < $1)"
        " or (state = 'ready' and number is null and created_at < $2)",
        now - unfinished, now - loose,
    )  # fmt: skip
    await pool.execute(
        "update file set state = 'going' where state = 'ready' and attached_with = 'submit' and attached_at < $1"
        " and attached_at > $2 and not exists (select from demand where demand.number = file.number)",
        now - unfinished, now - loose - loose,
    )  # fmt: skip


async def mark_going(where: Pool | Connection, file_id: str) -> None:
    await where.execute("update file set state = 'going' where id = $1", file_id)


async def going(pool: Pool, limit: int) -> list[str]:
    rows = await pool.fetch("select id from file where state = 'going' order by created_at limit $1", limit)
    return [row["id"] for row in rows]


async def forget(pool: Pool, ids: Sequence[str]) -> None:
    """Their contents are gone."""
    await pool.execute("delete from file where id = any($1::text[]) and state = 'going'", list(ids))
