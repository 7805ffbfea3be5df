"""Every route asks who is calling, but for the few that everybody may read; and every operation has its own name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from api.app import create_app, product_parts
from api.strict_json import StrictRoute
from runtime.settings import Settings

OPEN = {
    "/healthz", "/readyz", "/metrics", "/version", "/openapi.json", "/asyncapi.json", "/docs", "/docs/errors", "/docs/static/docs.js",
    "/docs/static/docs.css", "/api/v1/session", "/api/v1/session/oidc", "/api/v1/session/oidc/callback",
    # Open311 is read without a key; what a key adds to it is asked for in api/open311/keys.py.
    "/open311/v2/discovery.{fmt}", "/open311/v2/services.{fmt}", "/open311/v2/services/{service_code}.{fmt}",
    "/open311/v2/requests.{fmt}", "/open311/v2/requests/{service_request_id}.{fmt}", "/open311/v2/tokens/{token}.{fmt}",
    "/open311/v2{rest:path}",
}  # fmt: skip


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


def asks_who(dependant: Any) -> bool:
    return any(asks_who(d) or type(d.call).__name__ in ("_Bearer", "_ApiKey") for d in dependant.dependencies)


def test_every_route_asks_who_is_calling_or_is_open_on_purpose(app: FastAPI) -> None:
    found = [r for r in routes(app) if isinstance(r, APIRoute)]
    assert len(found) > 12, "the search found too little; it has to be mended"
    anonymous = {r.path for r in found if not asks_who(r.dependant)}
    assert anonymous == OPEN & {r.path for r in found}, anonymous ^ OPEN


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


def test_the_document_says_of_every_operation_whether_it_needs_a_token(app: FastAPI) -> None:
    paths = app.openapi()["paths"]
    open_in_document = {
        p for p, methods in paths.items() for operation in methods.values() if not operation.get("security")
    }
    assert open_in_document <= OPEN
