"""What an Open311 client may ask for: a category as a service, with its type and the fields of its form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.categories import Category, CategoryGroup
from domain.open311_faults import Fault
from domain.units import CategoryCode

Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
ServiceType = Literal["realtime", "batch", "blackbox"]
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]{1,40}$")]
Label = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\n〔〕]+$")]

LONGEST = {"string": 500, "text": 4_000}

# W3C's profile of ISO 8601 as GeoReport asks for it: to the second, with an offset, no fractions.
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,9})?", re.ASCII)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Option(_Part):
    key: Key
    name: Label


class Attribute(_Part):
    """A field of a service's form; with `variable` false it is only a sentence to be shown."""

    code: Key
    datatype: Datatype = "string"
    required: Annotated[bool, Field(strict=True)] = False
    variable: Annotated[bool, Field(strict=True)] = True
    description: Label
    hint: str = ""
    values: tuple[Option, ...] = ()


class ServiceRule(_Part):
    """For every category whose code begins with `category`; of two rules the longer one decides the type.

    `private`: never shown to the public, though it may be reported.
    """

    category: CategoryCode
    type: ServiceType | None = None
    private: Annotated[bool, Field(strict=True)] = False
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Service:
    category: Category
    group: CategoryGroup
    path: str
    type: ServiceType
    private: bool
    attributes: tuple[Attribute, ...]


def services(
    categories: Iterable[Category], groups: Mapping[str, CategoryGroup], rules: Sequence[ServiceRule]
) -> dict[str, Service]:
    """Every leaf as a service, by code; the rules of its branches apply from the top down."""
    found: dict[str, Service] = {}
    for leaf in categories:
        own = sorted((r for r in rules if leaf.code.startswith(r.category)), key=lambda r: len(r.category))
        types = [r.type for r in own if r.type is not None]
        above = [groups[leaf.code[:end]].name for end in range(2, len(leaf.code), 2)]
        found[leaf.code] = Service(
            category=leaf, group=groups[leaf.code[:2]], path=" / ".join([*above, leaf.name]),
            type=types[-1] if types else "realtime", private=any(r.private for r in own),
            attributes=tuple(a for r in own for a in r.attributes),
        )  # fmt: skip
    return found


def instant_of(text: str) -> datetime | None:
    """The instant, or None for anything that is not one. An unescaped `+` of a query arrives as a blank."""
    text = text[:19] + text[19:].replace(" ", "+", 1)
    if not _INSTANT.fullmatch(text) or not "2000" <= text[:4] <= "2199":
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def answers(service: Service, given: Mapping[str, Sequence[str]]) -> tuple[dict[str, str], list[Fault]]:
    """What was answered, in words, by code; and what is wrong. Fields that the form does not have are passed over."""
    said: dict[str, str] = {}
    faults: list[Fault] = []
    for a in service.attributes:
        if not a.variable:
            continue
        values = [value for value in given.get(a.code, ()) if value]
        if not values and a.required:
            faults.append(Fault("400011", f"attribute[{a.code}]"))
        elif values:
            words = _words(a, values)
            if words is None:
                faults.append(Fault("400012", f"attribute[{a.code}]"))
            else:
                said[a.code] = words
    return said, faults


def _words(a: Attribute, values: Sequence[str]) -> str | None:
    """The answer as a person reads it; None where it does not fit the datatype."""
    if a.datatype == "multivaluelist":
        return _chosen(a, dict.fromkeys(values))
    if len(values) > 1:
        return None
    value = values[0]
    match a.datatype:
        case "singlevaluelist":
            return _chosen(a, [value])
        case "number":
            return value if _NUMBER.fullmatch(value) else None
        case "datetime":
            return value if instant_of(value) else None
        case _:
            return value if len(value) <= LONGEST[a.datatype] else None


def _chosen(a: Attribute, keys: Iterable[str]) -> str | None:
    names = {option.key: option.name for option in a.values}
    chosen = list(keys)
    return "、".join(names[key] for key in chosen) if all(key in names for key in chosen) else None
