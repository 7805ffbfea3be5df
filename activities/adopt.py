"""Adopting: hands open demands the calendar that was published for them, as a signal to each one's workflow.

A workflow that has the calendar already ignores it, so a signal sent twice does no harm.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from gateways.temporal import UNREACHABLE
from store import outbox
from store.pool import UNAVAILABLE, Pool

LEASE = timedelta(seconds=20)
BATCH = 50
AT_ONCE = 4
IDLE_SECONDS = 1.0
PACE_SECONDS = 0.2  # between full batches: a hundred thousand demands may take minutes, commands may not

WAITS_FOR: tuple[type[Exception], ...] = (*UNREACHABLE, *UNAVAILABLE)
SILENT = frozenset({RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED})

log = structlog.get_logger()


async def adopt(pool: Pool, client: Client) -> None:
    """Run until cancelled. Several share the work: a claim is a lease that ends by itself."""
    while True:
        try:
            claimed = await adopt_once(pool, client)
        except WAITS_FOR as down:
            log.warning("adopting waits", reason=type(down).__name__)
            claimed = 0
        await asyncio.sleep(PACE_SECONDS if claimed == BATCH else IDLE_SECONDS)


async def adopt_once(pool: Pool, client: Client) -> int:
    """Claim a batch and carry it out; returns how many were claimed. One that fails is put off, the others go on.

    Raises only when Temporal answers none of them.
    """
    claimed = await outbox.claim_adoptions(pool, lease=LEASE, limit=BATCH)
    if not claimed:
        return 0
    gate = asyncio.Semaphore(AT_ONCE)

    async def send(one: outbox.Adoption) -> None:
        async with gate:
            await client.get_workflow_handle(one.number).signal("adopt", one.calendar)

    results = await asyncio.gather(*(send(one) for one in claimed), return_exceptions=True)
    outcome = list(zip(claimed, results, strict=True))
    await outbox.adopted(pool, [one for one, result in outcome if result is None])
    absent = [one for one, result in outcome if _absent(result)]
    ended = await outbox.drop_ended(pool, absent) if absent else set()
    failed = [(one, result) for one, result in outcome if result is not None and one.id not in ended]
    silent = [result for _, result in failed if _silent(result)]
    if len(silent) == len(claimed):
        raise silent[0]
    for one, result in failed:
        # Its workflow is accepted and not started yet, or this one cannot be reached: later.
        await outbox.adopt_later(pool, one, "not running" if _absent(result) else type(result).__name__)
    if failed:
        log.info("adoptions put off", failed=len(failed), claimed=len(claimed))
    return len(claimed)


def _absent(result: BaseException | None) -> bool:
    return isinstance(result, RPCError) and result.status is RPCStatusCode.NOT_FOUND


def _silent(result: BaseException) -> bool:
    """The server does not answer at all; RuntimeError while a lazy client never connected."""
    return result.status in SILENT if isinstance(result, RPCError) else isinstance(result, RuntimeError)
