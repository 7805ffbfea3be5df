"""What a page is: a route that says whom it is for, and a template filled with what the service tells that person.

    @router.get("/board")
    @page(Need.SEE_DEMANDS)
    async def board(request: Request, visitor: Known) -> Response:
        return render(request, visitor, "board/board.html", rows=…)

Nobody signed in is sent to sign in and comes back; whoever lacks the role, and whatever is not there, gets a page that says
so and what to do. Pages hold no deeds: forms and buttons send them to the API (static/send.js).
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Coroutine
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import structlog
from fastapi import Depends, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException

from domain import roles
from domain.errors import DomainError
from domain.needs import Need
from service.desk import UNAVAILABLE, Desk
from web import assets
from web.formats import Formats, percent
from web.menu import entries, home_of
from web.need import need_of, page
from web.visitor import Visitor, visitor_of
from web.words import has, keys_of

__all__ = ["Known", "PageRoute", "desk_of", "known", "page", "render"]

_KNOWN = "linli.visitor"
_WORTH_PACKING = 1_000
_LOST: tuple[type[Exception], ...] = (*UNAVAILABLE, ConnectionError, TimeoutError)
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Cookie, Accept-Language, Accept-Encoding",
}


async def known(request: Request) -> Visitor:
    """The visitor, found once for a request."""
    found: Visitor | None = request.scope.get(_KNOWN)
    if found is None:
        found = request.scope[_KNOWN] = await visitor_of(request)
    return found


Known = Annotated[Visitor, Depends(known)]


def desk_of(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


class PageRoute(APIRoute):
    """Judges the need before anything of the request is read; turns what goes wrong into a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle, need = super().get_route_handler(), need_of(self.endpoint)

        async def handled(request: Request) -> Response:
            try:
                visitor = await known(request)
                if need is None:
                    raise DomainError("forbidden", "This page says nobody it is for.")
                if need is not Need.PUBLIC:
                    if visitor.actor is None:
                        return to_sign_in(request)
                    if need not in roles.WITHOUT_ROLE and not visitor.may(need):
                        raise roles.refusal(visitor.actor, need)
                return await handle(request)
            except DomainError as refused:
                return await failed(request, refused.code, refused)
            except RequestValidationError:
                return await failed(request, "invalid_filter")
            except HTTPException as wrong:
                return await failed(request, "not_found" if wrong.status_code == 404 else "internal")
            except _LOST as lost:
                structlog.get_logger("page").warning("dependency_unavailable", exc_info=lost)
                return await failed(request, "unavailable")

        return handled


def to_sign_in(request: Request) -> Response:
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return RedirectResponse(f"/sign-in?next={quote(here, safe='')}", 303, headers=HEADERS)


_STATUS = {
    "not_found": 404, "unavailable": 503, "internal": 500, "invalid_filter": 422, "unauthenticated": 401,
    "no_session": 404, "unknown_meeting": 404, "unknown_unit": 404, "unknown_person": 404,
}  # fmt: skip
_REFUSED = ("not_permitted", "outside_scope", "forbidden")


async def failed(request: Request, code: str, refused: DomainError | None = None) -> Response:
    """A page about what went wrong: its kind, what to do, and for whom it would have gone well."""
    try:
        visitor = await known(request)
    except Exception:  # the database that tells who is looking is what is lost
        visitor = Visitor(actor=None, name="", language="zh", theme="auto", size="normal")
    kind = (
        code
        if has(f"shell.failed.{code}")
        else "refused"
        if code in _REFUSED
        else "not_found"
        if _STATUS.get(code) == 404
        else "internal"
    )
    status = _STATUS.get(code, 403 if code in _REFUSED else 400)
    return render(
        request, visitor, "shell/failed.html", status=status, kind=kind, rule=refused.rule if refused else None
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


def render(request: Request, visitor: Visitor, template: str, /, *, status: int = 200, **context: Any) -> Response:
    """The template with its context. It also knows `v`, `t`, `f` (formats), `asset`, `percent`, `now`, `here`, `menu`."""
    desk = desk_of(request)
    now = desk.now()
    body = _environment().get_template(template).render(
        v=visitor, t=visitor.t, has=has, keys_of=keys_of, f=Formats(visitor.t, desk.district.timezone, now), now=now,
        asset=assets.url, percent=percent, district=desk.district, Need=Need,
        here=request.url.path, query=request.query_params, menu=entries(visitor), home=home_of(visitor), **context,
    )  # fmt: skip
    return _packed(request, body, status)


def _packed(request: Request, body: str, status: int) -> Response:
    """A page holds no secret of ours beside words of strangers, so that its packed length tells nothing (BREACH)."""
    if len(body) < _WORTH_PACKING or "gzip" not in request.headers.get("accept-encoding", ""):
        return HTMLResponse(body, status, headers=HEADERS)
    packed = gzip.compress(body.encode(), 5, mtime=0)
    return Response(packed, status, headers=HEADERS | {"Content-Encoding": "gzip"}, media_type="text/html")
