"""The files of a district pack as they are written: one model per file, one pass over all of them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from domain.care import CareGroup
from domain.categories import Category, CategoryGroup
from domain.district import District
from domain.duplicates import DuplicateRules
from domain.kpi_definition import RateBook
from domain.menu import Service
from domain.neighbours import Neighbour
from domain.notice_rules import NoticeBook, NoticeSettings, TemplateFile
from domain.people import Person
from domain.places import Community, Compound, Grid, Id, Latitude, Longitude, Name, PropertyGrade, PropertyUnit
from domain.policies import MeetingSettings, Rotation, RoutingRules, Sla, Version
from domain.retention import RetentionRules
from domain.screening import ScreeningRule
from domain.units import Stewardship, Unit

Amount = Annotated[int, Field(ge=1, strict=True)]
Coordinates = tuple[Longitude, Latitude]
Ring = Annotated[tuple[Coordinates, ...], Field(min_length=4)]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Counts(_File):
    """How many of each there must be; a pack that lost a line is noticed."""

    communities: Amount
    grids: Amount
    compounds: Amount
    property_units: Amount
    member_units: Amount


class DistrictFile(_File):
    id: Id
    name: Name
    name_en: Name
    county: Name
    county_en: Name
    timezone: Name
    version: Version
    counts: Counts


class CommunitiesFile(_File):
    communities: Annotated[tuple[Community, ...], Field(min_length=1)]


class PolygonGeometry(_File):
    type: Literal["Polygon"]
    coordinates: Annotated[tuple[Ring, ...], Field(min_length=1, max_length=1)]


class GridProperties(_File):
    name: Name
    community: Id
    duty_worker: Id
    substitute: Id


class GridFeature(_File):
    type: Literal["Feature"]
    id: Id
    properties: GridProperties
    geometry: PolygonGeometry

    def grid(self) -> Grid:
        return Grid(id=self.id, ring=self.geometry.coordinates[0], **dict(self.properties))


class GridsFile(_File):
    type: Literal["FeatureCollection"]
    features: Annotated[tuple[GridFeature, ...], Field(min_length=1)]


class PointGeometry(_File):
    type: Literal["Point"]
    coordinates: Coordinates


class CompoundProperties(_File):
    name: Name
    community: Id
    grid: Id
    property_grade: PropertyGrade
    property_unit: Id | None = None
    buildings: Annotated[int, Field(ge=1, le=999, strict=True)]


class CompoundFeature(_File):
    type: Literal["Feature"]
    id: Id
    properties: CompoundProperties
    geometry: PointGeometry

    def compound(self) -> Compound:
        lon, lat = self.geometry.coordinates
        return Compound(id=self.id, lat=lat, lon=lon, **dict(self.properties))


class CompoundsFile(_File):
    type: Literal["FeatureCollection"]
    features: Annotated[tuple[CompoundFeature, ...], Field(min_length=1)]


class PropertyUnitsFile(_File):
    property_units: Annotated[tuple[PropertyUnit, ...], Field(min_length=1)]


class UnitsFile(_File):
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]


class StewardshipsFile(_File):
    stewardships: Annotated[tuple[Stewardship, ...], Field(min_length=1)]


class PeopleFile(_File):
    people: Annotated[tuple[Person, ...], Field(min_length=1)]


class CategoriesFile(_File):
    version: Version
    groups: Annotated[tuple[CategoryGroup, ...], Field(min_length=1)]
    leaves: Annotated[tuple[Category, ...], Field(min_length=1)]


class RotationFile(_File):
    rotations: Annotated[tuple[Rotation, ...], Field(min_length=1)]


class MeetingsFile(_File):
    meetings: Annotated[tuple[MeetingSettings, ...], Field(min_length=1)]


class ScreeningFile(_File):
    rules: Annotated[tuple[ScreeningRule, ...], Field(min_length=1)]


class MenuFile(_File):
    services: Annotated[tuple[Service, ...], Field(min_length=1)]


class CareGroupsFile(_File):
    care_groups: Annotated[tuple[CareGroup, ...], Field(min_length=1)]


class NeighboursFile(_File):
    neighbours: tuple[Neighbour, ...] = ()


class PackFiles(_File):
    district: DistrictFile
    communities: CommunitiesFile
    grids: GridsFile
    compounds: CompoundsFile
    property_units: PropertyUnitsFile
    units: UnitsFile
    stewardships: StewardshipsFile
    people: PeopleFile
    categories: CategoriesFile
    sla: Sla
    routing: RoutingRules
    rotation: RotationFile
    meetings: MeetingsFile
    screening: ScreeningFile
    menu: MenuFile
    care_groups: CareGroupsFile
    rates: RateBook
    duplicates: DuplicateRules
    privacy: RetentionRules
    notifications: NoticeSettings
    notices_zh: TemplateFile
    notices_en: TemplateFile
    neighbours: NeighboursFile = NeighboursFile()

    def assemble(self) -> District:
        """The district, not yet cross-checked."""
        return District(
            **{name: value for name, value in self.district if name != "counts"},
            communities=self.communities.communities,
            grids=tuple(f.grid() for f in self.grids.features),
            compounds=tuple(f.compound() for f in self.compounds.features),
            property_units=self.property_units.property_units,
            units=self.units.units,
            stewardships=self.stewardships.stewardships,
            people=self.people.people,
            categories_version=self.categories.version,
            category_groups=self.categories.groups,
            categories=self.categories.leaves,
            sla=self.sla,
            routing=self.routing,
            rotations=self.rotation.rotations,
            meetings=self.meetings.meetings,
            screening=self.screening.rules,
            menu=self.menu.services,
            care_groups=self.care_groups.care_groups,
            rates=self.rates,
            duplicates=self.duplicates,
            privacy=self.privacy,
            notices=NoticeBook(
                settings=self.notifications, texts={"zh": self.notices_zh.templates, "en": self.notices_en.templates}
            ),
            neighbours=self.neighbours.neighbours,
        )


FILES = {name: name.replace("_", "-") + ".toml" for name in PackFiles.model_fields}
FILES |= {"grids": "grids.geojson", "compounds": "compounds.geojson"}
"""Field of `PackFiles` → file name in the pack's folder."""
OPTIONAL = frozenset({"neighbours"})
"""Files that a pack may do without."""

PACK_FILES = TypeAdapter(PackFiles)
