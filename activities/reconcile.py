"""Reconciling: where the tables may hold an attempt that never came to be, the workflow writes what is true.

That can only have happened in the last moments before a worker died or Temporal went away, and is mended by the demand's
next event anyway; this does not wait for one. It signals and never queries: a query that meets a workflow with an event
nobody has handled yet (a timer that fired while no worker ran) hands it that event at the instant of the task before, and
the cached workflow then goes another way than its replay will.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from store.pool import Pool
from store.recent import changed_since

BEFORE = timedelta(seconds=30)  # longer than a workflow task and its retries can take
AT_ONCE = 4

log = structlog.get_logger()


async def reconcile(pool: Pool, client: Client, *, within: timedelta = BEFORE) -> int:
    """Ask every demand changed in the last `within` before the newest change; returns how many were asked.

    Raises RPCError when Temporal does not answer.
    """
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(number: str) -> bool:
        async with gate:
            return await _ask(client, number)

    recent = await changed_since(pool, within)
    asked = sum(await asyncio.gather(*(ask(number) for number in recent)))
    log.info("reconciled", changed=len(recent), asked=asked)
    return asked


async def _ask(client: Client, number: str) -> bool:
    try:
        await client.get_workflow_handle(number).signal("resync")
    except RPCError as failed:
        if failed.status is RPCStatusCode.NOT_FOUND:  # not started yet: the relay's business; or ended
            return False
        raise
    return True
