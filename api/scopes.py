"""What a key needs for which route: one table, first line that fits. What no line names, no key opens."""

from __future__ import annotations

from typing import NamedTuple

from domain.scopes import Scope

READ, WRITE = frozenset({"GET", "HEAD"}), frozenset({"POST", "PUT", "PATCH", "DELETE"})
ANY_KEY = None


class Line(NamedTuple):
    """`prefix` is the beginning of a path, up to a slash; `scope` is ANY_KEY where every live key will do."""

    methods: frozenset[str]
    prefix: str
    scope: Scope | None


# fmt: off
LINES = (
    Line(WRITE, "/api/v1/demands",       Scope.DEMANDS_WRITE),
    Line(READ,  "/api/v1/demands",       Scope.DEMANDS_READ),
    Line(WRITE, "/api/v1/imports",       Scope.DEMANDS_WRITE),
    Line(READ,  "/api/v1/imports",       Scope.DEMANDS_WRITE),
    Line(READ,  "/api/v1/exports",       Scope.DEMANDS_READ),
    Line(WRITE, "/api/v1/files",         Scope.DEMANDS_WRITE),
    Line(READ,  "/api/v1/files",         Scope.DEMANDS_READ),
    Line(READ,  "/api/v1/meetings",      Scope.DEMANDS_READ),
    Line(READ,  "/api/v1/external-refs", Scope.DEMANDS_READ),
    Line(READ,  "/api/v1/events",        Scope.EVENTS_READ),
    Line(WRITE, "/api/v1/subscriptions", Scope.WEBHOOKS_MANAGE),
    Line(READ,  "/api/v1/subscriptions", Scope.WEBHOOKS_MANAGE),
    Line(WRITE, "/api/v1/webhooks",      Scope.WEBHOOKS_MANAGE),
    Line(READ,  "/api/v1/webhooks",      Scope.WEBHOOKS_MANAGE),
    Line(READ,  "/api/v1/rates",         Scope.RATES_READ),
    Line(WRITE, "/open311/v2",           Scope.OPEN311_WRITE),
    Line(READ,  "/open311/v2",           ANY_KEY),
    Line(READ,  "/api/v1/session",       ANY_KEY),
    Line(READ,  "/api/v1/communities",   ANY_KEY),
    Line(READ,  "/api/v1/grids",         ANY_KEY),
    Line(READ,  "/api/v1/units",         ANY_KEY),
    Line(READ,  "/api/v1/categories",    ANY_KEY),
    Line(READ,  "/api/v1/menu",          ANY_KEY),
    Line(READ,  "/api/v1/calendar",      ANY_KEY),
)
# fmt: on


def needed(method: str, path: str) -> Line | None:
    """The line that speaks of this request; None where no key may make it."""
    return next((line for line in LINES if method in line.methods and _within(path, line.prefix)), None)


def opens(scopes: frozenset[Scope], method: str, path: str) -> bool:
    line = needed(method, path)
    return line is not None and (line.scope is None or line.scope in scopes)


def _within(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/")
