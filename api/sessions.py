"""Sessions of joint meetings over HTTP: convening, attendance, minutes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from service import minutes, sessions
from service.meeting_views import session_view
from service.session_forms import ConveneForm, SessionForm

router = APIRouter(prefix="/api/v1/meetings/{meeting}/sessions", tags=["meetings"], route_class=StrictRoute)


@router.get("")
@needs(Need.SEE_AGENDAS)
async def list_sessions(
    meeting: str, caller: Caller, request: Request, page: PageAsked, response: Response
) -> list[dict[str, Any]]:
    """Every session of a meeting, the newest first: called, open and closed ones."""
    desk = request.app.state.desk
    after: Any = page.after
    found = await sessions.listed(desk, caller, meeting, after=after, limit=page.limit + 1)
    if len(found) > page.limit:
        last = found[page.limit - 1]
        page.link_next(response, (last.called_at, last.id))
    return [session_view(desk, meeting, one) for one in found[: page.limit]]


@router.post("", status_code=201)
@needs(Need.CONVENE)
async def convene_session(
    meeting: str, form: ConveneForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """An extra session, or a whistle 吹哨: an urgent call for named units."""
    desk = request.app.state.desk
    return session_view(desk, meeting, await sessions.convene(desk, caller, meeting, form, idempotency_key))


@router.get("/{session}")
@needs(Need.SEE_AGENDAS)
async def read_session(meeting: str, session: str, caller: Caller, request: Request) -> dict[str, Any]:
    """One session: who chairs it and why, who is there, what it decided and what rolled over."""
    desk = request.app.state.desk
    return session_view(desk, meeting, await sessions.find(desk, caller, meeting, session))


@router.post("/{session}/actions")
@needs(Need.ACT_ON_SESSION)
async def act_on_session(
    meeting: str, session: str, form: SessionForm, caller: Caller, request: Request,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:  # fmt: skip
    """Open it, attend it or arrive at it, let a late item in, close it; answers with the session as it is then."""
    desk = request.app.state.desk
    return session_view(desk, meeting, await sessions.act(desk, caller, meeting, session, form, idempotency_key))


@router.get("/{session}/minutes", response_model=None)
@needs(Need.SEE_AGENDAS)
async def read_session_minutes(
    meeting: str, session: str, caller: Caller, request: Request,
    format: Annotated[Literal["markdown", "json"], Query(description="A page to read, or the same as data.")] = "json",
) -> Response | dict[str, Any]:  # fmt: skip
    """会议纪要: chair, attendance, quorum, each decision, the rulings, and what rolled over."""
    desk = request.app.state.desk
    taken = await minutes.taken(desk, caller, meeting, session)
    if format == "json":
        return taken
    return Response(minutes.as_markdown(taken), media_type="text/markdown; charset=utf-8")
