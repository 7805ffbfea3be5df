"""Who may do what, and how far: need × role × scope, one rule a line. What no line gives, nobody may.

    a route declares its need (api/needs.py)  ──>  the role is judged before anything of the request is read
    the service knows the object              ──>  `must(actor, need, community=…)` judges how far the role reaches

Two things are decided elsewhere, and this table only says who may try: a command to a demand by the rules of
domain/lifecycle.py, and how much of a person somebody sees by those of domain/privacy.py. docs/reference/authorisation.md
shows the table route by route, and a test asks every route as everybody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from domain.actors import Actor, Grant
from domain.errors import DomainError
from domain.needs import Need as N
from domain.vocabulary import Role


class Within(StrEnum):
    """How far a rule reaches. A grant without a place or unit reaches the whole subdistrict."""

    ANYWHERE = "anywhere"
    DISTRICT = "district"
    COMMUNITY = "community"
    GRID = "grid"
    UNIT = "unit"
    OWN = "own"
    DEMAND = "demand"
    MEETING = "meeting"
    COMMITTEE = "committee"


MEANINGS: Mapping[Within, str] = {
    Within.ANYWHERE: "whatever it is about",
    Within.DISTRICT: "only with a grant for the whole subdistrict",
    Within.COMMUNITY: "within the community of the grant; everywhere where it names none",
    Within.GRID: "within the grid of the grant, and where the person is on duty today",
    Within.UNIT: "what belongs to the unit of the grant",
    Within.OWN: "what is one's own: one's session, key, import, demand, …",
    Within.DEMAND: "of the demands that the role may see; a command by the rules of the lifecycle",
    Within.MEETING: "in the meeting of the grant's community, as its sessions are led (domain/session.py)",
    Within.COMMITTEE: "in the subdistrict committee",
}


@dataclass(frozen=True)
class Rule:
    need: N
    roles: tuple[Role, ...]
    within: Within


RES, OPE, GRI, LIA = Role.RESIDENT, Role.OPERATOR, Role.GRID_WORKER, Role.UNIT_LIAISON
CHA, SEC, SUP = Role.CHAIR, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR
AUD, INT, ADM = Role.AUDITOR, Role.INTEGRATOR, Role.ADMIN

STAFF = (OPE, GRI, LIA, CHA, SEC, SUP)
OFFICE = (*STAFF, AUD, ADM)
INSIDE = (*OFFICE, INT)
ALL = (RES, *INSIDE)

_ANY, _DISTRICT, _COMMUNITY, _GRID, _UNIT = (
    Within.ANYWHERE, Within.DISTRICT, Within.COMMUNITY, Within.GRID, Within.UNIT,
)  # fmt: skip
_OWN, _DEMAND, _MEETING, _COMMITTEE = Within.OWN, Within.DEMAND, Within.MEETING, Within.COMMITTEE

# fmt: off
RULES: tuple[Rule, ...] = (
    Rule(N.OWN_SESSIONS,             INSIDE,                         _OWN),
    Rule(N.OWN_INBOX,                ALL,                            _OWN),
    Rule(N.OWN_CONTACTS,             INSIDE,                         _OWN),

    Rule(N.SEE_DISTRICT,             ALL,                            _ANY),
    Rule(N.SEE_RESOURCES,            ALL,                            _ANY),
    Rule(N.SEE_PROJECTS,             ALL,                            _ANY),
    Rule(N.SEE_RULES,                OFFICE,                         _ANY),
    Rule(N.SEE_INSIDE,               INSIDE,                         _ANY),
    Rule(N.SEE_LOADS,                OFFICE,                         _ANY),

    Rule(N.SUBMIT_DEMAND,            (RES, *STAFF, INT),             _ANY),
    Rule(N.SEE_DEMANDS,              ALL,                            _DEMAND),
    Rule(N.SEE_WHOLE_LOG,            OFFICE,                         _DEMAND),
    Rule(N.EXPORT_CASE_FILE,         OFFICE,                         _DEMAND),
    Rule(N.SEE_TEXTS,                ALL,                            _DEMAND),
    Rule(N.LIST_FILES,               (RES, *STAFF, INT),             _DEMAND),
    Rule(N.SEE_FILES,                STAFF,                          _DEMAND),
    Rule(N.SEE_FILES,                (RES, INT),                     _OWN),
    Rule(N.SEE_ROUTING,              OFFICE,                         _DEMAND),
    Rule(N.ACT_ON_DEMAND,            STAFF,                          _DEMAND),
    Rule(N.ACT_ON_DEMAND,            (RES, INT),                     _OWN),
    Rule(N.COMPARE_TEXTS,            STAFF,                          _ANY),
    Rule(N.GATHER_DUPLICATES,        STAFF,                          _DEMAND),
    Rule(N.KEEP_REFERENCES,          (OPE, GRI, LIA, SEC, SUP, INT), _DEMAND),
    Rule(N.SEE_HOT_SPOTS,            (SEC, CHA, SUP),                _COMMUNITY),
    Rule(N.SEE_UNIT_MATCHES,         (LIA,),                         _UNIT),
    Rule(N.SEE_UNIT_MATCHES,         (SEC, SUP),                     _COMMUNITY),

    Rule(N.SEE_REPORTER,             ALL,                            _DEMAND),
    Rule(N.REVEAL_REPORTER,          ALL,                            _DEMAND),
    Rule(N.CORRECT_REPORTER,         (OPE,),                         _COMMUNITY),
    Rule(N.SEARCH_BY_PHONE,          (OPE, SEC, SUP),                _COMMUNITY),
    Rule(N.OWN_DATA,                 (RES,),                         _OWN),
    Rule(N.OWN_DATA,                 (OPE,),                         _COMMUNITY),
    Rule(N.RENEW_CODE,               (RES,),                         _OWN),
    Rule(N.RENEW_CODE,               (OPE,),                         _COMMUNITY),
    Rule(N.SEE_PERSONAL_READS,       (AUD, SUP),                     _COMMUNITY),

    Rule(N.EXPORT_DEMANDS,           INSIDE,                         _DEMAND),
    Rule(N.EXPORT_PERSONAL,          (OPE, SEC, SUP),                _DEMAND),
    Rule(N.IMPORT_DEMANDS,           (OPE, SUP, INT),                _OWN),
    Rule(N.FOLLOW_IMPORTS,           (OPE, SUP, INT),                _OWN),
    Rule(N.FOLLOW_IMPORTS,           (SUP, ADM),                     _DISTRICT),
    Rule(N.FOLLOW_EVENTS,            INSIDE,                         _DEMAND),
    Rule(N.MANAGE_WEBHOOKS,          (INT,),                         _OWN),
    Rule(N.MANAGE_WEBHOOKS,          (ADM,),                         _DISTRICT),
    Rule(N.SEE_FORWARDINGS,          OFFICE,                         _DEMAND),
    Rule(N.STEER_FORWARDINGS,        (LIA,),                         _UNIT),
    Rule(N.STEER_FORWARDINGS,        (SUP,),                         _COMMUNITY),
    Rule(N.SEND_OPEN311,             (INT,),                         _OWN),
    Rule(N.FOLLOW_OPEN311,           (INT,),                         _ANY),

    Rule(N.SEE_MEETINGS,             ALL,                            _ANY),
    Rule(N.SEE_AGENDAS,              INSIDE,                         _ANY),
    Rule(N.READ_MINUTES,             (CHA, SEC, SUP),                _COMMUNITY),
    Rule(N.CONVENE,                  (CHA, SEC),                     _MEETING),
    Rule(N.CONVENE,                  (SUP,),                         _DISTRICT),
    Rule(N.ACT_ON_SESSION,           (CHA, SEC, LIA),                _MEETING),
    Rule(N.ACT_ON_SESSION,           (SUP,),                         _COMMITTEE),
    Rule(N.DECIDE_ITEM,              (CHA, SEC),                     _MEETING),
    Rule(N.DECIDE_ITEM,              (SUP,),                         _COMMITTEE),
    Rule(N.END_RULING,               (ADM,),                         _DISTRICT),
    Rule(N.END_RULING,               (SUP, SEC),                     _COMMUNITY),
    Rule(N.CHANGE_ROTATION,          (SEC, SUP, ADM),                _COMMUNITY),

    Rule(N.STEER_PROJECT,            (SUP, CHA, SEC),                _COMMUNITY),
    Rule(N.STEER_COMMITTEES_PROJECT, (SUP, CHA),                     _DISTRICT),
    Rule(N.ACT_ON_PROJECT,           (SUP, CHA, SEC),                _COMMUNITY),
    Rule(N.ACT_ON_PROJECT,           (LIA,),                         _UNIT),
    Rule(N.CARE,                     (SEC, SUP),                     _COMMUNITY),
    Rule(N.CARE,                     (GRI,),                         _GRID),
    Rule(N.OVERSEE_CARE,             (SEC, SUP),                     _COMMUNITY),

    Rule(N.SEE_RATES,                (SUP, AUD, ADM, SEC),           _COMMUNITY),
    Rule(N.SEE_RATES,                (LIA,),                         _UNIT),
    Rule(N.SEE_MONTHS,               (SUP, AUD, ADM),                _DISTRICT),
    Rule(N.KEEP_MONTHS,              (ADM, SUP),                     _DISTRICT),
    Rule(N.ASK_EXCLUSION,            (OPE, GRI, LIA, SEC, SUP),      _DEMAND),
    Rule(N.SEE_EXCLUSIONS,           (SUP, AUD, ADM, SEC),           _COMMUNITY),
    Rule(N.SEE_EXCLUSIONS,           (OPE, GRI, LIA, SEC, SUP),      _OWN),
    Rule(N.DECIDE_EXCLUSION,         (SUP,),                         _COMMUNITY),
    Rule(N.DECIDE_EXCLUSION,         (OPE, GRI, LIA, SEC, SUP),      _OWN),

    Rule(N.SEE_DELIVERIES,           (SUP, ADM, AUD),                _DISTRICT),
    Rule(N.REPLAY_DELIVERIES,        (SUP, ADM),                     _DISTRICT),
    Rule(N.SEE_SYSTEM,               (SUP, ADM, AUD, INT),           _DISTRICT),

    Rule(N.PUBLISH_CALENDAR,         (ADM,),                         _DISTRICT),
    Rule(N.PUBLISH_PROMISES,         (ADM,),                         _DISTRICT),
    Rule(N.PUBLISH_ROUTING,          (ADM,),                         _DISTRICT),
    Rule(N.TRY_ROUTING,              (ADM, SUP),                     _DISTRICT),
    Rule(N.MANAGE_UNITS,             (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_RESOURCES,         (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_RESOURCES,         (LIA,),                         _UNIT),
    Rule(N.MANAGE_STEWARDS,          (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_ROSTERS,           (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_PEOPLE,            (ADM,),                         _DISTRICT),
    Rule(N.SEE_PERSON,               (ADM, SUP, AUD),                _DISTRICT),
    Rule(N.SEE_PERSON,               INSIDE,                         _OWN),
    Rule(N.SEE_LEAVE,                (ADM, SUP),                     _DISTRICT),
    Rule(N.SEE_LEAVE,                (SEC,),                         _COMMUNITY),
    Rule(N.SEE_LEAVE,                INSIDE,                         _OWN),
    Rule(N.SETTLE_LEAVE,             (ADM, SUP),                     _DISTRICT),
    Rule(N.SETTLE_LEAVE,             (SEC,),                         _COMMUNITY),
    Rule(N.SEE_PUBLICATIONS,         (ADM, SUP, AUD),                _DISTRICT),
    Rule(N.CANCEL_PUBLICATION,       (ADM,),                         _DISTRICT),
    Rule(N.CANCEL_PUBLICATION,       (SUP, SEC, LIA),                _OWN),
    Rule(N.SEE_CHANGES,              (ADM, SUP, AUD),                _DISTRICT),
    Rule(N.SEE_CHANGES,              (LIA,),                         _UNIT),
    Rule(N.SEE_CHANGES,              (SEC,),                         _COMMUNITY),

    Rule(N.MANAGE_KEYS,              (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_KEYS,              (INT,),                         _OWN),
    Rule(N.MANAGE_SESSIONS,          (ADM,),                         _DISTRICT),
    Rule(N.MANAGE_SESSIONS,          INSIDE,                         _OWN),
    Rule(N.SEE_IDENTITY_EVENTS,      (ADM, AUD),                     _DISTRICT),
    Rule(N.SEE_IDENTITY_EVENTS,      ALL,                            _OWN),
)
# fmt: on

WITHOUT_ROLE = frozenset({N.PUBLIC, N.BE_KNOWN})
"""What needs no role: the first not even a name. (`by_link` no role opens, but a link or a code: domain/resident_door.py.)"""

_OF_PLACES = frozenset({Within.COMMUNITY, Within.GRID, Within.UNIT, Within.MEETING})
_ALWAYS = {
    N.SEE_UNIT_MATCHES: "outside_scope", N.SEE_CHANGES: "not_permitted", N.MANAGE_RESOURCES: "not_permitted",
}  # fmt: skip
"""Needs whose refusals all have one code; of the others it tells a missing role from one of another place or unit."""

OF_NEED: Mapping[N, tuple[Rule, ...]] = {need: tuple(r for r in RULES if r.need is need) for need in N}
ROLES: Mapping[N, frozenset[Role]] = {
    need: frozenset(role for rule in rules for role in rule.roles) for need, rules in OF_NEED.items()
}


@dataclass(frozen=True)
class Reach:
    """How far somebody's roles reach for one need: what a list of theirs is narrowed to, besides what is their own."""

    everywhere: bool
    communities: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()

    @property
    def nothing(self) -> bool:
        return not (self.everywhere or self.communities or self.grids or self.units)


def holds(actor: Actor, need: N) -> bool:
    """Whether one of the actor's roles has the need at all, wherever."""
    if need in WITHOUT_ROLE:
        return True
    roles = ROLES[need]
    return any(grant.role in roles for grant in actor.grants)


def may(
    actor: Actor, need: N, *, community: str | None = None, unit: str | None = None, owner: str | None = None
) -> bool:
    """Whether a rule covers the place, unit or owner asked for.

    A rule within `demand`, `meeting` or `committee` is judged here by the role alone: the demand is looked up by
    `service.reading.find`, and the meeting has rules of its own. A `grid` is judged by who is on duty (domain/care.py).
    """
    return any(
        grant.role in rule.roles and _covers(rule.within, actor, grant, community, unit, owner)
        for rule in OF_NEED[need]
        for grant in actor.grants
    )


def _covers(
    within: Within, actor: Actor, grant: Grant, community: str | None, unit: str | None, owner: str | None
) -> bool:
    match within:
        case Within.DISTRICT:
            return grant.community is None and grant.grid is None and grant.unit is None
        case Within.COMMUNITY:
            return grant.community in (None, community) and grant.unit is None
        case Within.UNIT:
            return unit is not None and grant.unit == unit
        case Within.OWN:
            return owner is not None and owner == actor.id
        case Within.GRID:
            return False
        case Within.ANYWHERE | Within.DEMAND | Within.MEETING | Within.COMMITTEE:
            return True


def must(
    actor: Actor, need: N, *, community: str | None = None, unit: str | None = None, owner: str | None = None
) -> None:
    """Raises what `refusal` says: DomainError `not_permitted` or `outside_scope`."""
    if not may(actor, need, community=community, unit=unit, owner=owner):
        raise refusal(actor, need)


def must_hold(actor: Actor, need: N) -> None:
    """As `must`, of the role alone. Raises DomainError `not_permitted`."""
    if not holds(actor, need):
        raise refusal(actor, need)


def refusal(actor: Actor, need: N) -> DomainError:
    """`outside_scope` for a role that would do in another place or unit, else `not_permitted`."""
    people, held = allowed(need), {grant.role for grant in actor.grants}
    elsewhere = any(rule.within in _OF_PLACES and not held.isdisjoint(rule.roles) for rule in OF_NEED[need])
    code = _ALWAYS.get(need) or ("outside_scope" if elsewhere else "not_permitted")
    far = "Your role does not reach that far. " if holds(actor, need) else ""
    return DomainError(code, f"{far}{need.words} is for: {', '.join(people)}.", need=need, allowed=people)


def allowed(need: N) -> list[str]:
    """The roles that have a need, in the order of its rules."""
    return list(dict.fromkeys(str(role) for rule in OF_NEED[need] for role in rule.roles))


def reach(actor: Actor, need: N) -> Reach:
    """How far the actor's roles reach, all together. What is one's own is for the caller to add."""
    found = [(rule.within, grant) for rule in OF_NEED[need] for grant in actor.grants if grant.role in rule.roles]
    of_places = [grant for within, grant in found if within is Within.COMMUNITY and grant.unit is None]
    return Reach(
        everywhere=any(grant.community is None for grant in of_places)
        or any(
            within is Within.ANYWHERE or (within is Within.DISTRICT and _covers(within, actor, grant, None, None, None))
            for within, grant in found
        ),
        communities=frozenset(grant.community for grant in of_places if grant.community),
        grids=frozenset(grant.grid for within, grant in found if within is Within.GRID and grant.grid),
        units=frozenset(grant.unit for within, grant in found if within is Within.UNIT and grant.unit),
    )
