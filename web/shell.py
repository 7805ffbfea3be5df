"""Pages that belong to nobody in particular: the way in, and one's own settings."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from domain.needs import Need
from web.menu import home_of
from web.page import HEADERS, Known, PageRoute, page, render
from web.resident import words_for

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/")
@page(Need.PUBLIC)
async def home(request: Request, visitor: Known) -> Response:
    """Whoever is signed in starts at work; everybody else at the residents' page."""
    if visitor.actor is not None:
        return RedirectResponse(home_of(visitor), 303, headers=HEADERS)
    return render(request, visitor, "shell/home.html", words=words_for(visitor.t))


@router.get("/sign-in")
@page(Need.PUBLIC)
async def sign_in(request: Request, visitor: Known, next: str = "/") -> Response:
    """`next` is where to go afterwards, if it is one of our pages."""
    ours = next if next.startswith("/") and not next.startswith(("//", "/\\")) else "/"
    return render(
        request, visitor, "shell/sign_in.html", next=ours, oidc=request.app.state.settings.oidc_issuer is not None
    )
