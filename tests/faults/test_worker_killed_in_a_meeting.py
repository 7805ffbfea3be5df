"""A real worker, killed while a meeting decides thirty items: each is decided once. And the meetings it had called."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg
import httpx2

from devstack.stack import Stack
from domain.bodies import rules_of
from domain.district import District
from service.pack import load_pack
from service.tokens import mint
from tests.builders import CONSULT, SUPERVISOR, until

MEETING, ITEMS = "wenqulu", 30
PATIENCE_SECONDS = 300.0  # on a loaded machine a worker starts slowly; where it is quick, nobody waits as long


class Caller:
    """Repeats with the same key until there is a verdict, as every client does."""

    def __init__(self, stack: Stack, http: httpx2.AsyncClient) -> None:
        self._stack, self._http = stack, http

    async def post(self, path: str, body: dict[str, Any], who: str, key: str) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {mint(self._stack.token_secret, who)}", "Idempotency-Key": key}
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            answer = await self._http.post(path, json=body, headers=headers)
            if answer.status_code not in (429, 503):
                assert answer.status_code < 300, answer.text
                return dict(answer.json())
            assert time.monotonic() < give_up, f"no verdict: {answer.text}"
            await asyncio.sleep(0.2)

    async def get(self, path: str) -> Any:
        headers = {"Authorization": f"Bearer {mint(self._stack.token_secret, SUPERVISOR)}"}
        return (await self._http.get(path, headers=headers)).json()


async def waiting(call: Caller, district: District, n: int) -> str:
    grid = district.grids_of(MEETING)[n % len(district.grids_of(MEETING))]
    body = {"text": "路灯不亮", "category": CONSULT, "location": {"grid": grid.id}}
    number = str((await call.post("/api/v1/demands", body, f"resident-{n:04d}", f"thirty-{n}"))["number"])
    view = await call.get(f"/api/v1/demands/{number}")
    escalate = {"type": "escalate", "reason": "several_units"}
    await call.post(f"/api/v1/demands/{number}/actions", escalate, view["holder"]["id"], f"thirty-{n}-up")
    return number


async def sitting(call: Caller, district: District, secretary: str) -> str:
    path = f"/api/v1/meetings/{MEETING}/sessions"
    id = str((await call.post(path, {"kind": "extra"}, secretary, "thirty-call"))["id"])
    opened = await call.post(f"{path}/{id}/actions", {"type": "open"}, secretary, "thirty-open")
    units = list(rules_of(district, MEETING).members)[: opened["quorum"]]
    await call.post(f"{path}/{id}/actions", {"type": "attend", "units": units}, secretary, "thirty-attend")
    return id


async def test_the_worker_calls_every_meeting_that_has_a_cadence(stack: Stack) -> None:
    async with httpx2.AsyncClient(base_url=stack.url, timeout=30) as http:
        call = Caller(stack, http)

        async def all_called() -> list[dict[str, Any]] | None:
            meetings: list[dict[str, Any]] = await call.get("/api/v1/meetings")
            return meetings if all(one["next_session"] for one in meetings) else None

        meetings = await until(all_called, seconds=PATIENCE_SECONDS)
    assert len(meetings) == 7
    assert all(one["next_session"]["kind"] in ("regular", "extra") for one in meetings)


async def test_thirty_items_are_decided_once_each_though_the_worker_is_killed(
    stack: Stack, db: asyncpg.Connection
) -> None:
    district = load_pack(stack.pack)
    secretary = district.secretary(MEETING)
    async with httpx2.AsyncClient(base_url=stack.url, timeout=30) as http:
        call, at_once = Caller(stack, http), asyncio.Semaphore(6)
        numbers = await asyncio.gather(*(waiting(call, district, n) for n in range(ITEMS)))

        async def on_agenda() -> bool | None:
            asked = "select count(*) = $2 from meeting_item where number = any($1::text[]) and ended_at is null"
            return await db.fetchval(asked, numbers, ITEMS) or None

        await until(on_agenda, seconds=PATIENCE_SECONDS)
        session = await sitting(call, district, secretary)

        async def decide(number: str) -> None:
            async with at_once:
                body = {"number": number, "kind": "return_to_grid", "minute": "由网格牵头。"}
                await call.post(f"/api/v1/meetings/{MEETING}/decisions", body, secretary, f"decide-{number}")

        deciding = asyncio.gather(*(decide(number) for number in numbers))

        async def in_the_middle() -> bool | None:
            return await db.fetchval("select count(*) >= 8 from meeting_item where session = $1", session) or None

        await until(in_the_middle, seconds=PATIENCE_SECONDS)
        victim = stack.pids["worker"]
        await asyncio.to_thread(stack.kill, "worker")
        await deciding
        assert stack.pids["worker"] not in (None, victim)
        path = f"/api/v1/meetings/{MEETING}/sessions/{session}/actions"
        closed = await call.post(path, {"type": "close"}, secretary, "thirty-close")
    assert (closed["decided"], [n for n in numbers if n in closed["rolled_over"]]) == (ITEMS, [])

    async def told() -> dict[str, int] | None:
        """The meeting tells each demand by a signal, which writes it down in its own time."""
        rows = await db.fetch(
            "select number, count(*) times from demand_event where type = 'meeting_decided' and number = any($1::text[])"
            " group by number", numbers,
        )  # fmt: skip
        return {row["number"]: row["times"] for row in rows} if len(rows) == ITEMS else None

    assert await until(told, seconds=PATIENCE_SECONDS) == dict.fromkeys(numbers, 1)
    kept = await db.fetchval(
        "select count(*) from demand_text where kind = 'minute' and number = any($1::text[])", numbers
    )
    assert kept == ITEMS
