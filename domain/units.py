"""The units of a district: what kind they are, what they can do, and which grids they take care of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.people import Span
from domain.places import Id, Name

UnitKind = Literal[
    "member_unit",
    "property_service_station",
    "community_company",
    "self_governance_group",
    "department",
]
"""成员单位 · 社区物业服务站 · 强社公司 · 居民自治小组 · 职能部门."""

COMMUNITY_KINDS: tuple[UnitKind, ...] = ("property_service_station", "community_company", "self_governance_group")
"""Kinds of which every community has its own."""

CategoryCode = Annotated[str, Field(pattern=r"^([0-9]{2})+$", max_length=12)]


class Resource(BaseModel):
    """One line of the resource list 资源清单: `categories` are codes or prefixes, `capacity` is tasks at a time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    what: Name
    categories: tuple[CategoryCode, ...] = Field(min_length=1)
    capacity: Annotated[int, Field(ge=1, le=10_000, strict=True)]
    valid_from: Annotated[date, Field(strict=True)]
    valid_until: Annotated[date, Field(strict=True)] | None = None

    def covers(self, category: str, on: date) -> bool:
        valid = self.valid_from <= on and (self.valid_until is None or on <= self.valid_until)
        return valid and category.startswith(self.categories)


class Retirement(BaseModel):
    """A unit takes nothing new any more: the first local day without it, why, and who takes its demands over.

    Without `hand_over_to` it finishes what it has; what it was promised stays.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: Annotated[date, Field(strict=True)]
    reason: Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
    hand_over_to: Id | None = None


class Unit(BaseModel):
    """A unit that can be asked to take a demand; its liaison 联络员 answers for it.

    A retired one is still known by its name, and works off what it has; nobody asks it for more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    kind: UnitKind
    communities: tuple[Id, ...] = Field(min_length=1)
    liaison: Id
    resources: tuple[Resource, ...] = ()
    retired: Retirement | None = None

    def resources_for(self, category: str, on: date) -> tuple[Resource, ...]:
        return tuple(r for r in self.resources if r.covers(category, on))


@dataclass(frozen=True, slots=True)
class Coverage:
    """Whose resources cover a category on a date, by unit id: `able` with the capacity that these resources allow;
    `lapsed` are units whose resources cover it only before (True) or only after that date."""

    able: Mapping[str, tuple[Unit, int]]
    lapsed: Mapping[str, bool]


def coverage(units: Iterable[Unit], category: str, on: date) -> Coverage:
    able: dict[str, tuple[Unit, int]] = {}
    lapsed: dict[str, bool] = {}
    for unit in units:
        speaking = [r for r in unit.resources if category.startswith(r.categories)]
        capacity = sum(r.capacity for r in speaking if r.covers(category, on))
        if capacity:
            able[unit.id] = unit, capacity
        elif speaking:
            lapsed[unit.id] = any(r.valid_from <= on for r in speaking)
    return Coverage(able, lapsed)


class Stewardship(Span):
    """包联: a unit takes over a grid for a time; separate from the rotation of the chair."""

    unit: Id
    grid: Id
