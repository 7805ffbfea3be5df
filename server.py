"""The API and the pages in one process: settings → parts → application.

Started with `uvicorn --factory server:create_app`. The two are siblings over `service/`; only here they meet.
"""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.types import ExceptionHandler

from api import app as api
from api.auth import of_cookie
from runtime.settings import Settings
from web.page import failed
from web.routers import ROUTERS

_FOR_PROGRAMS = ("/api/", "/open311/", "/assets/")


def create_app(settings: Settings | None = None) -> FastAPI:
    """Without `settings` they are read from the environment. Raises as `api.app.create_app` does."""
    parts = api.product_parts()
    app = api.create_app(settings, replace(parts, routers=(*parts.routers, *ROUTERS)))
    app.state.caller = of_cookie
    app.add_exception_handler(HTTPException, _page_or(app.exception_handlers[HTTPException]))
    return app


def _page_or(problem: ExceptionHandler) -> ExceptionHandler:
    """An address that is nowhere: a page for somebody at a browser, a problem document for a program."""

    async def handle(request: Request, error: Exception) -> Response:
        browsing = "text/html" in request.headers.get("accept", "") and request.method in ("GET", "HEAD")
        if (
            cast(HTTPException, error).status_code == 404
            and browsing
            and not request.url.path.startswith(_FOR_PROGRAMS)
        ):
            return await failed(request, "not_found")
        return cast(Response, await problem(request, error))  # type: ignore[misc, arg-type]

    return handle
