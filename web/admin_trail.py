"""Who changed what, and the messages that are on their way or were given up."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response

from domain import roles
from domain.delivery import Reason
from domain.errors import DomainError
from domain.needs import Need
from domain.notice_rules import VIAS
from service import admin_trail, deliveries
from store.delivery_lists import OPEN, Key, Wanted
from web.admin_frame import shown
from web.page import Known, PageRoute, desk_of, page

router = APIRouter(prefix="/admin", route_class=PageRoute, include_in_schema=False)

PAGE = 50
STATES = (*OPEN, "dead")


@router.get("/changes")
@page(Need.SEE_CHANGES)
async def changes(
    request: Request, visitor: Known, kind: str | None = None, key: str | None = None, after: str | None = None
) -> Response:
    desk = desk_of(request)
    found = await admin_trail.changes(
        desk, visitor.staff, kind=kind or None, key=(key or "").strip() or None, after=_after(after), limit=PAGE + 1
    )
    more = None
    if len(found) > PAGE:
        at, ref = found[PAGE - 1][1]
        more = f"{at.isoformat()}~{ref}"
    return shown(
        request, visitor, "changes.html", "changes", changes=[view for view, _ in found[:PAGE]], more=more, kind=kind,
        key=key, kinds=admin_trail.KINDS,
    )  # fmt: skip


def _after(text: str | None) -> tuple[datetime, str] | None:
    if not text:
        return None
    at, _, ref = text.partition("~")
    try:
        return datetime.fromisoformat(at), ref
    except ValueError:
        raise DomainError("invalid_filter", "Start from the first page.") from None


@router.get("/deliveries")
@page(Need.SEE_DELIVERIES)
async def show_deliveries(
    request: Request, visitor: Known, state: str | None = None, channel: str | None = None, number: str | None = None,
    reason: str | None = None, after: str | None = None,
) -> Response:  # fmt: skip
    desk, actor = desk_of(request), visitor.staff
    wanted = Wanted(
        states=(state,) if state in STATES else STATES, channel=channel if channel in VIAS else None,
        number=(number or "").strip() or None, lane=None, reason=reason if reason in set(Reason) else None,
    )  # fmt: skip
    found = await deliveries.listed(desk, actor, wanted, after=_key(after), limit=PAGE + 1)
    more = None if len(found) <= PAGE else "~".join(str(part) for part in found[PAGE - 1][1])
    return shown(
        request, visitor, "deliveries.html", "deliveries", summary=await deliveries.summary(desk, actor), more=more,
        channels=await deliveries.channels(desk, actor), found=[view for view, _ in found[:PAGE]], wanted=wanted,
        states=STATES, state=state if state in STATES else None, vias=VIAS, reasons=list(Reason),
        replays=roles.may(actor, Need.REPLAY_DELIVERIES),
    )  # fmt: skip


def _key(text: str | None) -> Key | None:
    if not text:
        return None
    position, _, id = text.partition("~")
    if not (position.isdecimal() and id.isdecimal()):
        raise DomainError("invalid_filter", "Start from the first page.")
    return int(position), int(id)
