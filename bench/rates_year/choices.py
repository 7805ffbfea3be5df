"""What somebody does next with a demand: any of what is permitted, the likely more often than the odd."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bench.rates_year.town import Town
from domain.actors import SYSTEM, Actor
from domain.commands import Act
from domain.demand import Demand
from domain.lifecycle import permitted
from domain.vocabulary import ClockName, DecisionKind, Stage

WEIGHTS = {
    "accept": 40, "contact": 30, "resolve": 26, "hand_off": 4, "refuse": 14, "note": 0.3, "request_info": 3, "resume": 12,
    "extend": 2, "decide_extension": 12, "escalate": 1.5, "reassign": 1.5, "urge": 0.3, "verify": 30, "call_back": 6,
    "confirm": 10, "withdraw": 0.12, "reopen": 0.8, "add_co_units": 4, "co_accept": 12, "co_refuse": 6, "co_done": 14,
    "co_release": 1, "swap_lead": 2.5, "reclassify": 0.5, "locate": 30, "decide": 20, "supervise": 0.6,
    "decide_final_reply": 20, "merge": 0.8, "unmerge": 3, "settle": 25, "lose_primary": 3,
}  # fmt: skip
_REFUSALS = ("not_our_duty", "no_power", "no_resources", "other_unit_responsible")
_ANSWERS = (
    ("yes", "satisfied", 50), ("yes", "basically_satisfied", 20), ("partly", "basically_satisfied", 10),
    ("partly", "satisfied", 3), ("no", "dissatisfied", 8), ("yes", "dissatisfied", 5), ("no", "very_dissatisfied", 4),
)  # fmt: skip
_DECISIONS = {
    DecisionKind.ASSIGN: 40, DecisionKind.PROJECT: 10, DecisionKind.SHELVE: 12, DecisionKind.ESCALATE: 8,
    DecisionKind.RETURN_TO_GRID: 14, DecisionKind.FINAL_REPLY: 16,
}  # fmt: skip


def next_act(town: Town, demand: Demand, now: datetime) -> Act | None:
    """One that somebody concerned may send; None where nobody may do anything that changes it."""
    told = demand.clocks.get(ClockName.CONTACT)
    idle = {"contact"} if told is None or told.stopped_at is not None else set()
    could = [
        (actor, kind)
        for actor in _concerned(town, demand)
        for kind in permitted(demand, actor)
        if kind in WEIGHTS and kind not in idle
    ]
    if not could:
        return None
    actor, kind = town.chance.choices(could, [WEIGHTS[kind] for _, kind in could])[0]
    parts = {"type": kind, **_parts(town, demand, kind, now, actor)}
    return Act.model_validate({"command": parts, "actor": actor})


def _concerned(town: Town, demand: Demand) -> list[Actor]:
    ids = [demand.holder, demand.opened_by, demand.operator, demand.supervisor, demand.dispatcher]
    if demand.place is not None:
        ids += [demand.place.substitute, demand.place.secretary, demand.worker]
    if demand.lead is not None:
        ids.append(demand.lead.liaison)
    ids += [task.liaison for task in demand.co_tasks if task.open]
    return [*(town.person(id) for id in dict.fromkeys(ids) if id), SYSTEM]


def _parts(town: Town, demand: Demand, kind: str, now: datetime, actor: Actor) -> dict[str, Any]:
    chance = town.chance
    match kind:
        case "note":
            return {"note_id": "t-note"}
        case "resolve":
            outcome = chance.choice(("resolved", "resolved", "explained"))
            return {"reply_id": "t-reply", "outcome": outcome, "file_ids": ["f-1"]}
        case "request_info":
            return {"reason": chance.choice(("awaiting_reporter", "awaiting_access", "weather"))}
        case "extend":
            return {"working_days": chance.randint(1, 3), "basis": "season"}
        case "decide_extension" | "decide_final_reply":
            return {"approved": chance.random() < 0.7}
        case "escalate":
            return {"reason": chance.choice(("several_units", "beyond_power", "repeat"))}
        case "verify":
            return {"ok": chance.random() < 0.85}
        case "call_back":
            return {"channel": chance.choice(("phone", "visit")), "result": chance.choice(("no_answer", "declined"))}
        case "confirm":
            solved, satisfied, _ = chance.choices(_ANSWERS, [weight for *_, weight in _ANSWERS])[0]
            return {"contacted": chance.random() < 0.9, "solved": solved, "satisfied": satisfied}
        case "supervise":
            return {"deed": chance.choice(("take_over", "return", "order")), "note_id": "t-order"}
        case "merge":
            return {
                "primary": "20250101-000001",
                "same_reporter": chance.random() < 0.3,
                "place": _placed(town, demand, now),
            }
        case "settle":
            outcome = chance.choice(("resolved", "explained", "final_reply"))
            return {"primary": demand.primary, "reply_id": "t-copy", "outcome": outcome, "handler": demand.supervisor}
        case "lose_primary":
            heir = chance.choice((None, "20250101-000002"))
            return {"primary": demand.primary, "heir": heir}
        case "decide":
            return _decision(town, demand, now)
    return _moved(town, demand, kind, now, actor)


def _placed(town: Town, demand: Demand, now: datetime) -> object:
    return town.place(now) if demand.place is None else None


def _moved(town: Town, demand: Demand, kind: str, now: datetime, actor: Actor) -> dict[str, Any]:
    """Those that name a place or a unit."""
    chance, place = town.chance, demand.place
    if kind == "locate":
        found = town.place(now, demand.community)
        above = town.district.category(demand.category).handling_level != "grid"
        return {
            "place": found,
            "routing": town.routing(found, demand.category, now, demand.past_units) if above else None,
        }
    if kind == "reclassify":
        category = town.category()
        above = category.handling_level != "grid" and place is not None
        routing = town.routing(place, category.code, now, demand.past_units) if above and place else None
        return {"category": category.code, "promise": town.promise(category), "routing": routing}
    if place is None:
        return {}
    match kind:
        case "hand_off":
            return {"routing": town.routing(place, demand.category, now, demand.past_units)}
        case "refuse" if demand.stage is Stage.GRID:
            return {"basis": "wrong_grid", "place": town.place(now, place.community) if chance.random() < 0.6 else None}
        case "refuse":
            return {"basis": chance.choice(_REFUSALS)}
        case "reassign":
            return {"person": chance.choice(town.district.grids_of(place.community)).duty_worker}
        case "add_co_units":
            return {"co_units": [town.helper(town.unit(place.community)) for _ in range(chance.randint(1, 2))]}
        case "swap_lead":
            return {"lead": town.lead(town.unit(place.community), "swapped")}
        case "co_accept" | "co_done" | "co_refuse" | "co_release":
            return {"unit": _part_of(town, demand, actor)} | ({"basis": "no_power"} if kind == "co_refuse" else {})
    return {}


def _part_of(town: Town, demand: Demand, actor: Actor) -> str:
    """A part that is open, the actor's own where there is one."""
    parts = [task for task in demand.co_tasks if task.open]
    own = [task for task in parts if task.liaison == actor.id]
    return town.chance.choice(own or parts).unit


def _decision(town: Town, demand: Demand, now: datetime) -> dict[str, Any]:
    """The more often it comes back, the more final."""
    chance, place = town.chance, demand.place
    assert place is not None
    weights = {**_DECISIONS}
    if demand.meeting == town.district.id:
        del weights[DecisionKind.ESCALATE]
    if demand.turn > 3:
        weights = {DecisionKind.ASSIGN: 1, DecisionKind.FINAL_REPLY: 2}
    kind = chance.choices(list(weights), list(weights.values()))[0]
    said: dict[str, Any] = {"meeting": demand.meeting, "turn": demand.turn, "kind": kind, "chair": place.secretary}
    return said | dict(_details(town, kind, place.community, now))


def _details(town: Town, kind: DecisionKind, community: str, now: datetime) -> Iterator[tuple[str, Any]]:
    chance = town.chance
    if kind in (DecisionKind.ASSIGN, DecisionKind.PROJECT):
        lead = town.unit(community)
        yield "lead", town.lead(lead, "decided")
        if chance.random() < 0.3:
            yield "co_units", [town.helper(town.unit(community, lead))]
        if chance.random() < 0.5:
            yield "due_at", now + timedelta(days=chance.randint(2, 25))
    if kind is DecisionKind.PROJECT:
        yield "project", "prj-000001"
    if kind is DecisionKind.SHELVE:
        yield "review_at", now + timedelta(days=chance.randint(5, 50))
    if kind is DecisionKind.ESCALATE:
        yield "upper_meeting", town.district.id
        yield "convener", town.desk.staffing.supervisor
    if kind is DecisionKind.FINAL_REPLY:
        yield "reply_id", "t-final"
