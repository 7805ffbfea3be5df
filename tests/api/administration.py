"""What tests of the administration do again and again: read a thing, put it back changed, try it in a dry run."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from tests.api.callers import Http, bearer
from tests.builders import ADMIN, new_key

AUDITOR = "p-0007"


async def put(
    http: Http, path: str, body: Any, by: str = ADMIN, *, tag: str | None = "*", key: str | None = None
) -> httpx2.Response:
    headers = bearer(by) | {"Idempotency-Key": key or new_key()} | ({"If-Match": tag} if tag else {})
    return await http.client.put(f"/api/v1{path}", json=body, headers=headers)


async def unit_body(http: Http, id: str, **change: Any) -> dict[str, Any]:
    unit = (await http.get(f"/api/v1/units/{id}", ADMIN)).json()["in_force"]
    return {k: v for k, v in unit.items() if k not in ("id", "retired")} | change


async def resource_body(http: Http, unit: str, **change: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await unit_body(http, unit))["resources"][0] | change
    return body


async def published(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def lead_of(http: Http, **demand: Any) -> str | None:
    unit = (await http.submit(**demand))["unit"]
    return unit["id"] if unit else None


def in_a_moment(seconds: float = 1.0) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()


async def dry(http: Http, path: str, body: Any, by: str = ADMIN) -> httpx2.Response:
    return await put(http, f"{path}?dry_run=true", body, by, tag=None)


async def when(holds: bool) -> bool | None:
    return holds or None
