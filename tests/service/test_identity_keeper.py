"""What identity need not keep is removed; what counts stays."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from service.identity_keeper import KEPT_AFTER_THE_END, IdentityKeeper
from store.account_sessions import New, open_one, revoke
from store.pool import Pool, open_pool
from store.sign_in_tries import Counter, Pace, count

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, size=2)
    yield opened
    await opened.close()


async def test_ended_sessions_and_old_counters_go(pool: Pool) -> None:
    day = timedelta(days=1)
    ends = {
        "long over": NOW - KEPT_AFTER_THE_END - day,
        "just over": NOW - day,
        "live": NOW + day,
        "revoked": NOW + day,
    }
    async with pool.acquire() as connection:
        for id, expires_at in ends.items():
            new = New(id, id.encode(), "p-0001", "password", "x", b"", b"")
            await open_one(connection, new, NOW - 90 * day, expires_at)
        await revoke(connection, "revoked", "p-0001", NOW - KEPT_AFTER_THE_END - day)
        pace = Pace(free=1, longest=day, forget_one=day)
        assert await count(connection, Counter(b"old", pace), NOW - 3 * day)
        assert await count(connection, Counter(b"new", pace), NOW)
    assert await IdentityKeeper(pool).once(NOW) == 2
    assert await IdentityKeeper(pool).once(NOW) == 0
    left = await pool.fetch("select id from account_session order by id")
    assert [row["id"] for row in left] == ["just over", "live"]
    assert [row["mark"] for row in await pool.fetch("select mark from sign_in_try")] == [b"new"]
