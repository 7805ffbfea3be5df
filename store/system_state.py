"""How far behind the parts of the system are, as the tables tell it. A handful of short reads on indexes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from store.pool import Pool

MOST_COUNTED = 1_000
"""What waits is counted up to so many: nobody needs to know more exactly how much too much it is."""

# A demand's start waits since it was taken in; a row without a demand has nobody who waits.
_OUTBOX = f"""
select kind, count(*) as waiting, max(now() - d.opened_at) filter (where kind = 'start') as oldest,
    count(*) filter (where attempts > 1) as tried_again
from (select kind, number, attempts from outbox order by id limit {MOST_COUNTED}) o left join demand d using (number)
group by kind
"""
_CONSUMERS = f"""
select c.name, c.moved_at, behind.waiting, behind.oldest
from feed_cursor c cross join lateral (
    select count(*) as waiting, now() - min(recorded_at) as oldest from (
        select recorded_at from demand_event e
        where (e.epoch, e.xid, e.number, e.seq) > (c.epoch, c.xid, c.number, c.seq)
        order by e.epoch, e.xid, e.number, e.seq limit {MOST_COUNTED}
    ) e
) behind order by c.name
"""
_WORKERS = "select worker, begun_at, seen_at, now() - seen_at as silent from worker_beat order by worker"
_RECEIVERS = f"""
select w.id, w.owner, w.description, w.url, w.failures, w.failing_since, w.rests_until, w.disabled_at, w.disabled_by,
    (select count(*) from (select from webhook_queue q where q.webhook = w.id limit {MOST_COUNTED}) q) as queues
from webhook w
where w.failing_since is not null or w.disabled_by = 'system' order by w.id limit 50
"""
_BEAT = """
with gone as (delete from worker_beat where worker <> $1 and seen_at < now() - $2::interval)
insert into worker_beat (worker, begun_at, seen_at) values ($1, now(), now())
on conflict (worker) do update set seen_at = now()
"""


@dataclass(frozen=True)
class Waiting:
    """Rows of the outbox of one kind; `oldest` is how long the first demand has waited to be started."""

    kind: str
    waiting: int
    oldest: timedelta | None
    tried_again: int


@dataclass(frozen=True)
class Consumer:
    """Somebody who goes along the feed of events: how many lie before it, and how long the first of them has."""

    name: str
    moved_at: datetime
    waiting: int
    oldest: timedelta | None


@dataclass(frozen=True)
class Worker:
    worker: str
    begun_at: datetime
    seen_at: datetime
    silent: timedelta


async def outbox(pool: Pool) -> list[Waiting]:
    return [Waiting(**dict(row)) for row in await pool.fetch(_OUTBOX)]


async def consumers(pool: Pool) -> list[Consumer]:
    return [Consumer(**dict(row)) for row in await pool.fetch(_CONSUMERS)]


async def workers(pool: Pool) -> list[Worker]:
    return [Worker(**dict(row)) for row in await pool.fetch(_WORKERS)]


async def failing_receivers(pool: Pool) -> Sequence[asyncpg.Record | dict[str, Any]]:
    """Webhooks that fail now, or were turned off for it."""
    return await pool.fetch(_RECEIVERS)


async def receivers(pool: Pool) -> int:
    """How many webhooks are on."""
    found: int = await pool.fetchval("select count(*) from webhook where disabled_at is null")
    return found


# ---- what a worker says of itself


async def beat(pool: Pool, worker: str, gone_after: timedelta) -> None:
    """This worker is there. Those that were never heard of again for so long are gone."""
    await pool.execute(_BEAT, worker, gone_after)


async def forget(pool: Pool, worker: str) -> None:
    """This worker goes."""
    await pool.execute("delete from worker_beat where worker = $1", worker)
