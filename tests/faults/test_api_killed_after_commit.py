"""The API dies between its commit and its answer: a client that repeats with the same key gets that first answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import httpx2

from devstack.stack import Stack
from service.tokens import mint


def headers(stack: Stack, who: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(stack.token_secret, who)}", "Idempotency-Key": key}


async def send_and_hang_up(
    stack: Stack, path: str, body: dict[str, Any], heads: dict[str, str]
) -> asyncio.StreamWriter:
    """A request whose answer nobody reads."""
    raw = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: test", "Content-Type: application/json", f"Content-Length: {len(raw)}"]
    lines += [f"{name}: {value}" for name, value in heads.items()]
    _, writer = await asyncio.open_connection("127.0.0.1", urlsplit(stack.url).port)
    writer.write("\r\n".join([*lines, "", ""]).encode() + raw)
    await writer.drain()
    return writer


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    give_up = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < give_up, "it did not happen in time"
        await asyncio.sleep(0.002)


async def kill_and_wait(stack: Stack) -> None:
    victim = stack.pids["api"]
    await asyncio.to_thread(stack.kill, "api")

    async def back() -> bool:
        try:
            async with httpx2.AsyncClient(base_url=stack.url) as http:
                return stack.pids["api"] not in (None, victim) and (await http.get("/readyz")).status_code == 200
        except httpx2.TransportError:
            return False

    await until(back)


async def test_a_demand_whose_answer_was_lost_is_the_one_the_repetition_gets(
    stack: Stack, db: asyncpg.Connection
) -> None:
    heads = headers(stack, "resident-0901", "lost-answer")
    body = {"text": "楼道的灯不亮了。", "category": "020101"}
    before = await db.fetchval("select count(*) from demand")

    writer = await send_and_hang_up(stack, "/api/v1/demands", body, heads)
    await until(lambda: _exists(db, "select 1 from idempotency where principal = 'resident-0901'"))
    await kill_and_wait(stack)
    writer.close()

    async with httpx2.AsyncClient(base_url=stack.url) as http:
        again = await http.post("/api/v1/demands", json=body, headers=heads)
        number = again.json()["number"]
        assert (again.status_code, again.headers.get("Idempotency-Replayed")) == (201, "true")
        assert await db.fetchval("select count(*) from demand") == before + 1
        assert await db.fetchval("select number from idempotency where principal = 'resident-0901'") == number
        # The API that died may have left the start to the relay; a command that comes before it starts the workflow.
        urged = await http.post(
            f"/api/v1/demands/{number}/actions", json={"type": "urge"}, headers=headers(stack, "resident-0901", "urge")
        )
        assert (urged.status_code, urged.json()["seq"]) == (200, again.json()["seq"] + 1)
        seen = await http.get(f"/api/v1/demands/{number}?consistency=strong", headers=heads)
        assert seen.json()["seq"] == urged.json()["seq"]


async def test_an_action_whose_answer_was_lost_is_done_once(stack: Stack, db: asyncpg.Connection) -> None:
    async with httpx2.AsyncClient(base_url=stack.url, timeout=30) as http:
        opened = await http.post(
            "/api/v1/demands", json={"text": "健身器材松了。", "category": "030201"},
            headers=headers(stack, "resident-0902", "open"),
        )  # fmt: skip
        number = opened.json()["number"]
        path, body, heads = (
            f"/api/v1/demands/{number}/actions",
            {"type": "urge"},
            headers(stack, "resident-0902", "urge"),
        )

        writer = await send_and_hang_up(stack, path, body, heads)
        await until(lambda: _exists(db, f"select 1 from demand_event where number = '{number}' and type = 'urged'"))
        await kill_and_wait(stack)
        writer.close()

        again = await http.post(path, json=body, headers=heads)
        assert again.status_code == 200
        assert await db.fetchval("select count(*) from demand_event where number = $1 and type = 'urged'", number) == 1
        reused = await http.post(path, json={"type": "urge", "note": "又催一次。"}, headers=heads)
        assert (reused.status_code, reused.json()["code"]) == (422, "idempotency_key_reused")


async def _exists(db: asyncpg.Connection, query: str) -> bool:
    return bool(await db.fetchval(query))
