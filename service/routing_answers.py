"""Why a demand went where it went: every routing decision of its log, in figures and in sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import roles
from domain.actors import SYSTEM, Actor
from domain.demand import Demand
from domain.ledger import Entry
from domain.needs import Need
from domain.routing import Candidate, Inputs, PassedOver, Routing
from domain.routing_log import Decided, Step, read_routing
from service.desk import Desk
from service.reading import find
from service.routing_words import Words
from service.views import View, instant, person_view, unit_view
from store import queries

MOST_EVENTS = 100_000


async def routing_view(desk: Desk, actor: Actor, number: str) -> View:
    """The decisions in their order, each with what came of it.

    Raises DomainError: `not_found` as in `find`, `not_permitted` for residents: loads and refusals of units are internal.
    """
    demand, decisions = await _decisions(desk, actor, number)
    chinese, english = words(desk, english=False), words(desk, english=True)
    return {
        "number": demand.number,
        "category": demand.category,
        "community": demand.community,
        "unit": unit_view(desk, demand.unit),
        "decisions": [
            {
                **_decision_view(desk, decided),
                "explanation_zh": chinese.explanation(decided),
                "explanation_en": english.explanation(decided),
                "then": [_step_view(desk, step, chinese, english) for step in decided.then],
            }
            for decided in decisions
        ],
    }


async def routing_text(desk: Desk, actor: Actor, number: str, *, english: bool) -> str:
    """The same, to read. Raises like `routing_view`."""
    demand, decisions = await _decisions(desk, actor, number)
    said = words(desk, english=english)
    return said.text(said.say(f"诉求 {demand.number} 派单说明", f"Routing of demand {demand.number}"), decisions)


async def _decisions(desk: Desk, actor: Actor, number: str) -> tuple[Demand, tuple[Decided, ...]]:
    demand = await find(desk, actor, number)
    roles.must(actor, Need.SEE_ROUTING)
    rows = await queries.events(desk.engine, number, after=0, limit=MOST_EVENTS)
    entries = (Entry(seq=r.seq, type=r.type, at=r.at, actor=r.actor, data=r.data) for r in rows)
    return demand, read_routing(entries)


def words(desk: Desk, *, english: bool) -> Words:
    return Words(lambda what, id: _name(desk, what, id, english), desk.district.timezone, english=english)


def _name(desk: Desk, what: str, id: str, english: bool) -> str:
    """The name as of now; the id of what is gone since."""
    d = desk.district.directory
    tables: dict[str, Mapping[str, Any]] = {
        "unit": d.units, "person": d.people, "community": d.communities, "grid": d.grids, "compound": d.compounds,
        "category": d.categories, "meeting": d.meetings,
    }  # fmt: skip
    found = tables[what].get(id)
    if found is None:
        return id
    foreign = getattr(found, "name_en", None) if english else None
    return str(foreign or getattr(found, "name", id))


# ---- figures


def _decision_view(desk: Desk, decided: Decided) -> View:
    about: View = {
        "seq": decided.seq, "at": instant(decided.at), "by": _who(desk, decided.by),
        "occasion": decided.occasion, "meeting": decided.meeting, "former": unit_view(desk, decided.former),
    }  # fmt: skip
    routing = decided.routing or _of_people(decided)
    return {**about, **routing_figures(desk, routing)}


def _who(desk: Desk, actor: str) -> View | None:
    """Somebody of the district, or the product itself; a reporter's id is not for the units."""
    known = actor == SYSTEM.id or actor in desk.district.directory.people
    return person_view(desk, actor) if known else None


def _of_people(decided: Decided) -> Routing:
    """A meeting, or who swaps the lead, looks at no rules: they name the unit."""
    assert decided.lead is not None
    return Routing(version="", rule=decided.occasion, candidates=(decided.lead,))


def routing_figures(desk: Desk, routing: Routing) -> View:
    return {
        "version": routing.version or None,
        "rule": routing.rule,
        "on": routing.on.isoformat() if routing.on else None,
        "inputs": _inputs_view(desk, routing.inputs),
        "candidates": [_candidate_view(desk, one) for one in routing.candidates],
        "passed_over": [_passed_view(desk, one) for one in routing.passed_over],
        "passed_over_more": routing.more,
    }


def _inputs_view(desk: Desk, inputs: Inputs | None) -> View | None:
    if inputs is None:
        return None
    return {**inputs.model_dump(mode="json"), "steward": unit_view(desk, inputs.steward)}


def _candidate_view(desk: Desk, one: Candidate) -> View:
    return {
        "unit": unit_view(desk, one.unit), "liaison": person_view(desk, one.liaison), "reason": one.reason,
        "score": one.score, "load": one.load, "capacity": one.capacity,
    }  # fmt: skip


def _passed_view(desk: Desk, one: PassedOver) -> View:
    return {
        "unit": unit_view(desk, one.unit), "reason": one.reason, "why": one.why, "load": one.load,
        "capacity": one.capacity,
    }  # fmt: skip


def _step_view(desk: Desk, step: Step, chinese: Words, english: Words) -> View:
    return {
        "seq": step.seq, "at": instant(step.at), "by": _who(desk, step.by), "what": step.what,
        "unit": unit_view(desk, step.unit), "detail": step.detail, "text_zh": chinese.step(step),
        "text_en": english.step(step),
    }  # fmt: skip
