"""Every route says what it needs of whoever calls, and has a name of its own; what is public says why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import create_app, product_parts
from api.needs import Declared, declared_by
from api.open311.errors import Open311Route
from api.strict_json import StrictRoute
from domain.needs import Need
from runtime.settings import Settings


@pytest.fixture(scope="module")
def app() -> FastAPI:
    settings = Settings.model_validate(
        {
            "database_url": "postgresql://linli@127.0.0.1/linli",
            "temporal_address": "127.0.0.1:7233",
            "data_keys": "k1:" + "A" * 43 + "=",
            "dev_token_secret": "a secret for tests only",
        }
    )
    return create_app(settings, product_parts())


def routes(app: FastAPI) -> Iterator[Any]:
    todo = list(app.routes)
    while todo:
        route = todo.pop(0)
        inner = getattr(route, "original_router", None)
        if inner is not None:
            todo += inner.routes
        else:
            yield route


def keys_asked_for(dependant: Any) -> set[Need]:
    """The needs for which Open311's own dependency asks for a key."""
    own = {d.call._need for d in dependant.dependencies if type(d.call).__name__ == "_ApiKey"}
    return own.union(*(keys_asked_for(d) for d in dependant.dependencies))


def asks_who(dependant: Any) -> bool:
    return any(asks_who(d) or type(d.call).__name__ == "_Bearer" for d in dependant.dependencies)


def declared(app: FastAPI) -> list[tuple[APIRoute, Declared | None]]:
    found = [(r, declared_by(r.endpoint)) for r in routes(app) if isinstance(r, APIRoute)]
    assert len(found) > 12, "the search found too little; it has to be mended"
    return found


def test_every_route_declares_what_it_needs(app: FastAPI) -> None:
    silent = [f"{route.endpoint.__module__}.{route.name}" for route, need in declared(app) if need is None]
    assert not silent, f"write @needs(Need.…) below their @router line, see docs/how-to/roles.md: {silent}"


def test_what_is_public_says_why_and_names_no_caller(app: FastAPI) -> None:
    for route, need in declared(app):
        assert need is not None
        if need.need is Need.PUBLIC:
            assert len(need.because) > 10 and not asks_who(route.dependant), route.path


def test_a_need_is_judged_before_anything_is_read_or_by_the_key_of_open311(app: FastAPI) -> None:
    for route, need in declared(app):
        assert need is not None
        if isinstance(route, Open311Route):
            asked = set() if need.need is Need.PUBLIC else {need.need}
            assert keys_asked_for(route.dependant) == asked, route.path
        else:
            assert isinstance(route, StrictRoute) and type(route).admit is StrictRoute.admit, (
                f"{route.path} judges callers in a way of its own"
            )


def test_every_route_reads_its_body_strictly(app: FastAPI) -> None:
    assert not [r.path for r in routes(app) if isinstance(r, APIRoute) and not isinstance(r, StrictRoute)]


def test_nothing_is_mounted_beside_the_routes(app: FastAPI) -> None:
    others = [getattr(r, "path", repr(r)) for r in routes(app) if not isinstance(r, APIRoute)]
    assert others == []


def test_every_operation_has_a_name_of_its_own(app: FastAPI) -> None:
    names = Counter(
        operation["operationId"] for path in app.openapi()["paths"].values() for operation in path.values()
    )  # fmt: skip
    assert names and not [name for name, n in names.items() if n > 1]


def test_the_document_says_of_every_operation_what_it_needs(app: FastAPI) -> None:
    public = {route.name for route, need in declared(app) if need is not None and need.need is Need.PUBLIC}
    for path, methods in app.openapi()["paths"].items():
        for operation in methods.values():
            open_to_all = not operation.get("security")
            assert open_to_all is (operation["operationId"] in public), path
            assert ("x-need" in operation and "Needs" in operation["description"]) or open_to_all, path
