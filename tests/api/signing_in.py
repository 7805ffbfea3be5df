"""People with accounts who sign in like a browser: a cookie jar of their own, and the headers that a browser sends."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import httpx2

from service import user_accounts
from tests.api.callers import Http
from tests.builders import Product

PASSWORD = "竹林里的 blue kettle 41"
HOST, COOKIE = "linli.test", "__Host-linli"
_names = itertools.count(1)


async def new_user(product: Product, person: str, *, password: str | None = PASSWORD) -> str:
    """An account for the person, the one there is left aside; returns the user name."""
    name = f"user{next(_names)}"
    await product.pool.execute("delete from account where person = $1", person)
    await user_accounts.add(product.pool, person, name, password, by="system", now=product.desk.now())
    return name


class Browser:
    """One client of the application. `address` is where it seems to come from."""

    def __init__(
        self, http: Http, *, address: str = "192.0.2.1", agent: str = "Mozilla/5.0 (Windows) Firefox/140"
    ) -> None:
        transport = httpx2.ASGITransport(app=http.app, raise_app_exceptions=False, client=(address, 1234))
        own = {"User-Agent": agent, "Sec-Fetch-Site": "same-origin"}
        self.client = httpx2.AsyncClient(transport=transport, base_url=f"https://{HOST}", headers=own, timeout=60)

    async def sign_in(self, user: str, password: str = PASSWORD, **headers: str) -> httpx2.Response:
        body = {"user": user, "password": password}
        return await self.client.post("/api/v1/session", json=body, headers=headers or None)

    async def in_as(self, user: str, password: str = PASSWORD) -> dict[str, Any]:
        answer = await self.sign_in(user, password)
        assert answer.status_code == 201, answer.text
        view: dict[str, Any] = answer.json()
        return view

    async def me(self) -> httpx2.Response:
        return await self.client.get("/api/v1/session")

    @property
    def token(self) -> str:
        return str(self.client.cookies[COOKIE])


@contextlib.asynccontextmanager
async def browser(http: Http, **more: str) -> AsyncIterator[Browser]:
    one = Browser(http, **more)
    try:
        yield one
    finally:
        await one.client.aclose()


async def token_alone(http: Http, token: str, name: str = COOKIE) -> int:
    """What a fresh client with nothing but this token is answered."""
    answer = await http.client.get("/api/v1/session", headers={"Cookie": f"{name}={token}"})
    return answer.status_code
