"""Notices what was published, by this process or another, what takes effect, and the turn of the year; nothing has to be
restarted.

Each process looks every few seconds. One that finds something new takes it over and queues the open demands that still
have another calendar than they should: those that were taken in meanwhile under the old one, and, after a restart, those
that were promised under files that have changed since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import structlog

from domain.district import District
from domain.errors import ConfigError
from runtime.settings import Settings
from service.calendars import read_years
from service.pack import PackError, load_pack
from service.pack_checks import check_district
from service.publish_in_force import Base, InForce, in_force, versions, wanted
from store import publications
from store.pool import UNAVAILABLE, Pool
from store.publications import Mark, Wanted

EVERY = timedelta(seconds=5)
# A submission may be under way while its process changes over, and a closed demand may be reopened much later.
STRAGGLERS_AFTER, STRAGGLERS_EVERY = timedelta(seconds=10), timedelta(minutes=10)

log = structlog.get_logger()

Apply = Callable[[InForce, int], None]


def local_year(timezone: str) -> Callable[[], int]:
    zone = ZoneInfo(timezone)
    return lambda: datetime.now(UTC).astimezone(zone).year


def now_in_utc() -> datetime:
    return datetime.now(UTC)


class Watch:
    """`apply` is called with what is in force and the local year, whenever one of the two has changed."""

    def __init__(
        self, pool: Pool, base: Base, *, year: Callable[[], int], now: Callable[[], datetime] = now_in_utc
    ) -> None:
        self.apply: Apply | None = None
        self._pool = pool
        self.base = base
        self._year = year
        self._now = now
        self._known: tuple[Mark, int] | None = None
        self._queued: Wanted | None = None
        self._stragglers_at = 0.0
        self._problem = ""
        self.in_force = in_force(base, (), now())

    async def take_over(self) -> InForce:
        """What is in force now, read anew if something was published or has taken effect. Its calendars are kept before
        anybody uses them.

        Raises ConfigError when there is no calendar for this year, or a publication cannot be read; PackError when, as the
        process starts, what was published does not fit to the files any more.
        """
        now = self._now()
        known = await publications.mark(self._pool, now), self._year()
        if known != self._known:
            found = in_force(self.base, await publications.all_of_them(self._pool), now)
            found.calendar(known[1])
            if self._known is None and (problems := check_district(found.district)):
                raise PackError("what was published", problems)
            async with publications.publishing(self._pool) as transaction:
                await transaction.keep_calendars(list(wanted(found.almanac, known[1]).values()))
            if self.apply is not None:
                self.apply(found, known[1])
            self._say_so(found)
            effective = sum(one.counts(now) for one in found.publications)
            self.in_force, self._known = found, (Mark(found.as_of, effective), known[1])
        return self.in_force

    def district(self) -> District:
        """The district of this moment, by what was known at the last look: what takes effect does so to the instant."""
        now = self._now()
        if any(one.counts(now) for one in self.in_force.ahead()):
            return in_force(self.base, self.in_force.publications, now).district
        return self.in_force.district

    def _say_so(self, found: InForce) -> None:
        said = {one.id for one in self.in_force.standing}
        files = {str(entry.year) for entry in self.base.years} | {""}
        for one in (one for one in found.standing if one.id not in said):
            over = "the file" if one.key in files else None
            log.info("publication in force", id=one.id, kind=one.kind, key=one.key, version=one.version, over=over)

    @property
    def this_year(self) -> int:
        """The local year that what is in force was worked out for."""
        return self._year() if self._known is None else self._known[1]

    async def look(self) -> None:
        """Take over what is new, and queue the demands that it concerns. Raises like `take_over`, and UNAVAILABLE."""
        await self.take_over()
        now = asyncio.get_running_loop().time()
        should_be = versions(wanted(self.in_force.almanac, self.this_year))
        if self._queued != should_be:
            if await self._queue(only=None):
                self._queued = should_be
                self._stragglers_at = now + STRAGGLERS_AFTER.total_seconds()
        elif now >= self._stragglers_at:
            await self._queue(only=self.in_force.superseded(self.this_year))
            self._stragglers_at = now + STRAGGLERS_EVERY.total_seconds()

    async def _queue(self, *, only: list[str] | None) -> bool:
        """False when something newer was published in this moment: then it is not for us to say."""
        assert self._known is not None
        as_of, year = self._known[0].newest, self._known[1]
        if only == []:
            return True
        async with publications.publishing(self._pool) as transaction:
            if await transaction.newest_id() != as_of:
                return False
            queued = await transaction.queue(versions(wanted(self.in_force.almanac, year)), only=only)
        if queued:
            log.info("demands follow the calendar", queued=queued, publication=as_of)
        return True

    async def run(self) -> None:
        """Until cancelled. What is in force stays so while the database is away or a publication cannot be read."""
        while True:
            pause = EVERY
            try:
                await self.look()
                self._problem, pause = "", self._pause()
            except UNAVAILABLE as down:
                log.warning("publications not looked at", reason=type(down).__name__)
            except ConfigError as wrong:
                if str(wrong) != self._problem:
                    self._problem = str(wrong)
                    log.error("publication not taken over", problem=self._problem)
            except Exception as broken:  # whatever it is, the next look may succeed, and nobody would miss a dead watch
                log.error("publications not looked at", reason=type(broken).__name__)
            await asyncio.sleep(pause.total_seconds())

    def _pause(self) -> timedelta:
        """Until the next look: sooner where something takes effect before."""
        ahead = self.in_force.ahead()
        soonest = ahead[0].effective_at - self._now() if ahead else EVERY
        return max(min(EVERY, soonest), timedelta(milliseconds=1))


def open_watch(settings: Settings, pool: Pool) -> Watch:
    """On the files that the settings name; nothing is read from the database yet. Raises ConfigError for a broken file."""
    district = load_pack(settings.pack, settings.pack_overlay)
    return Watch(pool, Base(read_years(settings.calendar), district), year=local_year(district.timezone))
