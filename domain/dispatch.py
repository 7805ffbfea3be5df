"""Routing: which units are asked, in which order, and why. Pure; the caller brings the loads and the rulings.

Order of reasons (product.md): ruling of a joint meeting · the district's rules · the steward of the grid · the
community's units by resource and free capacity · the property service station · nobody, which means the joint meeting.

Only the fourth reason looks for room: a unit that a ruling, a rule or its stewardship makes responsible is that also
when it has much to do, and the record shows how much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from domain.categories import Category
from domain.commands import Place
from domain.district import District
from domain.places import Compound
from domain.routing import Candidate, Inputs, PassedOver, Routing, Why
from domain.rulings import Ruling, fitting
from domain.units import Coverage, Unit, coverage

MOST_CANDIDATES = 5
MOST_PASSED_OVER = 8


def route(
    district: District, *, place: Place, category: Category, on: date, loads: Mapping[str, int],
    without: tuple[str, ...] = (), rulings: Iterable[Ruling] = (),
) -> Routing:  # fmt: skip
    """The candidates for this category at this place on this local date.

    `loads` counts the tasks each unit has now; `without` are units that had it before; `rulings` are those in force,
    newest first.
    """
    compound = None if place.compound is None else district.compound(place.compound)
    steward = district.steward_of(place.grid, on)
    search = _Search(district, place, category.code, on, loads, without)
    search.by_ruling(rulings)
    search.by_rule(compound)
    search.by_steward(steward)
    search.by_resource()
    if category.property_matter and compound is not None and compound.property_unit is None:
        for station in district.units_of(place.community, "property_service_station"):
            search.ask(station, "station")
    inputs = Inputs(
        category=category.code, community=place.community, grid=place.grid, compound=place.compound,
        property_grade=compound.property_grade if compound else None,
        has_property_unit=None if compound is None else compound.property_unit is not None,
        steward=None if steward is None else steward.id,
    )  # fmt: skip
    return search.result(inputs)


def capacity_of(unit: Unit, category: str, on: date) -> int | None:
    """Tasks at a time that its resources for the category allow; None where it lists none."""
    found = coverage((unit,), category, on).able.get(unit.id)
    return None if found is None else found[1]


class _Search:
    """What has been found so far; a unit stands once, with its first reason."""

    def __init__(
        self, district: District, place: Place, category: str, on: date, loads: Mapping[str, int],
        without: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._district = district
        self._place = place
        self._category = category
        self._on = on
        self._loads = loads
        self._without = without
        self._coverage: Coverage = district.coverage(place.community, category, on)
        self._found: dict[str, Candidate] = {}
        self._over: dict[str, PassedOver] = {}

    def ask(self, unit: Unit, reason: str, score: float = 1.0) -> None:
        if unit.id in self._found:
            return
        if unit.id in self._without:
            self._pass(unit.id, reason, "had_it_before")
        elif len(self._found) >= MOST_CANDIDATES:
            self._pass(unit.id, reason, "enough_candidates")
        else:
            load, capacity = self._room(unit.id)
            self._found[unit.id] = Candidate(
                unit=unit.id, liaison=unit.liaison, reason=reason, score=score, load=load, capacity=capacity
            )

    def _pass(self, unit: str, reason: str, why: Why) -> None:
        if unit not in self._over:
            load, capacity = self._room(unit)
            self._over[unit] = PassedOver(unit=unit, reason=reason, why=why, load=load, capacity=capacity)

    def _room(self, unit: str) -> tuple[int, int | None]:
        able = self._coverage.able.get(unit)
        return self._loads.get(unit, 0), None if able is None else able[1]

    def by_ruling(self, rulings: Iterable[Ruling]) -> None:
        """The newest that fits, of a unit that (still) works here."""
        units = self._district.directory.units
        for ruling in fitting(rulings, self._category, self._place.community):
            unit, reason = units.get(ruling.unit), f"ruling:{ruling.id}"
            if unit is None or unit.retired is not None:
                self._pass(ruling.unit, reason, "no_such_unit")
            elif self._place.community not in unit.communities:
                self._pass(unit.id, reason, "not_in_community")
            else:
                self.ask(unit, reason)
                return

    def by_rule(self, compound: Compound | None) -> None:
        """The first that matches; of a kind the community's first unit."""
        d, community = self._district, self._place.community
        grade = compound.property_grade if compound else None
        managed = None if compound is None else compound.property_unit is not None
        for rule in d.routing.rules:
            if rule.when.holds(
                category=self._category, community=community, property_grade=grade, has_property_unit=managed
            ):
                units = (d.unit(rule.to.unit),) if rule.to.unit else d.units_of(community, rule.to.kind)
                for unit in units[:1]:
                    self.ask(unit, f"rule:{rule.id}")
                return

    def by_steward(self, steward: Unit | None) -> None:
        if steward is None:
            return
        known = self._place.community in steward.communities
        own = self._coverage if known else coverage((steward,), self._category, self._on)
        if steward.id in own.able:
            self.ask(steward, "steward")
        else:
            self._pass(steward.id, "steward", _lapsed(own, steward.id))

    def by_resource(self) -> None:
        """The freest first; one without room is not asked."""
        scored: list[tuple[float, Unit]] = []
        full: list[Unit] = []
        for unit, capacity in self._coverage.able.values():
            free = capacity - self._loads.get(unit.id, 0)
            if free > 0:
                scored.append((round(free / capacity, 4), unit))
            elif unit.id not in self._found:
                full.append(unit)
        for score, unit in sorted(scored, key=lambda pair: (-pair[0], pair[1].id)):
            self.ask(unit, "resource", score)
        for unit in full:
            self._pass(unit.id, "resource", "had_it_before" if unit.id in self._without else "no_capacity")
        for lapsed in self._coverage.lapsed:
            if lapsed not in self._found:
                self._pass(lapsed, "resource", _lapsed(self._coverage, lapsed))

    def result(self, inputs: Inputs) -> Routing:
        candidates = tuple(self._found.values())
        over = [one for one in self._over.values() if one.unit not in self._found]
        return Routing(
            version=self._district.routing.version, rule=candidates[0].reason if candidates else "default",
            candidates=candidates, on=self._on, inputs=inputs, passed_over=tuple(over[:MOST_PASSED_OVER]),
            more=max(0, len(over) - MOST_PASSED_OVER),
        )  # fmt: skip


def _lapsed(coverage: Coverage, unit: str) -> Why:
    over = coverage.lapsed.get(unit)
    return "no_resource" if over is None else "resource_expired" if over else "resource_not_yet"
