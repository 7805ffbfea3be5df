"""Keeping the marks of demands up to date, by which similar ones are found; in the background, after intake has answered.

A fresh demand is marked within a second or so. Whatever was missed (a crash, a surge, an older release, a new key, a
demand that was moved or filed anew) is found by comparing the tables, at the start and every minute.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from asyncpg import PostgresError

from domain.cells import cell_of
from domain.district import District
from domain.duplicates import Case, branch
from domain.geometry import Position
from domain.similarity import building_named, gist
from store import likeness
from store.fingerprint import Fingerprints
from store.likeness import Mark, Source
from store.pool import UNAVAILABLE, Pool
from store.seal import Sealer, UnknownKey

KEPT_FOR = timedelta(days=100)
"""How old a demand may be to be marked still."""

AT_ONCE = 50
MOST_WAITING = 5_000
LOOKS_EVERY_SECONDS = 60.0
BREATH_SECONDS = 0.2

log = structlog.get_logger()


class Keeper:
    """`district` and `busy` are asked each time; while it is busy nothing is marked."""

    def __init__(
        self,
        pool: Pool,
        sealer: Sealer,
        prints: Fingerprints,
        district: Callable[[], District],
        busy: Callable[[], bool],
    ) -> None:
        self.prints = prints
        self._pool = pool
        self._sealer = sealer
        self._district = district
        self._busy = busy
        self._waiting: dict[str, None] = {}
        self._something = asyncio.Event()

    def soon(self, number: str) -> None:
        """Mark it as soon as there is time; never blocks, never raises."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[number] = None
            self._something.set()

    async def run(self) -> None:
        """Catch up, then mark what comes; never ends by itself."""
        look_at = 0.0
        clock = asyncio.get_running_loop().time
        while True:
            try:
                if clock() >= look_at:
                    look_at = clock() + (0 if await self.catch_up() else LOOKS_EVERY_SECONDS)
                await self._mark_waiting()
                async with asyncio.timeout(max(BREATH_SECONDS, look_at - clock())):
                    await self._something.wait()
            except TimeoutError:
                continue
            except (*UNAVAILABLE, PostgresError) as down:
                log.warning("likeness left for later", reason=type(down).__name__)
                await asyncio.sleep(1)
            await asyncio.sleep(BREATH_SECONDS)  # together they cost less

    async def catch_up(self) -> int:
        """Mark some of those that are missing, newest first; how many. 0 when nothing is left to do."""
        if self._busy():
            return 1
        since = datetime.now(UTC) - KEPT_FOR
        numbers = await likeness.missing(self._pool, since=since, made_with=self.prints.made_with, limit=10 * AT_ONCE)
        for i in range(0, len(numbers), AT_ONCE):
            await self.mark(numbers[i : i + AT_ONCE])
        return len(numbers)

    async def mark(self, numbers: list[str]) -> None:
        """Write the marks of these demands, from their sealed texts."""
        marks = []
        for source in await likeness.sources(self._pool, numbers):
            marks.append(self._mark(source))
            await asyncio.sleep(0)  # requests go first
        await likeness.put(self._pool, marks)

    def case(self, source: Source) -> Case:
        """What can be compared of a demand. One that no key opens any more says nothing, and is like no other."""
        try:
            return case_of(self._district(), self._sealer, source)
        except (UnknownKey, ValueError) as unreadable:
            log.warning("text not readable", demand_id=source.number, reason=type(unreadable).__name__)
            return Case(source.category, source.opened_at, gist(""), source.grid, source.compound)

    async def _mark_waiting(self) -> None:
        while self._waiting and not self._busy():
            numbers = list(self._waiting)[:AT_ONCE]
            await self.mark(numbers)
            for number in numbers:
                self._waiting.pop(number, None)
        if not self._waiting:
            self._something.clear()

    def _mark(self, source: Source) -> Mark:
        case = self.case(source)
        return Mark(
            number=source.number, branch=branch(source.category), category=source.category,
            community=source.community, grid=source.grid, compound=source.compound,
            cell=None if case.point is None else cell_of(case.point), opened_at=source.opened_at,
            made_with=self.prints.made_with, signature=self.prints.of(case.gist.weights),
        )  # fmt: skip


def case_of(district: District, sealer: Sealer, source: Source) -> Case:
    """Raises UnknownKey where what is sealed cannot be opened."""
    text = "" if source.text is None else sealer.open(source.text, source.number)
    said = {} if source.person is None else json.loads(sealer.open(source.person, source.number))
    building = said.get("building") if source.compound is not None else None
    return Case(
        category=source.category, at=source.opened_at, gist=gist(text, district.telling), grid=source.grid,
        compound=source.compound, building=None if building is None else building_named(building),
        point=_point(district, source, said.get("lat"), said.get("lon")),
    )  # fmt: skip


def _point(district: District, source: Source, lat: float | None, lon: float | None) -> Position | None:
    """Where the reporter said it is, unless it has been moved to another grid since; or else where its compound is."""
    if lat is not None and lon is not None:
        grid = district.grid_at(lat, lon)
        if grid is not None and grid.id == source.grid:
            return lon, lat
    return point_of_compound(district, source.compound)


def point_of_compound(district: District, compound: str | None) -> Position | None:
    known = None if compound is None else district.directory.compounds.get(compound)
    return None if known is None else (known.lon, known.lat)
