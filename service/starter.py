"""The starter: begins the workflow of each accepted demand right after its commit, in the background.

Intake never waits for it. What it does not get done (a crash, a dead Temporal, a long queue) the relay in the worker
picks up from the outbox, because the outbox row goes only when the workflow runs.
"""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError

from domain.demand import Demand
from domain.worktime import Calendar
from gateways.temporal import start_demand
from store import outbox
from store.pool import UNAVAILABLE, Pool

LEASE = timedelta(seconds=20)
LONGEST_QUEUE = 500
DONE_AT_ONCE = 100

log = structlog.get_logger()


class Starter:
    """`at_once` starts are under way at a time; more than `LONGEST_QUEUE` waiting are left to the relay."""

    def __init__(self, pool: Pool, temporal: Client, task_queue: str, *, at_once: int) -> None:
        self._pool = pool
        self._temporal = temporal
        self._task_queue = task_queue
        self._waiting: asyncio.Queue[tuple[Demand, Calendar]] = asyncio.Queue(LONGEST_QUEUE)
        self._started: asyncio.Queue[str] = asyncio.Queue()
        self._tasks = [asyncio.create_task(self._start()) for _ in range(at_once)]
        self._tasks.append(asyncio.create_task(self._tidy()))

    def soon(self, demand: Demand, calendar: Calendar) -> None:
        """Start it as soon as possible; never blocks, never raises."""
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait((demand, calendar))

    async def now(self, demand: Demand, calendar: Calendar) -> None:
        """Start it before going on. Raises RPCError when Temporal does not answer."""
        await start_demand(self._temporal, self._task_queue, demand, calendar)
        self._started.put_nowait(demand.number)

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _start(self) -> None:
        while True:
            demand, calendar = await self._waiting.get()
            try:
                await self.now(demand, calendar)
            except RPCError as down:
                log.warning("start left to the relay", demand_id=demand.number, reason=down.status.name)
                await asyncio.sleep(0.5)

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
