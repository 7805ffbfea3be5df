"""The unit's desk: offers with the refusal window running, what is being handled, own resources, and what one could help with."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response

from domain.errors import DomainError
from domain.needs import Need
from domain.units import Unit
from service import lists, unit_desk
from web.page import Known, PageRoute, desk_of, page, render
from web.visitor import Visitor

router = APIRouter(prefix="/desk", route_class=PageRoute, include_in_schema=False)

REFUSALS = ("not_our_duty", "other_unit_responsible", "no_power", "no_resources")
PAGE = 50


def _unit(request: Request, visitor: Visitor, wanted: str | None) -> tuple[Unit, list[Unit]]:
    """The unit asked for, of those that one speaks for; the first where none is asked for. DomainError `not_found`."""
    units = unit_desk.units_of(desk_of(request), visitor.staff)
    chosen = next((u for u in units if wanted is None or u.id == wanted), None)
    if chosen is None:
        raise DomainError("not_found", "You speak for no such unit.")
    return chosen, units


@router.get("")
@page(Need.SEE_UNIT_MATCHES)
async def tasks(request: Request, visitor: Known, unit: str | None = None) -> Response:
    desk = desk_of(request)
    own, units = _unit(request, visitor, unit)
    found = await unit_desk.tasks_of(desk, visitor.staff, own.id)
    return render(
        request, visitor, "desk/tasks.html", unit=own, units=units, tab="tasks", refusals=REFUSALS,
        offered=[t for t in found if t.offered], leading=[t for t in found if not t.offered and t.part == "lead"],
        helping=[t for t in found if not t.offered and t.part == "co"],
        unit_name=lambda id: desk.district.unit(id).name, category_name=lambda code: desk.district.category(code).name,
        compound_name=lambda id: desk.district.compound(id).name if id else None,
        grid_name=lambda id: desk.district.grid(id).name if id else None,
    )  # fmt: skip


@router.get("/resources")
@page(Need.SEE_UNIT_MATCHES)
async def resources(request: Request, visitor: Known, unit: str | None = None) -> Response:
    desk = desk_of(request)
    own, units = _unit(request, visitor, unit)
    found = await lists.resources(desk, visitor.staff, community=None, unit=own.id, category=None, on=None)
    names = {c.code: c.name for c in (*desk.district.categories, *desk.district.category_groups)}
    return render(
        request, visitor, "desk/resources.html", unit=own, units=units, tab="resources", resources=found, names=names
    )


@router.get("/matches")
@page(Need.SEE_UNIT_MATCHES)
async def matches(request: Request, visitor: Known, unit: str | None = None, after: str | None = None) -> Response:
    desk = desk_of(request)
    own, units = _unit(request, visitor, unit)
    found = await lists.demands_for(desk, visitor.staff, own.id, after=_after(after), limit=PAGE + 1)
    more = f"{found[PAGE - 1]['due_at'] or ''}~{found[PAGE - 1]['number']}" if len(found) > PAGE else None
    return render(
        request, visitor, "desk/matches.html", unit=own, units=units, tab="matches", found=found[:PAGE], more=more,
        grid_name=lambda id: desk.district.grid(id).name if id else None,
    )  # fmt: skip


def _after(text: str | None) -> tuple[datetime | None, str] | None:
    if text is None:
        return None
    due, _, number = text.partition("~")
    try:
        return (datetime.fromisoformat(due) if due else None), number
    except ValueError:
        raise DomainError("invalid_filter", "Start from the first page.") from None
