"""To the city's identity provider and back: the browser is sent there, and comes back with a code that becomes a session."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response

from api import cookies
from api.needs import needs
from api.problems import problem
from api.sign_in import desk_of, device_of, give_session
from api.strict_json import StrictRoute
from domain.needs import Need

if TYPE_CHECKING:
    from gateways.oidc.provider import Provider
    from service.oidc import UnderWay

router = APIRouter(prefix="/api/v1/session/oidc", tags=["identity"], route_class=StrictRoute)

HOME = "/"
# A path of this installation: neither another host nor what a browser takes for one.
_OWN_PAGE = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")

Given = Annotated[str | None, Query(max_length=2_000)]


def provider_of(request: Request) -> Provider:
    """Made with the first sign-in and kept. Raises DomainError `not_found` where none is set."""
    state = request.app.state
    found: Provider | None = getattr(state, "identity_provider", None)
    if found is None:
        from service.oidc import provider_from

        found = state.identity_provider = provider_from(state.settings)
    if found is None:
        raise problem("not_found", "No identity provider is set here: LINLI_OIDC_ISSUER.")
    return found


@router.get("", status_code=303)
@needs(Need.PUBLIC, because="Whoever signs in is not known yet.")
async def begin_oidc(request: Request, to: Given = None) -> Response:
    """Go and sign in at the identity provider; `to` is the page of ours to come back to."""
    provider, desk = provider_of(request), desk_of(request)
    from service import oidc

    begun, sealed = await oidc.begin(desk, provider, own_page(to), desk.now())
    response = _redirect(begun.url)
    value = base64.urlsafe_b64encode(sealed).decode()
    cookies.write(request, response, cookies.OIDC, value, seconds=int(oidc.LASTS.total_seconds()))
    return response


@router.get("/callback", status_code=303)
@needs(Need.PUBLIC, because="The identity provider sends the browser back here.")
async def finish_oidc(
    request: Request, code: Given = None, state: Given = None, iss: Given = None, error: Given = None
) -> Response:
    """Where the identity provider sends the browser back to. Every refusal is the same `unauthenticated`."""
    provider, desk = provider_of(request), desk_of(request)
    from service import oidc

    kept = _under_way(request)
    own = kept is not None and state is not None and hmac.compare_digest(kept.state.encode(), state.encode())
    if kept is None or not own or code is None or error is not None or iss not in (None, provider.issuer):
        raise problem("unauthenticated", "This sign-in was not begun in this browser, or was given up. Begin again.")
    opened = await oidc.finish(
        desk, provider, kept, code, device_of(request), now=desk.now(),
        old_token=cookies.read(request, cookies.SESSION),
    )  # fmt: skip
    request.app.state.principals.forget()
    response = _redirect(kept.to)
    give_session(request, response, opened.token)
    cookies.remove(request, response, cookies.OIDC)
    return response


def own_page(to: str | None) -> str:
    return to if to is not None and _OWN_PAGE.fullmatch(to) else HOME


def _under_way(request: Request) -> UnderWay | None:
    from service import oidc

    value = cookies.read(request, cookies.OIDC)
    try:
        sealed = base64.urlsafe_b64decode(value or "")
    except (binascii.Error, ValueError):
        return None
    desk = desk_of(request)
    return oidc.under_way(desk, sealed, desk.now())


def _redirect(url: str) -> Response:
    """Neither the code in our address nor the page that was wanted goes on to anybody as a Referer."""
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(status_code=303, headers=headers)
