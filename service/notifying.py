"""Follows the feed of events and plans who is told of them: rows only, `service/delivering.py` sends.

The cursor of the feed and what is planned are one transaction, and a notice is written once for each event and person:
events that come again, and workers that work side by side, change nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from pydantic import ValidationError
from temporalio.client import Client

from domain.ledger import Entry
from domain.notice_rules import NoticeSettings
from domain.notices import happenings, meant
from runtime.settings import Settings
from service.notice_plans import Planner, Told
from service.publish_watch import Watch
from service.repeating import WAITS_FOR, repeat
from store.feed import FeedEvent, consume
from store.notices import logs_of
from store.pool import Connection, Pool

NAME = "notices"
EVERY = timedelta(seconds=1)
AT_ONCE = 200
SAME_AGAIN = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError)
UNREADABLE = (ValidationError, AssertionError, AttributeError, KeyError, ValueError)

log = structlog.get_logger()


def now_in_utc() -> datetime:
    return datetime.now(UTC)


class Notifying:
    def __init__(self, planner: Planner, pool: Pool, *, now: Callable[[], datetime] = now_in_utc) -> None:
        self._planner, self._pool, self._now = planner, pool, now

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        await repeat("notices", self._guarded, every=EVERY)

    async def _guarded(self) -> None:
        try:
            await self.once()
        except WAITS_FOR:
            raise
        except Exception as broken:  # whatever it is, the next look may succeed, and the worker has other things to do
            log.error("notices not planned", exc_info=broken)

    async def once(self) -> int:
        """Plan what has happened since; returns how many notices that made."""
        made = 0
        while True:
            try:
                events, planned = await self._batch()
            except SAME_AGAIN as clash:
                log.info("notices planned again", reason=type(clash).__name__)
                continue
            made += planned
            if events < AT_ONCE:
                return made

    async def _batch(self) -> tuple[int, int]:
        async with consume(self._pool, NAME, AT_ONCE, start="beginning") as batch:
            if batch is None:
                return 0, 0
            now = self._now()
            told = await self._told(batch.connection, batch.events, now)
            return len(batch.events), await self._planner.write(batch.connection, told, now) if told else 0

    async def _told(self, connection: Connection, events: Sequence[FeedEvent], now: datetime) -> list[Told]:
        settings = self._planner.settings
        oldest = now - timedelta(hours=settings.skip_older_than_hours)
        wanted: dict[str, dict[int, FeedEvent]] = {}
        for one in events:
            if one.type in settings.rules_of and one.at >= oldest:
                wanted.setdefault(one.number, {})[one.seq] = one
        if not wanted:
            return []
        logs = await logs_of(connection, sorted(wanted))
        return [
            one for number, said in wanted.items() for one in _told_of(settings, number, logs.get(number, []), said)
        ]


def _told_of(
    settings: NoticeSettings, number: str, entries: Sequence[asyncpg.Record], wanted: Mapping[int, FeedEvent]
) -> list[Told]:
    """Who is to be told of these events of one demand. A log that cannot be read must not keep the others waiting."""
    try:
        read = (_entry(row) for row in entries)
        found = happenings(number, read, {seq: one.hash for seq, one in wanted.items()})
        return [(happening, one) for happening in found for one in meant(settings, happening)]
    except UNREADABLE as broken:
        log.error("nobody is told", number=number, reason=type(broken).__name__)
        return []


def _entry(row: asyncpg.Record) -> Entry:
    return Entry(
        seq=row["seq"], type=row["type"], at=row["at"], actor=row["actor"], data=json.loads(row["data"]), hash=row["hash"]
    )  # fmt: skip


def open_notifying(settings: Settings, pool: Pool, watch: Watch) -> Notifying:
    return Notifying(Planner(settings, watch), pool)
