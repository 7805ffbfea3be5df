"""Who is calling: a session's cookie, an API key or a development token, turned into a person with grants.

    Authorization: Bearer dev_…    development token; checked without the database
    Authorization: Bearer linli_…  API key; the owner, narrowed to its scopes
    Cookie: __Host-linli=…         session; unsafe methods only from a page of ours, and only of the person `Linli-Person` names

What was looked up is remembered for a few seconds, so a session or key that another process revokes is refused at most
`REMEMBERED_SECONDS` later; the process that revokes forgets at once. Where a request carries an Authorization header, that
alone counts. Whatever is wrong, the answer is the same `unauthenticated`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from hashlib import sha256
from time import monotonic
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, Protocol

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBearer as BearerModel
from fastapi.security.base import SecurityBase

from api import cookies
from api.cross_site import refuse_cross_site
from api.problems import problem
from domain.actors import Actor, Grant
from domain.errors import DomainError
from domain.scopes import Scope
from domain.vocabulary import Role
from service.tokens import person_of

if TYPE_CHECKING:
    from service.credentials import Found

REMEMBERED_SECONDS = 4.0

MEANT = "linli-person"
"""Header in which a page says for whom it sends. What a phone kept of one person never goes out in the session of another."""

_RESIDENT = re.compile(r"resident-\d{4,12}")
_MAX_REMEMBERED = 4_096
_MAX_TOKEN = 256
_KNOWN = "linli.caller"


class Principal(Actor):
    """The person who acts, and by what. The domain knows the same person as `Actor`.

    `scopes` is None where nothing narrows what the person may. `session` and `key` are the ids of what was presented.
    """

    scopes: frozenset[Scope] | None = None
    session: str | None = None
    key: str | None = None


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


class _Remembered(NamedTuple):
    principal: Principal | None
    until: float


class Principals:
    """What was checked already. Emptied when the district is replaced, so that changed grants take effect at once."""

    def __init__(self, secret: str | None) -> None:
        self._secret = secret
        self._people: People | None = None
        self._known: dict[str, Principal] = {}
        self._looked_up: dict[bytes, _Remembered] = {}
        self._looking: dict[bytes, asyncio.Task[Principal | None]] = {}

    def find(self, token: str, people: People) -> Principal | None:
        """Whom a development token speaks for."""
        if people is not self._people or len(self._known) >= _MAX_REMEMBERED:
            self._start_anew(people)
        found = self._known.get(token)
        if found is None:
            found = self._check(token, people)
            if found is not None:
                self._known[token] = found
        return found

    async def look_up(
        self, token: str, desk: Any, ask: Callable[[Any, str], Awaitable[Found | None]]
    ) -> Principal | None:
        """Whom a session or key stands for; `ask` is the look-up in the database, made once for all who wait for it."""
        if desk.district is not self._people or len(self._looked_up) >= _MAX_REMEMBERED:
            self._start_anew(desk.district)
        # A key in a cookie is no session, also while the key is remembered.
        mark = sha256(f"{ask.__name__}\n{token}".encode(errors="replace")).digest()
        remembered = self._looked_up.get(mark)
        if remembered is not None and monotonic() < remembered.until:
            return remembered.principal
        task = self._looking.get(mark)
        if task is None:
            task = self._looking[mark] = asyncio.create_task(self._ask(mark, token, desk, ask))
            task.add_done_callback(lambda _: self._looking.pop(mark, None))
        return await asyncio.shield(task)

    def forget(self) -> None:
        """Look everything up anew: something was revoked here."""
        self._looked_up = {}
        self._looking = {}

    async def _ask(
        self, mark: bytes, token: str, desk: Any, ask: Callable[[Any, str], Awaitable[Found | None]]
    ) -> Principal | None:
        asked_at, memory, people = monotonic(), self._looked_up, desk.district
        found = await ask(desk, token)
        principal = None if found is None else _principal(found, people)
        if principal is None or found is None:
            return None  # not remembered: what nobody knows may be made in the next moment
        left = (found.expires_at - desk.now()).total_seconds()
        memory[mark] = _Remembered(principal, asked_at + min(REMEMBERED_SECONDS, left))
        return principal

    def _start_anew(self, people: People) -> None:
        self._people, self._known = people, {}
        self.forget()

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


def _principal(found: Found, people: People) -> Principal | None:
    try:
        person = people.person(found.person)
    except DomainError:
        return None
    grants = tuple(person.grants)
    return Principal(id=person.id, grants=grants, scopes=found.scopes, session=found.session, key=found.key)


async def of_token(request: Request, token: str) -> Principal | None:
    """Whom a development token or an API key speaks for, wherever in the request it stood; None for any other text.

    Whether the key's scopes open a route is asked by `api/needs.py`.
    """
    state = request.app.state
    found: Principal | None = state.principals.find(token, state.desk.district)
    if found is None and token.startswith("linli_") and len(token) <= _MAX_TOKEN:
        from service.credentials import by_key  # brings the database's driver, which the plumbing does without

        found = await state.principals.look_up(token, state.desk, by_key)
    return found


async def of_cookie(request: Request) -> Principal | None:
    """Whose session the cookie holds; None where there is no good one. Raises DomainError `cross_site`."""
    token = cookies.read(request, cookies.SESSION)
    if not token or len(token) > _MAX_TOKEN:
        return None
    from service.credentials import by_session

    found: Principal | None = await request.app.state.principals.look_up(token, request.app.state.desk, by_session)
    if found is not None:
        refuse_cross_site(request)
        if request.headers.get(MEANT, found.id) != found.id:
            return None
    return found


def is_proven(scope: Mapping[str, Any]) -> bool:
    """Whether the request has been found to come from somebody: by key, token or session, or through the door by a link."""
    return _KNOWN in scope or "entered" in scope.get("state", ())


class _Bearer(SecurityBase):
    """The dependency itself; being a SecurityBase, it also stands in the OpenAPI document."""

    scheme_name = "bearer"
    model = BearerModel(description="An API key `linli_<prefix>_<secret>`, or a development token. Pages use a cookie.")

    async def __call__(self, request: Request) -> Principal:
        """Asked once for a request: by the route, which judges the role, and again by whatever names the caller."""
        known: Principal | None = request.scope.get(_KNOWN)
        if known is None:
            known = request.scope[_KNOWN] = await self._found(request)
        return known

    async def still(self, request: Request, caller: Principal) -> bool:
        """Whether what was presented stands for the same person with the same rights as when an endless answer began."""
        try:
            return await self._found(request) == caller
        except DomainError:
            return False

    async def _found(self, request: Request) -> Principal:
        given = [value for name, value in request.scope["headers"] if name == b"authorization"]
        if not given:
            found = await of_cookie(request)
        elif len(given) > 1:
            raise problem("unauthenticated")
        else:
            scheme, _, token = given[0].decode("latin-1").partition(" ")
            if scheme.lower() != "bearer" or not token:
                raise problem("unauthenticated")
            found = await of_token(request, token.strip())
        if found is None:
            raise problem("unauthenticated", "The token is not valid here.") if given else problem("unauthenticated")
        return found


principal = _Bearer()

# What a route writes: `async def accept(caller: Caller, …)`.
Caller = Annotated[Principal, Depends(principal)]
