"""Webhooks on a real database and over real HTTP, with a clock that the test moves: planned, sent, looked at."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.actors import Actor, Grant
from domain.commands import Act, Urge
from domain.vocabulary import Role
from domain.webhooks import DEFAULT, Choice, Policy
from gateways.webhooks.address import Guard
from gateways.webhooks.sender import Sender
from gateways.webhooks.signing import new_secret
from runtime.settings import networks_of
from service.publish_watch import Watch, open_watch
from service.webhook_planning import Planner
from service.webhook_sending import Sending
from store import feed, webhook_queue, webhooks
from store.intake import Writer
from store.pool import Pool
from store.record import record
from store.seal import Sealer
from store.webhook_queue import Delivery
from store.webhooks import Webhook
from tests.builders import INTEGRATOR, KEY, settings_for
from tests.store.builders import Story, intake, story

SEALER = Sealer({"k1": b"k" * 32})
LOOPBACK = networks_of("127.0.0.0/8")
PATIENT = replace(DEFAULT, jitter=0.0, timeout=timedelta(seconds=5))


def watch_on(pool: Pool) -> Watch:
    return open_watch(settings_for("postgresql://nobody@127.0.0.1/x", "127.0.0.1:1", "q", data_keys=KEY), pool)


@dataclass
class Ground:
    """One worker's webhooks; several grounds on one pool are several workers."""

    pool: Pool
    watch: Watch
    policy: Policy = PATIENT
    offset: timedelta = timedelta(0)
    sending: Sending = field(init=False)
    planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        self.sending = Sending(
            self.watch, self.pool, SEALER, self.sender, policy=self.policy, now=self.now, draw=lambda: 0.5
        )  # fmt: skip
        self.planner = Planner(self.watch, self.pool)

    def sender(self) -> Sender:
        return Sender(Guard(LOOPBACK), agent="t", timeout=self.policy.timeout)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    def later(self, by: timedelta) -> None:
        self.offset += by

    async def hook(self, url: str, id: str, *, owner: str = INTEGRATOR, **choice: Any) -> str:
        """A webhook of the integrator's; returns its secret."""
        secret, now = new_secret(), self.now()
        made = Webhook(
            id=id, owner=owner, url=url, description="", choice=Choice(**choice),
            secret=SEALER.seal(secret, webhooks.bound_to(id)), old_secret=None, old_until=None,
            since=str(await feed.end(self.pool)), created_at=now, changed_at=now, failures=0, failing_since=None,
            rests_until=None, disabled_at=None, disabled_by=None,
        )  # fmt: skip
        async with webhooks.changing(self.pool) as connection:
            await webhooks.insert(connection, made)
        return secret

    async def plan(self) -> None:
        while await self.planner.once():
            pass
        while await self.planner.replay_once():
            pass

    async def send(self) -> None:
        """All that is due now, to its end."""
        await self.sending.once()
        await self.sending.idle()

    async def work(self) -> None:
        await self.plan()
        await self.send()

    async def of(self, id: str) -> Webhook:
        found = await webhooks.one(self.pool, id)
        assert found is not None
        return found

    async def log(self, id: str, state: str | None = None) -> list[Delivery]:
        """Oldest first."""
        found = await webhook_queue.deliveries(self.pool, id, state=state, subject=None, before=None, limit=1000)
        return found[::-1]


async def taken_in(pool: Pool) -> Story:
    one = story()
    assert await Writer(pool, lease=timedelta(seconds=20)).insert(intake(one))
    return one


async def urged(pool: Pool, one: Story) -> None:
    """One more event that leaves the product."""
    operator = Actor(id="p-7", grants=(Grant(role=Role.OPERATOR),))
    await record(pool, **one.go(Act(command=Urge(), actor=operator, key="u")))
