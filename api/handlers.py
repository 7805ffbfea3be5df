"""Which answer each exception becomes. Nothing else in the API turns exceptions into answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Scope

from api.addresses import allowed_methods
from api.field_errors import field_errors
from api.problems import PROBLEMS, prefers_english, problem_response
from domain.errors import DomainError

_CODE_OF_STATUS = {
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "too_many_requests",
    503: "unavailable",
}


def install_handlers(app: FastAPI, unavailable: Iterable[type[Exception]]) -> None:
    """`unavailable` are the base classes of a lost database or engine; the composition root knows them, not we."""
    app.add_exception_handler(DomainError, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(ClientDisconnect, _gone)
    for base in unavailable:
        app.add_exception_handler(base, _unavailable)


def internal_error(scope: Scope, _: Exception) -> ASGIApp:
    """The answer to what nobody caught: an id to ask about, and nothing of the error."""
    return problem_response(Request(scope), "internal")


def too_many_requests(scope: Scope, seconds: int) -> ASGIApp:
    """The answer to a caller who has spent a minute's requests; again in so many seconds."""
    facts = {"retry_after_seconds": seconds}
    return problem_response(Request(scope), "too_many_requests", facts=facts)


async def _refused(request: Request, error: Exception) -> Response:
    refusal = cast(DomainError, error)
    if refusal.code not in PROBLEMS:
        structlog.get_logger("http").error("unknown_problem_code", code=refusal.code)
    return problem_response(request, refusal.code, rule=refusal.rule, facts=refusal.facts)


async def _invalid(request: Request, error: Exception) -> Response:
    invalid = cast(RequestValidationError, error)
    errors = field_errors(invalid.errors(), invalid.body, english=prefers_english(request))
    return problem_response(request, "validation_failed", errors=errors)


async def _http(request: Request, error: Exception) -> Response:
    status = cast(HTTPException, error).status_code
    if status == 405:
        return problem_response(request, "method_not_allowed", headers={"Allow": ", ".join(allowed_methods(request))})
    return problem_response(request, _CODE_OF_STATUS.get(status, "internal" if status >= 500 else "bad_request"))


async def _unavailable(request: Request, error: Exception) -> Response:
    structlog.get_logger("http").warning("dependency_unavailable", exc_info=error)
    return problem_response(request, "unavailable")


async def _gone(request: Request, _: Exception) -> Response:
    return problem_response(request, "bad_request")  # nobody reads it: the client has hung up
