"""Keys of integrators over HTTP. The secret stands in one answer, once."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import AfterValidator

from api.auth import Caller
from api.demands import Code, IdempotencyKey
from api.needs import needs
from api.paging import PageAsked
from api.problems import problem
from api.sign_in import desk_of
from api.strict_json import StrictRoute
from domain.needs import Need
from service import api_keys
from service.api_keys import KeyForm, Made, RotateForm

router = APIRouter(prefix="/api/v1/api-keys", tags=["identity"], route_class=StrictRoute)


def _is_key_id(text: str) -> str:
    if not re.fullmatch(r"[a-z2-7]{12}", text):
        raise problem("not_found")
    return text


KeyId = Annotated[str, AfterValidator(_is_key_id)]


def _told(request: Request, response: Response, made: Made) -> dict[str, Any]:
    response.headers["Cache-Control"] = "no-store"
    if made.secret is None:
        response.headers["Idempotency-Replayed"] = "true"
    return {**api_keys.view(desk_of(request), made.key), "secret": made.secret}


@router.post("", status_code=201)
@needs(Need.MANAGE_KEYS)
async def make_api_key(
    form: KeyForm, caller: Caller, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """A new key. `secret` is told in this answer only: a repetition under the same Idempotency-Key has it null."""
    return _told(request, response, await api_keys.create(desk_of(request), caller, form, idempotency_key))


@router.get("")
@needs(Need.MANAGE_KEYS)
async def list_api_keys(
    caller: Caller, request: Request, response: Response, page: PageAsked, owner: Code = None
) -> list[dict[str, Any]]:
    """An integrator's own, an administrator's everybody's; newest first, those that are over too."""
    desk = desk_of(request)
    after = None if page.after is None else (_instant(page.after[0]), str(page.after[1]))
    found = await api_keys.listed(desk, caller, owner=owner, before=after, limit=page.limit + 1)
    if len(found) > page.limit:
        last = found[page.limit - 1]
        page.link_next(response, [last.created_at, last.id])
    return [api_keys.view(desk, one) for one in found[: page.limit]]


@router.post("/{id}/rotate", status_code=201)
@needs(Need.MANAGE_KEYS)
async def rotate_api_key(
    id: KeyId, form: RotateForm, caller: Caller, request: Request, response: Response,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:  # fmt: skip
    """A new key with the same owner and scopes. The old one goes on for `overlap_hours`, then ends."""
    made = await api_keys.rotate(desk_of(request), caller, id, form, idempotency_key)
    request.app.state.principals.forget()
    return _told(request, response, made)


@router.delete("/{id}")
@needs(Need.MANAGE_KEYS)
async def revoke_api_key(id: KeyId, caller: Caller, request: Request) -> dict[str, Any]:
    """At once here, within five seconds in every other process."""
    desk = desk_of(request)
    ended = await api_keys.end(desk, caller, id)
    request.app.state.principals.forget()
    return api_keys.view(desk, ended)


def _instant(value: object) -> datetime:
    assert isinstance(value, datetime)
    return value
