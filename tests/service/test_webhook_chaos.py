"""Nothing stays in sending without a timer: workers killed again and again, receivers moody, and still all of it arrives."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from store.pool import Pool, open_pool
from tests.gateways.receivers import Received, for_ever, receiving, status
from tests.service.test_webhook_delivery import outgoing
from tests.service.webhook_ground import PATIENT, Ground, taken_in, urged, watch_on

MOODS = (204, 204, 204, 500, 429, 301, None)
HASTY = replace(PATIENT, timeout=timedelta(seconds=0.2), pauses=(timedelta(seconds=1),) * 60)


@pytest_asyncio.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, size=12)
    yield opened
    await opened.close()


async def without_a_turn(pool: Pool) -> int:
    """Deliveries that wait, and no queue would ever take them up."""
    count: int = await pool.fetchval(
        "select count(*) from webhook_delivery d where state = 'pending' and not exists ("
        " select from webhook_queue q where q.webhook = d.webhook and q.subject = d.subject)"
    )
    return count


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_killed_at_any_moment_nothing_is_lost_or_disordered(pool: Pool, seed: int) -> None:
    dice, grounds = random.Random(seed), [Ground(pool, watch_on(pool), HASTY) for _ in range(2)]
    await grounds[0].plan()
    taken: dict[str, list[str]] = defaultdict(list)

    async def moody(request: Received) -> bytes | None:
        mood = dice.choice(MOODS)
        if mood is None:
            return await for_ever(request)
        if mood == 204:
            event = json.loads(request.body)
            taken[event["subject"]].append(event["sequence"])
        return status(mood, *(["Retry-After: 1"] if mood == 429 else []))

    async with receiving(moody) as receiver:
        await grounds[0].hook(receiver.url, "w")
        demands = [await taken_in(pool) for _ in range(6)]
        for _ in range(25):
            await urged(pool, dice.choice(demands))
            ground = dice.choice(grounds)
            work = asyncio.create_task(ground.work())
            await asyncio.sleep(dice.random() * 0.05)
            work.cancel()  # and what it was sending
            await asyncio.gather(work, return_exceptions=True)
            await ground.sending.close()
            assert await without_a_turn(pool) == 0
            ground.later(HASTY.lease if dice.random() < 0.2 else timedelta(seconds=1))
        last = grounds[0]
        for _ in range(200):
            last.later(HASTY.lease)
            await last.work()
            if not await pool.fetchval("select count(*) from webhook_queue"):
                break
        await last.sending.close()
    for one in demands:
        sequences = [int(s) for s in dict.fromkeys(taken[one.demand.number])]
        assert sequences == outgoing(one)
    assert await pool.fetchval("select count(*) from webhook_delivery where state <> 'delivered'") == 0
    await pool.execute("delete from webhook")
