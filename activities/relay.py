"""The relay: starts the workflows of accepted demands that nobody started, for example because Temporal was down.

When it starts, and after each outage, it has the workflows write anew what changed last. Beside it, demands are handed a
newly published calendar (`activities/adopt.py`); starting never waits for that.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client

from activities.adopt import adopt
from activities.reconcile import reconcile
from gateways.temporal import UNREACHABLE, start_demand
from store import outbox
from store.pool import UNAVAILABLE, Pool

LEASE = timedelta(seconds=20)
BATCH = 50
AT_ONCE = 8
IDLE_SECONDS = 1.0

WAITS_FOR: tuple[type[Exception], ...] = (*UNREACHABLE, *UNAVAILABLE)

log = structlog.get_logger()


async def relay(pool: Pool, client: Client, task_queue: str) -> None:
    """Run until cancelled. Several relays share the work: a claim is a lease that ends by itself."""
    async with asyncio.TaskGroup() as group:
        group.create_task(_start_all(pool, client, task_queue))
        group.create_task(adopt(pool, client))


async def _start_all(pool: Pool, client: Client, task_queue: str) -> None:
    unsure = True  # a worker may have died just now
    while True:
        try:
            if unsure:
                await reconcile(pool, client)
                unsure = False
            started = await relay_once(pool, client, task_queue)
        except WAITS_FOR as down:
            log.warning("relay waits", reason=type(down).__name__)
            started, unsure = 0, True
        if started < BATCH:
            await asyncio.sleep(IDLE_SECONDS)


async def relay_once(pool: Pool, client: Client, task_queue: str) -> int:
    """Claim a batch and start it; returns how many were claimed. Raises what made a start fail, after noting it."""
    claimed = await outbox.claim_starts(pool, lease=LEASE, limit=BATCH)
    gate = asyncio.Semaphore(AT_ONCE)

    async def start(one: outbox.Pending) -> str:
        async with gate:
            await start_demand(client, task_queue, one.demand, one.calendar)
        return one.demand.number

    results = await asyncio.gather(*(start(one) for one in claimed), return_exceptions=True)
    await outbox.done(pool, [r for r in results if isinstance(r, str)])
    for one, result in zip(claimed, results, strict=True):
        if isinstance(result, BaseException):
            await outbox.failed(pool, one.demand.number, type(result).__name__)
    broken = next((r for r in results if isinstance(r, BaseException)), None)
    if broken is not None:
        raise broken
    return len(claimed)
