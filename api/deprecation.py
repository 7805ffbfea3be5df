"""How an operation is taken away: announced, still served, and gone no sooner than half a year later.

    @router.get("/old")
    @needs(Need.SEE_DEMANDS)
    @deprecated(since=date(2027, 1, 4), sunset=date(2027, 9, 1), instead="/api/v1/new")
    async def read_old(…): …

Every answer of it, refusals too, then carries `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and a `Link`; the OpenAPI document
says the same, and lets the operation go from that day on (api/compatibility.py).
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from email.utils import format_datetime
from typing import Any, TypeVar

from fastapi import Request, Response

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]

SHORTEST_NOTICE = timedelta(days=180)
ANNOUNCED = "announced"
_MARK = "deprecation"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """`instead` is the path that clients go to."""

    since: date
    sunset: date
    instead: str

    def headers(self) -> dict[str, str]:
        since, sunset = (datetime.combine(day, time(), UTC) for day in (self.since, self.sunset))
        return {
            "Deprecation": f"@{int(since.timestamp())}",
            "Sunset": format_datetime(sunset, usegmt=True),
            "Link": f'<{self.instead}>; rel="successor-version", </docs>; rel="deprecation"; type="text/html"',
        }


def deprecated(*, since: date, sunset: date, instead: str) -> Callable[[Endpoint], Endpoint]:
    """Raises ValueError for a notice that is too short."""
    if sunset - since < SHORTEST_NOTICE:
        raise ValueError(f"clients get at least {SHORTEST_NOTICE.days} days of notice")

    def mark(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, _MARK, Deprecation(since, sunset, instead))
        return endpoint

    return mark


def deprecation_of(endpoint: Callable[..., Any]) -> Deprecation | None:
    return getattr(endpoint, _MARK, None)


def announcing(handle: Handler, endpoint: Callable[..., Any]) -> Handler:
    """The handler itself where nothing is announced, so that it costs others nothing."""
    told = deprecation_of(endpoint)
    if told is None:
        return handle
    headers = told.headers()

    async def announced(request: Request) -> Response:
        setattr(request.state, ANNOUNCED, headers)  # for a refusal, which is made elsewhere
        response = await handle(request)
        for name, value in headers.items():
            response.headers.append(name, value)
        return response

    return announced
