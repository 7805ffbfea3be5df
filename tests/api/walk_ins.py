"""Somebody who reports without an account, for tests: a browser's draft with its secret, from an address of its own."""

from __future__ import annotations

import itertools
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.api.callers import Http
from tests.builders import new_key

DOOR = "/api/v1/resident"
HOST = "linli.test"
LAMP = {
    "text": "单元门口的路灯坏了三天，晚上看不见台阶",
    "category": "030101",
    "location": {"compound": "c-0002", "building": "3"},
}
_addresses = itertools.count(1)


def an_address() -> str:
    """Whoever shares one shares its pace."""
    n = next(_addresses)
    return f"198.18.{n // 250}.{n % 250 + 1}"


@dataclass
class WalkIn:
    http: Http
    secret: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    address: str = field(default_factory=an_address)

    def __post_init__(self) -> None:
        transport = httpx2.ASGITransport(app=self.http.app, raise_app_exceptions=False, client=(self.address, 4321))
        self.client = httpx2.AsyncClient(transport=transport, base_url=f"https://{HOST}", timeout=60)

    async def look(self, **body: Any) -> httpx2.Response:
        return await self.client.post(f"{DOOR}/draft", json=body, headers={"Linli-Draft": self.secret})

    async def photo(self, content: bytes, *, key: str | None = None) -> httpx2.Response:
        return await self.client.post(
            f"{DOOR}/draft/files", files={"file": ("photo.jpg", content, "image/jpeg")},
            headers={"Linli-Draft": self.secret, "Idempotency-Key": key or new_key()},
        )  # fmt: skip

    async def report(
        self, *, key: str | None = None, headers: dict[str, str] | None = None, **body: Any
    ) -> httpx2.Response:
        return await self.client.post(
            f"{DOOR}/demands", json=LAMP | body,
            headers={"Linli-Draft": self.secret, "Idempotency-Key": key or new_key(), **(headers or {})},
        )  # fmt: skip
