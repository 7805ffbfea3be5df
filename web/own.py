"""What is one's own: notices, how one is reached, sessions and password."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from domain.errors import DomainError
from domain.needs import Need
from service import notices
from service.sign_in_views import me as me_view
from service.sign_in_views import sessions_of
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = 30


@router.get("/inbox")
@page(Need.OWN_INBOX)
async def inbox(request: Request, visitor: Known, after: str | None = None) -> Response:
    """What one was told: the unread first, the newest of each first."""
    desk = desk_of(request)
    found = await notices.inbox(desk, visitor.staff, after=_after(after), limit=PAGE + 1)
    shown = found[:PAGE]
    last = shown[-1] if len(found) > PAGE else None
    more = f"{'read' if last['read_at'] else 'unread'}~{last['id']}" if last else None
    unread = await notices.unread(desk, visitor.staff)
    return render(request, visitor, "own/inbox.html", notices=shown, more=more, unread=unread)


def _after(text: str | None) -> notices.After | None:
    if text is None:
        return None
    shelf, _, id = text.partition("~")
    if shelf not in ("read", "unread") or not id.isdecimal():
        raise DomainError("invalid_filter", "Start from the first page.")
    return cast("notices.After", (shelf, int(id)))


@router.get("/me")
@page(Need.BE_KNOWN)
async def me(request: Request, visitor: Known) -> Response:
    """Language, light and letters; how one is reached; where one is signed in; one's password."""
    desk, actor = desk_of(request), visitor.staff
    session = getattr(actor, "session", None)
    return render(
        request, visitor, "own/me.html", mine=await me_view(desk, actor, session),
        sessions=await sessions_of(desk, actor.id, session) if session else [],
        contacts=await notices.my_contacts(desk, actor) if visitor.may(Need.OWN_CONTACTS) else None,
    )  # fmt: skip
