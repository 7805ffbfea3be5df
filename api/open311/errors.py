"""Refusals as Open311 has them: `errors`, each with a code and a sentence, in the format that was asked for."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import structlog
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.needs import Declared
from api.open311.xml import document
from api.problems import PROBLEMS, prefers_english
from api.strict_json import StrictRoute
from domain.errors import DomainError
from domain.open311_faults import Fault, Refused, refused
from service.desk import UNAVAILABLE

_OF_PROBLEM = {
    "body_too_large": "400031",
    "unsupported_media_type": "400032",
    "unknown_category": "404002",
    "unknown_place": "400010",
    "unauthenticated": "403001",
    "too_many_requests": "429001",
}
_OF_STATUS = {403: "403002", 404: "404000", 405: "405001", 429: "429001", 500: "500001", 503: "503001"}
_INSTANTS = frozenset({"start_date", "end_date", "updated_after", "updated_before"})


class Open311Route(StrictRoute):
    """Every route of Open311: what would be a problem document elsewhere is `errors` here, and empty is absent."""

    async def admit(self, request: Request, declared: Declared | None) -> None:
        """Its key stands in the query or in the form, so that api/open311/keys.py asks for it; a route still declares."""
        if declared is None:
            raise refused("403002")

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answered(request: Request) -> Response:
            request.scope["query_string"] = without_empty(request.scope["query_string"])
            try:
                if request.path_params.get("fmt", "xml") not in ("xml", "json"):
                    raise refused("404000")  # before anything else is asked, a key included
                return await handle(request)
            except Exception as error:  # the last resort included: its answer must have this format as well
                faults = faults_of(error)
                if faults is None:
                    structlog.get_logger("http").error("request_failed", route=self.path, exc_info=error)
                    faults = [Fault("500001")]
                return refusal(request, faults, retry_after=_retry_after(error))

        return answered


def without_empty(query: bytes) -> bytes:
    return b"&".join(part for part in query.split(b"&") if part.partition(b"=")[2])


def faults_of(error: Exception) -> Sequence[Fault] | None:
    """None for what nobody foresaw."""
    match error:
        case Refused():
            return error.faults
        case DomainError():
            return [Fault(_code_of(error))]
        case RequestValidationError():
            return list(dict.fromkeys(_fault_of(e["loc"]) for e in error.errors()))
        case HTTPException():
            return [Fault(_OF_STATUS.get(error.status_code, "400090"))]
    return [Fault("503001")] if isinstance(error, UNAVAILABLE) else None


def _code_of(error: DomainError) -> str:
    known = _OF_PROBLEM.get(error.code)
    return known or _OF_STATUS.get(PROBLEMS[error.code].status if error.code in PROBLEMS else 500, "400090")


def _fault_of(where: Sequence[Any]) -> Fault:
    if where[0] == "path":
        return Fault("404000")
    name = str(where[1]) if len(where) > 1 else ""
    return Fault("400020" if name in _INSTANTS else "400013", name)


def _retry_after(error: Exception) -> str | None:
    if isinstance(error, DomainError) and error.code in PROBLEMS:
        seconds = error.facts.get("retry_after_seconds", PROBLEMS[error.code].retry_after)
        return None if seconds is None else str(seconds)
    return "2" if isinstance(error, UNAVAILABLE) else None


def refusal(
    request: Request, faults: Sequence[Fault], *, retry_after: str | None = None, headers: dict[str, str] | None = None
) -> Response:
    english = prefers_english(request)
    said = [{"code": fault.code, "description": fault.said(english=english)} for fault in faults]
    more = {"Cache-Control": "no-store", "Content-Language": "en" if english else "zh-CN", **(headers or {})}
    if retry_after is not None:
        more["Retry-After"] = retry_after
    return document(format_of(request), "errors", said, status=faults[0].status, headers=more)


def format_of(request: Request) -> str:
    """By the suffix alone; only where an address has neither, by what the client would rather read."""
    path: str = request.scope["path"]
    if path.endswith((".xml", ".json")):
        return path.rpartition(".")[2]
    accept = request.headers.get("accept", "")
    return "json" if "json" in accept and "xml" not in accept else "xml"
