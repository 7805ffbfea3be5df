"""Webhooks as rows: made, changed, turned off and on, and who did it. What waits for them: `store/webhook_queue.py`."""

from __future__ import annotations

import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from domain.webhooks import Choice
from store.feed import Position
from store.pool import Connection, Pool

SYSTEM = "system"

_COLUMNS = """id, owner, url, description, types, communities, categories, secret, old_secret, old_until, since,
    created_at, changed_at, failures, failing_since, rests_until, disabled_at, disabled_by"""


@dataclass(frozen=True)
class Webhook:
    """A subscription; both secrets are sealed. See `WebhookRow`."""

    id: str
    owner: str
    url: str
    description: str
    choice: Choice
    secret: bytes
    old_secret: bytes | None
    old_until: datetime | None
    since: str
    created_at: datetime
    changed_at: datetime
    failures: int
    failing_since: datetime | None
    rests_until: datetime | None
    disabled_at: datetime | None
    disabled_by: str | None

    @property
    def enabled(self) -> bool:
        return self.disabled_at is None

    def sealed_secrets(self, now: datetime) -> tuple[bytes, ...]:
        """Those that sign now, the newest first."""
        old_counts = self.old_secret is not None and self.old_until is not None and now < self.old_until
        return (self.secret, self.old_secret) if old_counts and self.old_secret else (self.secret,)


@dataclass(frozen=True)
class Changed:
    id: int
    at: datetime
    actor: str
    what: str
    data: dict[str, Any]


def bound_to(id: str) -> str:
    """What the sealed secrets of a webhook are bound to."""
    return f"webhook {id}"


def webhook_of(row: asyncpg.Record) -> Webhook:
    chosen = Choice(tuple(row["types"]), tuple(row["communities"]), tuple(row["categories"]))
    rest = {k: row[k] for k in Webhook.__dataclass_fields__ if k != "choice"}
    return Webhook(choice=chosen, **rest)


async def all_of(database: Connection | Pool, *, owner: str | None = None, enabled: bool = False) -> list[Webhook]:
    """Those of an owner (None: of everybody), oldest first."""
    rows = await database.fetch(
        f"select {_COLUMNS} from webhook where ($1::text is null or owner = $1)"
        " and (not $2::bool or disabled_at is null) order by created_at, id",
        owner, enabled,
    )  # fmt: skip
    return [webhook_of(row) for row in rows]


async def exist(pool: Pool) -> bool:
    """Whether there is any."""
    return bool(await pool.fetchval("select exists (select from webhook)"))


async def one(database: Connection | Pool, id: str, *, lock: bool = False) -> Webhook | None:
    row = await database.fetchrow(
        f"select {_COLUMNS} from webhook where id = $1 {'for no key update' if lock else ''}", id
    )
    return None if row is None else webhook_of(row)


async def count_of(database: Connection | Pool, owner: str) -> int:
    return int(await database.fetchval("select count(*) from webhook where owner = $1", owner))


async def changes(database: Connection | Pool, id: str, limit: int) -> list[Changed]:
    """The newest first."""
    rows = await database.fetch(
        "select id, at, actor, what, data::text as data from webhook_change where webhook = $1 order by id desc limit $2",
        id, limit,
    )  # fmt: skip
    return [Changed(r["id"], r["at"], r["actor"], r["what"], json.loads(r["data"])) for r in rows]


@contextlib.asynccontextmanager
async def changing(pool: Pool) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]:
    """A transaction; commits when left in order."""
    async with pool.acquire() as connection, connection.transaction():
        yield connection


async def insert(connection: Connection, w: Webhook) -> None:
    await connection.execute(
        "insert into webhook (id, owner, url, description, types, communities, categories, secret, since, created_at,"
        " changed_at, failures) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, 0)",
        w.id, w.owner, w.url, w.description, w.choice.types, w.choice.communities, w.choice.categories, w.secret,
        w.since, w.created_at,
    )  # fmt: skip


async def change(connection: Connection, id: str, url: str, description: str, choice: Choice, at: datetime) -> None:
    await connection.execute(
        "update webhook set url = $2, description = $3, types = $4, communities = $5, categories = $6, changed_at = $7"
        " where id = $1",
        id, url, description, choice.types, choice.communities, choice.categories, at,
    )  # fmt: skip


async def rotate(connection: Connection, id: str, secret: bytes, at: datetime, overlap: timedelta) -> None:
    """The secret of before signs too until `overlap` is over."""
    await connection.execute(
        "update webhook set old_secret = secret, old_until = $3::timestamptz + $4::interval, secret = $2, changed_at = $3"
        " where id = $1",
        id, secret, at, overlap,
    )  # fmt: skip


async def enable(connection: Connection, id: str, since: str, at: datetime) -> None:
    """Events behind `since` count; what waited from before goes out now."""
    await connection.execute(
        "update webhook set disabled_at = null, disabled_by = null, failures = 0, failing_since = null,"
        " rests_until = null, since = $2, changed_at = $3 where id = $1",
        id, since, at,
    )  # fmt: skip
    await connection.execute("update webhook_queue set next_at = $2, tries = 0 where webhook = $1", id, at)


async def disable(connection: Connection, id: str, by: str, at: datetime, reached: Position) -> bool:
    """Events that were planned up to `reached` still go out once it is enabled. False when it was off already."""
    row = await connection.fetchrow("select since, disabled_at from webhook where id = $1 for no key update", id)
    if row is None or row["disabled_at"] is not None:
        return False
    await connection.execute(
        "update webhook set disabled_at = $3, disabled_by = $2, changed_at = $3, since = $4 where id = $1",
        id, by, at, str(max(reached, Position.parse(row["since"]))),
    )  # fmt: skip
    return True


async def delete(connection: Connection, id: str) -> None:
    await connection.execute("delete from webhook where id = $1", id)


async def note(connection: Connection, id: str, at: datetime, actor: str, what: str, **data: object) -> None:
    """Part of the trail; `data` are JSON values, never a secret."""
    await connection.execute(
        "insert into webhook_change (webhook, at, actor, what, data) values ($1, $2, $3, $4, $5)",
        id, at, actor, what, json.dumps(data, default=str),
    )  # fmt: skip


async def went_well(pool: Pool, id: str) -> None:
    await pool.execute(
        "update webhook set failures = 0, failing_since = null, rests_until = null"
        " where id = $1 and (failing_since is not null or rests_until is not null)",
        id,
    )


async def went_wrong(pool: Pool, id: str, at: datetime, rest: timedelta | None) -> tuple[datetime, int] | None:
    """Since when it fails and how often; `rest` is what the receiver asked for. None: there is no such webhook now."""
    row = await pool.fetchrow(
        "update webhook set failures = failures + 1, failing_since = coalesce(failing_since, $2::timestamptz),"
        " rests_until = case when $3::interval is null then rests_until"
        " else greatest(rests_until, $2::timestamptz + $3::interval) end"
        " where id = $1 returning failing_since, failures",
        id, at, rest,
    )  # fmt: skip
    return None if row is None else (row["failing_since"], row["failures"])


def strings(values: Sequence[str]) -> tuple[str, ...]:
    """In order, each once."""
    return tuple(dict.fromkeys(values))
