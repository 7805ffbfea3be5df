"""What this district offers to Open311 clients: its leaves as services, with what `open311.toml` of the pack adds.

A pack without that file offers every leaf as it is, under the district's id.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.district import District
from domain.errors import ConfigError
from domain.geometry import Position, polygon
from domain.open311_services import Service, ServiceRule, services
from domain.places import Id
from domain.policies import Version

if TYPE_CHECKING:  # the desk opens the pack, and the pack is checked with this
    from service.desk import Desk

FILE = "open311.toml"
Short = Annotated[str, Field(min_length=1, max_length=300)]


class OfferFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Version = "0"
    contact: Short = "-"
    key_service: Short = "-"
    type: Literal["production", "test"] = "production"
    url: Annotated[str, Field(pattern=r"^https?://[^\s?#]+[^/\s?#]$")] | None = None
    jurisdictions: tuple[Id, ...] = ()
    services: tuple[ServiceRule, ...] = ()


@dataclass(frozen=True)
class Offer:
    """`private` are the codes that are never shown; `points` a position inside each grid; `changeset` changes with any of
    the services."""

    file: OfferFile
    services: dict[str, Service]
    private: tuple[str, ...]
    jurisdictions: tuple[str, ...]
    points: dict[str, Position]
    changeset: str


_known: list[tuple[District, Path, Offer]] = []


def offer_of(desk: Desk) -> Offer:
    """Made once for each district that is put in force. Raises ConfigError for a broken file."""
    district, folder = desk.district, desk.settings.pack
    for known, path, offer in _known:
        if known is district and path == folder:
            return offer
    offer = make_offer(district, folder)
    _known[:] = [(district, folder, offer), *_known[:3]]
    return offer


def make_offer(district: District, folder: Path) -> Offer:
    file = read_file(folder / FILE)
    _check(file, district)
    found = services(district.categories, {g.code: g for g in district.category_groups}, file.services)
    return Offer(
        file=file, services=found, private=tuple(code for code, s in found.items() if s.private),
        jurisdictions=file.jurisdictions or (district.id,),
        points={grid.id: _point_in(grid.ring) for grid in district.grids},
        changeset=f"{district.version}+{district.categories_version}+{file.version}.{_digest(found)}",
    )  # fmt: skip


def read_file(path: Path) -> OfferFile:
    label = f"{path.parent.name}/{path.name}"
    try:
        return OfferFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        return OfferFile()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(label, "(whole file)", f"is not TOML in UTF-8: {error}", "Correct it there") from None
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(step) for step in wrong["loc"])
        raise ConfigError(label, key, wrong["msg"], "Correct it there") from None


def _check(file: OfferFile, district: District) -> None:
    def wrong(key: str, problem: str, remedy: str) -> ConfigError:
        return ConfigError(FILE, key, problem, remedy)

    places = {district.id, *(c.id for c in district.communities)}
    for id in file.jurisdictions:
        if id not in places or len(set(file.jurisdictions)) != len(file.jurisdictions):
            raise wrong("jurisdictions", f"{id} is unknown or twice there", "Name the district, or communities")
    codes = [category.code for category in district.categories]
    for rule in file.services:
        key = f"services[{rule.category}]"
        if not any(code.startswith(rule.category) for code in codes):
            raise wrong(key, "is no category", "Take a code from categories.toml")
        for a in rule.attributes:
            if ("list" in a.datatype) != bool(a.values):
                raise wrong(f"{key}.{a.code}", "has values where there is no list, or none", "Give a list its values")
    for code, service in services(district.categories, district.directory.groups, file.services).items():
        names = [a.code for a in service.attributes]
        if len(set(names)) != len(names):
            raise wrong(f"services[{code}]", "asks for a field twice", "Give each field a code of its own")


def _digest(found: dict[str, Service]) -> str:
    said = [
        [code, s.category.name, s.path, s.type, s.private, s.category.keywords, [a.model_dump() for a in s.attributes]]
        for code, s in sorted(found.items())
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(said, ensure_ascii=False).encode()).hexdigest()[:12]


def _point_in(ring: tuple[Position, ...]) -> Position:
    """A position (longitude, latitude) inside the ring, some 10 m exact: the middle of its widest chord half way up.

    It stands for every demand of the grid, so that no public answer says where anybody lives.
    """
    shape = polygon(ring)
    lat = (shape.south + shape.north) / 2
    crossings = sorted(x1 + (x2 - x1) * (lat - y1) / (y2 - y1) for x1, y1, x2, y2 in shape.edges if y1 <= lat < y2)
    chords = zip(crossings[::2], crossings[1::2], strict=False)
    west, east = max(chords, key=lambda chord: chord[1] - chord[0])
    return round((west + east) / 2, 4), round(lat, 4)
