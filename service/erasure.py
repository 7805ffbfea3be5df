"""Forgetting people: when the time of their demand is over, or when they ask for it. The log and the figures stay.

The reporter's row and its index go, every text that may speak of people says afterwards only that it was erased. Nothing of
a demand that can still be reopened is touched. Batches are committed one by one, so an interruption costs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from temporalio.client import Client

from domain.actors import SYSTEM
from domain.masking import ERASED
from domain.privacy import IMPERSONAL_KINDS
from domain.retention import RetentionRules
from service.publish_watch import Watch
from service.repeating import repeat
from store import erasure as storing
from store.erasure import Candidate
from store.pool import Connection, Pool
from store.seal import Sealer

EVERY = timedelta(minutes=10)
NIGHT = range(1, 5)
"""Hours of the local day in which what is due is anonymised."""

AT_ONCE = 100
BREATH_SECONDS = 0.1

log = structlog.get_logger()


@dataclass(frozen=True)
class Over:
    """Whether a candidate's time is over, and before when it must have been closed for that at least."""

    is_over: Callable[[Candidate], bool]
    closed_before: datetime


def over_by(rules: RetentionRules, now: datetime) -> Over | None:
    """As the district settled it; None: nothing ever is."""
    if rules.shortest is None:
        return None
    return Over(lambda one: rules.is_over(one.category, one.closed_at, now), now - timedelta(days=rules.shortest))


def over_after(days: int, now: datetime) -> Over:
    """After one span, whatever the category."""
    return Over(lambda one: True, now - timedelta(days=days))


class Eraser:
    def __init__(self, pool: Pool, sealer: Sealer) -> None:
        self._pool = pool
        self._sealer = sealer

    async def erase(self, numbers: Sequence[str], *, at: datetime, by: str, why: str) -> int:
        """All or nothing; how many rows and texts were taken away."""
        async with self._pool.acquire() as connection, connection.transaction():
            return await self.within(connection, numbers, at=at, by=by, why=why)

    async def within(
        self, connection: Connection, numbers: Sequence[str], *, at: datetime, by: str, why: str
    ) -> int:  # fmt: skip
        """The same, as part of a transaction."""
        markers = {number: self._sealer.seal(ERASED, number) for number in numbers}
        return await storing.erase(connection, markers, at=at, by=by, why=why, keep_kinds=sorted(IMPERSONAL_KINDS))

    async def retained_too_long(self, over: Over, *, at_once: int = AT_ONCE) -> AsyncIterator[list[Candidate]]:
        """Batches of demands whose time is over; each is to be erased before the next is asked for, or left."""
        after = ""
        while found := await storing.candidates(
            self._pool, closed_before=over.closed_before, after=after, limit=at_once
        ):
            after = found[-1].number
            if due := [one for one in found if over.is_over(one)]:
                yield due


class Forgetter:
    """In the worker: what was asked for within minutes of its end, what is due in small batches at night."""

    def __init__(self, watch: Watch, pool: Pool, sealer: Sealer, now: Callable[[], datetime]) -> None:
        self._watch = watch
        self._pool = pool
        self._eraser = Eraser(pool, sealer)
        self._now = now

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        await repeat("erasures", self.once, every=EVERY)

    async def once(self) -> int:
        """How many demands were erased. Raises when the database is away."""
        done, now = await self.as_asked(), self._now()
        district = (await self._watch.take_over()).district
        if now.astimezone(ZoneInfo(district.timezone)).hour in NIGHT:
            done += await self.as_due(district.privacy)
        if done:
            log.info("anonymised", demands=done)
        return done

    async def as_asked(self) -> int:
        """What somebody asked for and is closed for good by now."""
        done, after = 0, ""
        while numbers := await storing.waiting(self._pool, after=after, limit=AT_ONCE):
            await self._eraser.erase(numbers, at=self._now(), by=SYSTEM.id, why="request")
            done, after = done + len(numbers), numbers[-1]
        return done

    async def as_due(self, rules: RetentionRules) -> int:
        """What has been kept as long as the district keeps it."""
        over, done = over_by(rules, self._now()), 0
        if over is None:
            return 0
        async for batch in self._eraser.retained_too_long(over):
            numbers = [one.number for one in batch]
            await self._eraser.erase(numbers, at=self._now(), by=SYSTEM.id, why="retention")
            done += len(numbers)
            await asyncio.sleep(BREATH_SECONDS)
        return done
