"""What was published, and the queue of open demands that follow a new calendar.

Whoever publishes or queues holds one lock, so that nobody queues by what was in force a moment ago.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.worktime import Calendar
from store.outbox import ADOPT
from store.pool import Pool

LOCK = 7_310_022
PATIENCE_SECONDS = 120  # a hundred thousand demands are queued by one statement

_COLUMNS = "id, kind, key, version, body, impact, published_by, published_at, effective_at"

# The year in which a demand was opened says which calendar it should have; before the first one, it is that of the first.
_YEAR = "greatest(extract(year from d.opened_at at time zone 'Asia/Shanghai')::int, (select min(year) from wanted))"

_WANTED = f"""
with wanted as (select * from unnest($1::int[], $2::text[]) as w (year, version)),
differing as (
    select d.number, d.state, w.version from demand d join wanted w on w.year = {_YEAR}
    where d.stage <> 'closed' and d.state->'promise'->>'calendar' <> w.version
)
"""

_QUEUE = f"""{_WANTED}
insert into outbox (kind, number, claimed_until, attempts, ref)
select '{ADOPT}', number, now(), 0, version from differing
where $3::text[] is null or state->'promise'->>'calendar' = any($3) order by number
on conflict (number) where kind = '{ADOPT}' do update set ref = excluded.ref, attempts = 0, last_error = null
where outbox.ref <> excluded.ref
"""


@dataclass(frozen=True)
class Publication:
    """One entry of the table; `impact` is what it changed at the time. It counts from `effective_at` on."""

    id: int
    kind: str
    key: str
    version: str
    body: Mapping[str, Any]
    impact: Mapping[str, Any]
    published_by: str
    published_at: datetime
    effective_at: datetime

    def counts(self, at: datetime) -> bool:
        """Whether it has taken effect; what counts at once does so also where the clock is a little behind."""
        return self.effective_at <= max(at, self.published_at)


@dataclass(frozen=True)
class Wanted:
    """Which calendar version a demand should have, by the local year in which it was opened."""

    versions: Mapping[int, str]

    def columns(self) -> tuple[list[int], list[str]]:
        return list(self.versions), list(self.versions.values())


@dataclass(frozen=True)
class Left:
    """How far the demands have come: still waiting, and of these how many could not be reached so far."""

    waiting: int
    put_off: int


def _publication(row: asyncpg.Record) -> Publication:
    read = {name: json.loads(row[name]) for name in ("body", "impact")}
    return Publication(**{**dict(row), **read})


@dataclass(frozen=True)
class Mark:
    """How far the table has come: the newest id (zero before the first) and how many have taken effect."""

    newest: int
    effective: int


async def mark(pool: Pool, at: datetime) -> Mark:
    row = await pool.fetchrow(
        "select coalesce(max(id), 0) newest, count(*) filter (where effective_at <= greatest($1, published_at)) effective"
        " from publication",
        at,
    )
    assert row is not None
    return Mark(row["newest"], row["effective"])


async def all_of_them(pool: Pool) -> list[Publication]:
    """Oldest first; there are some hundred a year."""
    return [_publication(r) for r in await pool.fetch(f"select {_COLUMNS} from publication order by id")]


async def page(pool: Pool, *, before: int | None, limit: int) -> list[Publication]:
    """Newest first, those older than the id `before`."""
    rows = await pool.fetch(
        f"select {_COLUMNS} from publication where $1::bigint is null or id < $1 order by id desc limit $2",
        before, limit,
    )  # fmt: skip
    return [_publication(r) for r in rows]


async def one(pool: Pool, id: int) -> Publication | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from publication where id = $1", id)
    return None if row is None else _publication(row)


async def left_of(pool: Pool, versions: list[str]) -> Left:
    """Demands that are still to be handed one of these calendars."""
    row = await pool.fetchrow(
        "select count(*) waiting, count(last_error) put_off from outbox where kind = $1 and ref = any($2::text[])",
        ADOPT, versions,
    )  # fmt: skip
    assert row is not None
    return Left(row["waiting"], row["put_off"])


class Publishing:
    """One transaction in which nobody else publishes or queues."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self.connection = connection

    async def newest_id(self) -> int:
        found: int = await self.connection.fetchval("select coalesce(max(id), 0) from publication")
        return found

    async def insert(
        self,
        *,
        kind: str,
        key: str,
        version: str,
        body: str,
        impact: Mapping[str, Any],
        by: str,
        at: datetime,
        effective_at: datetime | None = None,
    ) -> int:
        """`body` is JSON text; without `effective_at` it counts at once. Returns the id."""
        id: int = await self.connection.fetchval(
            "insert into publication (kind, key, version, body, impact, published_by, published_at, effective_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8) returning id",
            kind, key, version, body, json.dumps(impact), by, at, effective_at or at,
        )  # fmt: skip
        return id

    async def keep_calendars(self, calendars: list[Calendar]) -> None:
        await self.connection.executemany(
            "insert into calendar (version, body) values ($1, $2) on conflict do nothing",
            [(c.version, c.model_dump_json()) for c in calendars],
        )

    async def queue(self, wanted: Wanted, *, only: list[str] | None = None) -> int:
        """Put every open demand that has another calendar than it should into the outbox; returns how many were.

        With `only`, those demands alone whose present calendar is one of these versions. What waits there for a calendar
        that nobody should have any more is taken out.
        """
        years, versions = wanted.columns()
        done = await self.connection.execute(_QUEUE, years, versions, only, timeout=PATIENCE_SECONDS)
        await self.connection.execute(
            "delete from outbox where kind = $1 and ref <> all($2::text[])", ADOPT, versions, timeout=PATIENCE_SECONDS
        )
        return int(done.rsplit(" ", 1)[-1])


@asynccontextmanager
async def publishing(pool: Pool) -> AsyncIterator[Publishing]:
    """Commits at the end, or undoes everything when something is raised."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", LOCK, timeout=PATIENCE_SECONDS)
        yield Publishing(connection)


@dataclass(frozen=True)
class Differing:
    """An open demand, as JSON of its state, whose calendar should be `version`."""

    state: str
    version: str


class Snapshot:
    """Open demands as they were at one moment, read a batch at a time."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self.connection = connection

    async def open_demands(self) -> int:
        found: int = await self.connection.fetchval(
            "select count(*) from demand where stage <> 'closed'", timeout=PATIENCE_SECONDS
        )
        return found

    async def differing(self, wanted: Wanted, *, batch: int) -> AsyncIterator[list[Differing]]:
        """Those whose calendar should be another one."""
        cursor = await self.connection.cursor(
            f"{_WANTED} select state, version from differing", *wanted.columns(), timeout=PATIENCE_SECONDS
        )
        while rows := await cursor.fetch(batch, timeout=PATIENCE_SECONDS):
            yield [Differing(r["state"], r["version"]) for r in rows]

    async def budgets(self) -> list[tuple[str, str, str, int]]:
        """How many open demands were promised what: class, clock, budget as JSON, number of demands."""
        rows = await self.connection.fetch(
            "select state->'promise'->>'sla_class' sla_class, b.key clock, b.value::text budget, count(*) demands"
            " from demand, jsonb_each(state->'promise'->'budgets') b where stage <> 'closed' group by 1, 2, 3",
            timeout=PATIENCE_SECONDS,
        )
        return [(r["sla_class"], r["clock"], r["budget"], r["demands"]) for r in rows]


@asynccontextmanager
async def snapshot(pool: Pool) -> AsyncIterator[Snapshot]:
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        yield Snapshot(connection)
