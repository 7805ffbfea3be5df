"""What an integrator plugs in: API keys and webhooks, with the log of what was sent."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from domain.needs import Need
from domain.outgoing import OUTGOING
from domain.scopes import Scope
from service import api_keys, webhooks
from web.page import Known, PageRoute, desk_of, page, render

router = APIRouter(route_class=PageRoute, include_in_schema=False)

MOST_KEYS = 200
PAGE = 50
_TYPES = sorted({one.type for one in OUTGOING.values()})


@router.get("/keys")
@page(Need.MANAGE_KEYS)
async def keys(request: Request, visitor: Known) -> Response:
    """One's own keys; an administrator's page shows everybody's."""
    desk = desk_of(request)
    found = await api_keys.listed(desk, visitor.staff, owner=None, before=None, limit=MOST_KEYS)
    views = [api_keys.view(desk, one) for one in found]
    return render(request, visitor, "integration/keys.html", tab="keys", keys=views, scopes=list(Scope))


@router.get("/webhooks")
@page(Need.MANAGE_WEBHOOKS)
async def hooks(request: Request, visitor: Known) -> Response:
    desk = desk_of(request)
    found = await webhooks.listed(desk, visitor.staff)
    return render(
        request, visitor, "integration/webhooks.html", tab="webhooks", hooks=found, types=_TYPES,
        communities=desk.district.communities,
    )  # fmt: skip


@router.get("/webhooks/{id}")
@page(Need.MANAGE_WEBHOOKS)
async def hook(
    request: Request, visitor: Known, id: str, state: str | None = None, before: int | None = None
) -> Response:
    """One webhook with the log of its deliveries, newest first."""
    desk = desk_of(request)
    one = await webhooks.read(desk, visitor.staff, id)
    log = await webhooks.deliveries(
        desk, visitor.staff, id, state=state or None, subject=None, before=before, limit=PAGE + 1
    )
    more = log[PAGE - 1]["id"] if len(log) > PAGE else None
    return render(
        request, visitor, "integration/webhook.html", tab="webhooks", hook=one, log=log[:PAGE], more=more, state=state
    )
