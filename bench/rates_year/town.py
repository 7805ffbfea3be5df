"""The district a simulated year happens in: people, places and promises, all as the product itself makes them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from random import Random
from zoneinfo import ZoneInfo

from domain import commands as c
from domain.actors import Actor, Grant
from domain.categories import Category
from domain.dispatch import route
from domain.district import District
from domain.events import DemandSubmitted
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.tasks import CoUnit
from domain.vocabulary import Channel, Role
from domain.worktime import Calendar
from service.desk import Desk
from service.forms import Location
from service.intake import promise_for
from service.places import local_date, locate


@dataclass
class Town:
    """`chance` alone decides; the same seed makes the same year. Routing sees no loads, whatever is in the tables."""

    desk: Desk
    chance: Random

    @property
    def district(self) -> District:
        return self.desk.district

    @property
    def calendar(self) -> Calendar:
        return self.desk.calendar

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.district.timezone)

    @cached_property
    def _people(self) -> dict[str, Actor]:
        return {p.id: Actor(id=p.id, grants=tuple(p.grants)) for p in self.district.people}

    def person(self, id: str) -> Actor:
        return self._people.get(id) or Actor(id=id, grants=(Grant(role=Role.RESIDENT),))

    def category(self) -> Category:
        return self.chance.choice(self.district.categories)

    def promise(self, category: Category) -> Promise:
        return promise_for(self.desk, category)

    def place(self, at: datetime, near: str | None = None) -> c.Place:
        """Some grid or compound, mostly in the community `near`."""
        grids = self.district.grids
        if near is not None and self.chance.random() < 0.7:
            grids = self.district.grids_of(near)
        grid = self.chance.choice(grids)
        compounds = self.district.compounds_of(grid.id)
        compound = self.chance.choice(compounds).id if compounds and self.chance.random() < 0.75 else None
        found = locate(self.desk, Location(compound=compound) if compound else Location(grid=grid.id), at)
        assert found is not None
        return found

    def routing(self, place: c.Place, category: str, at: datetime, without: tuple[str, ...] = ()) -> Routing:
        return route(
            self.district, place=place, category=self.district.category(category), on=local_date(at, self.district),
            loads={}, without=without,
        )  # fmt: skip

    def unit(self, community: str, *others: str) -> str:
        return self.chance.choice([u.id for u in self.district.units_of(community) if u.id not in others])

    def lead(self, unit: str, reason: str) -> Candidate:
        return Candidate(unit=unit, liaison=self.district.unit(unit).liaison, reason=reason)

    def helper(self, unit: str) -> CoUnit:
        liaison = self.district.unit(unit).liaison
        return CoUnit(unit=unit, liaison=liaison, required=self.chance.random() < 0.6)

    def submission(self, category: Category, place: c.Place | None, opened_by: str) -> DemandSubmitted:
        staff = self.desk.staffing
        channels = [Channel.RESIDENT, Channel.HOTLINE, Channel.PATROL, Channel.OPEN311, Channel.API, Channel.IMPORT]
        return DemandSubmitted(
            channel=self.chance.choices(channels, [8, 6, 3, 1, 1, 1])[0], category=category.code, confidential=False,
            opened_by=opened_by, dispatcher=staff.dispatchers[place.community] if place else staff.operator,
            supervisor=staff.supervisor, operator=staff.operator, promise=self.promise(category),
            reach=self.chance.choice([("account",), ("phone",), ("account", "phone"), ()]),
        )  # fmt: skip
