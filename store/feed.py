"""The demands' logs as one ordered feed, and cursors that go along it without missing an event.

    position = (epoch, xid, number, seq)       xid: the transaction that wrote the event

Only what every later transaction must come behind is given out: transactions below `pg_snapshot_xmin` are over, and
whoever writes now or later has a higher number. So a cursor never passes an event that is not there yet. An attempt
that replaces an event (docs/decisions/0006) writes it anew: it comes once more, further behind, with another hash.

The numbers of transactions are those of one PostgreSQL cluster. Where the database woke up in another one (a dump
restored, a standby promoted) a new epoch begins, and all that is written from then on comes behind everything before
(docs/decisions/0014-the-feed-is-ordered-by-transactions.md).
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from store.pool import Connection, Pool

EPOCH_LOCK = 7_310_022
HASH_CHARACTERS = 8


class UnreadablePosition(ValueError):
    """A text that no position was ever written as."""


@dataclass(frozen=True, order=True)
class Position:
    """A place between two events of the feed. Positions compare as the feed is ordered."""

    epoch: int = 0
    xid: int = -1
    number: str = ""
    seq: int = 0

    def __str__(self) -> str:
        """Opaque, of letters, digits, `-` and `_` only: fit for a URL, a header and the id of an SSE event."""
        plain = f"{self.epoch}.{self.xid}.{self.seq}.{self.number}"
        return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Position:
        """Raises UnreadablePosition."""
        try:
            plain = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode("ascii")
            epoch, xid, seq, number = plain.split(".", 3)
            found = cls(int(epoch), int(xid), number, int(seq))
        except ValueError:
            raise UnreadablePosition(text[:80]) from None
        fits = 0 <= found.epoch < 2**15 and -1 <= found.xid < 2**63 and 0 <= found.seq < 2**31
        if str(found) != text or not fits or (number and not number.isprintable()):
            raise UnreadablePosition(text[:80])
        return found


BEGINNING = Position()


@dataclass(frozen=True)
class FeedEvent:
    """An entry of a demand's log. `stage`, `community`, `grid`, `unit` and `category` are the demand's of now."""

    position: Position
    number: str
    seq: int
    type: str
    at: datetime
    actor: str
    performed_at: datetime | None
    data: dict[str, Any]
    hash: str
    stage: str
    community: str | None
    grid: str | None
    unit: str | None
    category: str
    confidential: bool

    @property
    def id(self) -> str:
        """The event's name outside; one that a later attempt replaced has another."""
        return f"{self.number}-{self.seq}-{self.hash[:HASH_CHARACTERS]}"


@dataclass(frozen=True)
class Batch:
    """What a consumer gets: the next events, and the connection whose transaction moves its cursor past them."""

    events: list[FeedEvent]
    connection: Connection


_CLUSTER = """
select system_identifier::text as system, substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as timeline
from pg_control_system()
"""
_EPOCH = f"""
select epoch from feed_epoch join ({_CLUSTER}) here using (system, timeline)
where epoch = (select max(epoch) from feed_epoch)
"""
SELECT = """
select e.epoch, e.xid, e.number, e.seq, e.type, e.at, e.actor, e.performed_at, e.data::text as data, e.hash,
    d.stage, d.community, d.grid, d.unit, d.category, coalesce((d.state ->> 'confidential')::bool, false) as confidential
from demand_event e join demand d using (number)
"""
_OVER = "(e.epoch < $5 or e.xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint)"
_PAGE = f"""{SELECT}
where (e.epoch, e.xid, e.number, e.seq) > ($1, $2, $3, $4) and {_OVER}
order by e.epoch, e.xid, e.number, e.seq limit $6
"""
_END = f"""
select e.epoch, e.xid, e.number, e.seq from demand_event e where {_OVER.replace("$5", "$1")}
order by e.epoch desc, e.xid desc, e.number desc, e.seq desc limit 1
"""


async def page(database: Connection | Pool, after: Position | None, limit: int) -> list[FeedEvent]:
    """The next events behind `after` (None: from the beginning), at most `limit`, in the order of the feed."""
    start, here = after or BEGINNING, await _epoch(database)
    rows = await database.fetch(_PAGE, start.epoch, start.xid, start.number, start.seq, here, limit)
    return [event_of(row) for row in rows]


async def end(database: Connection | Pool) -> Position:
    """The position behind everything that may be given out now."""
    row = await database.fetchrow(_END, await _epoch(database))
    return BEGINNING if row is None else _position(row)


async def reached(database: Connection | Pool, name: str) -> Position:
    """How far a consumer has come; the beginning for one that is not known."""
    row = await database.fetchrow("select epoch, xid, number, seq from feed_cursor where name = $1", name)
    return BEGINNING if row is None else _position(row)


@contextlib.asynccontextmanager
async def consume(
    pool: Pool, name: str, limit: int, *, start: Literal["end", "beginning"] = "end"
) -> AsyncIterator[Batch | None]:
    """The next events for the consumer `name`, in one transaction that also moves its cursor past them.

    What is written on the batch's connection is written once for each event, whatever fails and is done again: leave
    with an exception and nothing of it has happened. None: another process is at it. `events` may be empty. A name
    that is not known yet begins at `start` of the feed.
    """
    if not await pool.fetchval("select exists (select from feed_cursor where name = $1)", name):
        await _begin(pool, name, BEGINNING if start == "beginning" else await end(pool))
    async with pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(
            "select epoch, xid, number, seq from feed_cursor where name = $1 for update skip locked", name
        )
        if row is None:
            yield None
            return
        events = await page(connection, _position(row), limit)
        yield Batch(events, connection)
        if events:
            to = events[-1].position
            await connection.execute(
                "update feed_cursor set epoch = $2, xid = $3, number = $4, seq = $5, moved_at = now() where name = $1",
                name, to.epoch, to.xid, to.number, to.seq,
            )  # fmt: skip


async def _begin(pool: Pool, name: str, at: Position) -> None:
    await pool.execute(
        "insert into feed_cursor (name, epoch, xid, number, seq, moved_at) values ($1, $2, $3, $4, $5, now())"
        " on conflict do nothing",
        name, at.epoch, at.xid, at.number, at.seq,
    )  # fmt: skip


def event_of(row: asyncpg.Record) -> FeedEvent:
    """An event from a row of `SELECT`."""
    return FeedEvent(
        position=_position(row), number=row["number"], seq=row["seq"], type=row["type"], at=row["at"],
        actor=row["actor"], performed_at=row["performed_at"], data=json.loads(row["data"]), hash=row["hash"],
        stage=row["stage"], community=row["community"], grid=row["grid"], unit=row["unit"], category=row["category"],
        confidential=row["confidential"],
    )  # fmt: skip


def _position(row: asyncpg.Record) -> Position:
    return Position(row["epoch"], row["xid"], row["number"], row["seq"])


# ---- epochs


async def _epoch(database: Connection | Pool) -> int:
    here: int | None = await database.fetchval(_EPOCH)
    return await _begin_epoch(database) if here is None else here


# In another cluster the rows came in by its own transactions: what was written there since, and only that, still bears
# the number of the one that inserted it. After a promotion all rows do, and the old ones keep their place.
_SINCE = """
update demand_event set epoch = $1 where epoch = $2 and xid & 4294967295 = xmin::text::bigint
"""


async def _begin_epoch(database: Connection | Pool) -> int:
    """The database woke up in another cluster, or on another timeline: what is written from now on comes behind."""
    if isinstance(database, asyncpg.Pool):
        async with database.acquire() as connection, connection.transaction():
            return await _begin_epoch(connection)
    await database.execute("select pg_advisory_xact_lock($1)", EPOCH_LOCK)
    begun: int | None = await database.fetchval(_EPOCH)
    if begun is not None:  # by somebody else, while we waited
        return begun
    await database.execute("set local lock_timeout = '2s'")  # a dump under way must not make intake wait behind us
    last = await database.fetchrow("select epoch, system from feed_epoch order by epoch desc limit 1")
    epoch = last["epoch"] + 1 if last else 0
    await database.execute(f"alter table demand_event alter column epoch set default {epoch:d}")
    made = await database.fetchval(
        "insert into feed_epoch (epoch, system, timeline, begun_at)"
        f" select $1, system, timeline, now() from ({_CLUSTER}) here returning system",
        epoch,
    )
    if last and last["system"] != made:
        await database.execute(_SINCE, epoch, last["epoch"])
    return epoch
