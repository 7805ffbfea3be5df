"""From what happened to rows: everybody who is to be told, how each can be reached, and when it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast

from domain.demand import Demand
from domain.notice_rules import NoticeBook, NoticeSettings, Via
from domain.notices import Happening, Meant, Planned, Reach, plan
from domain.worktime import Calendar
from runtime.settings import Settings
from service.channels import configured
from service.publish_watch import Watch
from store import contacts, notices
from store.pool import Connection
from store.seal import Sealer, UnknownKey

Told = tuple[Happening, Meant]
REPORTERS: dict[str, Via] = {"phone": "sms", "email": "email"}
NOBODY = Reach()


class Planner:
    """Plans for one installation: of its channels only those that are set up."""

    def __init__(self, settings: Settings, watch: Watch) -> None:
        self._watch = watch
        self._sealer = Sealer(settings.key_ring())
        self.channels = cast("frozenset[Via]", configured(settings))

    @property
    def book(self) -> NoticeBook:
        return self._watch.in_force.district.notices

    @property
    def settings(self) -> NoticeSettings:
        return self.book.settings

    @property
    def calendar(self) -> Calendar:
        return self._watch.in_force.calendar(self._watch.this_year)

    async def write(self, connection: Connection, told: Sequence[Told], now: datetime) -> int:
        """Plan for each what nobody has planned before; how many that were. Part of the caller's transaction."""
        staff = await contacts.reach_of(connection, sorted({one.person for _, one in told if one.person}))
        reporters = await self._reporters(connection, [h for h, one in told if one.person is None])
        settings, calendar = self.settings, self.calendar
        planned: list[Planned] = []
        for happening, one in told:
            reach = staff.get(one.person, NOBODY) if one.person else reporters.get(happening.number)
            if reach is not None:
                planned.append(plan(settings, happening, one, self._open_to(reach), calendar, now))
        return await notices.add(connection, planned, now)

    def _open_to(self, reach: Reach) -> Reach:
        """The same, through channels that are set up here."""
        return Reach(
            reach.channels & self.channels, account=reach.account, language=reach.language, quiet=reach.quiet,
            digest=reach.digest,
        )  # fmt: skip

    async def _reporters(self, connection: Connection, happenings: Iterable[Happening]) -> dict[str, Reach]:
        """By number, those that there are: what somebody of the staff saw on a patrol has no reporter."""
        demands = {h.number: h.after for h in happenings}
        return await self._reached(connection, demands)

    async def _reached(self, connection: Connection, demands: Mapping[str, Demand]) -> dict[str, Reach]:
        """By what is kept of each reporter now, who may have left or changed it since; else by what the log says."""
        kept = await notices.reporters_of(connection, sorted(demands)) if demands else {}
        found = {number: _said(demand) for number, demand in demands.items() if demand.reach}
        for number, sealed in kept.items():
            channels, account = self._left(number, sealed), found.get(number, NOBODY).account
            if channels or account:
                found[number] = Reach(channels, account=account)
        return found

    async def reach(self, connection: Connection, person: str | None, demand: Demand | None) -> Reach:
        """How a member of staff, or the reporter of `demand`, can be reached here."""
        if person is not None:
            return self._open_to((await contacts.reach_of(connection, [person]))[person])
        if demand is None:
            return NOBODY
        found = await self._reached(connection, {demand.number: demand})
        return self._open_to(found.get(demand.number, NOBODY))

    def _left(self, number: str, sealed: bytes) -> frozenset[Via]:
        try:
            return cast("frozenset[Via]", frozenset(contacts.reporters_addresses(self._sealer.open(sealed, number))))
        except UnknownKey:
            return frozenset()


def _said(demand: Demand) -> Reach:
    """What the reporter left when it was taken in."""
    channels = frozenset(REPORTERS[way] for way in demand.reach if way in REPORTERS)
    return Reach(channels, account=demand.opened_by if "account" in demand.reach else None)
