"""Notices over HTTP: the caller's inbox and contacts, and who was told what about a demand."""

from __future__ import annotations

from typing import Any, cast

from fastapi import APIRouter, Request, Response

from api.auth import Caller
from api.demands import Number
from api.needs import needs
from api.paging import PageAsked
from api.strict_json import StrictRoute
from domain.needs import Need
from service import notices
from service.notice_forms import ContactsForm, ReadForm

router = APIRouter(prefix="/api/v1", tags=["notices"], route_class=StrictRoute)


@router.get("/inbox")
@needs(Need.OWN_INBOX)
async def list_inbox(caller: Caller, request: Request, response: Response, page: PageAsked) -> list[dict[str, Any]]:
    """What the caller was told: the unread first, the newest of each first. `Unread-Count` says how many are unread."""
    desk = request.app.state.desk
    after = cast("notices.After | None", page.after)
    views = await notices.inbox(desk, caller, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        last = views[page.limit - 1]
        page.link_next(response, ["read" if last["read_at"] else "unread", last["id"]])
    response.headers["Unread-Count"] = str(await notices.unread(desk, caller))
    response.headers["Cache-Control"] = "no-store"
    return views[: page.limit]


@router.get("/inbox/count")
@needs(Need.OWN_INBOX)
async def count_inbox(caller: Caller, request: Request) -> dict[str, int]:
    """How many of the caller's notices are unread."""
    return {"unread": await notices.unread(request.app.state.desk, caller)}


@router.post("/inbox/read")
@needs(Need.OWN_INBOX)
async def mark_inbox_read(form: ReadForm, caller: Caller, request: Request) -> dict[str, Any]:
    """Mark some or all as read. Saying so again changes nothing, so it needs no Idempotency-Key."""
    return await notices.mark_read(request.app.state.desk, caller, form)


@router.get("/people/me/contacts")
@needs(Need.OWN_CONTACTS)
async def read_my_contacts(caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """How the caller is reached, and what the district has where nothing is said. `available` are the channels that are
    set up here."""
    response.headers["Cache-Control"] = "no-store"
    return await notices.my_contacts(request.app.state.desk, caller)


@router.put("/people/me/contacts")
@needs(Need.OWN_CONTACTS)
async def put_my_contacts(form: ContactsForm, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """Say all of it anew: addresses, language, quiet hours, whether to collect what is not urgent."""
    response.headers["Cache-Control"] = "no-store"
    return await notices.put_contacts(request.app.state.desk, caller, form)


@router.get("/demands/{number}/notices")
@needs(Need.SEE_DEMANDS)
async def list_demand_notices(
    number: Number, caller: Caller, request: Request, response: Response, page: PageAsked
) -> list[dict[str, Any]]:
    """Who was told what about it, through which channel, and what became of that; never an address. Oldest first."""
    after = int(str(page.after[0])) if page.after else 0
    views = await notices.of_demand(request.app.state.desk, caller, number, after=after, limit=page.limit + 1)
    if len(views) > page.limit:
        page.link_next(response, [views[page.limit - 1]["id"]])
    return views[: page.limit]
