"""Who calls: the `api_key` of Open311, in the query or the form, or a bearer token in its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import APIKey, APIKeyIn
from fastapi.security.base import SecurityBase

from api.auth import of_token
from api.open311.forms import read_form
from domain.actors import Actor
from domain.open311_faults import refused
from domain.scopes import Scope
from domain.vocabulary import Role
from service.open311_form import first

WRITES = frozenset({Scope.OPEN311_WRITE})
READS = frozenset({Scope.OPEN311_WRITE, Scope.DEMANDS_READ})
"""Of each, one is enough: to send requests and updates; to poll updates and read again what was sent."""


@dataclass(frozen=True)
class Keyed:
    """Whom a key speaks for, and what it is for."""

    actor: Actor
    scopes: frozenset[Scope]

    @property
    def reads(self) -> bool:
        return not READS.isdisjoint(self.scopes)


async def client_of(request: Request, key: str) -> Keyed | None:
    """The one place that knows what a key is; None for one that is not valid. A development token of an integrator opens
    everything here, one of somebody else nothing."""
    found = await of_token(request, key)
    if found is None:
        return None
    actor = Actor(id=found.id, grants=found.grants)
    if found.scopes is not None:
        return Keyed(actor, found.scopes)
    return Keyed(actor, READS if actor.has(Role.INTEGRATOR) else frozenset())


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

    def __init__(self, scopes: frozenset[Scope]) -> None:
        self._scopes = scopes

    async def __call__(self, request: Request) -> Keyed:
        given = request.query_params.get("api_key")
        if request.method == "POST":
            request.state.fields = await read_form(request)
            given = first(request.state.fields, "api_key") or given
        key = _said(request, given)
        found = await client_of(request, key) if key else None
        if found is None:
            raise refused("403001")
        if self._scopes.isdisjoint(found.scopes):
            raise refused("403002")
        return found


reader, writer = _ApiKey(READS), _ApiKey(WRITES)

MaybeKeyed = Annotated[Keyed | None, Depends(optional)]
Reader = Annotated[Keyed, Depends(reader)]
Writer = Annotated[Keyed, Depends(writer)]
