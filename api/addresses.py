"""Whose an address is: `/demands/search` is a route of its own, and no demand that is called `search`.

The framework gives GET of it to `/demands/{number}`, whose method fits; such a request is answered 405 instead, with the
methods that the address does take.
"""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.routing import iter_route_contexts


def is_of_another_route(request: Request) -> bool:
    """Whether the route that was found takes the address only because a parameter of its path takes any word."""
    return bool(request.path_params) and _path(request) in _fixed(request.app)


def allowed_methods(request: Request) -> list[str]:
    """Every method of every route that takes this path; the framework's own 405 names those of the first one only."""
    path = _path(request)
    fixed = _fixed(request.app).get(path)
    if fixed is not None:
        return sorted(fixed)
    methods: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        pattern = getattr(context, "path_regex", None)
        if pattern is not None and pattern.match(path):
            methods |= context.methods or set()
    return sorted(methods)


def _path(request: Request) -> str:
    path: str = request.scope["path"]
    return path.removeprefix(request.scope.get("root_path", ""))


def _fixed(app: FastAPI) -> dict[str, set[str]]:
    """The methods of each path without parameters. Routes do not change while the application serves."""
    known: dict[str, set[str]] | None = getattr(app.state, "methods_of_fixed_paths", None)
    if known is None:
        known = {}
        for context in iter_route_contexts(app.routes):
            path = str(getattr(context, "path", "") or "")
            if path and "{" not in path:
                known.setdefault(path, set()).update(context.methods or set())
        app.state.methods_of_fixed_paths = known
    return known
