"""The places of a district: community ⊃ grid ⊃ compound, and the firms that manage compounds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.geometry import Position

Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]
Name = Annotated[str, Field(min_length=1, max_length=60, pattern=r"\S")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False, strict=True)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False, strict=True)]
PropertyGrade = Literal["leading", "improving", "mixed", "basic"]
"""领先型 · 提升型 · 多元型 · 基础型: the class of a place, without which no two places are compared."""


class Community(BaseModel):
    """社区. `name` is Chinese, `name_en` for English pages."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    name_en: Name


class Grid(BaseModel):
    """网格: a closed ring of (longitude, latitude) in WGS-84, with the person on duty and the one who stands in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    community: Id
    duty_worker: Id
    substitute: Id
    ring: tuple[Position, ...]


class Compound(BaseModel):
    """小区. `property_unit` is None where nobody manages the place."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    community: Id
    grid: Id
    lat: Latitude
    lon: Longitude
    property_grade: PropertyGrade
    property_unit: Id | None = None
    buildings: Annotated[int, Field(ge=1, le=999, strict=True)]


class PropertyUnit(BaseModel):
    """A property-management firm 物业服务企业 in one of the four grades."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    grade: PropertyGrade
