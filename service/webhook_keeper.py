"""Webhooks in the worker: planned, sent and tidied up until it stops. Several workers share the work."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from temporalio.client import Client

from domain.webhooks import DEFAULT, Policy
from gateways.webhooks.address import Guard
from runtime.settings import Settings, networks_of
from service.publish_watch import Watch
from service.repeating import repeat
from service.webhook_planning import Planner
from service.webhook_sending import Sending
from store import webhook_queue, webhooks
from store.pool import Pool
from store.seal import Sealer

if TYPE_CHECKING:
    from gateways.webhooks.sender import Sender

EVERY, TIDY_EVERY, FOLLOW_EVERY = timedelta(seconds=0.5), timedelta(hours=1), timedelta(minutes=1)
FORGOTTEN_AT_ONCE = 5_000


class WebhookKeeper:
    def __init__(self, watch: Watch, pool: Pool, sending: Sending, *, policy: Policy = DEFAULT) -> None:
        self._planner = Planner(watch, pool)
        self._pool = pool
        self._sending = sending
        self._policy = policy
        self._followed = 0.0

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(repeat("webhooks", self.look, every=EVERY))
                group.create_task(repeat("webhooks tidied up", self.tidy, every=TIDY_EVERY))
        finally:
            await self._sending.close()

    async def look(self) -> None:
        """Plan and send. While there is no webhook the cursor just follows now and then, for the first one's sake."""
        now = asyncio.get_running_loop().time()
        if await webhooks.exist(self._pool) or now >= self._followed + FOLLOW_EVERY.total_seconds():
            self._followed = now
            await self.plan()

    async def plan(self) -> None:
        """All that there is in the feed, and what was asked for again; whatever is due is on its way then."""
        while await self._planner.once():
            await self._sending.once()
        while await self._planner.replay_once():
            await self._sending.once()
        await self._sending.once()

    async def tidy(self) -> None:
        """Forget deliveries that were over long ago."""
        before = datetime.now(UTC) - self._policy.kept
        while await webhook_queue.forget_old(self._pool, before, FORGOTTEN_AT_ONCE) == FORGOTTEN_AT_ONCE:
            pass


def policy_of(settings: Settings) -> Policy:
    pauses = tuple(timedelta(seconds=float(one)) for one in settings.webhook_pauses.split(","))
    return replace(DEFAULT, pauses=pauses)


def open_webhook_keeper(settings: Settings, pool: Pool, watch: Watch) -> WebhookKeeper:
    policy = policy_of(settings)
    sending = Sending(watch, pool, Sealer(settings.key_ring()), partial(_sender, settings, policy), policy=policy)
    return WebhookKeeper(watch, pool, sending, policy=policy)


def _sender(settings: Settings, policy: Policy) -> Sender:
    from gateways.webhooks.sender import Sender

    guard = Guard(networks_of(settings.webhook_allow))
    return Sender(guard, agent="Linli-Webhooks/1", timeout=policy.timeout, connections=policy.slots)
