"""Clocks over HTTP: which promise is about to break, who holds it, and why it is due then."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import Number
from api.needs import needs
from api.problems import prefers_english
from api.strict_json import StrictRoute
from domain.needs import Need
from service import clock_answers

router = APIRouter(prefix="/api/v1", tags=["clocks"], route_class=StrictRoute)


@router.get(
    "/demands/{number}/clocks",
    response_model=None,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}, "application/json": {}}}},
)
@needs(Need.SEE_DEMANDS)
async def list_demand_clocks(
    number: Number,
    caller: Caller,
    request: Request,
    explain: bool = False,
    format: Annotated[
        Literal["json", "text"] | None,
        Query(description="`text` is the explanation to read; `Accept` decides without it."),
    ] = None,
) -> dict[str, Any] | Response:
    """How each clock stands: due, used, kept or broken and by how much in its own time, and its ladder still ahead.

    With `explain` every step that made the due instant: the windows, holidays, pauses and extensions. A caller who is
    only a resident sees `accept`, `contact`, `resolve`, `follow_up` and `reopen`."""
    desk = request.app.state.desk
    if (format or _accepted(request)) == "json":
        return await clock_answers.clocks_view(desk, caller, number, explained=explain)
    english = prefers_english(request)
    text = await clock_answers.clocks_text(desk, caller, number, "en" if english else "zh")
    headers = {"Content-Language": "en" if english else "zh-CN", "Vary": "Accept, Accept-Language"}
    return Response(text, media_type="text/plain; charset=utf-8", headers=headers)


def _accepted(request: Request) -> Literal["json", "text"]:
    """Text for those who ask for it and for nothing that is JSON."""
    accept = request.headers.get("accept", "").lower()
    return "text" if "text/plain" in accept and "json" not in accept else "json"
