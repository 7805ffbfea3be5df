"""Who comes through the door without an account: a link's token, or the session that number and code opened.

    Authorization: Link <token>       a link of a message, the part behind `#`
    Authorization: Resident <token>   a session
    Cookie: __Host-linli-resident=…   the same session; unsafe methods only from a page of ours

Each opens one demand. Nothing is remembered between requests: what is renewed or over is refused at once.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from fastapi.openapi.models import HTTPBase
from fastapi.security.base import SecurityBase

from api import cookies
from api.auth import principal
from api.cross_site import refuse_cross_site
from api.problems import problem
from api.sign_in import device_of
from domain.needs import Need
from service import resident_door
from service.resident_door import Entered

_MAX_TOKEN = 256
_SCHEMES = {"link": False, "resident": True}
"""By scheme, whether it is a session."""


class _ResidentDoor(SecurityBase):
    scheme_name = "link"
    model = HTTPBase(
        scheme="link",
        description="`Authorization: Link <token>` with the token of a message's link, or `Resident <token>` with that of "
        "a session (number and code). Pages use the session's cookie.",
    )

    async def __call__(self, request: Request) -> Entered:
        """Whom `api/needs.py` has let in before the request was read."""
        entered: Entered = request.state.entered
        return entered

    async def let_in(self, request: Request) -> Entered:
        """Raises DomainError `unauthenticated`, `not_permitted` for a good token of another door, `link_over`,
        `too_many_requests`, `cross_site`."""
        given = [value for name, value in request.scope["headers"] if name == b"authorization"]
        if len(given) > 1:
            raise problem("unauthenticated")
        scheme, token = _presented(given[0]) if given else ("resident", cookies.read(request, cookies.RESIDENT) or "")
        if scheme == "bearer":
            await principal(request)
            raise problem(
                "not_permitted", "A link or a code opens this, whoever else one is.", need=Need.BY_LINK, allowed=[]
            )
        session = _SCHEMES.get(scheme)
        if session is None or not token or len(token) > _MAX_TOKEN:
            raise problem("unauthenticated", "Open the link of a message, or sign in with number and code.")
        desk, address = request.app.state.desk, device_of(request).address
        found = await resident_door.by_token(desk, token, address, desk.now(), session=session)
        if not given:
            refuse_cross_site(request)
        return found


def _presented(header: bytes) -> tuple[str, str]:
    scheme, _, token = header.decode("latin-1").partition(" ")
    return scheme.lower(), token.strip()


door = _ResidentDoor()

# What a route writes: `async def answer(entered: LetIn, …)`.
LetIn = Annotated[Entered, Depends(door)]
