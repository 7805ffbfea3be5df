"""Joint meetings: which there are, what waits for them, the room in which one sits, and its minutes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.session import Session, SessionKind, SessionState
from service import meeting_room, meetings, minutes, rulings, sessions
from service.desk import Desk
from service.meeting_views import session_view
from service.places import local_date
from service.views import View
from store.rulings import Wanted
from web.meeting_item import item
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(prefix="/meetings", route_class=PageRoute, include_in_schema=False)

RECENT, PAST, MOST_RULINGS = 4, 30, 50


@router.get("")
@page(Need.SEE_AGENDAS)
async def all_meetings(request: Request, visitor: Known) -> Response:
    """Those that the visitor belongs to, then the others: when each sits next, who chairs it, what is open."""
    desk, actor = desk_of(request), visitor.staff
    found = await meetings.meetings(desk, actor)
    shown = [
        {
            **one,
            "mine": meeting_room.is_member(desk, actor, one["id"]),
            "convenes": meeting_room.convenes(desk, actor, one["id"]),
            "past": await _past(desk, actor, one["id"], RECENT),
        }
        for one in found
    ]
    return render(
        request, visitor, "meetings/meetings.html", mine=[one for one in shown if one["mine"]],
        others=[one for one in shown if not one["mine"]],
    )  # fmt: skip


async def _past(desk: Desk, actor: Actor, meeting: str, limit: int) -> list[View]:
    """Sessions that have ended, newest first."""
    found = await sessions.listed(desk, actor, meeting, after=None, limit=limit + 4)
    ended = [one for one in found if one.state is SessionState.CLOSED]
    return [session_view(desk, meeting, one) for one in ended[:limit]]


@router.get("/{meeting}")
@page(Need.SEE_AGENDAS)
async def one_meeting(
    request: Request, visitor: Known, meeting: str, convene: Literal["extra", "whistle"] | None = None
) -> Response:
    """Its agenda by heat, the standing decisions it made, what it put aside, and its sessions. `convene` opens the form."""
    desk, actor = desk_of(request), visitor.staff
    found = await meetings.meeting(desk, actor, meeting)
    ahead = await _ahead(desk, actor, meeting)
    coming = next((one for one in ahead if one.kind is not SessionKind.WHISTLE), None)
    in_force = await _rulings(desk, actor, meeting)
    return render(
        request, visitor, "meetings/meeting.html", m=found, convene=convene,
        agenda=await meeting_room.agenda(desk, actor, meeting, coming),
        resting=await meeting_room.resting(desk, actor, meeting), rulings=in_force,
        ahead=[session_view(desk, meeting, one) for one in ahead], past=await _past(desk, actor, meeting, PAST),
        convenes=meeting_room.convenes(desk, actor, meeting),
        may_end=roles.may(actor, Need.END_RULING, community=None if meeting == desk.district.id else meeting),
        units=_units(desk, meeting), today=_day(desk, 0),
    )  # fmt: skip


async def _ahead(desk: Desk, actor: Actor, meeting: str) -> list[Session]:
    """Called and open ones, the open one first, then the earliest."""
    found = await sessions.listed(desk, actor, meeting, after=None, limit=PAST)
    coming = [one for one in found if one.state is not SessionState.CLOSED]
    return sorted(coming, key=lambda one: (one.state is not SessionState.OPEN, one.starts_at, one.id))


async def _rulings(desk: Desk, actor: Actor, meeting: str) -> list[View] | None:
    """Those that this meeting made; None for whom routing is not."""
    if not roles.may(actor, Need.SEE_RULES):
        return None
    of = Wanted(None if meeting == desk.district.id else meeting, None, None)
    found = await rulings.listed(desk, actor, of, in_force=True, after=None, limit=MOST_RULINGS)
    return [one for one in found if one["meeting"]["id"] == meeting]


def _units(desk: Desk, meeting: str) -> list[dict[str, str]]:
    """Who can be given work, or be called, by this meeting."""
    d = desk.district
    found = d.units if meeting == d.id else d.units_of(meeting)
    return [{"id": one.id, "name": one.name, "kind": one.kind} for one in found if one.retired is None]


def _day(desk: Desk, ahead: int) -> date:
    return local_date(desk.now(), desk.district) + timedelta(days=ahead)


# ---- the room


@router.get("/{meeting}/room/{session}")
@page(Need.SEE_AGENDAS)
async def room(
    request: Request,
    visitor: Known,
    meeting: str,
    session: str,
    item_number: Annotated[str | None, Query(alias="item", max_length=40)] = None,
    part: Literal["item", "side"] | None = None,
) -> Response:
    """The room: one item at a time, with attendance and minutes beside it. `part` gives a piece of it to the page itself."""
    desk, actor = desk_of(request), visitor.staff
    found = await sessions.find(desk, actor, meeting, session)
    lines = [] if found.state is SessionState.CLOSED else await meeting_room.agenda(desk, actor, meeting, found)
    own = [one for one in lines if not one["late"]]
    late = [one for one in lines if one["late"]]
    at = _at([*own, *late], item_number)
    may = meeting_room.permitted(desk, actor, meeting, found)
    context: dict[str, Any] = {
        "m": await meetings.meeting(desk, actor, meeting), "s": session_view(desk, meeting, found), "may": may,
        "own": own, "late": late, "at": at, "expected": meeting_room.members(desk, meeting, found),
    }  # fmt: skip
    if part != "item":
        context["taken"] = await minutes.taken(desk, actor, meeting, session)
    if part != "side":
        shown = at is not None and found.state is SessionState.OPEN
        context["item"] = await item(desk, actor, meeting, at, found) if at and shown else None
    if part is None:
        context["units"] = _units(desk, meeting)
        context["may_chair"] = meeting_room.may_chair(desk, meeting) if may["name_chair"] else []
        context["days"] = {n: _day(desk, n).isoformat() for n in (1, 3, 7, 15, 30, 90, 180)}
    names = {None: "meetings/room.html", "item": "meetings/room_item.html", "side": "meetings/room_side.html"}
    return render(request, visitor, names[part], **context)


def _at(lines: list[View], number: str | None) -> View | None:
    """The item asked for, else the first."""
    named = next((one for one in lines if one["number"] == number), None)
    return named or (lines[0] if lines else None)


@router.get("/{meeting}/minutes/{session}")
@page(Need.SEE_AGENDAS)
async def printed_minutes(request: Request, visitor: Known, meeting: str, session: str) -> Response:
    """会议纪要 to read and to print, with lines to sign."""
    desk, actor = desk_of(request), visitor.staff
    taken = await minutes.taken(desk, actor, meeting, session)
    if taken["session"]["state"] == "called":
        raise DomainError("not_found", "This session has not begun.")
    numbers = [one["number"] for one in [*taken["decisions"], *taken["rolled_over"]]]
    about = await meeting_room.abouts(desk, actor, numbers)
    return render(request, visitor, "meetings/minutes.html", taken=taken, s=taken["session"], about=about)
