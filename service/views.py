"""How a demand looks to one caller: JSON-ready, without anything personal, with the actions this caller may take."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.lifecycle import permitted
from service.desk import Desk

View = dict[str, Any]


def instant(at: datetime | None) -> str | None:
    """ISO 8601 in UTC with `Z`, to the second where there is no fraction."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def person_view(desk: Desk, person: str | None) -> View | None:
    if person is None:
        return None
    try:
        return {"id": person, "name": desk.district.person(person).name}
    except DomainError:
        return {"id": person, "name": None}


def unit_view(desk: Desk, unit: str | None) -> View | None:
    if unit is None:
        return None
    try:
        return {"id": unit, "name": desk.district.unit(unit).name}
    except DomainError:
        return {"id": unit, "name": None}


def demand_view(desk: Desk, d: Demand, actor: Actor) -> View:
    """The answer of every route that shows one demand."""
    place = d.place
    category = desk.district.category(d.category)
    return {
        "number": d.number,
        "stage": d.stage,
        "category": {"code": d.category, "name": category.name},
        "service": None if d.terms.service is None else d.terms.service.model_dump(),
        "community": place.community if place else None,
        "grid": place.grid if place else None,
        "compound": place.compound if place else None,
        "holder": person_view(desk, d.holder),
        "unit": unit_view(desk, d.unit),
        "co_tasks": [{"unit": unit_view(desk, t.unit), "required": t.required, "state": t.state} for t in d.co_tasks],
        "meeting": d.meeting,
        "due_at": instant(d.due_at),
        "breached": d.breached,
        "paused": d.info_reason,
        "outcome": d.outcome,
        "redos": d.redos,
        "evidence": d.terms.evidence,
        "primary": d.primary,
        "handled_with": None,
        "followers": len(d.followers),
        "proposed_by": person_view(desk, d.proposed_by),
        "opened_at": instant(d.opened_at),
        "closed_at": instant(d.closed_at),
        "seq": d.seq,
        "clocks": {
            name: {
                "due_at": instant(c.due_at) if c.paused_at is None else None,
                "stopped_at": instant(c.stopped_at),
                "breached": c.breached,
            }
            for name, c in d.clocks.items()
        },
        "permitted": list(permitted(d, actor)),
    }
