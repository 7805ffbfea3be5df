"""Routes about the service itself: alive, ready, measured, versioned, documented."""

from __future__ import annotations

import html
import json
import tomllib
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, ConfigDict

from api.needs import needs
from api.problems import PROBLEMS, prefers_english
from api.strict_json import StrictRoute
from domain.needs import Need
from runtime.settings import PROJECT_ROOT

router = APIRouter(route_class=StrictRoute, tags=["system"])

_STATIC = Path(__file__).parent / "static"
# The pages load nothing from outside and run no inline script: an intranet has no CDN.
_PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


class Health(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str


class Readiness(BaseModel):
    """`checks` holds "ok" or the reason, by dependency."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: str
    checks: dict[str, str]


class Version(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    version: str
    commit: str


@cache
def product_version() -> str:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return str(project["version"])


@router.get("/healthz", summary="Is the process alive?")
@needs(Need.PUBLIC, because="Whoever watches the process has no name here.")
async def healthz() -> Health:
    return Health(status="ok")


@router.get(
    "/readyz",
    summary="Can it serve?",
    response_model=Readiness,
    responses={503: {"model": Readiness, "description": "A dependency is not ready; `checks` says which."}},
)
@needs(Need.PUBLIC, because="Whoever watches the process has no name here.")
async def readyz(request: Request) -> Response:
    checks: dict[str, str] = await request.app.state.desk.check()
    ready = all(state == "ok" for state in checks.values())
    answer = Readiness(status="ok" if ready else "not_ready", checks=checks)
    headers = {"Cache-Control": "no-store"} | ({} if ready else {"Retry-After": "2"})
    return JSONResponse(answer.model_dump(), status_code=200 if ready else 503, headers=headers)


@router.get(
    "/metrics",
    summary="Prometheus metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
@needs(Need.PUBLIC, because="Prometheus scrapes it; no figure is about a person. Keep it inside by the proxy.")
async def metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.metrics.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/version", summary="What runs here?")
@needs(Need.PUBLIC, because="A report of a fault should name the version.")
async def version(request: Request) -> Version:
    return Version(name="linli", version=product_version(), commit=request.app.state.settings.commit)


@router.get("/openapi.json", include_in_schema=False)
@needs(Need.PUBLIC, because="The document of the API names nothing but its fields.")
async def openapi_document(request: Request) -> Response:
    state = request.app.state
    if not hasattr(state, "openapi_json"):
        state.openapi_json = json.dumps(request.app.openapi(), ensure_ascii=False).encode()
    return Response(state.openapi_json, media_type="application/json")


@router.get("/docs/operations", include_in_schema=False)
@needs(Need.PUBLIC, because="A page about the API.")
async def plain_list() -> HTMLResponse:
    body = (
        '<p><a href="/openapi.json">openapi.json</a> · <a href="/docs/errors">errors</a></p><div id="operations"></div>'
    )
    return _page("Linli API", body, '<script src="/docs/static/docs.js" defer></script>')


@router.get("/docs/errors", include_in_schema=False)
@needs(Need.PUBLIC, because="Where the type of every problem leads.")
async def error_kinds(request: Request) -> HTMLResponse:
    """Where the `type` of every problem leads."""
    english = prefers_english(request)
    rows = "".join(
        f'<tr id="{code}"><td><code>{code}</code></td><td>{kind.status}</td>'
        f"<td>{html.escape(kind.en if english else kind.zh)}</td>"
        f"<td>{html.escape(kind.do_en if english else kind.do_zh)}</td></tr>"
        for code, kind in PROBLEMS.items()
    )
    return _page("Linli errors" if english else "邻里 错误代码", f"<table><tbody>{rows}</tbody></table>")


@router.get("/docs/static/docs.js", include_in_schema=False)
@needs(Need.PUBLIC, because="A part of a public page.")
async def docs_script() -> Response:
    return Response((_STATIC / "docs.js").read_bytes(), media_type="text/javascript", headers=_PAGE_HEADERS)


@router.get("/docs/static/docs.css", include_in_schema=False)
@needs(Need.PUBLIC, because="A part of a public page.")
async def docs_style() -> Response:
    return Response((_STATIC / "docs.css").read_bytes(), media_type="text/css", headers=_PAGE_HEADERS)


def _page(title: str, body: str, head: str = "") -> HTMLResponse:
    return HTMLResponse(
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{title}</title><link rel="stylesheet" href="/docs/static/docs.css">{head}</head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>",
        headers=_PAGE_HEADERS,
    )
