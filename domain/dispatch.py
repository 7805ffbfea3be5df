"""Routing: which units are asked, in which order, and why. Pure; the caller brings the loads.

Order of reasons (product.md): ruling of a joint meeting · the district's rules · the steward of the grid · the
community's units by resource and free capacity · the property service station · nobody, which means the joint meeting.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

from domain.categories import Category
from domain.commands import Place
from domain.district import District
from domain.routing import Candidate, Routing
from domain.units import Unit

MOST_CANDIDATES = 5


def route(
    district: District, *, place: Place, category: Category, on: date, loads: Mapping[str, int],
    without: tuple[str, ...] = (),
) -> Routing:  # fmt: skip
    """The candidates for this category at this place. `loads` counts the open demands each unit leads now;
    `without` are units that had it before."""
    found: dict[str, Candidate] = {}
    for unit, reason, score in _reasons(district, place, category, on, loads):
        if unit.id not in without:
            found.setdefault(unit.id, Candidate(unit=unit.id, liaison=unit.liaison, reason=reason, score=score))
    candidates = tuple(found.values())[:MOST_CANDIDATES]
    rule = candidates[0].reason if candidates else "default"
    return Routing(version=district.routing.version, rule=rule, candidates=candidates)


def _reasons(
    district: District, place: Place, category: Category, on: date, loads: Mapping[str, int]
) -> Iterator[tuple[Unit, str, float]]:
    yield from _by_rule(district, place, category)
    steward = district.steward_of(place.grid, on)
    if steward is not None and steward.resources_for(category.code, on):
        yield steward, "steward", 1.0
    yield from _by_resource(district, place, category, on, loads)
    if category.property_matter and _has_property_unit(district, place) is False:
        for station in district.units_of(place.community, "property_service_station"):
            yield station, "station", 1.0


def _has_property_unit(district: District, place: Place) -> bool | None:
    return None if place.compound is None else district.compound(place.compound).property_unit is not None


def _by_rule(district: District, place: Place, category: Category) -> Iterator[tuple[Unit, str, float]]:
    grade = district.compound(place.compound).property_grade if place.compound else None
    managed = _has_property_unit(district, place)
    for rule in district.routing.rules:
        if rule.when.holds(
            category=category.code, community=place.community, property_grade=grade, has_property_unit=managed
        ):
            units = [district.unit(rule.to.unit)] if rule.to.unit else district.units_of(place.community, rule.to.kind)
            for unit in units[:1]:
                yield unit, f"rule:{rule.id}", 1.0
            return


def _by_resource(
    district: District, place: Place, category: Category, on: date, loads: Mapping[str, int]
) -> Iterator[tuple[Unit, str, float]]:
    scored: list[tuple[float, Unit]] = []
    for unit in district.units_of(place.community):
        capacity = sum(r.capacity for r in unit.resources_for(category.code, on))
        free = capacity - loads.get(unit.id, 0)
        if free > 0:
            scored.append((round(free / capacity, 4), unit))
    for score, unit in sorted(scored, key=lambda pair: (-pair[0], pair[1].id)):
        yield unit, "resource", score
