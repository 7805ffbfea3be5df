"""Who asks too much waits, alone: by credential once that is proven, by address until then."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.types import Message, Receive, Scope, Send

from runtime.rate_limit import RateLimited
from tests.api.plumbing_app import bearer, client_of, toy_app


def limited(*, rate_limit: int = 60_000, rate_limit_unknown: int = 30_000) -> FastAPI:
    return toy_app(rate_limit=rate_limit, rate_limit_unknown=rate_limit_unknown)


async def test_every_answer_says_what_is_left() -> None:
    async with client_of(limited()) as client:
        first = await client.get("/version")
        assert first.headers["ratelimit-policy"] == '"address";q=30000;w=60'
        assert first.headers["ratelimit"] == '"address";r=29999;t=1'
        await client.get("/api/v1/me", headers=bearer())
        known = await client.get("/api/v1/me", headers=bearer())
        assert known.headers["ratelimit-policy"] == '"credential";q=60000;w=60'
        assert "ratelimit" in (await client.get("/api/v1/me")).headers, "of a refusal too"


async def test_who_has_spent_a_minutes_requests_is_told_when_to_come_again() -> None:
    async with client_of(limited(rate_limit_unknown=3)) as client:
        statuses = [(await client.get("/version")).status_code for _ in range(3)]
        assert statuses == [200, 200, 200]
        refused = await client.get("/version", headers={"Accept-Language": "en"})
        assert refused.status_code == 429 and refused.json()["code"] == "too_many_requests"
        assert 1 <= int(refused.headers["retry-after"]) <= 21
        assert refused.headers["ratelimit"].startswith('"address";r=0;')
        assert refused.headers["x-request-id"] == refused.json()["request_id"]
        assert (await client.get("/healthz")).status_code == 200, "whoever watches the service is never refused"
        assert "ratelimit" not in (await client.get("/healthz")).headers


async def test_a_proven_credential_does_not_share_the_limit_of_its_address() -> None:
    async with client_of(limited(rate_limit_unknown=2)) as client:
        assert (await client.get("/api/v1/me", headers=bearer())).status_code == 200
        for _ in range(4):
            await client.get("/version")
        assert (await client.get("/version")).status_code == 429
        assert (await client.get("/api/v1/me", headers=bearer())).status_code == 200


async def test_made_up_tokens_win_nothing() -> None:
    async with client_of(limited(rate_limit_unknown=5)) as client:
        made_up = [{"Authorization": f"Bearer dev_{n}"} for n in range(8)]
        statuses = [(await client.get("/version", headers=one)).status_code for one in made_up]
        assert statuses == [200] * 5 + [429] * 3, "a public route proves nobody"
        cookies = [{"Cookie": f"__Host-linli=x{n}; other={n}"} for n in range(3)]
        assert {(await client.get("/version", headers=one)).status_code for one in cookies} == {429}


async def test_zero_is_no_limit() -> None:
    async with client_of(limited(rate_limit=0, rate_limit_unknown=0)) as client:
        assert "ratelimit" not in (await client.get("/version")).headers
    async with client_of(limited(rate_limit=0, rate_limit_unknown=1)) as client:
        await client.get("/api/v1/me", headers=bearer())
        answers = [await client.get("/api/v1/me", headers=bearer()) for _ in range(5)]
        assert {a.status_code for a in answers} == {200} and "ratelimit" not in answers[0].headers


class Clock:
    now = 1_000.0

    def __call__(self) -> float:
        return self.now


async def _asked(layer: RateLimited, host: str, **headers: str) -> tuple[int, dict[str, str]]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    scope: dict[str, Any] = {
        "type": "http", "path": "/x", "client": (host, 1),
        "headers": [(k.encode(), v.encode()) for k, v in headers.items()],
    }  # fmt: skip
    await layer(scope, receive, send)
    return sent[0]["status"], {k.decode(): v.decode() for k, v in sent[0]["headers"]}


def layer_of(clock: Clock, known: int = 6, unknown: int = 3) -> RateLimited:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    def refuse(scope: Scope, seconds: int) -> Any:
        async def refused(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": 429, "headers": [(b"retry-after", b"%d" % seconds)]})

        return refused

    def proven(scope: Scope) -> bool:
        return any(value == b"good" for _, value in scope["headers"])

    return RateLimited(app, known=known, unknown=unknown, proven=proven, refuse=refuse, free=frozenset(), clock=clock)


async def test_it_comes_back_bit_by_bit() -> None:
    clock = Clock()
    layer = layer_of(clock)
    for _ in range(3):
        assert (await _asked(layer, "192.0.2.1"))[0] == 200
    status, headers = await _asked(layer, "192.0.2.1")
    wait = int(headers["retry-after"])
    assert status == 429 and 0 < wait <= 21
    assert (await _asked(layer, "192.0.2.2"))[0] == 200, "somebody else's turn"
    clock.now += wait
    assert (await _asked(layer, "192.0.2.1"))[0] == 200
    assert (await _asked(layer, "192.0.2.1"))[0] == 429, "one came back, not all"
    clock.now += 60
    assert [(await _asked(layer, "192.0.2.1"))[0] for _ in range(4)] == [200, 200, 200, 429]


async def test_the_refused_do_not_pay() -> None:
    clock = Clock()
    layer = layer_of(clock)
    for _ in range(50):
        await _asked(layer, "192.0.2.1")
    clock.now += 21
    assert (await _asked(layer, "192.0.2.1"))[0] == 200


@pytest.mark.parametrize(("one", "other", "same"), [
    ("2001:db8::1", "2001:db8::ffff", True), ("2001:db8::1", "2001:db8:0:1::1", False), ("fe80::1%eth0", "fe80::2", True),
])  # fmt: skip
async def test_a_network_of_ipv6_counts_as_one(one: str, other: str, same: bool) -> None:
    layer = layer_of(Clock())
    for _ in range(3):
        await _asked(layer, one)
    assert ((await _asked(layer, other))[0] == 429) is same


async def test_no_more_callers_are_remembered_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runtime.rate_limit._MOST_CALLERS", 10)
    clock = Clock()
    layer = layer_of(clock)
    for n in range(200):
        clock.now += 10
        await _asked(layer, f"192.0.2.{n}")
    assert len(layer._back_at) <= 11
