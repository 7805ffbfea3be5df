"""The API is killed twice in the middle of an import: it goes on by itself, and every row is one demand."""

from __future__ import annotations

import asyncpg
import httpx2

from devstack.stack import Stack
from tests.faults.test_api_killed_after_commit import headers, kill_and_wait, until

ROWS = 600


async def test_killed_twice(stack: Stack, db: asyncpg.Connection) -> None:
    rows = "\n".join(f"{n},第{n}件：路灯不亮" for n in range(ROWS))
    heads = headers(stack, "p-0004", "killed-import")
    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        asked = await http.post(
            "/api/v1/imports", headers=heads, files={"file": ("a.csv", f"编号,内容\n{rows}\n".encode())},
            data={"system": "killed"},
        )  # fmt: skip
        assert asked.status_code == 202, asked.text
        path = asked.headers["location"]

    async def taken() -> int:
        return int(await db.fetchval("select count(*) from external_ref where system = 'killed'"))

    for least in (60, 300):

        async def far_enough(least: int = least) -> bool:
            return await taken() >= least

        await until(far_enough)
        await kill_and_wait(stack)
        # Its claim would run out by itself after a minute.
        await db.execute("update bulk_import set claimed_until = now() where state = 'waiting'")

    async def over() -> bool:
        return bool(await db.fetchval("select finished_at is not null from bulk_import where id = $1", path[-34:]))

    await until(over, seconds=120)
    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        view = (await http.get(path, headers=heads)).json()
    assert (view["state"], view["taken"], view["there"], view["refused"]) == ("done", ROWS, 0, 0)
    assert await taken() == ROWS
    assert await db.fetchval("select count(distinct number) from external_ref where system = 'killed'") == ROWS
