"""The residents' pages: reporting without an account, and following by number and code or by the link of a message.

They hold nothing of anybody's demand. What is shown comes from the API to the browser that has the code, or the token behind `#`,
which no browser sends here; so the pages are the same for everybody.
"""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from domain.needs import Need
from web.need import page
from web.page import Known, PageRoute, render
from web.words import Say, catalogue

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_STRICT = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src 'self' blob: data:; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Where a token stands behind `#`, nothing may come in and nothing may go out."""


def words_for(t: Say, *tables: str) -> dict[str, str]:
    """The sentences of a page that its scripts say, by key; of all pages those of `frame`."""
    wanted = tuple(f"resident.{table}." for table in ("frame", *tables))
    near = {key: t(f"shell.time.{key}") for key in ("yesterday", "today", "tomorrow", "day", "day_of_year")}
    return near | {name.rpartition(".")[2]: t(name) for name in catalogue() if name.startswith(wanted)}


@router.get("/report")
@page(Need.PUBLIC)
async def report(request: Request, visitor: Known) -> Response:
    """我要反映: photo, words, where, and it is sent; what came of it stands on the same page."""
    return render(request, visitor, "resident/report.html", words=words_for(visitor.t, "report", "place", "sent"))


@router.get("/follow")
@router.get("/f")
@page(Need.PUBLIC)
async def follow(request: Request, visitor: Known) -> Response:
    """查询进度. Messages lead to `/f#<token>`."""
    answer = render(request, visitor, "resident/follow.html", words=words_for(visitor.t, "follow", "deeds"))
    answer.headers.update(_STRICT)
    return answer
