"""Calls to the API as a patient client makes them: one key for each intention, repeated until there is a verdict."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Any, Self

import httpx2

from bench.simulation.diary import Diary
from bench.simulation.people import Cast

Body = dict[str, Any]
_TRY_AGAIN = (429, 503)


class GaveUp(Exception):
    """No verdict within the caller's patience."""


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any
    text: str
    next: str | None = None

    @property
    def code(self) -> str:
        return str(self.json.get("code")) if isinstance(self.json, dict) else ""


class Telephone:
    """`at_once` people talk at the same time; a share `said_twice` of the POSTs is sent twice on purpose."""

    def __init__(
        self, url: str, cast: Cast, diary: Diary, chance: Random, *,
        at_once: int = 16, said_twice: float = 0.04, patience_seconds: float = 180.0,
    ) -> None:  # fmt: skip
        limits = httpx2.Limits(max_connections=at_once + 4, max_keepalive_connections=at_once + 4)
        self._http = httpx2.AsyncClient(base_url=url, timeout=httpx2.Timeout(20.0), limits=limits)
        self._lines = asyncio.Semaphore(at_once)
        self._cast, self._diary, self._chance = cast, diary, chance
        self._said_twice = said_twice
        self._patience = patience_seconds

    async def get(self, who: str, path: str, **params: Any) -> Answer:
        return await self._ask(who, "GET", path, params=params)

    async def post(self, who: str, path: str, body: Body, key: str) -> Answer:
        """Raises GaveUp; every other verdict is an Answer, refusals too."""
        if self._chance.random() >= self._said_twice:
            return await self._ask(who, "POST", path, body=body, key=key)
        self._diary.said_twice += 1
        first, second = await asyncio.gather(
            self._ask(who, "POST", path, body=body, key=key), self._ask(who, "POST", path, body=body, key=key)
        )
        if first.status != second.status or (first.status == 201 and first.text != second.text):
            self._diary.strange.append(
                f"POST {path} sent twice under one key got {first.status} {first.code} and {second.status} {second.code}"
            )
        return first if first.status < 300 else second

    async def upload(self, who: str, photo: bytes, key: str) -> str:
        """The id under which the photograph may be named. Raises GaveUp."""
        said = await self._ask(who, "POST", "/api/v1/files", files={"file": ("photo.jpg", photo)}, key=key)
        if said.status != 201:
            self._diary.strange.append(f"a photograph was answered {said.status}: {said.text[:300]}")
            raise GaveUp("/api/v1/files")
        return str(said.json["id"])

    async def _ask(
        self, who: str, method: str, path: str, *, body: Body | None = None, key: str | None = None,
        params: Body | None = None, files: dict[str, tuple[str, bytes]] | None = None,
    ) -> Answer:  # fmt: skip
        headers = {"Authorization": f"Bearer {self._cast.token(who)}", "Accept-Language": "en"}
        if key is not None:
            headers["Idempotency-Key"] = key
        until, tries, why = time.monotonic() + self._patience, 0, ""
        while time.monotonic() < until:
            try:
                async with self._lines:
                    said = await self._http.request(
                        method, path, json=body, params=params or None, headers=headers, files=files
                    )
                if said.status_code not in _TRY_AGAIN:
                    return self._answer(method, path, said)
                why = f"{said.status_code} {said.json().get('code', '')}"
            except httpx2.TransportError as broken:
                why = type(broken).__name__
            self._diary.repeats[why] += 1
            await asyncio.sleep(min(2.0, 0.1 * 2**tries) * (0.5 + self._chance.random()))
            tries += 1
        self._diary.strange.append(f"{method} {path} got no verdict in {self._patience:.0f} s: {why}")
        raise GaveUp(path)

    def _answer(self, method: str, path: str, said: httpx2.Response) -> Answer:
        answer = Answer(said.status_code, said.json() if said.content else None, said.text, _next(said))
        if said.status_code >= 500:
            self._diary.strange.append(f"{method} {path} was answered {said.status_code}: {said.text[:300]}")
        return answer

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()


def _next(said: httpx2.Response) -> str | None:
    link = said.links.get("next")
    return str(link["url"]) if link else None
