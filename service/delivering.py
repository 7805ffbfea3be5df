"""Delivers what was planned: every channel by itself, its messages a few at a time, each recipient's in order.

    claim (with the attempt on record) ─ look up address and text ─ gateway ─ settle (delivery, attempt and channel)

A slow gateway keeps only its own channel waiting. Killed at any instant, a worker leaves claims behind whose leases end;
`store/deliveries.py` says when a message may then go out twice. A worker that is asked to stop finishes what it is
sending.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog
from temporalio.client import Client

from domain.delivery import MOST_TRIES, Outcome, Reason, State, Verdict, refused, try_again
from domain.notice_rules import VIAS
from gateways.sending import Gateway, Message
from runtime.settings import Settings
from service.channels import NotConfigured, open_gateway
from service.publish_watch import Watch
from store import deliveries
from store.deliveries import Claim, Why
from store.pool import UNAVAILABLE, Connection, Pool

LEASE = timedelta(minutes=3)
"""Longer than a gateway may take for one message, and looking things up before that."""
BEGIN_BY = timedelta(minutes=1)
"""Before the end of a lease nothing is begun any more."""
LOOK_EVERY, LOOK_SELDOM = timedelta(seconds=1), timedelta(seconds=30)
FINISH_SECONDS = 8.0

log = structlog.get_logger()


class Letter(Protocol):
    """The words of a notice."""

    @property
    def subject(self) -> str: ...
    @property
    def body(self) -> str: ...
    @property
    def language(self) -> str: ...


class Desk(Protocol):
    """What planning knows of a delivery; raises UNAVAILABLE while the database is away."""

    async def address(self, delivery: int) -> str | None: ...
    async def letter(self, delivery: int) -> Letter | None: ...
    async def raise_owner(self, connection: Connection, delivery: int, now: datetime) -> None: ...


def now_in_utc() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Surroundings:
    """`now` and `chance` (in [0, 1)) are asked for, so that a day can be tried out in a second."""

    pool: Pool
    desk: Desk
    now: Callable[[], datetime] = now_in_utc
    chance: Callable[[], float] = random.random


class Delivering:
    """`gateways`: every channel there is, set up or not."""

    def __init__(self, gateways: Mapping[str, Gateway], around: Surroundings) -> None:
        self._channels = [_Channel(name, gateway, around) for name, gateway in gateways.items()]

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            for channel in self._channels:
                group.create_task(channel.keep())

    async def once(self) -> int:
        """Deliver what can be delivered now; returns how many attempts were made."""
        return sum(await asyncio.gather(*(channel.once() for channel in self._channels)))

    async def close(self) -> None:
        for channel in self._channels:
            await channel.gateway.close()


class _Channel:
    def __init__(self, name: str, gateway: Gateway, around: Surroundings) -> None:
        self.gateway = gateway
        self._name, self._around = name, around
        self._sending: set[asyncio.Task[None]] = set()

    async def keep(self) -> None:
        pause = LOOK_SELDOM if isinstance(self.gateway, NotConfigured) else LOOK_EVERY
        waits = False
        try:
            while True:
                try:
                    await self.once()
                    waits = False
                except UNAVAILABLE as down:
                    if not waits:
                        log.warning("deliveries wait", channel=self._name, reason_code=type(down).__name__)
                    waits = True
                except Exception as broken:  # nobody would miss a channel that is not served any more
                    log.error("deliveries not claimed", channel=self._name, exc_info=broken)
                await asyncio.sleep(pause.total_seconds())
        finally:
            await self._finish()
            await self.gateway.close()

    async def once(self) -> int:
        """Until nothing more can be sent now; as soon as one message is through, the next one is claimed."""
        made = 0
        while True:
            claimed = await self._claim()
            made += len(claimed)
            for one in claimed:
                task = asyncio.create_task(self._deliver(one))
                self._sending.add(task)
            if not self._sending:
                return made
            # A slow message is not waited for: what has become due meanwhile goes out beside it.
            _, self._sending = await asyncio.wait(
                self._sending, timeout=LOOK_EVERY.total_seconds(), return_when=asyncio.FIRST_COMPLETED
            )

    async def _claim(self) -> list[Claim]:
        free = self.gateway.at_once - len(self._sending)
        if free <= 0:
            return []
        now = self._around.now()
        return await deliveries.claim(self._around.pool, self._name, now=now, until=now + LEASE, limit=free)

    async def _finish(self) -> None:
        """What is being sent gets a little time to be settled, so that it need not be sent again."""
        if self._sending:
            _, late = await asyncio.wait(self._sending, timeout=FINISH_SECONDS)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    # ---- one delivery

    async def _deliver(self, one: Claim) -> None:
        try:
            outcome = await self._outcome(one)
            if outcome is None:
                return
            verdict = await self._settle_patiently(one, outcome)
        except Exception as broken:  # its lease ends, and it is claimed anew
            log.error("delivery failed", delivery=one.id, channel=self._name, exc_info=broken)
            return
        if verdict is not None and verdict.state is State.DEAD:
            log.warning("delivery given up", delivery=one.id, channel=self._name, reason_code=verdict.reason)

    async def _outcome(self, one: Claim) -> Outcome | None:
        """None when nothing was sent: its lease will end, and somebody claims it anew."""
        if one.why is Why.GIVE_UP:
            return refused(Reason.CHANNEL_DOWN)
        if one.tried >= MOST_TRIES:  # only workers that were lost again and again leave it like this
            return refused(Reason.WORKER_LOST)
        try:
            message = await self._message(one)
        except UNAVAILABLE:
            return None
        if isinstance(message, Outcome):
            return message
        if self._around.now() > one.until - BEGIN_BY:
            return None
        try:
            return await self.gateway.send(message)
        except Exception as broken:  # a gateway answers; this is a fault in one
            log.error("gateway failed", channel=self._name, delivery=one.id, error=type(broken).__name__)
            return try_again(Reason.UNKNOWN)

    async def _message(self, one: Claim) -> Message | Outcome:
        desk = self._around.desk
        if isinstance(self.gateway, NotConfigured):
            return refused(Reason.NOT_CONFIGURED)
        try:
            address = await desk.address(one.id)
            letter = None if address is None else await desk.letter(one.id)
        except UNAVAILABLE:
            raise
        except Exception as broken:
            log.error("letter not written", delivery=one.id, error=type(broken).__name__)
            return try_again(Reason.LETTER_FAILED)
        if address is None:
            return refused(Reason.NO_ADDRESS)
        if letter is None:
            return refused(Reason.NO_LETTER)
        return Message(
            id=one.message_id, address=address, subject=letter.subject, body=letter.body, language=letter.language,
            at=self._around.now(),
        )  # fmt: skip

    async def _settle_patiently(self, one: Claim, outcome: Outcome) -> Verdict | None:
        """Until the database answers: what was sent and not written down would be sent again."""
        while True:
            try:
                return await self._settle(one, outcome)
            except UNAVAILABLE:
                await asyncio.sleep(LOOK_EVERY.total_seconds())

    async def _settle(self, one: Claim, outcome: Outcome) -> Verdict | None:
        around, now = self._around, self._around.now()
        async with around.pool.acquire() as connection, connection.transaction():
            verdict = await deliveries.settle(connection, one, outcome, now=now, chance=around.chance())
            if verdict is not None and verdict.state is State.DEAD:
                await self._raise_owner(connection, one, now)
            return verdict

    async def _raise_owner(self, connection: Connection, one: Claim, now: datetime) -> None:
        try:
            async with connection.transaction():
                await self._around.desk.raise_owner(connection, one.id, now)
        except UNAVAILABLE:
            raise
        except Exception as broken:  # it is dead all the same, and must not be sent again for want of an owner
            log.error("dead delivery has no owner", delivery=one.id, channel=self._name, error=type(broken).__name__)


def open_delivering(settings: Settings, pool: Pool, watch: Watch) -> Delivering:
    """Raises ConfigError for a channel whose setting cannot be used. Nothing is connected yet."""
    from service.delivery_desk import DeliveryDesk

    gateways: dict[str, Gateway] = {channel: open_gateway(settings, channel) for channel in VIAS}
    return Delivering(gateways, Surroundings(pool, DeliveryDesk(settings, pool, watch)))
