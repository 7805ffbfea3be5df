"""Intake: all of a demand or nothing of it, and one demand for a key."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from store import intake as storing
from store.intake import Intake, RefTaken, Writer
from store.pool import Pool
from tests.store.builders import intake, story

TABLES = ("demand", "demand_event", "demand_text", "reporter", "idempotency", "external_ref", "outbox")
LEASE = timedelta(seconds=20)


async def counted(pool: Pool) -> dict[str, int]:
    return {t: await pool.fetchval(f"select count(*) from {t}") for t in TABLES}


async def insert(pool: Pool, one: Intake) -> bool:
    return await Writer(pool, lease=LEASE).insert(one)


async def test_everything_of_a_demand_is_written(pool: Pool) -> None:
    before, one = await counted(pool), story()
    assert await insert(pool, intake(one, key="k-all", refs=(("12345", "a"), ("城管", "b"))))
    added = {t: n - before[t] for t, n in (await counted(pool)).items()}
    assert added == {
        "demand": 1, "demand_event": len(one.entries), "demand_text": 1, "reporter": 1, "idempotency": 1,
        "external_ref": 2, "outbox": 1,
    }  # fmt: skip


async def test_a_failure_anywhere_writes_nothing(pool: Pool) -> None:
    assert await insert(pool, intake(story(), refs=(("12345", "taken"),)))
    before = await counted(pool)
    with pytest.raises(RefTaken):
        await insert(pool, intake(story(), key="k-ref", refs=(("x", "free"), ("12345", "taken"))))
    assert await counted(pool) == before
    assert await storing.answered(pool, "resident-0001", "k-ref") is None
    twin = story()
    await insert(pool, intake(twin))
    before = await counted(pool)
    with pytest.raises(Exception, match=r"demand_pkey|duplicate"):
        await insert(pool, intake(twin, key="k-twin"))
    assert await counted(pool) == before


async def test_an_equal_key_from_many_processes_at_once(pool: Pool) -> None:
    before = await counted(pool)
    writers = [Writer(pool, lease=LEASE) for _ in range(6)]
    tries = [intake(story(), key="k-race", answer=str(n)) for n in range(30)]
    won = await asyncio.gather(*(writers[n % 6].insert(one) for n, one in enumerate(tries)))
    assert sum(won) == 1
    winner = tries[won.index(True)]
    answered = await storing.answered(pool, "resident-0001", "k-race")
    assert answered is not None and (answered.number, answered.answer) == (winner.demand.number, winner.answer)
    assert (await counted(pool))["demand"] == before["demand"] + 1
    assert await insert(pool, intake(story(), key="k-race", principal="resident-0002"))


async def test_one_that_spoils_the_batch_spoils_only_itself(pool: Pool) -> None:
    await insert(pool, intake(story(), refs=(("12345", "spoilt"),)))
    writer = Writer(pool, lease=LEASE)
    tries = [intake(story(), refs=(("12345", "spoilt" if n == 7 else f"fine-{n}"),)) for n in range(40)]
    results = await asyncio.gather(*(writer.insert(one) for one in tries), return_exceptions=True)
    assert [n for n, r in enumerate(results) if r is not True] == [7]
    assert isinstance(results[7], RefTaken)


async def test_a_caller_that_hangs_up_hurts_nobody(pool: Pool) -> None:
    writer = Writer(pool, lease=LEASE)
    tries = [asyncio.create_task(writer.insert(intake(story()))) for _ in range(10)]
    await asyncio.sleep(0)
    for gone in tries[::3]:
        gone.cancel()
    results = await asyncio.gather(*tries, return_exceptions=True)
    assert [r for n, r in enumerate(results) if n % 3] == [True] * 6
    assert await writer.insert(intake(story()))


async def test_numbers_are_given_once(pool: Pool) -> None:
    batches = await asyncio.gather(*(storing.next_numbers(pool, 50) for _ in range(10)))
    given = [n for batch in batches for n in batch]
    assert len(set(given)) == 500
