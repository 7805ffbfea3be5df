"""Publications in the database: which demands follow a calendar, who carries it to them, and that one holds up no other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from activities.adopt import adopt, adopt_once
from domain.worktime import Calendar
from gateways.temporal import connect
from store import calendars, outbox, publications
from store.intake import Writer
from store.pool import Pool
from store.publications import Wanted
from tests.store.builders import calendar, intake, story

NOW, LATER = timedelta(seconds=-1), timedelta(hours=1)
OLD, NEW, NEWER = calendar().version, "CN-2026-2027/new", "CN-2026-2027/newer"


def named(version: str) -> Calendar:
    return calendar().model_copy(update={"version": version})


@pytest_asyncio.fixture(autouse=True)
async def clean(pool: Pool) -> AsyncIterator[None]:
    for table in ("outbox", "demand", "publication"):
        await pool.execute(f"delete from {table}")
    for version in (OLD, NEW, NEWER):
        await calendars.keep(pool, named(version))
    yield


async def taken_in(pool: Pool, count: int, **columns: Any) -> list[str]:
    """Open demands whose workflows run already; `columns` are changed afterwards."""
    stories = [story() for _ in range(count)]
    for one in stories:
        assert await Writer(pool, lease=NOW).insert(intake(one))
    numbers = [s.demand.number for s in stories]
    await outbox.done(pool, numbers)
    for name, value in columns.items():
        await pool.execute(f"update demand set {name} = $1 where number = any($2::text[])", value, numbers)
    return numbers


async def queue(pool: Pool, versions: dict[int, str], *, only: list[str] | None = None) -> int:
    async with publications.publishing(pool) as transaction:
        return await transaction.queue(Wanted(versions), only=only)


async def waiting(pool: Pool) -> dict[str, str]:
    return {r["number"]: r["ref"] for r in await pool.fetch("select number, ref from outbox where kind = 'adopt'")}


async def test_each_open_demand_waits_once_for_the_calendar_of_its_year(pool: Pool) -> None:
    this = await taken_in(pool, 2)
    last = await taken_in(pool, 1, opened_at=datetime(2025, 12, 31, 15, 59, tzinfo=UTC))
    turned = await taken_in(pool, 1, opened_at=datetime(2025, 12, 31, 16, 0, tzinfo=UTC))  # 2026 in China
    ancient = await taken_in(pool, 1, opened_at=datetime(2019, 5, 1, tzinfo=UTC))
    await taken_in(pool, 1, stage="closed")
    assert await queue(pool, {2025: NEWER, 2026: NEW, 2027: OLD}) == 5
    assert await waiting(pool) == dict.fromkeys([*this, *turned], NEW) | dict.fromkeys([*last, *ancient], NEWER)
    assert await queue(pool, {2025: NEWER, 2026: NEW}) == 0
    assert (await queue(pool, {2025: NEWER, 2026: OLD}), set(await waiting(pool))) == (0, {*last, *ancient})


async def test_a_calendar_published_before_the_first_was_followed_takes_its_place(pool: Pool) -> None:
    numbers = await taken_in(pool, 2)
    assert await queue(pool, {2026: NEW}) == 2
    under_way = await outbox.claim_adoptions(pool, lease=LATER, limit=1)
    assert await queue(pool, {2026: NEWER}) == 2
    await outbox.adopted(pool, under_way)  # its signal told the calendar before; it still has to hear of the last one
    assert await waiting(pool) == dict.fromkeys(numbers, NEWER)
    assert await outbox.claim_adoptions(pool, lease=LATER, limit=9) != under_way
    assert await queue(pool, {2026: OLD}) == 0 and await waiting(pool) == {}


async def test_stragglers_are_those_of_a_replaced_version_alone(pool: Pool) -> None:
    numbers = await taken_in(pool, 1)
    assert await queue(pool, {2026: NEW}, only=[NEWER]) == 0
    assert await queue(pool, {2026: NEW}, only=[NEWER, OLD]) == 1
    assert set(await waiting(pool)) == set(numbers)


async def test_two_workers_share_the_work_and_a_lease_ends_by_itself(pool: Pool) -> None:
    numbers = await taken_in(pool, 30)
    await queue(pool, {2026: NEW})
    shares = await asyncio.gather(
        *(outbox.claim_adoptions(pool, lease=timedelta(milliseconds=300), limit=20) for _ in "ab")
    )
    assert sorted(a.number for share in shares for a in share) == sorted(numbers)
    assert {a.calendar.version for share in shares for a in share} == {NEW}
    assert await outbox.claim_adoptions(pool, lease=LATER, limit=20) == []
    await outbox.adopted(pool, shares[0])
    await asyncio.sleep(0.35)
    assert await outbox.claim_adoptions(pool, lease=LATER, limit=50) == sorted(shares[1], key=lambda a: a.id)


async def test_what_fails_is_put_off_longer_each_time_and_keeps_its_reason(pool: Pool) -> None:
    await taken_in(pool, 1)
    await queue(pool, {2026: NEW})
    pauses = []
    for _ in range(3):
        await pool.execute("update outbox set claimed_until = now() - interval '1 second'")
        (one,) = await outbox.claim_adoptions(pool, lease=LATER, limit=9)
        await outbox.adopt_later(pool, one, "not started")
        pauses.append(await pool.fetchval("select claimed_until - now() from outbox"))
    assert NOW < pauses[0] < pauses[1] < pauses[2]
    left = await publications.left_of(pool, [NEW])
    assert (left.waiting, left.put_off) == (1, 1)


async def test_one_unreadable_calendar_does_not_stop_the_others(pool: Pool) -> None:
    await taken_in(pool, 1, opened_at=datetime(2025, 5, 1, tzinfo=UTC))
    readable = await taken_in(pool, 1)
    await queue(pool, {2025: NEWER, 2026: NEW})
    await pool.execute("update calendar set body = '{}' where version = $1", NEWER)
    claimed = await outbox.claim_adoptions(pool, lease=LATER, limit=9)
    await pool.execute("update calendar set body = $2 where version = $1", NEWER, named(NEWER).model_dump_json())
    assert [a.number for a in claimed] == readable


async def test_what_is_over_is_taken_out_and_what_is_not_stays(pool: Pool) -> None:
    gone, running = await taken_in(pool, 2), await taken_in(pool, 1)
    await queue(pool, {2026: NEW})
    await pool.execute("update demand set state = state || '{\"sealed\": true}' where number = $1", gone[0])
    await pool.execute("delete from demand where number = $1", gone[1])
    claimed = await outbox.claim_adoptions(pool, lease=LATER, limit=9)
    dropped = await outbox.drop_ended(pool, claimed)
    assert {a.number for a in claimed if a.id in dropped} == set(gone)
    assert set(await waiting(pool)) == set(running)


async def test_a_snapshot_is_read_in_batches_and_does_not_change_under_the_reader(pool: Pool) -> None:
    numbers = await taken_in(pool, 25)
    seen: list[str] = []
    sizes: list[int] = []
    async with publications.snapshot(pool) as snapshot:
        assert await snapshot.open_demands() == 25
        async for batch in snapshot.differing(Wanted({2026: NEW}), batch=10):
            if not sizes:
                await taken_in(pool, 1)
            sizes.append(len(batch))
            seen += [json.loads(one.state)["number"] for one in batch]
    assert sizes == [10, 10, 5] and sorted(seen) == sorted(numbers)


async def test_budgets_are_counted_by_class_and_clock(pool: Pool) -> None:
    await taken_in(pool, 3)
    async with publications.snapshot(pool) as snapshot:
        found = {(c, clock): (json.loads(budget), n) for c, clock, budget, n in await snapshot.budgets()}
    assert found["ordinary", "resolve"] == ({"amount": 7.0, "unit": "working_days"}, 3)


async def test_a_publication_that_fails_half_way_leaves_nothing(pool: Pool) -> None:
    await taken_in(pool, 1)
    with pytest.raises(asyncpg.CheckViolationError):
        async with publications.publishing(pool) as transaction:
            await transaction.queue(Wanted({2026: NEW}))
            await transaction.insert(
                kind="nothing", key="", version="v", body="{}", impact={}, by="p", at=datetime(2026, 11, 23, tzinfo=UTC)
            )
    assert await waiting(pool) == {} and (await publications.mark(pool, datetime.now(UTC))).newest == 0


async def test_pages_go_from_the_newest_back(pool: Pool) -> None:
    ids = []
    for key in ("2027", "2028", "2027"):
        async with publications.publishing(pool) as transaction:
            ids.append(
                await transaction.insert(
                    kind="holiday_year", key=key, version=f"CN-{key}/x", body=json.dumps({"year": int(key)}),
                    impact={"queued": 0}, by="p-1", at=datetime(2026, 11, 23, tzinfo=UTC),
                )
            )  # fmt: skip
    assert (await publications.mark(pool, datetime.now(UTC))).newest == ids[-1]
    assert [p.id for p in await publications.page(pool, before=None, limit=2)] == [ids[2], ids[1]]
    assert [p.id for p in await publications.page(pool, before=ids[1], limit=2)] == [ids[0]]
    assert [p.id for p in await publications.all_of_them(pool)] == ids
    one = await publications.one(pool, ids[1])
    assert one is not None and (one.body, one.impact) == ({"year": 2028}, {"queued": 0})
    assert await publications.one(pool, 10**17) is None


async def test_a_dead_engine_leaves_the_rows_for_later_and_the_worker_alive(pool: Pool) -> None:
    numbers = await taken_in(pool, 3)
    await queue(pool, {2026: NEW})
    nowhere = await connect("127.0.0.1:1", "default")
    with pytest.raises(Exception, match=r"(?i)connect|unavailable|refused"):
        await adopt_once(pool, nowhere)
    assert set(await waiting(pool)) == set(numbers)
    await pool.execute("update outbox set claimed_until = now() - interval '1 second'")
    running = asyncio.create_task(adopt(pool, nowhere))
    await asyncio.sleep(1)
    assert not running.done(), running.exception()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await pool.fetchval("select max(attempts) from outbox") >= 2


async def test_a_worker_never_waits_for_a_publication_that_is_under_way(pool: Pool) -> None:
    await taken_in(pool, 3)
    await queue(pool, {2026: NEW})
    claimed = await outbox.claim_adoptions(pool, lease=LATER, limit=9)
    async with publications.publishing(pool) as transaction:
        assert await transaction.queue(Wanted({2026: NEWER}), only=None) == 3
        async with asyncio.timeout(5):
            await outbox.adopted(pool, claimed)
            assert await outbox.drop_ended(pool, claimed) == set()
    assert set((await waiting(pool)).values()) == {NEWER}
