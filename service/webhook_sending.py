"""Sends what is planned: for each webhook a few deliveries at a time, for each demand one after another.

Each webhook has a runner of its own, so one that is slow or dead costs the others nothing. No database connection is
held while a receiver is waited for. Who dies in the middle leaves a lease that ends: it is sent again, under the same id.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import structlog

from domain.outgoing import wanted
from domain.webhooks import DEFAULT, DeliveryState, Policy
from gateways.webhooks import signing
from gateways.webhooks.answer import GONE, Answer
from service.outgoing import disabled, source_of
from service.publish_watch import Watch
from service.repeating import WAITS_FOR
from service.webhook_planning import CONSUMER, delivery
from store import feed, webhooks
from store import webhook_queue as queue
from store.pool import Pool
from store.seal import Sealer, UnknownKey
from store.webhook_queue import PING_SUBJECT, Claim
from store.webhooks import SYSTEM, Webhook

if TYPE_CHECKING:  # it brings an HTTP client, which a worker without webhooks does without
    from gateways.webhooks.sender import Sender

BUSY = frozenset({429, 502, 503, 504})

log = structlog.get_logger()


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sending:
    """`policy` says how patiently, `open_sender` is asked at the first delivery. `now` and `draw`: clock and dice."""

    def __init__(
        self,
        watch: Watch,
        pool: Pool,
        sealer: Sealer,
        open_sender: Callable[[], Sender],
        *,
        policy: Policy = DEFAULT,
        now: Callable[[], datetime] = _utc_now,
        draw: Callable[[], float] = random.random,
    ) -> None:
        self._watch = watch
        self._pool = pool
        self._sealer = sealer
        self._open_sender = open_sender
        self._sender: Sender | None = None
        self._policy = policy
        self._now = now
        self._draw = draw
        self._runners: dict[str, asyncio.Task[None]] = {}

    async def once(self) -> None:
        """Give every webhook that has something due a runner, unless it has one."""
        for id in await queue.due(self._pool, self._now()):
            if id not in self._runners:
                task = asyncio.create_task(self._run(id))
                self._runners[id] = task
                task.add_done_callback(partial(self._ended, id))

    def _ended(self, id: str, task: asyncio.Task[None]) -> None:
        self._runners.pop(id, None)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("webhook stands still", webhook=id, reason=type(error).__name__)  # the next look tries again

    async def idle(self) -> None:
        """Until no runner is left."""
        while self._runners:
            await asyncio.wait(self._runners.values())

    async def close(self) -> None:
        running = list(self._runners.values())
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()

    async def _run(self, id: str) -> None:
        """Keep the webhook's slots filled until nothing is due."""
        active: set[asyncio.Task[None]] = set()
        try:
            while True:
                hook, now = await webhooks.one(self._pool, id), self._now()
                claimed: list[Claim] = []
                if hook is not None and not (hook.enabled and hook.rests_until and hook.rests_until > now):
                    free = self._policy.slots_for(hook.failures) - len(active)
                    if free > 0:
                        claimed = await queue.claim(self._pool, hook, free, self._policy.lease, now)
                    active |= {asyncio.create_task(self._deliver(hook, one)) for one in claimed}
                if not active:
                    return
                done, active = await asyncio.wait(active, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
        except WAITS_FOR as down:
            log.warning("webhooks wait", reason=type(down).__name__)
        finally:
            for task in active:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*active, return_exceptions=True)

    async def _deliver(self, hook: Webhook, claim: Claim) -> None:
        started = self._now()
        try:
            answer = await self._post(hook, claim, started)
        except UnknownKey:
            answer = Answer(None, "secret_unreadable", 0)
        tried = {"at": started.isoformat().replace("+00:00", "Z"), "status": answer.status, "error": answer.error,
                 "ms": answer.ms}  # fmt: skip
        now = self._now()
        if answer.taken:
            await queue.settle(self._pool, claim, DeliveryState.DELIVERED, tried, now)
            await webhooks.went_well(self._pool, hook.id)
            return
        await self._failed(claim, answer, tried, now)
        if hook.enabled and claim.subject != PING_SUBJECT:
            await self._judge(hook, answer, now)

    async def _post(self, hook: Webhook, claim: Claim, now: datetime) -> Answer:
        keys = [self._sealer.open(one, webhooks.bound_to(hook.id)) for one in hook.sealed_secrets(now)]
        body = claim.body.encode()
        signed = signing.headers(keys, claim.event, int(now.timestamp()), body)
        headers = {"Content-Type": "application/cloudevents+json; charset=utf-8", **signed}
        self._sender = self._sender or self._open_sender()
        return await self._sender.post(hook.id, hook.url, headers, body)

    async def _failed(self, claim: Claim, answer: Answer, tried: dict[str, Any], now: datetime) -> None:
        pause = self._policy.next_pause(claim.tries, self._draw())
        if pause is None or claim.subject == PING_SUBJECT:
            await queue.settle(self._pool, claim, DeliveryState.FAILED, tried, now)
        else:
            wait = max(pause, min(answer.wait or pause, self._policy.longest_wait))
            await queue.put_off(self._pool, claim, now + wait, tried)

    async def _judge(self, hook: Webhook, answer: Answer, now: datetime) -> None:
        rest = min(answer.wait, self._policy.longest_wait) if answer.wait and answer.status in BUSY else None
        state = await webhooks.went_wrong(self._pool, hook.id, now, rest)
        if state is None:
            return
        since, failures = state
        if answer.status == GONE or self._policy.gives_up(since, failures, now):
            await self._give_up(hook, since, failures, now, gone=answer.status == GONE)

    async def _give_up(self, hook: Webhook, since: datetime, failures: int, now: datetime, *, gone: bool) -> None:
        """Turn it off, say so in its trail and in the log, and to the other webhooks of its owner."""
        district = self._watch.district()
        told = disabled(f"disabled-{uuid4().hex[:16]}", source_of(district.id), hook.id, now, since, failures)
        async with webhooks.changing(self._pool) as connection:
            reached = await feed.reached(connection, CONSUMER)
            if not await webhooks.disable(connection, hook.id, SYSTEM, now, reached):
                return
            reason = "gone" if gone else "failures"
            await webhooks.note(
                connection, hook.id, now, SYSTEM, "disabled", reason=reason, failing_since=since, failures=failures
            )
            others = await webhooks.all_of(connection, owner=hook.owner, enabled=True)
            asked = [one for one in others if wanted(one.choice.types, told.type)]
            await queue.plan(connection, [delivery(one, told) for one in asked], now)
        log.warning("webhook disabled", webhook=hook.id, reason=reason, failures=failures)
