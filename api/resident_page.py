"""Where the links in messages lead: one plain page, which reads the token behind `#` and asks the API for everything.

The page is the same for everybody and holds nothing of any demand. It loads nothing from outside and runs no inline script.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from api.needs import needs
from api.problems import prefers_english
from api.strict_json import StrictRoute
from domain.needs import Need

router = APIRouter(tags=["residents"], route_class=StrictRoute)

_STATIC = Path(__file__).parent / "static"
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src blob:;"
    " form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_WHY = "It holds nothing of any demand: what a link opens is asked of the API."


@router.get("/f", include_in_schema=False)
@needs(Need.PUBLIC, because=_WHY)
async def resident_page(request: Request) -> HTMLResponse:
    """The link's token is never sent here: a browser keeps what stands behind `#` to itself."""
    english = prefers_english(request)
    title, language = ("Your demand", "en") if english else ("您的诉求", "zh-CN")
    needed = "This page needs JavaScript." if english else "本页需要启用 JavaScript。"
    return HTMLResponse(
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">'
        f'<title>{title}</title><link rel="stylesheet" href="/f/page.css"><script src="/f/page.js" defer></script></head>'
        f'<body><main><h1>{title}</h1><div id="demand" aria-live="polite"></div><noscript>{needed}</noscript></main>'
        "</body></html>",
        headers=_HEADERS | {"Cache-Control": "no-cache", "Vary": "Accept-Language"},
    )


@router.get("/f/page.js", include_in_schema=False)
@needs(Need.PUBLIC, because=_WHY)
async def resident_page_script() -> Response:
    return Response((_STATIC / "resident.js").read_bytes(), media_type="text/javascript", headers=_HEADERS)


@router.get("/f/page.css", include_in_schema=False)
@needs(Need.PUBLIC, because=_WHY)
async def resident_page_style() -> Response:
    return Response((_STATIC / "resident.css").read_bytes(), media_type="text/css", headers=_HEADERS)
