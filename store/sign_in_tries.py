"""How often somebody tried to sign in: one counter for each mark, shared by all processes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store.pool import Connection, Pool

# A try is counted before it is known whether it fails, so that many at once are not all free. Nothing is counted while
# the mark is blocked: who keeps trying does not lengthen the block. Of two at once the one that is counted later may have
# looked at the clock earlier: what does not block leaves `blocked_until` as it was, long ago.
_LEFT = "greatest(t.tries - extract(epoch from $2 - t.last_at)::float8 / $3, 0)"
_COUNT = f"""
insert into sign_in_try as t (mark, tries, last_at, blocked_until) values ($1, 1, $2, 'epoch')
on conflict (mark) do update set
    tries = {_LEFT} + 1,
    last_at = greatest(t.last_at, $2),
    blocked_until = case when {_LEFT} + 1 < $4 then t.blocked_until
        else $2 + least($5::interval, interval '1 second' * power(2, least({_LEFT} + 1 - $4, 30))) end
where t.blocked_until <= $2
returning tries
"""


@dataclass(frozen=True)
class Pace:
    """After `free` tries each further one blocks the mark, first for a second and about twice as long each time, up to
    `longest`. One try is forgotten every `forget_one`."""

    free: int
    longest: timedelta
    forget_one: timedelta


@dataclass(frozen=True)
class Counter:
    mark: bytes
    pace: Pace


async def count(connection: Connection, counter: Counter, now: datetime) -> bool:
    """False when the mark is blocked now."""
    pace = counter.pace
    seconds = pace.forget_one.total_seconds()
    found = await connection.fetchval(_COUNT, counter.mark, now, seconds, float(pace.free), pace.longest)
    return found is not None


async def blocked_until(pool: Pool, marks: Sequence[bytes], now: datetime) -> datetime:
    """The latest of them; now where none is blocked any more."""
    found = await pool.fetchval("select max(blocked_until) from sign_in_try where mark = any($1::bytea[])", list(marks))
    return max(now, found) if isinstance(found, datetime) else now


async def clear(connection: Connection, mark: bytes) -> None:
    await connection.execute("delete from sign_in_try where mark = $1", mark)


async def give_back(connection: Connection, mark: bytes, now: datetime) -> None:
    """Take one try back, and the block that it may have made."""
    await connection.execute(
        "update sign_in_try set tries = greatest(tries - 1, 0), blocked_until = least(blocked_until, $2)"
        " where mark = $1",
        mark, now,
    )  # fmt: skip


async def forget_before(pool: Pool, before: datetime) -> None:
    await pool.execute("delete from sign_in_try where last_at < $1", before)
