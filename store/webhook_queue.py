"""What waits for webhooks: one queue for each webhook and demand, its deliveries going out one after another.

Whoever plans and whoever takes the last one out both lock the queue's row, so nothing is left behind without a turn.
A claim lasts as long as its lease; `tries` tells a result that comes after it from one that counts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from domain.webhooks import DeliveryState
from store.pool import Connection, Pool
from store.webhooks import Webhook

PING_SUBJECT = "ping"


@dataclass(frozen=True)
class Planned:
    """One event for one webhook, with what is sent word for word."""

    webhook: str
    event: str
    subject: str
    seq: int
    type: str
    body: str


@dataclass(frozen=True)
class Claim:
    """The first delivery of a queue, ours until the lease ends; `tries` is the number of this try, from 1."""

    webhook: str
    subject: str
    delivery: int
    event: str
    body: str
    tries: int


_PLAN = """
with given as (
    select * from unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[])
        with ordinality as g (webhook, event, subject, seq, type, body, n)
    where webhook in (select id from webhook)
), turns as (
    insert into webhook_queue (webhook, subject, next_at, tries)
    select distinct webhook, subject, $7::timestamptz, 0 from given order by webhook, subject
    on conflict (webhook, subject) do update set tries = webhook_queue.tries
)
insert into webhook_delivery (webhook, event, subject, seq, type, body, state, tries, planned_at)
select webhook, event, subject, seq, type, body, 'pending', '[]', $7 from given order by n
on conflict (webhook, event) do update set state = 'pending', done_at = null
    where $8::bool and webhook_delivery.state <> 'pending'
"""
_CLAIM = """
with turn as (
    select webhook, subject from webhook_queue
    where webhook = $1 and next_at <= $3 and ($5::text is null or subject = $5)
    order by next_at, subject limit $2 for update skip locked
), taken as (
    update webhook_queue q set next_at = $3::timestamptz + $4::interval, tries = q.tries + 1 from turn
    where q.webhook = turn.webhook and q.subject = turn.subject
    returning q.webhook, q.subject, q.tries
)
select t.webhook, t.subject, t.tries, d.id, d.event, d.body,
    d.seq = 0 or exists (select from demand_event e where e.number = t.subject and e.seq = d.seq
                         and left(e.hash, 8) = right(d.event, 8)) as stands
from taken t left join lateral (
    select id, event, seq, body from webhook_delivery
    where webhook = t.webhook and subject = t.subject and state = 'pending' order by seq, id limit 1
) d on true
"""
_LOCK = "select tries from webhook_queue where webhook = $1 and subject = $2 for update"
_OVER = """
update webhook_delivery set state = $2, tries = tries || jsonb_build_array($3::jsonb), done_at = $4 where id = $1
"""
_NEXT = """
with rest as (
    select exists (select from webhook_delivery where webhook = $1 and subject = $2 and state = 'pending') as more
), gone as (
    delete from webhook_queue where webhook = $1 and subject = $2 and not (select more from rest)
)
update webhook_queue set next_at = $3, tries = 0 where webhook = $1 and subject = $2 and (select more from rest)
"""


async def plan(connection: Connection | Pool, planned: Sequence[Planned], at: datetime, *, again: bool = False) -> None:
    """Part of the caller's transaction. What a webhook has already is left alone, or sent `again`."""
    if planned:
        columns = [[getattr(p, f) for p in planned] for f in ("webhook", "event", "subject", "seq", "type", "body")]
        await connection.execute(_PLAN, *columns, at, again)


async def claim(pool: Pool, webhook: Webhook, most: int, lease: timedelta, at: datetime) -> list[Claim]:
    """Its next deliveries that are due, of as many demands; of a disabled one only a ping.

    An event that was replaced meanwhile by another attempt does not stand any more, and is not sent.
    """
    only = None if webhook.enabled else PING_SUBJECT
    rows = await pool.fetch(_CLAIM, webhook.id, most, at, lease, only)
    claims: list[Claim] = []
    for r in rows:
        if r["id"] is None:  # planned again what it had already: a turn for nothing
            await _finish(pool, r["webhook"], r["subject"], r["tries"], at)
            continue
        one = Claim(r["webhook"], r["subject"], r["id"], r["event"], r["body"], r["tries"])
        if r["stands"]:
            claims.append(one)
        else:
            tried = {"at": at.isoformat(), "status": None, "error": "superseded", "ms": 0}
            await settle(pool, one, DeliveryState.SUPERSEDED, tried, at)
    return claims


async def settle(pool: Pool, c: Claim, state: DeliveryState, tried: dict[str, Any], at: datetime) -> None:
    """It is over, for better or worse; the next one of its queue has its turn."""
    await _finish(pool, c.webhook, c.subject, c.tries, at, over=(c.delivery, state, json.dumps(tried)))


async def put_off(pool: Pool, c: Claim, until: datetime, tried: dict[str, Any]) -> None:
    """It is tried again at `until`, and what comes after it waits."""
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(_LOCK, c.webhook, c.subject) == c.tries:
            await connection.execute(
                "update webhook_queue set next_at = $3 where webhook = $1 and subject = $2", c.webhook, c.subject, until
            )
            await connection.execute(
                "update webhook_delivery set tries = tries || jsonb_build_array($2::jsonb) where id = $1",
                c.delivery, json.dumps(tried),
            )  # fmt: skip


async def _finish(
    pool: Pool, webhook: str, subject: str, tries: int, at: datetime, *, over: tuple[int, str, str] | None = None
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        if await connection.fetchval(_LOCK, webhook, subject) != tries:
            return  # our lease was over, and somebody else is at it
        if over is not None:
            await connection.execute(_OVER, *over, at)
        await connection.execute(_NEXT, webhook, subject, at)


async def due(pool: Pool, at: datetime) -> list[str]:
    """Webhooks that have something to send now."""
    rows = await pool.fetch(
        "select id from webhook w where (disabled_at is null and (rests_until is null or rests_until <= $1)"
        " and exists (select from webhook_queue q where q.webhook = w.id and q.next_at <= $1)) or exists ("
        " select from webhook_queue q where q.webhook = w.id and q.subject = $2 and q.next_at <= $1)",
        at, PING_SUBJECT,
    )  # fmt: skip
    return [row["id"] for row in rows]


async def forget_old(pool: Pool, before: datetime, limit: int) -> int:
    """Take out deliveries that were over before that instant, at most `limit`; how many there were."""
    done: str = await pool.execute(
        "delete from webhook_delivery where id in (select id from webhook_delivery"
        " where state <> 'pending' and done_at < $1 order by done_at limit $2)",
        before, limit,
    )  # fmt: skip
    return int(done.rpartition(" ")[2])


# ---- the log


@dataclass(frozen=True)
class Delivery:
    id: int
    event: str
    subject: str
    type: str
    state: str
    tries: list[dict[str, Any]]
    planned_at: datetime
    done_at: datetime | None
    next_at: datetime | None
    body: str


_LOG = """
select d.id, d.event, d.subject, d.type, d.state, d.tries::text as tries, d.planned_at, d.done_at, d.body,
    case when d.state = 'pending' then q.next_at end as next_at
from webhook_delivery d left join webhook_queue q using (webhook, subject)
"""


async def deliveries(
    pool: Pool, webhook: str, *, state: str | None, subject: str | None, before: int | None, limit: int
) -> list[Delivery]:
    """The newest first."""
    rows = await pool.fetch(
        f"{_LOG} where d.webhook = $1 and ($2::text is null or d.state = $2) and ($3::text is null or d.subject = $3)"
        " and ($4::bigint is null or d.id < $4) order by d.id desc limit $5",
        webhook, state, subject, before, limit,
    )  # fmt: skip
    return [_delivery(row) for row in rows]


async def delivery(pool: Pool | Connection, webhook: str, id: int) -> Delivery | None:
    row = await pool.fetchrow(f"{_LOG} where d.webhook = $1 and d.id = $2", webhook, id)
    return None if row is None else _delivery(row)


async def open_counts(pool: Pool, webhook: str) -> dict[str, int]:
    """How many wait, and how many were given up."""
    row = await pool.fetchrow(
        "select (select count(*) from webhook_delivery where webhook = $1 and state = 'pending') as waiting,"
        " (select count(*) from webhook_delivery where webhook = $1 and state = 'failed') as failed",
        webhook,
    )
    assert row is not None
    return dict(row)


def _delivery(row: asyncpg.Record) -> Delivery:
    return Delivery(**{**dict(row), "tries": json.loads(row["tries"])})


# ---- sending again


_AGAIN = """
with given as (
    select id, subject from webhook_delivery
    where webhook = $1 and state <> 'pending' and ($2::bigint is null or id = $2) and ($3::text is null or state = $3)
), turns as (
    insert into webhook_queue (webhook, subject, next_at, tries)
    select distinct $1, subject, $4::timestamptz, 0 from given order by subject
    on conflict (webhook, subject) do update set tries = webhook_queue.tries
)
update webhook_delivery set state = 'pending', done_at = null where id in (select id from given)
"""


async def send_again(
    connection: Connection, webhook: str, at: datetime, *, delivery: int | None = None, state: str | None = None
) -> int:
    """One delivery, or all of a state; how many were not waiting already."""
    done: str = await connection.execute(_AGAIN, webhook, delivery, state, at)
    return int(done.rpartition(" ")[2])
