"""Prometheus metrics and the outermost ASGI layer: measures every request, names it, and answers what nobody caught.

The layer is on the path of every request, so it does no more than it must: one pass over the headers, counters looked
up in a dictionary, no context manager, no task.
"""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable
from time import perf_counter
from typing import NamedTuple

import structlog
from fastapi.routing import iter_route_contexts
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from runtime import logging as linli_logging

UNMATCHED = "unmatched"

# Seconds. Dense around what intake and lists take, wide enough to see a stalled database.
_BUCKETS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")
# W3C Trace Context §3.2: version, trace id, parent id, flags; all-zero ids are invalid.
_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

OnError = Callable[[Scope, Exception], ASGIApp]


class _Series(NamedTuple):
    add_one: Callable[[], None]
    observe: Callable[[float], None]


class Metrics:
    """The process's registry and its HTTP series. Other parts register theirs on `registry`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        labels = ("method", "route", "status")
        self._requests = Counter("linli_http_requests", "Requests answered.", labels, registry=self.registry)
        self._seconds = Histogram(
            "linli_http_request_seconds",
            "From the first byte of the request to the last of the answer, in seconds.",
            labels,
            buckets=_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge("linli_http_in_flight", "Requests being answered now.", registry=self.registry)
        self._series: dict[tuple[str, str, int], _Series] = {}

    def record(self, method: str, route: str, status: int, seconds: float) -> None:
        """Labels come from closed sets (templates, known methods, status classes), so the table stays small."""
        key = (method, route, status // 100)
        series = self._series.get(key)
        if series is None:
            labels = (method if method in _METHODS else "other", route, f"{status // 100}xx")
            series = _Series(self._requests.labels(*labels).inc, self._seconds.labels(*labels).observe)
            if method in _METHODS:
                self._series[key] = series
        series.add_one()
        series.observe(seconds)


class Instrumented:
    """The outermost layer of the application.

    It sets `request.state.request_id` and `request.state.traceparent`, echoes both as headers, and hands an error that
    nobody caught to `on_error`. The server never sees that error, so it cannot print its message.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, on_error: OnError, access_log: bool = False) -> None:
        self.app = app
        self._metrics = metrics
        self._on_error = on_error
        self._access_log = access_log
        self._templates: dict[int, str] = {}
        self._next_id = itertools.count(1)
        self._process_id = secrets.token_hex(6)
        self._log = structlog.get_logger("http")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        answer_headers = self._identify(scope)
        status = 0

        async def send_marked(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *answer_headers]
            await send(message)

        in_flight = self._metrics.in_flight
        in_flight.inc()
        try:
            await self.app(scope, receive, send_marked)
        except Exception as error:  # the outermost handler: everything below either answered or ends here
            self._log.error("request_failed", route=self.template(scope), exc_info=error)
            if status:
                raise  # the answer is half sent; only cutting the connection tells the client
            await self._on_error(scope, error)(scope, receive, send_marked)
        finally:
            in_flight.dec()
            self._finish(scope, status or 499, perf_counter() - started)

    def _identify(self, scope: Scope) -> list[tuple[bytes, bytes]]:
        request_id = traceparent = None
        for name, value in scope["headers"]:
            if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
                request_id = value
            elif name == b"traceparent" and _TRACEPARENT.fullmatch(value):
                traceparent = value
        if request_id is None:
            request_id = f"{self._process_id}-{next(self._next_id):x}".encode()
        state = scope.setdefault("state", {})
        state["request_id"] = text = request_id.decode()
        linli_logging.request_id.set(text)
        if traceparent is None:
            linli_logging.traceparent.set(None)
            return [(b"x-request-id", request_id)]
        state["traceparent"] = trace = traceparent.decode()
        linli_logging.traceparent.set(trace)
        return [(b"x-request-id", request_id), (b"traceparent", traceparent)]

    def _finish(self, scope: Scope, status: int, seconds: float) -> None:
        template = self.template(scope)
        self._metrics.record(scope["method"], template, status, seconds)
        if self._access_log:
            self._log.info(
                "request", method=scope["method"], route=template, status=status, ms=round(seconds * 1000, 2)
            )

    def template(self, scope: Scope) -> str:
        """The full route template, such as `/api/v1/demands/{number}`; `unmatched` where no route took the path."""
        route = scope.get("route")
        if route is None:
            return UNMATCHED
        known = self._templates.get(id(route))
        if known is None:
            # The route itself knows its path only up to the router it was declared on; the prefixes of the routers
            # around it are known to the application alone.
            self._templates = {
                id(context.original_route): context.path_format or UNMATCHED
                for context in iter_route_contexts(scope["app"].routes)
            }
            known = self._templates.setdefault(id(route), UNMATCHED)
        return known
