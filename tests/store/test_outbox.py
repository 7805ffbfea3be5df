"""The outbox: claimed by one relay at a time, found again after a lease, gone only when the workflow runs."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from activities import relay
from gateways.temporal import connect
from store import calendars, outbox
from store.intake import Writer
from store.pool import Pool
from tests.store.builders import calendar, intake, story

NOW, LATER = timedelta(seconds=-1), timedelta(hours=1)


@pytest_asyncio.fixture(autouse=True)
async def clean(pool: Pool) -> AsyncIterator[None]:
    await pool.execute("delete from outbox")
    await calendars.keep(pool, calendar())
    yield


async def taken_in(pool: Pool, count: int, *, lease: timedelta = NOW) -> list[str]:
    stories = [story() for _ in range(count)]
    for one in stories:
        at = await pool.fetchval("select now()")
        assert await Writer(pool, lease=lease).insert(intake(one, at=at))
    return [s.demand.number for s in stories]


async def test_a_claim_is_for_one_and_ends_by_itself(pool: Pool) -> None:
    numbers = await taken_in(pool, 3)
    first = await outbox.claim_starts(pool, lease=timedelta(milliseconds=300), limit=2)
    second = await outbox.claim_starts(pool, lease=LATER, limit=10)
    assert [p.demand.number for p in first] == numbers[:2]
    assert [p.demand.number for p in second] == numbers[2:]
    assert await outbox.claim_starts(pool, lease=LATER, limit=10) == []
    await asyncio.sleep(0.35)
    again = await outbox.claim_starts(pool, lease=LATER, limit=10)
    assert [p.demand.number for p in again] == numbers[:2]
    assert again[0].calendar == calendar()


async def test_what_intake_keeps_for_its_own_starter_is_left_alone(pool: Pool) -> None:
    numbers = await taken_in(pool, 1, lease=LATER)
    assert await outbox.claim_starts(pool, lease=LATER, limit=10) == []
    assert [p.demand.number for p in await outbox.pending(pool, numbers)] == numbers


async def test_two_relays_share_the_work_and_start_each_once(pool: Pool, temporal: WorkflowEnvironment) -> None:
    numbers, queue = await taken_in(pool, 60), f"nobody-{uuid.uuid4().hex[:6]}"
    counts = await asyncio.gather(*(relay.relay_once(pool, temporal.client, queue) for _ in range(2)))
    counts += [await relay.relay_once(pool, temporal.client, queue)]
    assert sum(counts) == 60
    assert await pool.fetchval("select count(*) from outbox") == 0
    for number in numbers[:3] + numbers[-3:]:
        handle = temporal.client.get_workflow_handle(number)
        assert (await handle.describe()).task_queue == queue
    # Found once more, as after a crash between start and tidying up: not an error, and not a second workflow.
    first = (await temporal.client.get_workflow_handle(numbers[0]).describe()).run_id
    await pool.execute(
        "insert into outbox (kind, number, claimed_until, attempts) values ('start', $1, now(), 0)", numbers[0]
    )
    assert await relay.relay_once(pool, temporal.client, queue) == 1
    assert (await temporal.client.get_workflow_handle(numbers[0]).describe()).run_id == first
    await asyncio.gather(*(temporal.client.get_workflow_handle(n).terminate() for n in numbers))


async def test_a_dead_engine_leaves_the_rows_with_the_reason(pool: Pool) -> None:
    numbers = await taken_in(pool, 3)
    nowhere = await connect("127.0.0.1:1", "default")
    with pytest.raises(Exception, match=r"(?i)connect|unavailable|refused"):
        await relay.relay_once(pool, nowhere, "q")
    rows = await pool.fetch("select attempts, last_error from outbox where number = any($1::text[])", numbers)
    assert [(r["attempts"], bool(r["last_error"])) for r in rows] == [(1, True)] * 3


async def test_the_relay_outlives_a_dead_engine(pool: Pool) -> None:
    await taken_in(pool, 1)
    nowhere = await connect("127.0.0.1:1", "default")
    running = asyncio.create_task(relay.relay(pool, nowhere, "q"))
    await asyncio.sleep(1.5)
    assert not running.done(), running.exception()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_one_broken_row_does_not_stop_the_others(pool: Pool, temporal: WorkflowEnvironment) -> None:
    numbers, queue = await taken_in(pool, 3), f"nobody-{uuid.uuid4().hex[:6]}"
    await pool.execute('update demand set state = state || \'{"stage": "nowhere"}\' where number = $1', numbers[1])
    with contextlib.suppress(Exception):  # the relay may complain, as long as the others are started
        await relay.relay_once(pool, temporal.client, queue)
    left = [r["number"] for r in await pool.fetch("select number from outbox")]
    assert left == [numbers[1]]
    await asyncio.gather(*(temporal.client.get_workflow_handle(n).terminate() for n in (numbers[0], numbers[2])))
