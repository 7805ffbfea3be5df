"""Who may see what of a person: role × tie to the demand × field → full, masked or nothing. Pure.

`RULES` is the whole of it, one rule a line; whatever shows a reporter or a text asks `sight`. What no rule gives, nobody
sees. `full` is what a caller may have opened by saying why; until then it is shown masked as well.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum, StrEnum

from domain import roles
from domain.actors import Actor, Grant, reporter_of
from domain.demand import Demand
from domain.needs import Need
from domain.vocabulary import Role


class Sight(IntEnum):
    """How much of a field. Of a text, `masked` means without the reporter's own name, numbers and room."""

    NONE = 0
    MASKED = 1
    FULL = 2


class Field(StrEnum):
    """What is personal. `point` is where the reporter said it is; `public_text` what the reporter wrote and was answered."""

    NAME = "name"
    PHONE = "phone"
    EMAIL = "email"
    BUILDING = "building"
    ROOM = "room"
    POINT = "point"
    PUBLIC_TEXT = "public_text"
    INTERNAL_TEXT = "internal_text"


class Tie(StrEnum):
    """What somebody has to do with a demand."""

    REPORTER = "reporter"
    CONTACT_WORKER = "contact_worker"
    HOLDER = "holder"
    LEAD_UNIT = "lead_unit"
    CO_UNIT = "co_unit"
    IN_SCOPE = "in_scope"


class ReadingReason(StrEnum):
    """Why somebody has personal data opened; it stands in the record of readings."""

    HANDLING = "handling"
    CALL_BACK = "call_back"
    IDENTITY_CHECK = "identity_check"
    CORRECTION = "correction"
    COMPLAINT_REVIEW = "complaint_review"
    LEGAL_REQUEST = "legal_request"
    OWN_DATA = "own_data"


PERSON = (Field.NAME, Field.PHONE, Field.EMAIL)
PLACE = (Field.BUILDING, Field.POINT)
DOOR = (*PLACE, Field.ROOM)
WORDS = (Field.PUBLIC_TEXT, Field.INTERNAL_TEXT)
ALL = (*PERSON, *DOOR, *WORDS)
REPORTER_FIELDS = (*PERSON, *DOOR)


@dataclass(frozen=True)
class Rule:
    """`confidential` is what the flag of the demand leaves of `sight`; without it the flag changes nothing."""

    role: Role
    tie: Tie
    fields: tuple[Field, ...]
    sight: Sight
    confidential: Sight | None = None

    def of(self, demand: Demand) -> Sight:
        return self.confidential if demand.confidential and self.confidential is not None else self.sight


_NONE, _MASKED, _FULL = Sight.NONE, Sight.MASKED, Sight.FULL

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule(Role.RESIDENT,            Tie.REPORTER,       (*PERSON, *DOOR, Field.PUBLIC_TEXT), _FULL),
    Rule(Role.INTEGRATOR,          Tie.REPORTER,       (*PERSON, *DOOR),                    _MASKED),
    Rule(Role.INTEGRATOR,          Tie.REPORTER,       (Field.PUBLIC_TEXT,),                _FULL),
    Rule(Role.OPERATOR,            Tie.IN_SCOPE,       ALL,                                 _FULL),
    Rule(Role.COMMUNITY_SECRETARY, Tie.IN_SCOPE,       ALL,                                 _FULL),
    Rule(Role.SUPERVISOR,          Tie.IN_SCOPE,       ALL,                                 _FULL),
    Rule(Role.GRID_WORKER,         Tie.CONTACT_WORKER, ALL,                                 _FULL),
    Rule(Role.GRID_WORKER,         Tie.HOLDER,         ALL,                                 _FULL,   _MASKED),
    Rule(Role.GRID_WORKER,         Tie.IN_SCOPE,       (*PERSON, *DOOR),                    _MASKED, _NONE),
    Rule(Role.GRID_WORKER,         Tie.IN_SCOPE,       WORDS,                               _FULL,   _MASKED),
    Rule(Role.UNIT_LIAISON,        Tie.LEAD_UNIT,      (*PERSON, Field.ROOM),               _FULL,   _NONE),
    Rule(Role.UNIT_LIAISON,        Tie.LEAD_UNIT,      PLACE,                               _FULL),
    Rule(Role.UNIT_LIAISON,        Tie.LEAD_UNIT,      WORDS,                               _FULL,   _MASKED),
    Rule(Role.UNIT_LIAISON,        Tie.CO_UNIT,        PERSON,                              _MASKED, _NONE),
    Rule(Role.UNIT_LIAISON,        Tie.CO_UNIT,        (Field.ROOM,),                       _FULL,   _NONE),
    Rule(Role.UNIT_LIAISON,        Tie.CO_UNIT,        PLACE,                               _FULL),
    Rule(Role.UNIT_LIAISON,        Tie.CO_UNIT,        WORDS,                               _FULL,   _MASKED),
    Rule(Role.UNIT_LIAISON,        Tie.IN_SCOPE,       WORDS,                               _MASKED),
    Rule(Role.CHAIR,               Tie.IN_SCOPE,       (*PERSON, *DOOR),                    _MASKED, _NONE),
    Rule(Role.CHAIR,               Tie.IN_SCOPE,       WORDS,                               _FULL,   _MASKED),
    Rule(Role.AUDITOR,             Tie.IN_SCOPE,       PERSON,                              _MASKED, _NONE),
)
# fmt: on


def _in_scope(d: Demand, a: Actor, g: Grant) -> bool:
    involved = g.unit is None or g.unit in d.past_units or any(t.unit == g.unit for t in d.co_tasks)
    return involved and g.community in (None, d.community)


_TIED: dict[Tie, Callable[[Demand, Actor, Grant], bool]] = {
    Tie.REPORTER: lambda d, a, g: a.id in (d.opened_by, reporter_of(d.number)),
    Tie.CONTACT_WORKER: lambda d, a, g: a.id == d.worker,
    Tie.HOLDER: lambda d, a, g: a.id == d.holder,
    Tie.LEAD_UNIT: lambda d, a, g: d.unit is not None and g.unit in (None, d.unit),
    Tie.CO_UNIT: lambda d, a, g: any(t.open and g.unit in (None, t.unit) for t in d.co_tasks),
    Tie.IN_SCOPE: _in_scope,
}


def sight(demand: Demand, actor: Actor, field: Field) -> Sight:
    """The most that any of the actor's roles gives; whether the demand may be seen at all is asked elsewhere."""
    return max(
        (
            rule.of(demand)
            for rule in RULES
            if field in rule.fields
            for grant in actor.grants
            if grant.role is rule.role and _TIED[rule.tie](demand, actor, grant)
        ),
        default=Sight.NONE,
    )


def text_field(kind: str) -> Field:
    """Which field a text of this kind is: what the reporter wrote, and the replies to it, are public to the reporter."""
    return Field.PUBLIC_TEXT if kind in PUBLIC_KINDS else Field.INTERNAL_TEXT


def text_sight(demand: Demand, actor: Actor, kind: str, author: str) -> Sight:
    """How much of a text; whoever wrote one may read it again, the reporter also by the account what was sent by link."""
    by_link = author == reporter_of(demand.number) and actor.id == demand.opened_by and actor.has(Role.RESIDENT)
    if (author == actor.id or by_link) and not all(grant.role is Role.AUDITOR for grant in actor.grants):
        return Sight.FULL
    return sight(demand, actor, text_field(kind))


def speaks_for(demand: Demand, actor: Actor) -> bool:
    """Whether somebody may ask for what belongs to the reporter: that person, or an operator on their behalf."""
    own = actor.id in (demand.opened_by, reporter_of(demand.number)) and actor.has(Role.RESIDENT)
    return own or roles.may(actor, Need.OWN_DATA, community=demand.community)


PUBLIC_KINDS = frozenset({"demand", "reply"})
IMPERSONAL_KINDS = frozenset({"plan"})
"""Kinds of texts that say nothing about people and outlive the anonymising; all others are overwritten by it."""
