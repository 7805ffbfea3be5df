"""The feed: nothing is passed over, whoever commits when; each consumer's rows are written once for each event."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.events import NoteAdded
from domain.ledger import append
from store.feed import BEGINNING, FeedEvent, Position, UnreadablePosition, consume, end, page
from store.intake import Writer
from store.pool import Pool, open_pool
from store.record import record
from tests.store.builders import Story, intake, story


async def taken_in(pool: Pool) -> Story:
    one = story()
    assert await Writer(pool, lease=timedelta(seconds=20)).insert(intake(one))
    return one


def ids(events: list[FeedEvent]) -> list[str]:
    return [e.id for e in events]


async def test_events_come_once_in_the_order_of_their_commits(pool: Pool) -> None:
    start = await end(pool)
    first, second = await taken_in(pool), await taken_in(pool)
    await record(pool, **first.note("a"))
    await record(pool, **second.note("b"))
    await record(pool, **first.note("c"))
    seen = await page(pool, start, 1000)
    logs = {one.demand.number: [e.hash for e in one.entries] for one in (first, second)}
    assert {n: [e.hash for e in seen if e.number == n] for n in logs} == logs
    assert [e.data["note_id"] for e in seen if e.type == "note_added"] == ["a", "b", "c"]
    assert [e.position for e in seen] == sorted(e.position for e in seen)
    by_twos: list[FeedEvent] = []
    while more := await page(pool, by_twos[-1].position if by_twos else start, 2):
        by_twos += more
    assert by_twos == seen
    assert (seen[0].category, seen[0].community, seen[0].confidential) == ("040102", "c-1", False)


async def test_what_commits_later_is_not_passed_over(pool: Pool) -> None:
    """The second transaction began later and commits first: its events wait for the first one's."""
    one, other = await taken_in(pool), await taken_in(pool)
    start = await end(pool)
    slow = one.note("slow")
    async with pool.acquire() as connection:
        under_way = connection.transaction()
        await under_way.start()
        await connection.fetchval("select pg_current_xact_id()")
        await record(pool, **other.note("fast"))
        assert await page(pool, start, 10) == []
        assert await end(pool) == start
        await record(connection, **slow)  # type: ignore[arg-type]
        assert await page(pool, start, 10) == []
        await under_way.commit()
    assert [e.data["note_id"] for e in await page(pool, start, 10)] == ["slow", "fast"]


async def test_an_event_that_a_later_attempt_replaces_comes_again_under_another_id(pool: Pool) -> None:
    one = await taken_in(pool)
    start, before = await end(pool), one.demand
    await record(pool, **one.note("lost"))
    first = await page(pool, start, 10)
    at = one.entries[-1].at + timedelta(minutes=5)
    demand, entries = append(before, [NoteAdded(note_id="kept")], at=at, actor="p-1")
    await record(pool, demand=demand, entries=entries, after=before.head, at=at)
    second = await page(pool, first[-1].position, 10)
    assert [(e.seq, e.data["note_id"]) for e in first + second] == [(before.seq + 1, "lost"), (before.seq + 1, "kept")]
    assert first[0].id != second[0].id
    await record(pool, demand=demand, entries=entries, after=before.head, at=at)
    assert await page(pool, second[-1].position, 10) == []


async def test_a_consumer_writes_its_rows_once_for_each_event(pool: Pool) -> None:
    await pool.execute("create table planned (id text not null)")
    async with consume(pool, "planner", 3) as batch:
        assert batch is not None
        assert batch.events == []
    told = []
    for n in range(4):
        one = await taken_in(pool)
        await record(pool, **one.note(f"n{n}"))
        told += [f"{one.demand.number}-{e.seq}-{e.hash[:8]}" for e in one.entries]

    class Killed(Exception):
        pass

    async def work(*, dies: bool) -> bool:
        async with consume(pool, "planner", 3) as batch:
            if batch is None:
                return False
            await batch.connection.executemany("insert into planned values ($1)", [(e.id,) for e in batch.events])
            if dies:
                raise Killed
            return bool(batch.events)

    with pytest.raises(Killed):
        await work(dies=True)
    while any(await asyncio.gather(*(work(dies=False) for _ in range(4)))):
        pass
    assert sorted(r["id"] for r in await pool.fetch("select id from planned")) == sorted(told)


async def test_two_at_a_time_do_not_wait_for_one_another(pool: Pool) -> None:
    async with consume(pool, "pair", 3) as first, consume(pool, "pair", 3) as second:
        assert first is None or second is None
    async with consume(pool, "pair", 3) as first, consume(pool, "pair", 3) as second, consume(pool, "x", 3) as third:
        assert first is not None
        assert second is None
        assert third is not None


async def test_a_new_consumer_starts_where_it_says(pool: Pool) -> None:
    await taken_in(pool)
    async with consume(pool, "from the start", 10_000, start="beginning") as batch:
        assert batch is not None
        assert ids(batch.events) == ids(await page(pool, None, 10_000))
    async with consume(pool, "from now", 10_000) as batch:
        assert batch is not None
        assert batch.events == []
    async with consume(pool, "from the start", 10_000, start="beginning") as batch:
        assert batch is not None
        assert batch.events == []


# ---- another cluster


async def in_another_cluster(pool: Pool) -> None:
    """As after a dump was restored: the noted cluster is another one, and the numbers of its transactions are far ahead."""
    await pool.execute("update feed_epoch set system = 'of old' where epoch = (select max(epoch) from feed_epoch)")
    await pool.execute("update demand_event set xid = xid + 1000000 where epoch = (select max(epoch) from feed_epoch)")


async def test_a_restored_database_goes_on_behind_every_cursor(new_database: Callable[..., str]) -> None:
    pool = await open_pool(new_database(), size=4)
    old = await taken_in(pool)
    async with consume(pool, "inside", 1000, start="beginning"):
        pass
    await pool.execute("update feed_cursor set xid = xid + 1000000")
    outside = str(Position(0, 1_000_000 + await pool.fetchval("select max(xid) from demand_event"), "9", 9))
    await in_another_cluster(pool)
    hasty = await taken_in(pool)  # before anybody looked at the feed
    seen = await page(pool, Position.parse(outside), 100)
    assert [e.number for e in seen] == [hasty.demand.number] * len(hasty.entries)
    await record(pool, **old.note("after"))
    await record(pool, **hasty.note("too"))
    async with consume(pool, "inside", 1000) as batch:
        assert batch is not None
        assert [e.id for e in batch.events] == ids(await page(pool, Position.parse(outside), 100))
        assert [e.number for e in batch.events[-2:]] == [old.demand.number, hasty.demand.number]
    everything = await page(pool, BEGINNING, 1000)
    assert {(e.number, e.seq) for e in everything} == {
        (one.demand.number, e.seq) for one in (old, hasty) for e in one.entries
    }
    assert {e.position.epoch for e in everything} == {0, 1}
    await pool.close()


async def test_a_promoted_standby_keeps_the_place_of_what_was_there(new_database: Callable[..., str]) -> None:
    pool = await open_pool(new_database(), size=4)
    await taken_in(pool)
    before = await page(pool, None, 100)
    await pool.execute("update feed_epoch set timeline = '00000000'")
    assert await page(pool, None, 100) == before
    new = await taken_in(pool)
    assert [e.number for e in await page(pool, before[-1].position, 100)] == [new.demand.number] * len(new.entries)
    assert (await end(pool)).epoch == 1
    await pool.close()


async def test_many_notice_at_once_and_one_epoch_begins(new_database: Callable[..., str]) -> None:
    pool = await open_pool(new_database(), size=8)
    await taken_in(pool)
    await in_another_cluster(pool)
    pages = await asyncio.gather(*(page(pool, None, 100) for _ in range(6)))
    assert all(one == pages[0] for one in pages)
    assert await pool.fetchval("select max(epoch) from feed_epoch") == 1
    await pool.close()


# ---- positions as text


def test_a_position_is_one_text() -> None:
    for one in (BEGINNING, Position(0, 5, "20261123-000001", 3), Position(3, 2**40, "a.b", 0)):
        assert Position.parse(str(one)) == one
        assert set(str(one)) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "text", ["", "x", "MC4x", "é", "=" * 9, str(Position(2**15)), str(Position(0, 2**63)), str(Position(0, 1, "", -1)),
             str(BEGINNING) + "=", str(BEGINNING) + "A", "MC4xLjIu\x00"],
)  # fmt: skip
def test_no_other_text_is_a_position(text: str) -> None:
    with pytest.raises(UnreadablePosition):
        Position.parse(text)


async def test_an_ordinary_role_may_ask_which_cluster_it_is_in(pool: Pool) -> None:
    """As in production, where the product owns its tables and is nobody else."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("create role ordinary nologin; grant select on feed_epoch to ordinary")
        await connection.execute("grant select on demand_event, demand to ordinary; set local role ordinary")
        assert await connection.fetchval("select current_setting('is_superuser')") == "off"
        await page(connection, None, 10)
        await connection.execute("reset role; drop owned by ordinary; drop role ordinary")
