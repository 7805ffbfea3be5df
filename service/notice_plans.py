"""From what happened to rows: everybody who is to be told, how each can be reached, and when it goes out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
        found = {number: _said(demand) for number, demand in demands.items() if demand.reach}
        # Nothing was left, or it was taken in before the log said what was.
        if unsaid := sorted(demands.keys() - found.keys()):
            for number, sealed in (await notices.reporters_of(connection, unsaid)).items():
                if channels := self._left(number, sealed):
                    found[number] = Reach(channels)
        return found

    async def reach(self, connection: Connection, person: str | None, demand: Demand | None) -> Reach:
        """How a member of staff, or the reporter of `demand`, can be reached here."""
        if person is not None:
            return self._open_to((await contacts.reach_of(connection, [person]))[person])
        return NOBODY if demand is None else self._open_to(_said(demand))

    def _left(self, number: str, sealed: bytes) -> frozenset[Via]:
        try:
            return cast("frozenset[Via]", frozenset(contacts.reporters_addresses(self._sealer.open(sealed, number))))
        except UnknownKey:
            return frozenset()


def _said(demand: Demand) -> Reach:
    """What the reporter left when it was taken in."""
    channels = frozenset(REPORTERS[way] for way in demand.reach if way in REPORTERS)
    return Reach(channels, account=demand.opened_by if "account" in demand.reach else None)
