"""Replays of a span of the feed, worked off stretch by stretch; a stretch is done once, whatever is killed when."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime

from store.feed import BEGINNING, Position
from store.pool import Connection, Pool


@dataclass(frozen=True)
class Replay:
    """Its row, locked in the transaction of `connection`. `last` is the feed's end when it was asked for."""

    id: int
    webhook: str
    from_at: datetime
    until_at: datetime
    position: Position
    last: Position
    again: bool
    connection: Connection

    async def advance(self, to: Position, planned: int, *, over: bool) -> None:
        await self.connection.execute(
            "update webhook_replay set position = $2, planned = planned + $3,"
            " finished_at = case when $4 then now() end where id = $1",
            self.id, str(to), planned, over,
        )  # fmt: skip


@contextlib.asynccontextmanager
async def working(pool: Pool) -> AsyncIterator[Replay | None]:
    """The oldest that is not over and that nobody else is at, in one transaction."""
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "select id, webhook, from_at, until_at, position, last, again from webhook_replay where finished_at is null"
            " order by id limit 1 for update skip locked"
        )
        if row is None:
            yield None
            return
        at, last = Position.parse(row["position"]), Position.parse(row["last"])
        yield Replay(
            row["id"], row["webhook"], row["from_at"], row["until_at"], at, last, row["again"], connection
        )  # fmt: skip


@dataclass(frozen=True)
class Span:
    """`from_at` to `until_at`, looked for behind `start` and not behind `last`."""

    from_at: datetime
    until_at: datetime
    last: Position
    start: Position = BEGINNING


async def ask(connection: Connection, webhook: str, span: Span, *, again: bool, by: str, at: datetime) -> int:
    """Its id. `again`: also what the webhook has had."""
    made: int = await connection.fetchval(
        "insert into webhook_replay (webhook, from_at, until_at, position, last, again, planned, asked_by, asked_at)"
        " values ($1, $2, $3, $4, $5, $6, 0, $7, $8) returning id",
        webhook, span.from_at, span.until_at, str(span.start), str(span.last), again, by, at,
    )  # fmt: skip
    return made


@dataclass(frozen=True)
class Asked:
    """A replay as it stands; `planned` counts the events it found for the webhook so far."""

    id: int
    from_at: datetime
    until_at: datetime
    planned: int
    asked_by: str
    asked_at: datetime
    finished_at: datetime | None


async def newest(database: Connection | Pool, webhook: str, limit: int) -> list[Asked]:
    """Newest first."""
    rows = await database.fetch(
        "select id, from_at, until_at, planned, asked_by, asked_at, finished_at from webhook_replay where webhook = $1"
        " order by id desc limit $2",
        webhook, limit,
    )  # fmt: skip
    return [Asked(**dict(row)) for row in rows]
