"""A district pack in memory: who and what there is in one subdistrict, and pure questions about it.

`service.pack.load_pack` is the only maker; what it returns has been checked, so a reference inside it never dangles.
A question about an unknown id raises DomainError `unknown_…`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import TypeVar

from pydantic import BaseModel, ConfigDict

from domain.care import CareGroup
from domain.categories import Category, CategoryGroup, Suggestion, suggest
from domain.directory import Directory, directory
from domain.duplicates import DuplicateRules
from domain.errors import DomainError
from domain.kpi_definition import RateBook
from domain.menu import Service
from domain.neighbours import Neighbour
from domain.notice_rules import NoticeBook
from domain.people import Person
from domain.places import Community, Compound, Grid, Id, Name, PropertyUnit
from domain.policies import MeetingSettings, Rotation, RoutingRules, Sla, Version
from domain.retention import RetentionRules
from domain.screening import Screening, ScreeningRule
from domain.similarity import telling_of
from domain.units import Coverage, Stewardship, Unit, UnitKind, coverage
from domain.vocabulary import Role

T = TypeVar("T")

MOST_REMEMBERED = 4_096


class District(BaseModel):
    """One subdistrict 街道. Its `id` is also the id of the subdistrict committee's meeting."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    name_en: Name
    county: Name
    county_en: Name
    timezone: str
    version: Version
    communities: tuple[Community, ...]
    grids: tuple[Grid, ...]
    compounds: tuple[Compound, ...]
    property_units: tuple[PropertyUnit, ...]
    units: tuple[Unit, ...]
    stewardships: tuple[Stewardship, ...]
    people: tuple[Person, ...]
    categories_version: Version
    category_groups: tuple[CategoryGroup, ...]
    categories: tuple[Category, ...]
    sla: Sla
    routing: RoutingRules
    rotations: tuple[Rotation, ...]
    meetings: tuple[MeetingSettings, ...]
    screening: tuple[ScreeningRule, ...]
    rates: RateBook
    menu: tuple[Service, ...] = ()
    care_groups: tuple[CareGroup, ...] = ()
    duplicates: DuplicateRules = DuplicateRules(version="unset")
    privacy: RetentionRules = RetentionRules(version="unset")
    notices: NoticeBook = NoticeBook()
    neighbours: tuple[Neighbour, ...] = ()

    @cached_property
    def directory(self) -> Directory:
        return directory(self)

    @cached_property
    def telling(self) -> frozenset[str]:
        """The fragments of words by which a category is known: public, and worth more than others in a text."""
        return telling_of(word for category in self.categories for word in (category.name, *category.keywords))

    def community(self, id: str) -> Community:
        return _known(self.directory.communities, id, "community")

    def grid(self, id: str) -> Grid:
        return _known(self.directory.grids, id, "grid")

    def compound(self, id_or_name: str) -> Compound:
        return _known(self.directory.compounds, id_or_name, "compound")

    def property_unit(self, id: str) -> PropertyUnit:
        return _known(self.directory.property_units, id, "property_unit")

    def unit(self, id: str) -> Unit:
        """Also one that is retired: running demands name it."""
        return _known(self.directory.units, id, "unit")

    def serving_unit(self, id: str) -> Unit:
        """A unit that can be asked to take something. Raises DomainError `unknown_unit` for a retired one too."""
        unit = self.unit(id)
        if unit.retired is not None:
            raise DomainError("unknown_unit", "This unit takes nothing new any more; name another one", field="unit")
        return unit

    def person(self, id: str) -> Person:
        return _known(self.directory.people, id, "person")

    def category(self, code: str) -> Category:
        """The leaf; a demand is never filed under a branch."""
        return _known(self.directory.categories, code, "category")

    def service(self, id: str) -> Service:
        """A line of the service menu."""
        return _known(self.directory.services, id, "service")

    def care_group(self, id: str) -> CareGroup:
        return _known(self.directory.care_groups, id, "care_group")

    def provider(self, service: Service, community: str) -> Unit | None:
        """The unit that provides it in this community; None where it is not on offer."""
        units = self.directory.units
        partner = service.partners.get(self.community(community).id)
        if partner is None and service.to is not None and service.to.kind is not None:
            return next(iter(self.units_of(community, service.to.kind)), None)
        unit = units.get(partner or (service.to.unit if service.to else None) or "")
        return unit if unit is not None and community in unit.communities else None

    def category_path(self, code: str) -> tuple[CategoryGroup, ...]:
        """From the top branch down to the leaf itself."""
        leaf = self.category(code)
        return (*(self.directory.groups[code[:end]] for end in range(2, len(code), 2)), leaf)

    def meeting(self, id: str) -> MeetingSettings:
        """Settings of a community's joint meeting, or of the subdistrict committee (the district's own id)."""
        return _known(self.directory.meetings, id, "meeting")

    def grid_at(self, lat: float, lon: float) -> Grid | None:
        """The grid a WGS-84 point lies in, or None outside the district."""
        for west, south, east, north, shape, grid in self.directory.areas:
            if west <= lon <= east and south <= lat <= north and shape.contains(lon, lat):
                return grid
        return None

    def grids_of(self, community: str) -> tuple[Grid, ...]:
        return self.directory.grids_of.get(self.community(community).id, ())

    def compounds_of(self, grid: str) -> tuple[Compound, ...]:
        return self.directory.compounds_of.get(self.grid(grid).id, ())

    def units_of(self, community: str, kind: UnitKind | None = None) -> tuple[Unit, ...]:
        units = self.directory.units_of.get(self.community(community).id, ())
        return tuple(u for u in units if kind is None or u.kind == kind)

    def coverage(self, community: str, category: str, on: date) -> Coverage:
        """Which of the community's units have resources for the category on that local date."""
        remembered, asked = self.directory.coverage, (community, category, on)
        found = remembered.get(asked)
        if found is None:
            if len(remembered) >= MOST_REMEMBERED:
                remembered.clear()
            found = remembered[asked] = coverage(self.units_of(community), category, on)
        return found

    def steward_of(self, grid: str, on: date) -> Unit | None:
        """The unit that has taken over the grid on that local date."""
        for stewardship in self.directory.stewards_of.get(self.grid(grid).id, ()):
            unit = self.directory.units[stewardship.unit]
            if stewardship.covers(on) and unit.retired is None:
                return unit
        return None

    def duty_worker(self, grid: str, on: date) -> str:
        """The person id of who is on duty: the worker; on leave the substitute; both away, a colleague nearby."""
        place = self.grid(grid)
        colleagues = (g.duty_worker for g in self.directory.grids_of[place.community])
        for candidate in (place.duty_worker, place.substitute, *colleagues):
            if not self.directory.people[candidate].away(on):
                return candidate
        return place.substitute

    def chair_unit(self, community: str, on: date) -> Unit:
        """The unit whose turn it is in the community's rotation."""
        return self.directory.units[self.directory.rotations[self.community(community).id].unit_on(on)]

    def chair_person(self, meeting: str, on: date) -> str:
        """The person id of who chairs: resolved when the meeting starts, not when an item is added."""
        settings = self.meeting(meeting)
        if settings.chair_source == "director" and settings.director:
            return settings.director
        if settings.chair_source == "secretary":
            return self.secretary(meeting)
        return self.chair_unit(meeting, on).liaison

    def people_with(self, role: Role, *, community: str | None = None) -> tuple[Person, ...]:
        """Who holds a role for exactly this community, or, without one, for the whole district."""
        return self.directory.holders.get((role, community), ())

    def dispatcher(self, community: str) -> str:
        """The person id of who places a demand that cannot be located."""
        return self.people_with(Role.OPERATOR, community=self.community(community).id)[0].id

    def secretary(self, community: str) -> str:
        return self.people_with(Role.COMMUNITY_SECRETARY, community=self.community(community).id)[0].id

    def screen(self, text: str) -> Screening | None:
        """Whether the text is for somebody else: 110, 119, the courts, the petition office …"""
        return self.directory.screen.find(text)

    def suggest_categories(self, text: str, limit: int = 3) -> tuple[Suggestion, ...]:
        return suggest(self.categories, text, limit)


def _known(table: Mapping[str, T], key: str, what: str) -> T:
    """The entry, or a refusal that does not repeat what was typed: a compound's name may be free text of a resident."""
    try:
        return table[key]
    except KeyError:
        raise DomainError(
            f"unknown_{what}",
            f"This district has no such {what.replace('_', ' ')}; take one from its lists",
            field=what,
        ) from None
