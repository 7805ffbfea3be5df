"""Joint meetings over HTTP: agendas, minutes, decisions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from service import meetings
from service.forms import DecisionForm
from service.views import demand_view

router = APIRouter(prefix="/api/v1/meetings", tags=["meetings"], route_class=StrictRoute)


@router.get("")
@needs(Need.SEE_MEETINGS)
async def list_meetings(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The communities' joint meetings and the subdistrict committee: how they sit, who chairs now, what comes next."""
    return await meetings.meetings(request.app.state.desk, caller)


@router.get("/{meeting}")
@needs(Need.SEE_MEETINGS)
async def read_meeting(meeting: str, caller: Caller, request: Request) -> dict[str, Any]:
    """One of them."""
    return await meetings.meeting(request.app.state.desk, caller, meeting)


@router.get("/{meeting}/agenda")
@needs(Need.SEE_AGENDAS)
async def read_agenda(
    meeting: str, caller: Caller, request: Request, page: PageAsked, response: Response
) -> list[dict[str, Any]]:
    """What waits for a decision: the hottest first, of equal heat what waits longest."""
    desk = request.app.state.desk
    key: Any = page.after or (desk.now(),)
    at = key[0]  # the heat grows by itself: every page is of the instant of the first one
    found = await meetings.agenda(desk, caller, meeting, at=at, after=key[1:] or None, limit=page.limit + 1)
    if len(found) > page.limit:
        page.link_next(response, (at, *found[page.limit - 1][0]))
    return [view for _, view in found[: page.limit]]


@router.get("/{meeting}/minutes")
@needs(Need.SEE_AGENDAS)
async def read_minutes(
    meeting: str, caller: Caller, request: Request, page: PageAsked, response: Response
) -> list[dict[str, Any]]:
    """What was decided or taken off, newest first."""
    after: Any = page.after
    found = await meetings.minutes(request.app.state.desk, caller, meeting, after=after, limit=page.limit + 1)
    if len(found) > page.limit:
        ended_at, number = found[page.limit - 1][0]
        page.link_next(response, (ended_at, number))
    return [view for _, view in found[: page.limit]]


@router.post("/{meeting}/decisions")
@needs(Need.DECIDE_ITEM)
async def decide_item(
    meeting: str, form: DecisionForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Decide one item in the session that is open; answers with the demand as the decision left it."""
    desk = request.app.state.desk
    demand = await meetings.decide(desk, caller, meeting, form, idempotency_key)
    return demand_view(desk, demand, caller)
