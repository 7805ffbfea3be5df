"""The district as it is by what was published of it: units, stewards of grids, rosters, people and their leave, over
the pack's files.

Rights follow from what is settled: the liaison of a unit speaks for it, and may chair where the unit is on the roster.
Whoever is no longer that has these rights no longer; every other right of a person comes from the files, or from what
was published of the person, and stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from domain.actors import Grant
from domain.district import District
from domain.errors import ConfigError
from domain.people import Person, Span
from domain.places import Id, Name
from domain.policies import Rotation, RoutingRules, Sla
from domain.units import Stewardship, Unit
from domain.vocabulary import Role
from store.publications import Publication

UNIT, STEWARDSHIP, ROSTER, PERSON, PERSON_LEAVE = "unit", "stewardship", "roster", "person", "person_leave"
OF_THE_DISTRICT = (UNIT, STEWARDSHIP, ROSTER, PERSON, PERSON_LEAVE)

M = TypeVar("M", bound=BaseModel)


class Turn(Span):
    """A unit takes care of a grid, from one local date to another."""

    unit: Id


class Turns(BaseModel):
    """Everybody who takes care of one grid, one after the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    turns: tuple[Turn, ...] = Field(min_length=1, max_length=200)


class Leave(BaseModel):
    """When a person is away; local dates, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    leave: tuple[Span, ...] = Field(max_length=200)


class Standing(BaseModel):
    """Who a person is and what they may do; when they are away is published by itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    grants: tuple[Grant, ...] = Field(min_length=1, max_length=50)
    titles: tuple[Name, ...] = Field(default=(), max_length=20)


def read(one: Publication, model: type[M], more: Mapping[str, Any] | None = None) -> M:
    """Its body. `more` are values for keys that it lacks, because they came into the product later.

    Raises ConfigError for what this version of the product cannot read.
    """
    try:
        return model.model_validate_json(json.dumps({**(more or {}), **one.body}))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or one.kind
        remedy = "This version of the product cannot read it"
        raise ConfigError(f"publication {one.id}", key, first["msg"], remedy) from None


def laid_over(base: District, standing: Iterable[Publication], *, sla: Sla, routing: RoutingRules) -> District:
    """The district by `standing`, the publications of its own kinds that count. Raises ConfigError like `read`."""
    found = [one for one in standing if one.kind in OF_THE_DISTRICT]
    district = base.model_copy(update={"sla": sla, "routing": routing})
    if not found:
        return district
    units = {unit.id: unit for unit in base.units} | {p.key: read(p, Unit) for p in found if p.kind == UNIT}
    rotations = {r.community: r for r in base.rotations} | {p.key: read(p, Rotation) for p in found if p.kind == ROSTER}
    turns = {p.key: stewardships(p.key, read(p, Turns)) for p in found if p.kind == STEWARDSHIP}
    others = tuple(s for s in base.stewardships if s.grid not in turns)
    leave = {p.key: read(p, Leave).leave for p in found if p.kind == PERSON_LEAVE}
    published = {p.key: read(p, Standing) for p in found if p.kind == PERSON}
    people = [p.model_copy(update={"leave": leave[p.id]}) if p.id in leave else p for p in _people(base, published)]
    now, before = _rights(units, rotations.values()), _rights(base.directory.units, base.rotations)
    new, gone = now - before, before - now
    parts: dict[str, Any] = {
        "units": tuple(units.values()), "rotations": tuple(rotations.values()),
        "stewardships": (*others, *(one for those in turns.values() for one in those)),
        "people": tuple(_with_rights(person, new=new, gone=gone) for person in people),
    }  # fmt: skip
    district = district.model_copy(update=parts)
    district.__dict__.pop("directory", None)  # it was built from the parts before
    return district


def _people(base: District, published: Mapping[str, Standing]) -> list[Person]:
    """Those of the files first, in their order: where somebody of a role is asked for, the first one is."""
    known = {person.id: person for person in base.people}
    for id, standing in published.items():
        leave = known[id].leave if id in known else ()
        known[id] = Person(id=id, leave=leave, **dict(standing))
    return list(known.values())


def standing_of(person: Person) -> Standing:
    return Standing(name=person.name, grants=person.grants, titles=person.titles)


def stewardships(grid: str, turns: Turns) -> tuple[Stewardship, ...]:
    return tuple(Stewardship.model_validate({"grid": grid, **dict(turn)}) for turn in turns.turns)


def turns_of(district: District, grid: str) -> Turns:
    """In the order of their days."""
    known = sorted(district.directory.stewards_of.get(grid, ()), key=lambda one: one.starts_on)
    spans = ({"unit": s.unit, "starts_on": s.starts_on, "ends_on": s.ends_on} for s in known)
    return Turns(turns=tuple(Turn.model_validate(span) for span in spans))


Rights = set[tuple[str, Grant]]


def _rights(units: Mapping[str, Unit], rotations: Iterable[Rotation]) -> Rights:
    """What people may because of what they are to a unit, by person id."""
    speak = {(unit.liaison, Grant(role=Role.UNIT_LIAISON, unit=unit.id)) for unit in units.values()}
    chair = {
        (units[id].liaison, Grant(role=Role.CHAIR, community=rotation.community))
        for rotation in rotations
        for id in rotation.roster
        if id in units
    }
    return speak | chair


def _with_rights(person: Person, *, new: Rights, gone: Rights) -> Person:
    lost = {grant for id, grant in gone if id == person.id}
    won = {grant for id, grant in new if id == person.id and grant not in person.grants}
    if not lost and not won:
        return person
    added = sorted(won, key=lambda grant: (grant.role, grant.unit or "", grant.community or ""))
    return person.model_copy(update={"grants": (*(g for g in person.grants if g not in lost), *added)})
