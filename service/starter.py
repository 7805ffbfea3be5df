"""The starter: begins the workflow of each accepted demand right after its commit, in the background.

Intake never waits for it, and in a surge it steps back: accepting comes first. What it does not get done (a crash, a dead
Temporal, a long queue) the relay in the worker picks up from the outbox, whose row goes only when the workflow runs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import structlog
from temporalio.client import Client

from domain.demand import Demand
from domain.worktime import Calendar
from gateways.temporal import UNREACHABLE, start_demand
from store import outbox
from store.pool import UNAVAILABLE, Pool

LEASE = timedelta(seconds=20)
MOST_WAITING = 2000
DONE_AT_ONCE = 100
SURGE = 6  # submissions under way at a time; above this, starting is slowed down
SURGE_PAUSE_SECONDS = 0.5

log = structlog.get_logger()


class Starter:
    """`at_once` starts are under way at a time; what comes on top of `MOST_WAITING` is left to the relay."""

    def __init__(self, pool: Pool, temporal: Client, task_queue: str, *, at_once: int) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue
        self._waiting: dict[str, tuple[Demand, Calendar]] = {}
        self._under_way: dict[str, asyncio.Future[None]] = {}
        self._something = asyncio.Event()
        self._started: asyncio.Queue[str] = asyncio.Queue()
        self._submissions = 0
        self._tasks = [asyncio.create_task(self._work()) for _ in range(at_once)]
        self._tasks.append(asyncio.create_task(self._tidy()))

    @contextmanager
    def submission(self) -> Iterator[None]:
        """Held while a demand is being accepted, so that the starter knows when to step back."""
        self._submissions += 1
        try:
            yield
        finally:
            self._submissions -= 1

    @property
    def surging(self) -> bool:
        """So many are being accepted that everything else steps back."""
        return self._submissions > SURGE

    def soon(self, demand: Demand, calendar: Calendar) -> None:
        """Start it as soon as possible; never blocks, never raises."""
        if len(self._waiting) < MOST_WAITING:
            self._waiting[demand.number] = (demand, calendar)
            self._something.set()

    async def hurry(self, number: str) -> None:
        """Somebody acts on it already: be done with its start first, if that is ours. Raises UNREACHABLE like `now`."""
        if number in self._waiting:
            await self.now(*self._waiting.pop(number))
        elif number in self._under_way:
            await asyncio.wait([self._under_way[number]])

    async def now(self, demand: Demand, calendar: Calendar) -> None:
        """Start it before going on. Raises UNREACHABLE when Temporal does not answer."""
        done = self._under_way[demand.number] = asyncio.get_running_loop().create_future()
        try:
            await start_demand(self._temporal, self._task_queue, demand, calendar)
            self._started.put_nowait(demand.number)
        finally:
            self._under_way.pop(demand.number, None)
            done.set_result(None)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            await self._something.wait()
            if self.surging:
                await asyncio.sleep(SURGE_PAUSE_SECONDS)
            if not self._waiting:
                self._something.clear()
                continue
            demand, calendar = self._waiting.pop(next(iter(self._waiting)))
            try:
                await self.now(demand, calendar)
            except UNREACHABLE as down:
                log.warning("start left to the relay", demand_id=demand.number, reason=type(down).__name__)
                await asyncio.sleep(SURGE_PAUSE_SECONDS)

    async def _tidy(self) -> None:
        """Take the marks of started demands out of the outbox, many at a time."""
        while True:
            numbers = [await self._started.get()]
            await asyncio.sleep(0.05)
            while not self._started.empty() and len(numbers) < DONE_AT_ONCE:
                numbers.append(self._started.get_nowait())
            try:
                await outbox.done(self._pool, numbers)
            except UNAVAILABLE as down:
                log.warning("outbox not tidied", reason=type(down).__name__)  # the relay finds them already started
