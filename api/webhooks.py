"""Webhooks over HTTP: made, changed, tested, turned off and on, their deliveries read and sent again."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.strict_json import StrictRoute
from api.versions import IfMatch, strong_tags
from domain.needs import Need
from domain.webhooks import DeliveryState
from service import webhooks
from service.repeats import Answered
from service.webhook_forms import WebhookAction, WebhookForm

router = APIRouter(prefix="/api/v1", tags=["webhooks"], route_class=StrictRoute)


def _is_id(text: str) -> str:
    if not re.fullmatch(r"wh-[0-9a-f]{16}", text, re.ASCII):
        raise problem("not_found")
    return text


def _is_delivery(text: str) -> str:
    if not re.fullmatch(r"[1-9][0-9]{0,17}", text, re.ASCII):
        raise problem("not_found")
    return text


WebhookId = Annotated[str, AfterValidator(_is_id)]
DeliveryId = Annotated[str, AfterValidator(_is_delivery)]
Subject = Annotated[str | None, Query(max_length=64, description="The number of a demand.")]


@router.post("/webhooks", status_code=201)
@needs(Need.MANAGE_WEBHOOKS)
async def create_webhook(
    form: WebhookForm, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Have events sent to a URL from now on. The answer holds the secret that signs them: keep it, it is shown once."""
    made = await webhooks.create(request.app.state.desk, caller, form, idempotency_key)
    return _answer(made, 201)


@router.get("/webhooks")
@needs(Need.MANAGE_WEBHOOKS)
async def list_webhooks(caller: Caller, request: Request) -> list[dict[str, Any]]:
    """One's own webhooks, oldest first; an administrator sees everybody's."""
    return await webhooks.listed(request.app.state.desk, caller)


@router.get("/webhooks/{id}")
@needs(Need.MANAGE_WEBHOOKS)
async def read_webhook(id: WebhookId, caller: Caller, request: Request, response: Response) -> dict[str, Any]:
    """One webhook, with how many deliveries wait or were given up, and who changed it when."""
    return _versioned(await webhooks.read(request.app.state.desk, caller, id), response)


@router.put("/webhooks/{id}")
@needs(Need.MANAGE_WEBHOOKS)
async def replace_webhook(
    id: WebhookId, form: WebhookForm, caller: Caller, request: Request, response: Response, if_match: IfMatch = None
) -> dict[str, Any]:
    """Replace its URL, description and choice. What waits goes to the new URL; the secret stays."""
    changed = await webhooks.change(request.app.state.desk, caller, id, form, strong_tags(if_match))
    return _versioned(changed, response)


@router.delete("/webhooks/{id}", status_code=204)
@needs(Need.MANAGE_WEBHOOKS)
async def delete_webhook(id: WebhookId, caller: Caller, request: Request) -> None:
    """Delete it, with what waits for it and its log."""
    await webhooks.delete(request.app.state.desk, caller, id)


@router.post("/webhooks/{id}/actions")
@needs(Need.MANAGE_WEBHOOKS)
async def act_on_webhook(
    id: WebhookId, form: WebhookAction, caller: Caller, request: Request, idempotency_key: IdempotencyKey = None
) -> Response:
    """Enable, disable, rotate its secret, send a test, or send again: one delivery, all that failed, a span."""
    done = await webhooks.act(request.app.state.desk, caller, id, form, idempotency_key)
    return _answer(done, 200)


@router.get("/webhooks/{id}/deliveries")
@needs(Need.MANAGE_WEBHOOKS)
async def list_webhook_deliveries(
    id: WebhookId,
    caller: Caller,
    request: Request,
    response: Response,
    page: PageAsked,
    state: DeliveryState | None = None,
    subject: Subject = None,
) -> list[dict[str, Any]]:
    """What was sent or will be, newest first, each with its tries."""
    before = int(str(page.after[0])) if page.after else None
    found = await webhooks.deliveries(
        request.app.state.desk, caller, id, state=state, subject=subject, before=before, limit=page.limit + 1
    )
    if len(found) > page.limit:
        page.link_next(response, [found[page.limit - 1]["id"]])
    return found[: page.limit]


@router.get("/webhooks/{id}/deliveries/{delivery}")
@needs(Need.MANAGE_WEBHOOKS)
async def read_webhook_delivery(
    id: WebhookId, delivery: DeliveryId, caller: Caller, request: Request
) -> dict[str, Any]:
    """One delivery with its body."""
    return await webhooks.one_delivery(request.app.state.desk, caller, id, int(delivery))


def _versioned(view: dict[str, Any], response: Response) -> dict[str, Any]:
    response.headers["ETag"] = f'"{view["changed_at"]}"'
    return view


def _answer(taken: Answered, status: int) -> Response:
    headers = {"Cache-Control": "no-store"}
    if status == 201:
        headers["Location"] = f"/api/v1/webhooks/{taken.id}"
    if taken.repeated:
        headers["Idempotency-Replayed"] = "true"
    return Response(taken.body, status_code=status, headers=headers, media_type="application/json")
