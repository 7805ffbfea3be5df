"""The table (stage, command) -> who may, under which condition, and where it may lead.

Everything that says what is possible is derived from `RULES`: the refusals, the actions an answer offers, the diagram
in the README, and the tests that look for dead ends. Nothing else in the product decides who may do what to a demand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from domain.actors import Actor, reporter_of
from domain.demand import Demand
from domain.errors import DomainError
from domain.vocabulary import Role, Stage

S = Stage


class Who(StrEnum):
    """Whom a rule lets act, in relation to one demand."""

    HOLDER = "holder"
    SUBSTITUTE = "substitute"
    CONTACT_WORKER = "contact_worker"
    LEAD_UNIT = "lead_unit"
    CO_UNIT = "co_unit"
    DISPATCHER = "dispatcher"
    SECRETARY = "secretary"
    SUPERVISOR = "supervisor"
    OPERATOR = "operator"
    REPORTER = "reporter"
    OTHER_PERSON = "other_person"
    STAFF = "staff"
    MEETING = "meeting"
    TIMER = "timer"
    PRODUCT = "product"


_STAFF = (
    Role.OPERATOR, Role.GRID_WORKER, Role.UNIT_LIAISON, Role.CHAIR, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR,
)  # fmt: skip
_SPEAKS_FOR_REPORTER = (Role.RESIDENT, Role.INTEGRATOR, Role.OPERATOR)


def _is_staff(d: Demand, a: Actor) -> bool:
    return any(
        g.role in _STAFF
        and (g.community is None or g.community == d.community)
        and (g.unit is None or g.unit in d.past_units or any(t.unit == g.unit for t in d.co_tasks))
        for g in a.grants
    )


def _is_asked(d: Demand, a: Actor) -> bool:
    """A part that the unit has neither taken on nor refused."""
    return any(t.state == "offered" and a.has(Role.UNIT_LIAISON, unit=t.unit) for t in d.co_tasks)


def _is_other_person(d: Demand, a: Actor) -> bool:
    looks = (Role.SUPERVISOR, Role.COMMUNITY_SECRETARY, Role.GRID_WORKER)
    return a.id != d.handler and any(a.has(role, community=d.community) for role in looks)


def speaks_for_reporters(actor: Actor) -> bool:
    """Whether this is somebody who submits what others have to handle; who handles it is told nothing to answer by."""
    return any(g.role in _SPEAKS_FOR_REPORTER for g in actor.grants)


def _is_reporter(d: Demand, a: Actor) -> bool:
    """Whoever opened it for the reporter, or the reporter by link or code."""
    by_link = a.id == reporter_of(d.number) and a.has(Role.RESIDENT)
    return by_link or (a.id == d.opened_by and speaks_for_reporters(a))


_IS: dict[Who, Callable[[Demand, Actor], bool]] = {
    Who.HOLDER: lambda d, a: a.id == d.holder,
    Who.SUBSTITUTE: lambda d, a: d.place is not None and a.id == d.place.substitute,
    Who.CONTACT_WORKER: lambda d, a: a.id == d.worker,
    Who.LEAD_UNIT: lambda d, a: d.unit is not None and a.has(Role.UNIT_LIAISON, unit=d.unit),
    Who.CO_UNIT: lambda d, a: any(t.open and a.has(Role.UNIT_LIAISON, unit=t.unit) for t in d.co_tasks),
    Who.DISPATCHER: lambda d, a: a.id == d.dispatcher,
    Who.SECRETARY: lambda d, a: a.has(Role.COMMUNITY_SECRETARY, community=d.community),
    Who.SUPERVISOR: lambda d, a: a.has(Role.SUPERVISOR, community=d.community),
    Who.OPERATOR: lambda d, a: a.has(Role.OPERATOR, community=d.community),
    Who.REPORTER: _is_reporter,
    Who.OTHER_PERSON: _is_other_person,
    Who.STAFF: _is_staff,
    Who.MEETING: lambda d, a: a.has(Role.SYSTEM),
    Who.TIMER: lambda d, a: a.has(Role.SYSTEM),
    Who.PRODUCT: lambda d, a: a.has(Role.SYSTEM),
}


@dataclass(frozen=True)
class Condition:
    """What must also be true of the demand; `code` and `rule` say it when it is not."""

    holds: Callable[[Demand], bool]
    code: str
    rule: str


@dataclass(frozen=True)
class Rule:
    """One row: in these stages, these people may send this command; it leaves the demand in one of `to`.

    `offered_to` narrows whom an answer offers it to, where the command itself says better why it refuses the others.
    """

    command: str
    stages: tuple[Stage, ...]
    who: tuple[Who, ...]
    to: tuple[Stage, ...]
    needs: tuple[Condition, ...] = ()
    offered_to: Callable[[Demand, Actor], bool] = lambda d, a: True


_PENDING = Condition(lambda d: not d.accepted, "stage_forbids", "It is already accepted. Nothing to do.")
_NOT_PAUSED = Condition(lambda d: d.info_reason is None, "stage_forbids", "It is paused. Send `resume` first.")
_PAUSED = Condition(lambda d: d.info_reason is not None, "stage_forbids", "It is not paused. Nothing to resume.")
_IN_WINDOW = Condition(
    lambda d: not d.lead_bound,
    "refusal_window_over",
    "The refusal window is over or the unit accepted: it is the responsible unit. Ask for an extension or escalate.",
)
_EXTENDABLE = Condition(
    lambda d: d.extension_asked == 0 and d.extensions < d.terms.extension_limit,
    "stage_forbids",
    "An extension is already asked for, or all extensions are used. Escalate to the joint meeting instead.",
)
_EXTENSION_ASKED = Condition(lambda d: d.extension_asked > 0, "stage_forbids", "No extension is asked for.")
_TO_VERIFY = Condition(lambda d: d.awaiting_verification, "stage_forbids", "It does not wait for verification.")
_VERIFIED = Condition(
    lambda d: not d.awaiting_verification,
    "stage_forbids",
    "Somebody other than the handler must verify it first: send `verify`.",
)

_HELPED = Condition(
    lambda d: any(t.open for t in d.co_tasks), "stage_forbids", "No unit helps at the moment. Nothing to take back."
)

_MERGED = Condition(lambda d: d.primary is not None, "stage_forbids", "It follows no other demand.")
_NOT_MERGED = Condition(
    lambda d: d.primary is None, "merged", "It follows another demand already. Send `unmerge` first."
)
_NOT_FOLLOWED = Condition(
    lambda d: not d.followers, "merge_circle", "Others follow this demand. Merge the other one into this one instead."
)
_ON_AGENDA = Condition(
    lambda d: not d.shelved and d.proposed is None, "stage_forbids", "The meeting has decided about it already."
)
_PROPOSED = Condition(lambda d: d.proposed is not None, "stage_forbids", "No final reply waits for approval.")

_MERGES = (Who.HOLDER, Who.DISPATCHER, Who.OPERATOR, Who.SECRETARY, Who.SUPERVISOR)
_MERGEABLE = (_NOT_MERGED, _NOT_FOLLOWED)
_ARRANGES = (Who.HOLDER, Who.LEAD_UNIT, Who.SUPERVISOR, Who.SECRETARY)
_HANDLER = (Who.HOLDER, Who.LEAD_UNIT, Who.SUPERVISOR)
_OPEN = (S.INTAKE, S.GRID, S.UNIT, S.MEETING, S.FEEDBACK)
_WORKING = (S.GRID, S.UNIT)
_HANDLED = (S.GRID, S.UNIT, S.MEETING)
_WHILE_MERGED = (
    "unmerge", "withdraw", "urge", "note", "attach", "settle", "lose_primary", "join", "leave", "adopt_calendar", "ring",
)  # fmt: skip
_RECLASSIFIABLE = (S.INTAKE, S.GRID, S.UNIT, S.MEETING)

RULES: tuple[Rule, ...] = (
    Rule("locate", (S.INTAKE,), (Who.DISPATCHER, Who.OPERATOR, Who.SUPERVISOR), (S.GRID, S.UNIT, S.MEETING)),
    Rule("accept", (S.GRID,), (Who.HOLDER, Who.SUBSTITUTE), (S.GRID,), (_PENDING,)),
    Rule("accept", (S.UNIT,), (Who.HOLDER, Who.LEAD_UNIT), (S.UNIT,), (_PENDING,)),
    Rule("contact", _WORKING, (Who.HOLDER, Who.LEAD_UNIT, Who.CONTACT_WORKER), _WORKING),
    Rule("resolve", (S.GRID,), (Who.HOLDER, Who.SUBSTITUTE), (S.FEEDBACK,), (_NOT_PAUSED,)),
    Rule("resolve", (S.UNIT,), (Who.HOLDER, Who.LEAD_UNIT), (S.FEEDBACK,), (_NOT_PAUSED,)),
    Rule("hand_off", (S.GRID,), (Who.HOLDER, Who.SUBSTITUTE, Who.SUPERVISOR), (S.UNIT, S.MEETING), (_NOT_PAUSED,)),
    Rule("refuse", (S.GRID,), (Who.HOLDER,), (S.GRID, S.INTAKE, S.MEETING), (_PENDING, _NOT_PAUSED)),
    Rule("refuse", (S.UNIT,), (Who.HOLDER, Who.LEAD_UNIT), (S.UNIT, S.MEETING), (_IN_WINDOW, _NOT_PAUSED)),
    Rule("add_co_units", (S.UNIT,), _ARRANGES, (S.UNIT,)),
    Rule("co_accept", (S.UNIT,), (Who.CO_UNIT,), (S.UNIT,), offered_to=_is_asked),
    Rule("co_refuse", (S.UNIT,), (Who.CO_UNIT,), (S.UNIT,), offered_to=_is_asked),
    Rule("co_done", (S.UNIT,), (Who.CO_UNIT,), (S.UNIT,)),
    Rule("co_release", (S.UNIT,), _ARRANGES, (S.UNIT,), (_HELPED,)),
    Rule("swap_lead", (S.UNIT,), (Who.SUPERVISOR, Who.SECRETARY), (S.UNIT,), (_NOT_PAUSED,)),
    Rule("request_info", _WORKING, (Who.HOLDER, Who.LEAD_UNIT), _WORKING, (_NOT_PAUSED,)),
    Rule("resume", _WORKING, _HANDLER, _WORKING, (_PAUSED,)),
    Rule("extend", _WORKING, (Who.HOLDER, Who.LEAD_UNIT), _WORKING, (_NOT_PAUSED, _EXTENDABLE)),
    Rule("decide_extension", _WORKING, (Who.SUPERVISOR,), _WORKING, (_NOT_PAUSED, _EXTENSION_ASKED)),
    Rule("escalate", _WORKING, (*_HANDLER, Who.SECRETARY), (S.MEETING,)),
    Rule("reassign", (S.GRID,), (Who.SUPERVISOR, Who.SECRETARY), (S.GRID,), (_NOT_PAUSED,)),
    Rule("decide", (S.MEETING,), (Who.MEETING,), (S.UNIT, S.GRID, S.MEETING, S.CLOSED)),
    Rule("reclassify", _RECLASSIFIABLE, (Who.DISPATCHER, Who.OPERATOR, Who.SECRETARY, Who.SUPERVISOR), _RECLASSIFIABLE),
    Rule("verify", (S.FEEDBACK,), (Who.OTHER_PERSON,), (S.FEEDBACK, S.GRID, S.UNIT, S.MEETING), (_TO_VERIFY,)),
    Rule("call_back", (S.FEEDBACK,), (Who.HOLDER, Who.OPERATOR, Who.CONTACT_WORKER), (S.FEEDBACK,), (_VERIFIED,)),
    Rule(
        "confirm",
        (S.FEEDBACK,),
        (Who.REPORTER, Who.HOLDER, Who.OPERATOR),
        (S.CLOSED, S.GRID, S.UNIT, S.MEETING),
        (_VERIFIED,),
    ),
    Rule("supervise", _OPEN, (Who.SUPERVISOR,), _OPEN),
    Rule(
        "decide_final_reply",
        (S.MEETING,),
        (Who.SUPERVISOR, Who.SECRETARY),
        (S.MEETING, S.CLOSED),
        (_PROPOSED,),
        offered_to=lambda d, a: a.id != d.proposed_by,
    ),
    Rule("merge", (S.INTAKE,), _MERGES, (S.GRID, S.CLOSED), _MERGEABLE),
    Rule("merge", (S.GRID,), _MERGES, (S.GRID, S.CLOSED), _MERGEABLE),
    Rule("merge", (S.UNIT,), _MERGES, (S.UNIT, S.CLOSED), _MERGEABLE),
    Rule("merge", (S.MEETING,), _MERGES, (S.MEETING, S.CLOSED), (*_MERGEABLE, _ON_AGENDA)),
    Rule(
        "unmerge",
        _HANDLED,
        (Who.DISPATCHER, Who.OPERATOR, Who.SECRETARY, Who.SUPERVISOR, Who.REPORTER),
        _HANDLED,
        (_MERGED,),
    ),
    Rule("withdraw", _OPEN, (Who.REPORTER, Who.OPERATOR), (S.CLOSED,)),
    Rule("urge", _OPEN, (Who.REPORTER, Who.OPERATOR, Who.SUPERVISOR), _OPEN),
    Rule("reopen", (S.CLOSED,), (Who.REPORTER, Who.OPERATOR), (S.GRID, S.UNIT, S.MEETING)),
    Rule("note", (*_OPEN, S.CLOSED), (Who.HOLDER, Who.STAFF, Who.REPORTER), (*_OPEN, S.CLOSED)),
    Rule("attach", (*_OPEN, S.CLOSED), (Who.HOLDER, Who.STAFF, Who.REPORTER), (*_OPEN, S.CLOSED)),
    Rule("join", (*_OPEN, S.CLOSED), (Who.PRODUCT,), (*_OPEN, S.CLOSED)),
    Rule("leave", (*_OPEN, S.CLOSED), (Who.PRODUCT,), (*_OPEN, S.CLOSED)),
    Rule("settle", _HANDLED, (Who.PRODUCT,), (S.FEEDBACK, S.CLOSED), (_MERGED,)),
    Rule("lose_primary", _HANDLED, (Who.PRODUCT,), _HANDLED, (_MERGED,)),
    Rule("adopt_calendar", (*_OPEN, S.CLOSED), (Who.TIMER,), (*_OPEN, S.CLOSED)),
    Rule("ring", (*_OPEN, S.CLOSED), (Who.TIMER,), (*_OPEN, S.CLOSED)),
)

TABLE: dict[tuple[Stage, str], Rule] = {(stage, rule.command): rule for rule in RULES for stage in rule.stages}
_OF_STAGE: dict[Stage, tuple[Rule, ...]] = {s: tuple(r for r in RULES if s in r.stages) for s in Stage}

_REQUIRED_ROLES: dict[Who, tuple[Role, ...]] = {
    Who.SECRETARY: (Role.COMMUNITY_SECRETARY,),
    Who.SUPERVISOR: (Role.SUPERVISOR,),
    Who.OPERATOR: (Role.OPERATOR,),
    Who.LEAD_UNIT: (Role.UNIT_LIAISON,),
    Who.CO_UNIT: (Role.UNIT_LIAISON,),
}


def _who_refused(rule: Rule, demand: Demand, actor: Actor) -> DomainError:
    people = ", ".join(rule.who)
    held = {g.role for g in actor.grants}
    if any(role in held for who in rule.who for role in _REQUIRED_ROLES.get(who, ())):
        return DomainError(
            "outside_scope", f"Your role does not reach this demand's place or unit; `{rule.command}` is for: {people}.",
            command=rule.command, allowed=list(rule.who),
        )  # fmt: skip
    code = "not_holder" if Who.HOLDER in rule.who and held & set(_STAFF) else "not_permitted"
    return DomainError(
        code, f"`{rule.command}` in stage {demand.stage} is for: {people}.",
        command=rule.command, stage=demand.stage, allowed=list(rule.who),
    )  # fmt: skip


def check(demand: Demand, command: str, actor: Actor) -> Rule:
    """The rule that allows this command.

    Raises DomainError: `merged` where it is handled with another demand, `closed` after the reopen window,
    `stage_forbids` where the table has no row or its condition does not hold, `not_holder`, `not_permitted` or
    `outside_scope` where the actor is not among the rule's people.
    """
    if demand.sealed:
        raise DomainError("closed", "The demand is closed for good. Submit a new one and name this number.")
    if not _is_open_to(demand, command):
        says = f"It is handled with {demand.primary}. Act there, or send `unmerge`."
        raise DomainError("merged", says, command=command, primary=demand.primary)
    rule = TABLE.get((demand.stage, command))
    if rule is None:
        allowed = [r.stages for r in RULES if r.command == command]
        stages = sorted({str(s) for group in allowed for s in group})
        raise DomainError(
            "stage_forbids", f"`{command}` is possible in: {', '.join(stages)}; this demand is in {demand.stage}.",
            command=command, stage=demand.stage, allowed_stages=stages,
        )  # fmt: skip
    if not any(_IS[who](demand, actor) for who in rule.who):
        raise _who_refused(rule, demand, actor)
    for need in rule.needs:
        if not need.holds(demand):
            raise DomainError(need.code, need.rule, command=command, stage=demand.stage)
    return rule


def _is_open_to(demand: Demand, command: str) -> bool:
    """A duplicate is handled with its primary, until that is done."""
    return not demand.follows or command in _WHILE_MERGED


def permitted(demand: Demand, actor: Actor) -> tuple[str, ...]:
    """The commands this actor may send now, in the table's order."""
    if demand.sealed:
        return ()
    return tuple(
        rule.command
        for rule in _OF_STAGE[demand.stage]
        if _is_open_to(demand, rule.command)
        and any(_IS[who](demand, actor) for who in rule.who)
        and rule.offered_to(demand, actor)
        and all(need.holds(demand) for need in rule.needs)
    )


def may_see(demand: Demand, actor: Actor) -> bool:
    """Whether the demand lies in the actor's scope at all."""
    wide = (Role.SUPERVISOR, Role.AUDITOR, Role.ADMIN, Role.INTEGRATOR)
    seen = any(actor.has(role, community=demand.community) for role in wide)
    return seen or _is_staff(demand, actor) or actor.id in (
        demand.opened_by, demand.holder, demand.worker, reporter_of(demand.number),
    )  # fmt: skip
