"""Notices on a real database: demands in its tables, people with addresses, and a planner whose time is told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from domain import commands as c
from domain.actors import Actor, Grant
from domain.commands import Act
from domain.demand import Demand
from domain.events import Event
from domain.ledger import append
from domain.vocabulary import Role
from runtime.settings import Settings
from service.notice_plans import Planner
from service.notifying import Notifying
from service.publish_watch import Watch, open_watch
from store import contacts
from store.contacts import Wish
from store.intake import Writer
from store.pool import Pool
from store.record import record
from store.seal import Sealer
from tests.builders import settings_for
from tests.store.builders import Story, intake, story

WORKER, SUBSTITUTE, SUPERVISOR, OPERATOR = "p-1", "p-2", "p-8", "p-7"
CHIEF = Actor(id=SUPERVISOR, grants=(Grant(role=Role.SUPERVISOR),))
LATER = timedelta(minutes=1)
_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
RULES: dict[str, Any] = {
    "version": "test", "channels": ["email"], "digest_at": ["17:00"], "quiet": {"from": "21:00", "until": "08:00"},
}  # fmt: skip
"""What these tests count on stands here, not in the pack: 11:04 local is when the first demand comes."""


@dataclass
class Ground:
    pool: Pool
    settings: Settings
    watch: Watch
    sealer: Sealer
    now: datetime
    stories: list[Story] = field(default_factory=list)

    @property
    def planner(self) -> Planner:
        return Planner(self.settings, self.watch)

    def keeper(self) -> Notifying:
        return Notifying(self.planner, self.pool, now=lambda: self.now)

    async def taken_in(self, **reporter: str) -> Story:
        """With a grid worker; `reporter` is what the reporter left."""
        one = story(scored=False)
        number, at = one.demand.number, one.entries[0].at
        events = [_EVENT.validate_python({"type": entry.type, **entry.data}) for entry in one.entries]
        one.demand, one.entries = append(Demand(number=number), events, at=at, actor="resident-0001")
        sealed = self.sealer.seal(json.dumps(reporter), number) if reporter else None
        assert await Writer(self.pool, lease=timedelta(seconds=20)).insert(intake(one, sealed_reporter=sealed))
        self.now = one.entries[-1].at + LATER
        return one

    async def does(self, one: Story, actor: Actor, command: c.Command) -> None:
        step = one.go(Act(command=command, actor=actor, key=f"{one.demand.seq}"))
        await record(self.pool, **step)
        self.now = max(self.now, one.entries[-1].at + LATER)

    async def urged(self, one: Story) -> None:
        await self.does(one, CHIEF, c.Urge())

    async def reached_by(self, person: str, channels: Mapping[str, str], wish: Wish | None = None) -> None:
        sealed = {via: self.sealer.seal(to, contacts.bound_to(person, via)) for via, to in channels.items()}
        await contacts.replace(self.pool, person, sealed, wish or Wish(), self.now)

    async def notices(self, number: str | None = None) -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            "select * from notice where ($1::text is null or number = $1) and event <> 'digest' order by id", number
        )
        return [dict(row) for row in rows]

    async def deliveries(self) -> list[dict[str, Any]]:
        rows = await self.pool.fetch(
            "select d.*, n.event, n.number as about from delivery d join notice n on n.id = d.notice order by d.id"
        )
        return [dict(row) for row in rows]


def a_watch(settings: Settings, pool: Pool, **changes: Any) -> Watch:
    """The reference district; `changes` are laid over what it says about notices."""
    watch = open_watch(settings, pool)
    district = watch.in_force.district
    settings_now = district.notices.settings
    said = type(settings_now).model_validate({**RULES, "rules": settings_now.rules, **changes})
    book = district.notices.model_copy(update={"settings": said})
    standing = watch.in_force
    watch.in_force = type(standing)(**{**standing.__dict__, "district": district.model_copy(update={"notices": book})})
    return watch


def the_ground(database: str, pool: Pool, now: datetime, **changes: Any) -> Ground:
    settings = settings_for(
        database, "127.0.0.1:7233", "notices", smtp_url="smtp://127.0.0.1:2525", mail_from="linli@example.cn",
        apprise=json.dumps({"sms": "jsons://127.0.0.1/send?:to={address}"}), public_url="https://linli.example.cn",
    )  # fmt: skip
    return Ground(pool, settings, a_watch(settings, pool, **changes), Sealer(settings.key_ring()), now)
