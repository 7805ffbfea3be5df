"""The look-up tables of a district, built once from its lists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from domain.care import CareGroup
from domain.categories import Category, CategoryGroup
from domain.geometry import Polygon, polygon
from domain.menu import Service
from domain.people import Person
from domain.places import Community, Compound, Grid, PropertyUnit
from domain.policies import MeetingSettings, Rotation
from domain.screening import Screen
from domain.units import Coverage, Stewardship, Unit
from domain.vocabulary import Role

if TYPE_CHECKING:
    from domain.district import District

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)
Area = tuple[float, float, float, float, Polygon, Grid]


@dataclass(frozen=True, slots=True)
class Directory:
    """Plain dictionaries; nobody outside `District` touches them. `compounds` is keyed by id and by name.

    `units` knows the retired ones too; `units_of` holds those that can be asked.

    `coverage` remembers what was asked: the same few hundred questions come back with every demand of a day.
    """

    communities: dict[str, Community]
    grids: dict[str, Grid]
    compounds: dict[str, Compound]
    property_units: dict[str, PropertyUnit]
    units: dict[str, Unit]
    people: dict[str, Person]
    groups: dict[str, CategoryGroup]
    categories: dict[str, Category]
    rotations: dict[str, Rotation]
    meetings: dict[str, MeetingSettings]
    grids_of: dict[str, tuple[Grid, ...]]
    compounds_of: dict[str, tuple[Compound, ...]]
    units_of: dict[str, tuple[Unit, ...]]
    stewards_of: dict[str, tuple[Stewardship, ...]]
    holders: dict[tuple[Role, str | None], tuple[Person, ...]]
    areas: tuple[Area, ...]
    screen: Screen
    services: dict[str, Service]
    care_groups: dict[str, CareGroup]
    coverage: dict[tuple[str, str, date], Coverage] = field(default_factory=dict)


def directory(district: District) -> Directory:
    return Directory(
        communities={c.id: c for c in district.communities},
        grids={g.id: g for g in district.grids},
        compounds={c.name: c for c in district.compounds} | {c.id: c for c in district.compounds},
        property_units={p.id: p for p in district.property_units},
        units={u.id: u for u in district.units},
        people={p.id: p for p in district.people},
        groups={g.code: g for g in district.category_groups},
        categories={c.code: c for c in district.categories},
        rotations={r.community: r for r in district.rotations},
        meetings={m.id: m for m in district.meetings},
        grids_of=_grouped(district.grids, lambda g: (g.community,)),
        compounds_of=_grouped(district.compounds, lambda c: (c.grid,)),
        units_of=_grouped((u for u in district.units if u.retired is None), lambda u: u.communities),
        stewards_of=_grouped(district.stewardships, lambda s: (s.grid,)),
        # A set: one person may chair the same community for two units.
        holders=_grouped(district.people, lambda p: {(g.role, g.community) for g in p.grants}),
        areas=tuple(_area(g) for g in district.grids),
        screen=Screen(district.screening),
        services={s.id: s for s in district.menu},
        care_groups={g.id: g for g in district.care_groups},
    )


def _area(grid: Grid) -> Area:
    shape = polygon(grid.ring)
    return shape.west, shape.south, shape.east, shape.north, shape, grid


def _grouped(items: Iterable[T], keys: Callable[[T], Iterable[K]]) -> dict[K, tuple[T, ...]]:
    groups: defaultdict[K, list[T]] = defaultdict(list)
    for item in items:
        for key in keys(item):
            groups[key].append(item)
    return {key: tuple(members) for key, members in groups.items()}
