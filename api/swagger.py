"""Swagger UI at /docs: from files that are installed with the product, without a CDN and without inline script.

The wheel `fastapi-swagger` brings the files of Swagger UI 5, which reads OpenAPI 3.1; nothing of its Python is used. Where it is
not installed, /docs leads to our own plain list of operations.
"""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse

from api.needs import needs
from api.problems import problem
from api.strict_json import StrictRoute
from domain.needs import Need

router = APIRouter(route_class=StrictRoute, tags=["system"])

WHEEL = "fastapi_swagger"
_STATIC = Path(__file__).parent / "static"
_OF_WHEEL = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
_OURS = {"swagger.js": "text/javascript", "swagger.css": "text/css"}
_HEADERS = {
    # Its pictures stand in its style sheet as data:; its script sets no style but by properties.
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_PAGE = (
    '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Linli API</title>'
    '<link rel="stylesheet" href="/docs/static/swagger-ui.css"><link rel="stylesheet" href="/docs/static/swagger.css">'
    '<script src="/docs/static/swagger-ui-bundle.js" defer></script>'
    '<script src="/docs/static/swagger.js" defer></script></head>'
    '<body><p class="links"><a href="/openapi.json">openapi.json</a> · <a href="/asyncapi.json">asyncapi.json</a> · '
    '<a href="/docs/errors">errors</a> · <a href="/docs/operations">plain list</a></p><div id="swagger-ui"></div></body></html>'
)


@cache
def installed() -> Path | None:
    """The folder of the files, if the wheel is there."""
    found = find_spec(WHEEL)
    places = found.submodule_search_locations if found is not None else None
    folder = Path(next(iter(places))) / "resources" if places else None
    return folder if folder is not None and all((folder / name).is_file() for name in _OF_WHEEL) else None


@router.get("/docs", include_in_schema=False)
@needs(Need.PUBLIC, because="A page about the API.")
async def docs() -> Response:
    if installed() is None:
        return RedirectResponse("/docs/operations", status_code=307)
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/docs/static/{name}", include_in_schema=False)
@needs(Need.PUBLIC, because="A part of a public page.")
async def swagger_file(name: str) -> Response:
    folder = _STATIC if name in _OURS else installed()
    media_type = (_OURS | _OF_WHEEL).get(name)
    if folder is None or media_type is None:
        raise problem("not_found")
    headers = _HEADERS | {"Cache-Control": "public, max-age=3600"}
    return FileResponse(folder / name, media_type=media_type, headers=headers)
