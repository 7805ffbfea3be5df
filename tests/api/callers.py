"""Callers of the application in the test's own process: an HTTP client that speaks for one person after another."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import httpx2
from fastapi import FastAPI

from api.app import create_app
from runtime.settings import Settings
from service.tokens import mint
from tests.builders import TOKEN_SECRET, new_key

RESIDENT = "resident-0001"


def bearer(person: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(TOKEN_SECRET, person)}"}


class Http:
    def __init__(self, app: FastAPI) -> None:
        self.app = app
        # Nothing may escape as an exception: a client gets a problem, whatever happens.
        transport = httpx2.ASGITransport(app=app, raise_app_exceptions=False)
        self.client = httpx2.AsyncClient(transport=transport, base_url="http://test", timeout=60)

    async def get(self, path: str, by: str = RESIDENT, **params: Any) -> httpx2.Response:
        return await self.client.get(path, headers=bearer(by), params=params or None)

    async def post(self, path: str, body: Any, by: str = RESIDENT, *, key: str | None = None) -> httpx2.Response:
        headers = bearer(by) | {"Idempotency-Key": key or new_key()}
        return await self.client.post(path, json=body, headers=headers)

    async def raw(self, path: str, content: bytes, by: str = RESIDENT, **headers: str) -> httpx2.Response:
        return await self.client.post(
            path, content=content, headers=bearer(by) | {"Content-Type": "application/json"} | headers
        )  # fmt: skip

    async def submit(self, by: str = RESIDENT, **body: Any) -> dict[str, Any]:
        body = {"text": "楼下路灯坏了", "category": "120101", "location": {"grid": "xuanhualu-01"}, **body}
        answer = await self.post("/api/v1/demands", {k: v for k, v in body.items() if v is not None}, by)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def act(self, number: str, by: str, type: str, *, key: str | None = None, **more: Any) -> httpx2.Response:
        return await self.post(f"/api/v1/demands/{number}/actions", {"type": type, **more}, by, key=key)


def code_of(answer: httpx2.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return str(answer.json()["code"])


@contextlib.asynccontextmanager
async def http_for(settings: Settings) -> AsyncIterator[Http]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        http = Http(app)
        try:
            yield http
        finally:
            await http.client.aclose()
