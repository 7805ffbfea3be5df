"""Reading deliveries across recipients, counting them by channel, and putting them on their way anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from store.pool import Connection, Pool

OPEN = ("waiting", "sending", "failed")
MOST_AT_ONCE = 5_000

Key = tuple[int, int]
"""Planned instant in milliseconds since 1970, id: oldest first."""

_COLUMNS = """
    d.id, d.notice, d.channel, d.lane, d.position, d.state, d.attempts, d.next_at, d.claimed_until, d.last_error,
    d.delivered_at, d.number, d.urgent, d.replayed_at, n.event, n.person
"""
# What is delivered is not listed here: the three partial indexes then serve every combination.
_PAGE = f"""
select {_COLUMNS} from delivery d join notice n on n.id = d.notice
where d.state = any($1::text[]) and d.state in ('waiting', 'sending', 'failed', 'dead')
    and ($2::text is null or d.channel = $2) and ($3::text is null or d.number = $3) and ($4::text is null or d.lane = $4)
    and ($5::text is null or d.last_error = $5)
    and ($6::bigint is null or (d.position, d.id) > ($6, $7::bigint))
order by d.position, d.id limit $8
"""
_COUNTS = """
select channel, state, count(*) as n, min(position) as oldest
from delivery where state in ('waiting', 'sending', 'failed', 'dead') and (state <> 'waiting' or next_at <= $1)
group by channel, state
"""
_ANEW = """
update delivery set state = 'waiting', attempts = 0, next_at = $1, replayed_at = $1
where id in ({which} for update skip locked)
returning id
"""
_OF_NOTICE = """
select id from delivery
where notice = (select coalesce(digest, id) from notice where id = $2) and state in ('dead', 'failed')
"""
_OF_SPAN = """
select id from delivery
where state = 'dead' and position >= $2 and position < $3 and ($4::text is null or channel = $4)
    and ($5::text is null or last_error = $5)
order by position, id limit $6
"""


@dataclass(frozen=True)
class Wanted:
    """Which of them; None means any. `lane` is a person's id or `reporter:<number>`."""

    states: Sequence[str] = OPEN
    channel: str | None = None
    number: str | None = None
    lane: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Span:
    """Dead ones that were planned from one instant until before another; positions as `delivery.position` counts."""

    begins: int
    ends: int
    channel: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class Attempt:
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    code: str | None


async def page(pool: Pool, wanted: Wanted, *, after: Key | None, limit: int) -> list[asyncpg.Record]:
    """Oldest planned first."""
    position, id = after or (None, None)
    rows: list[asyncpg.Record] = await pool.fetch(
        _PAGE, list(wanted.states), wanted.channel, wanted.number, wanted.lane, wanted.reason, position, id, limit
    )
    return rows


async def one(pool: Pool, id: int) -> tuple[asyncpg.Record, list[Attempt]] | None:
    """A delivery, whatever became of it, with every attempt in its order."""
    row = await pool.fetchrow(f"select {_COLUMNS} from delivery d join notice n on n.id = d.notice where d.id = $1", id)
    if row is None:
        return None
    tried = await pool.fetch(
        "select started_at, ended_at, outcome, code from delivery_attempt where delivery = $1 order by id", id
    )
    return row, [Attempt(*attempt) for attempt in tried]


async def counts(pool: Pool, now: datetime) -> list[asyncpg.Record]:
    """By channel and state, with the oldest planned instant. What is kept back until later does not count as waiting."""
    rows: list[asyncpg.Record] = await pool.fetch(_COUNTS, now)
    return rows


async def channel_states(pool: Pool) -> dict[str, Any]:
    return {row["channel"]: row for row in await pool.fetch("select * from channel_state")}


async def replay_notice(connection: Connection, notice: int, now: datetime) -> list[int] | None:
    """Its deliveries that failed or are dead, or those of the collection that it is in; None for no such notice."""
    if await connection.fetchval("select true from notice where id = $1", notice) is None:
        return None
    return [row["id"] for row in await connection.fetch(_ANEW.format(which=_OF_NOTICE), now, notice)]


async def replay_span(connection: Connection, span: Span, now: datetime) -> list[int]:
    """At most `MOST_AT_ONCE`, oldest first. They go out in the order in which they were planned."""
    rows = await connection.fetch(
        _ANEW.format(which=_OF_SPAN), now, span.begins, span.ends, span.channel, span.reason, MOST_AT_ONCE
    )
    return [row["id"] for row in rows]
