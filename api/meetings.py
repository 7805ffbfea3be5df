"""Joint meetings over HTTP: agendas, minutes, decisions."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request

from api.auth import Caller
from api.demands import IdempotencyKey
from api.strict_json import StrictRoute
from service import meetings
from service.forms import DecisionForm
from service.views import demand_view

router = APIRouter(prefix="/api/v1/meetings", tags=["meetings"], route_class=StrictRoute)


@router.get("")
async def list_meetings(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """The communities' joint meetings and the subdistrict committee."""
    return await meetings.meetings(request.app.state.desk)


@router.get("/{meeting}/agenda")
async def read_agenda(meeting: str, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """What waits for a decision, longest waiting first."""
    return await meetings.agenda(request.app.state.desk, caller, meeting, ended=False)


@router.get("/{meeting}/minutes")
async def read_minutes(meeting: str, caller: Caller, request: Request) -> list[dict[str, Any]]:
    """What was decided, newest first."""
    return await meetings.agenda(request.app.state.desk, caller, meeting, ended=True)


@router.post("/{meeting}/decisions")
async def decide_item(
    meeting: str, form: DecisionForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Decide one item; answers with the demand as the decision left it."""
    desk = request.app.state.desk
    demand = await meetings.decide(desk, caller, meeting, form, idempotency_key)
    return demand_view(desk, demand, caller)
