"""The desk: what a use case needs at hand. Opened once per process, passed to every verb of `service/`."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from domain.district import District
from domain.worktime import Calendar
from gateways.temporal import connect
from runtime.settings import Settings
from service.calendars import for_span
from service.pack import load_pack
from service.staffing import Staffing
from service.starter import LEASE, Starter
from store import calendars, queries
from store.intake import Writer, next_numbers
from store.pool import UNAVAILABLE as POOL_UNAVAILABLE
from store.pool import Pool, open_pool
from store.seal import Sealer

UNAVAILABLE: tuple[type[Exception], ...] = (*POOL_UNAVAILABLE, OperationalError, InterfaceError, RPCError)

NUMBERS_AT_ONCE = 50
LOADS_EVERY = timedelta(seconds=5)


@dataclass
class Loads:
    """How many open demands people and units have; a few seconds old, which is good enough to share out work."""

    people: dict[str, int] = field(default_factory=dict)
    units: dict[str, int] = field(default_factory=dict)


@dataclass
class Desk:
    settings: Settings
    district: District
    calendar: Calendar
    pool: Pool
    engine: AsyncEngine
    temporal: Client
    sealer: Sealer
    staffing: Staffing
    writer: Writer
    starter: Starter
    loads: Loads = field(default_factory=Loads)
    _numbers: list[int] = field(default_factory=list)
    _numbering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def number(self) -> str:
        """A demand number nobody else gets: the local date and a running count. Gaps are possible."""
        if not self._numbers:
            async with self._numbering:
                if not self._numbers:
                    self._numbers = await next_numbers(self.pool, NUMBERS_AT_ONCE)
                    self._numbers.reverse()
        day = self.now() + timedelta(hours=8)  # Asia/Shanghai has had no other offset since 1991
        return f"{day:%Y%m%d}-{self._numbers.pop():06d}"

    async def check(self) -> dict[str, str]:
        """Whether each part that intake and commands need answers; "ok" or the reason in a word."""
        parts = {"database": self._check_database(), "temporal": self._check_temporal()}
        found = await asyncio.gather(*parts.values(), return_exceptions=True)
        return {
            name: "ok" if answer is None else type(answer).__name__
            for name, answer in zip(parts, found, strict=True)
        }  # fmt: skip

    async def _check_database(self) -> None:
        async with asyncio.timeout(2):
            await self.pool.fetchval("select count(*) from demand where number = ''")

    async def _check_temporal(self) -> None:
        async with asyncio.timeout(2):
            await self.temporal.service_client.check_health()

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.starter.close()
        await self.engine.dispose()
        await self.pool.close()

    async def _watch_loads(self) -> None:
        while True:
            with contextlib.suppress(*UNAVAILABLE):  # old figures are better than none
                self.loads.people, self.loads.units = await queries.loads(self.engine)
            await asyncio.sleep(LOADS_EVERY.total_seconds())


async def open_desk(settings: Settings) -> Desk:
    """Load the pack and the calendar, connect, and keep the calendar's version.

    Raises ConfigError for a broken pack or calendar; nothing is half opened then.
    """
    district = load_pack(settings.pack, settings.pack_overlay)
    this_year = datetime.now(UTC).year
    calendar = for_span(settings.calendar, this_year, this_year + 1)
    pool = await open_pool(settings.database_url, size=settings.db_pool_max)
    temporal = await connect(settings.temporal_address, settings.temporal_namespace)
    await calendars.keep(pool, calendar)
    desk = Desk(
        settings=settings,
        district=district,
        calendar=calendar,
        pool=pool,
        engine=queries.open_engine(settings.database_url, size=5),
        temporal=temporal,
        sealer=Sealer(settings.key_ring()),
        staffing=Staffing.of(district),
        writer=Writer(pool, lease=LEASE),
        starter=Starter(pool, temporal, settings.task_queue, at_once=settings.starters),
    )
    district.directory  # noqa: B018  (built now, not in the first request)
    desk._tasks.append(asyncio.create_task(desk._watch_loads()))
    return desk
