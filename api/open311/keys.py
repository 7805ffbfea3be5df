"""Who calls: the `api_key` of Open311, in the query or the form, or a bearer token in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase

from api.auth import Principal, of_token
from api.needs import must_open
from api.open311.forms import read_form
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.open311_faults import refused
from service.open311_form import first


@dataclass(frozen=True)
class Keyed:
    """Whom a key speaks for. A development token of an integrator opens what a key of theirs would."""

    caller: Principal

    @property
    def actor(self) -> Actor:
        return Actor(id=self.caller.id, grants=self.caller.grants)

    @property
    def reads(self) -> bool:
        return opens(self.caller, Need.FOLLOW_OPEN311)


async def client_of(request: Request, key: str) -> Keyed | None:
    """The one place that knows what a key is; None for one that is not valid."""
    found = await of_token(request, key)
    return None if found is None else Keyed(found)


def opens(caller: Principal, need: Need) -> bool:
    try:
        must_open(caller, need)
    except DomainError:
        return False
    return True


def _said(request: Request, given: str | None) -> str:
    if given:
        return given
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


async def optional(request: Request) -> Keyed | None:
    """For reading: a key is not needed, but one that is sent must be valid.

    Raises Refused.
    """
    key = _said(request, request.query_params.get("api_key"))
    if not key:
        return None
    found = await client_of(request, key)
    if found is None:
        raise refused("403001")
    return found


class _ApiKey(SecurityBase):
    """The dependency of what needs a key. A form is read here, because the key stands in it."""

    scheme_name = "open311"
    model = APIKey.model_validate({"in": APIKeyIn.query, "name": "api_key", "description": "Also as a form field."})

    def __init__(self, need: Need) -> None:
        self._need = need

    async def __call__(self, request: Request) -> Keyed:
        given = request.query_params.get("api_key")
        if request.method == "POST":
            request.state.fields = await read_form(request)
            given = first(request.state.fields, "api_key") or given
        key = _said(request, given)
        found = await client_of(request, key) if key else None
        if found is None:
            raise refused("403001")
        if not opens(found.caller, self._need):
            raise refused("403002")
        return found


reader, writer = _ApiKey(Need.FOLLOW_OPEN311), _ApiKey(Need.SEND_OPEN311)

MaybeKeyed = Annotated[Keyed | None, Depends(optional)]
Reader = Annotated[Keyed, Depends(reader)]
Writer = Annotated[Keyed, Depends(writer)]
