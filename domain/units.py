"""The units of a district: what kind they are, what they can do, and which grids they take care of."""

from __future__ import annotations

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


class Unit(BaseModel):
    """A unit that can be asked to take a demand; its liaison 联络员 answers for it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    kind: UnitKind
    communities: tuple[Id, ...] = Field(min_length=1)
    liaison: Id
    resources: tuple[Resource, ...] = ()

    def resources_for(self, category: str, on: date) -> tuple[Resource, ...]:
        return tuple(r for r in self.resources if r.covers(category, on))


class Stewardship(Span):
    """包联: a unit takes over a grid for a time; separate from the rotation of the chair."""

    unit: Id
    grid: Id
