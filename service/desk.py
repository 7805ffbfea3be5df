"""The desk: what a use case needs at hand. Opened once per process, passed to every verb of `service/`."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine
from temporalio.client import Client
from temporalio.service import RPCError

from domain.capacity import Account
from domain.district import District
from domain.rulings import Ruling
from domain.worktime import Calendar
from gateways.temporal import connect
from runtime.settings import Settings
from service.calendars import Almanac
from service.event_tail import Tail
from service.likeness import Keeper
from service.outgoing import source_of
from service.publish_in_force import InForce
from service.publish_watch import Watch, open_watch
from service.staffing import Staffing
from service.starter import LEASE, Starter
from store import queries, rosters, rulings, unit_tasks
from store.fingerprint import Fingerprints
from store.intake import Writer, next_numbers
from store.phone_digests import PhoneDigests
from store.pool import UNAVAILABLE as POOL_UNAVAILABLE
from store.pool import Pool, open_pool
from store.reporter_keys import ReporterKeys
from store.rosters import RosterChange
from store.seal import Sealer

UNAVAILABLE: tuple[type[Exception], ...] = (*POOL_UNAVAILABLE, OperationalError, InterfaceError, RPCError)

NUMBERS_AT_ONCE = 50
LOADS_EVERY = timedelta(seconds=5)


@dataclass
class Loads:
    """How much people and units have to do: counted a few seconds ago, which is good enough to share out work.

    To `units` this process adds what it takes in itself, so that a burst does not all go to the unit that was freest.
    """

    people: dict[str, int] = field(default_factory=dict)
    units: Account = field(default_factory=Account)


@dataclass
class Desk:
    settings: Settings
    district: District
    calendar: Calendar
    almanac: Almanac
    pool: Pool
    engine: AsyncEngine
    temporal: Client
    sealer: Sealer
    staffing: Staffing
    writer: Writer
    starter: Starter
    likenesses: Keeper
    watch: Watch
    tail: Tail
    loads: Loads = field(default_factory=Loads)
    rulings: tuple[Ruling, ...] = ()
    rosters: dict[str, tuple[RosterChange, ...]] = field(default_factory=dict)
    import_waits: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: list[int] = field(default_factory=list)
    _numbering: asyncio.Lock = field(default_factory=asyncio.Lock)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    def now(self) -> datetime:
        return datetime.now(UTC)

    @cached_property
    def phone_digests(self) -> PhoneDigests:
        return PhoneDigests(self.settings.key_ring())

    @cached_property
    def reporter_keys(self) -> ReporterKeys:
        return ReporterKeys(self.settings.key_ring())

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
        await self.tail.close()
        await self.starter.close()
        await self.engine.dispose()
        await self.pool.close()

    def put_in_force(self, found: InForce, this_year: int) -> None:
        """From now on demands are promised under this calendar and with these targets, and routed by these rules."""
        self.almanac, self.calendar = found.almanac, found.calendar(this_year)
        if self.district is not found.district:
            self.district, self.staffing = found.district, Staffing.of(found.district)
            self.district.directory  # noqa: B018  (built now, not in the first request)

    async def look_at_rulings(self) -> None:
        """Read those that are not over: done every few seconds, and at once by whoever made or revoked one."""
        self.rulings = await rulings.not_over(self.pool, self.now())

    async def look_at_rosters(self) -> None:
        """Read the changes of the rotations, as often as the rulings."""
        self.rosters = await rosters.changes(self.pool)

    async def _watch_loads(self) -> None:
        while True:
            with contextlib.suppress(*UNAVAILABLE):  # old figures are better than none
                self.loads.people = await queries.held(self.engine)
                self.loads.units = Account(await unit_tasks.counted(self.pool))
                await self.look_at_rulings()
                await self.look_at_rosters()
            await asyncio.sleep(LOADS_EVERY.total_seconds())


async def open_desk(settings: Settings) -> Desk:
    """Load the pack and the holiday tables, connect, and lay over them what was published.

    Raises ConfigError for a broken pack or calendar; nothing is half opened then.
    """
    pool = await open_pool(settings.database_url, size=settings.db_pool_max)
    try:
        watch = open_watch(settings, pool)
        found = await watch.take_over()
    except BaseException:
        pool.terminate()
        raise
    temporal = await connect(settings.temporal_address, settings.temporal_namespace)
    sealer, prints = Sealer(settings.key_ring()), Fingerprints(settings.key_ring())
    starter = Starter(pool, temporal, settings.task_queue, at_once=settings.starters)
    desk = Desk(
        settings=settings,
        district=found.district,
        calendar=found.calendar(watch.this_year),
        almanac=found.almanac,
        pool=pool,
        engine=queries.open_engine(settings.database_url, size=5),
        temporal=temporal,
        sealer=sealer,
        staffing=Staffing.of(found.district),
        writer=Writer(pool, lease=LEASE),
        starter=starter,
        likenesses=Keeper(pool, sealer, prints, lambda: desk.district, lambda: starter.surging),
        watch=watch,
        tail=Tail(pool, lambda: source_of(desk.district.id)),
    )
    desk.put_in_force(found, watch.this_year)
    watch.apply = desk.put_in_force
    await desk.look_at_rulings()
    await desk.look_at_rosters()
    desk.district.directory  # noqa: B018  (built now, not in the first request)
    from service.importing import running  # here: it takes demands in as every caller does, at this desk

    background = (desk._watch_loads(), watch.run(), desk.likenesses.run(), running.run(desk))
    desk._tasks += [asyncio.create_task(one) for one in background]
    return desk
