"""Reconciling: where the tables hold an attempt that never came to be, the workflow writes what is true.

That can only have happened in the last moments before a worker died or Temporal went away, and is mended by the demand's
next event anyway; this does not wait for one.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.demand import Demand
from store.pool import Pool
from store.recent import changed_since

BEFORE = timedelta(seconds=30)  # longer than a workflow task and its retries can take
AT_ONCE = 4

log = structlog.get_logger()


async def reconcile(pool: Pool, client: Client, *, within: timedelta = BEFORE) -> int:
    """Compare demands changed in the last `within` before the newest change; returns how many had to be mended.

    Raises RPCError when Temporal does not answer.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def compare(number: str, head: str) -> bool:
        async with gate:
            return await _mend(client, number, head)

    recent = await changed_since(pool, within)
    mended = sum(await asyncio.gather(*(compare(number, head) for number, head in recent)))
    log.info("reconciled", compared=len(recent), mended=mended)
    return mended


async def _mend(client: Client, number: str, head: str) -> bool:
    handle = client.get_workflow_handle(number)
    try:
        demand = await handle.query("state", result_type=Demand)
        if demand.head == head:
            return False
        await handle.signal("resync")
    except RPCError as failed:
        if failed.status is RPCStatusCode.NOT_FOUND:  # not started yet: the relay's business; or ended
            return False
        raise
    return True
