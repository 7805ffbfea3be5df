"""Who is calling: `Authorization: Bearer …` turned into a person with grants."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase

from api.problems import problem
from domain.actors import Actor, Grant
from domain.errors import DomainError
from domain.vocabulary import Role
from service.tokens import person_of

# The person who acts. The domain knows the same person as `Actor`.
Principal = Actor

_RESIDENT = re.compile(r"resident-\d{4,12}")
_MAX_REMEMBERED = 4_096


class Person(Protocol):
    """What the caller's entry in the district must offer."""

    @property
    def id(self) -> str: ...
    @property
    def grants(self) -> Sequence[Grant]: ...


class People(Protocol):
    """The district, as far as this module asks it."""

    def person(self, person_id: str, /) -> Person:
        """Raises DomainError for an id it does not know."""
        ...


class Principals:
    """Tokens already checked. Emptied when the district is replaced, so that changed grants take effect at once."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret
        self._people: People | None = None
        self._known: dict[str, Principal] = {}

    def find(self, token: str, people: People) -> Principal | None:
        if people is not self._people or len(self._known) >= _MAX_REMEMBERED:
            self._people, self._known = people, {}
        found = self._known.get(token)
        if found is None:
            found = self._check(token, people)
            if found is not None:
                self._known[token] = found
        return found

    def _check(self, token: str, people: People) -> Principal | None:
        person_id = person_of(self._secret, token) if self._secret else None
        if person_id is None:
            return None
        if _RESIDENT.fullmatch(person_id):
            return Principal(id=person_id, grants=(Grant(role=Role.RESIDENT),))
        try:
            person = people.person(person_id)
        except DomainError:  # somebody who has left: the signature is good, the person is not known any more
            return None
        return Principal(id=person.id, grants=tuple(person.grants))


class _Bearer(SecurityBase):
    """The dependency itself; being a SecurityBase, it also stands in the OpenAPI document."""

    scheme_name = "bearer"
    model = BearerModel(description="A development token: `dev_<person>_<signature>`.")

    async def __call__(self, request: Request) -> Principal:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise problem("unauthenticated")
        state = request.app.state
        found: Principal | None = state.principals.find(token.strip(), state.desk.district)
        if found is None:
            raise problem("unauthenticated", "The token is not valid here.")
        return found


principal = _Bearer()

# What a route writes: `async def accept(caller: Caller, …)`.
Caller = Annotated[Principal, Depends(principal)]
