"""A worker's heartbeat: a line in the database, written anew every few seconds while its loop turns.

Temporal too tells who polls, but a poll waits up to a minute, and a worker that is gone is listed for minutes more.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from datetime import timedelta

from temporalio.client import Client

from service.repeating import repeat
from store import system_state
from store.pool import UNAVAILABLE, Pool

EVERY = timedelta(seconds=5)
GONE_AFTER = timedelta(minutes=15)
"""Whoever ended without saying so is shown as silent until then."""
_PARTING_SECONDS = 2.0


class WorkerBeat:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.name = f"{os.getpid()}@{socket.gethostname()}"  # as Temporal calls it too

    async def keep(self, _: Client, __: str) -> None:
        """Run until cancelled; whoever stops in order leaves no line behind."""
        try:
            await repeat("heartbeat", self.once, every=EVERY)
        finally:
            with contextlib.suppress(*UNAVAILABLE):
                async with asyncio.timeout(_PARTING_SECONDS):
                    await system_state.forget(self._pool, self.name)

    async def once(self) -> None:
        """Raises UNAVAILABLE."""
        await system_state.beat(self._pool, self.name, GONE_AFTER)
