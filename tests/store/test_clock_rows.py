"""The clocks of open demands as rows: always those of the demand's state, whoever wrote last."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime, timedelta
from typing import Any

import pytest
from alembic import command

from bench.simulation.audit_clocks import check_clocks
from domain.actors import SYSTEM
from domain.clocks import next_alarm
from domain.commands import Accept, Act, Command, RequestInfo, Resolve, Resume, Ring
from domain.demand import Demand
from domain.vocabulary import ClockName
from store import migrate
from store.intake import Writer
from store.pool import Pool, open_pool
from store.record import record
from tests.store.builders import WORKER, Story, calendar, intake, story

LEASE = timedelta(seconds=20)
COLUMNS = ("due_at", "started_at", "paused_at", "breached", "warned", "provisional")

Rows = dict[str, tuple[Any, ...]]


async def taken_in(pool: Pool, **more: Any) -> Story:
    one = story(scored=False)
    assert await Writer(pool, lease=LEASE).insert(intake(one, **more))
    return one


async def rows(pool: Pool, number: str) -> Rows:
    found = await pool.fetch("select * from clock where number = $1", number)
    return {r["name"]: tuple(r[column] for column in COLUMNS) for r in found}


def expected(d: Demand) -> Rows:
    """Said anew here, from the state alone."""
    percents = {f"{p}%": p for p in (50, 80, 100, 300)}
    return {
        name: (
            None if c.paused_at else c.due_at, c.started_at, c.paused_at, c.breached,
            max([percents[key] for key in c.done if key in percents], default=0), c.provisional,
        )
        for name, c in d.clocks.items()
        if c.stopped_at is None and name != "reopen"
    }  # fmt: skip


def does(one: Story, what: Command, key: str = "k", **more: Any) -> dict[str, Any]:
    return one.go(Act(command=what, actor=SYSTEM if isinstance(what, Ring) else WORKER, key=key), **more)


def rings_at(one: Story, at: datetime) -> dict[str, Any]:
    return does(one, Ring(), after=at - one.entries[-1].at)


def rings_next(one: Story) -> dict[str, Any]:
    alarm = next_alarm(one.demand, calendar())
    assert alarm is not None
    return rings_at(one, alarm.at)


async def test_intake_writes_a_row_for_every_clock(pool: Pool) -> None:
    one = await taken_in(pool)
    assert await rows(pool, one.demand.number) == expected(one.demand)
    assert set(expected(one.demand)) == {"accept", "contact", "resolve"}
    due = one.demand.clocks[ClockName.ACCEPT].due_at
    assert (await rows(pool, one.demand.number))["accept"][:4] == (due, one.entries[0].at, None, False)


async def test_a_demand_that_a_repeated_key_refused_leaves_no_clock(pool: Pool) -> None:
    await taken_in(pool, key="twice")
    again = story(scored=False)
    assert not await Writer(pool, lease=LEASE).insert(intake(again, key="twice"))
    assert await rows(pool, again.demand.number) == {}


async def test_a_batch_keeps_the_clocks_apart(pool: Pool) -> None:
    writer, stories = Writer(pool, lease=LEASE), [story(scored=n % 2 == 0) for n in range(20)]
    assert all(await asyncio.gather(*(writer.insert(intake(one)) for one in stories)))
    for one in stories:
        assert await rows(pool, one.demand.number) == expected(one.demand)


async def test_a_clock_is_paused_resumed_and_stopped(pool: Pool) -> None:
    one = await taken_in(pool)
    number = one.demand.number
    await record(pool, **does(one, RequestInfo(reason="awaiting_access")))
    paused = await rows(pool, number)
    assert paused == expected(one.demand)
    assert paused["resolve"][0] is None and paused["resolve"][2] == one.entries[-1].at
    before = one.demand.clocks[ClockName.RESOLVE].due_at
    await record(pool, **does(one, Resume(), after=timedelta(days=1)))
    resumed = await rows(pool, number)
    assert resumed == expected(one.demand) and "pause" not in resumed
    assert resumed["resolve"][0] > before and resumed["resolve"][2] is None
    await record(pool, **does(one, Accept()))
    assert "accept" not in await rows(pool, number)
    await record(pool, **does(one, Resolve(reply_id="r-1")))
    assert await rows(pool, number) == expected(one.demand)
    assert set(expected(one.demand)) == {"follow_up", "call_back"}


async def test_a_broken_clock_says_so_and_a_closed_demand_has_none(pool: Pool) -> None:
    one = await taken_in(pool)
    number, accept = one.demand.number, one.demand.clocks[ClockName.ACCEPT]
    await record(pool, **rings_at(one, accept.due_at))
    broken = await rows(pool, number)
    assert broken == expected(one.demand)
    assert broken["accept"] == (accept.due_at, accept.started_at, None, True, 100, accept.provisional)
    substitute = WORKER.model_copy(update={"id": "p-2"})
    await record(pool, **one.go(Act(command=Resolve(reply_id="r-1"), actor=substitute, key="k")))
    while one.demand.closed_at is None:
        await record(pool, **rings_next(one))
    assert one.demand.clocks[ClockName.REOPEN].running
    assert await rows(pool, number) == expected(one.demand) == {}


async def test_what_does_not_change_is_not_written(pool: Pool) -> None:
    one = await taken_in(pool)
    where = "select name, ctid, xmin, xmax from clock where number = $1 order by name"
    before = await pool.fetch(where, one.demand.number)
    step = one.note("a")
    await record(pool, **step)
    await record(pool, **step)
    assert await pool.fetch(where, one.demand.number) == before
    await record(pool, **does(one, Accept()))
    assert await pool.fetch(where, one.demand.number) == [r for r in before if r["name"] != "accept"]


async def test_a_replaced_tail_takes_its_clocks_with_it(pool: Pool) -> None:
    """The lost attempt resolved it: clocks stopped and others started that never did."""
    one = await taken_in(pool)
    lost = deepcopy(one)
    await record(pool, **does(lost, Resolve(reply_id="never"), after=timedelta(seconds=1)))
    assert set(await rows(pool, one.demand.number)) == {"follow_up", "call_back"}
    await record(pool, **does(one, RequestInfo(reason="weather")))
    assert await rows(pool, one.demand.number) == expected(one.demand)
    assert {"accept", "contact", "resolve"} <= set(expected(one.demand))


async def test_a_late_earlier_attempt_changes_no_clock(pool: Pool) -> None:
    one = await taken_in(pool)
    lost = deepcopy(one)
    late = does(lost, Resolve(reply_id="never"), after=timedelta(seconds=1))
    await record(pool, **does(one, Accept()))
    await record(pool, **late)
    assert await rows(pool, one.demand.number) == expected(one.demand)


async def test_a_record_without_entries_gives_the_clocks_back(pool: Pool) -> None:
    one = await taken_in(pool)
    lost = deepcopy(one)
    step = does(lost, Resolve(reply_id="never"))
    await record(pool, **step)
    await record(pool, one.demand, [], after=one.demand.head, at=step["at"] + timedelta(seconds=5))
    assert await rows(pool, one.demand.number) == expected(one.demand)


@pytest.mark.parametrize("what", [Accept(), RequestInfo(reason="weather")])
async def test_an_attempt_that_waited_for_a_lost_one_wins_whole(pool: Pool, what: Command) -> None:
    """Both at once: the later statement began before the lost one's was committed, and cannot see its rows."""
    one = await taken_in(pool)
    lost, number = deepcopy(one), one.demand.number
    lost_steps = [does(lost, Resolve(reply_id="never"), after=timedelta(seconds=1)), lost.note("nor this")]
    step = does(one, what, after=timedelta(minutes=5))
    async with pool.acquire() as first, first.transaction():
        for lost_step in lost_steps:
            await record(first, **lost_step)  # type: ignore[arg-type]  # on this very connection
        second = asyncio.create_task(record(pool, **step))
        await until_one_waits(pool)
    await second
    assert await rows(pool, number) == expected(one.demand)
    kept = await pool.fetch("select seq, hash from demand_event where number = $1 order by seq", number)
    assert [tuple(r) for r in kept] == [(e.seq, e.hash) for e in one.entries]


async def until_one_waits(pool: Pool) -> None:
    waits = (
        "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        " and query like '%update demand set%'"
    )
    for _ in range(500):
        if await pool.fetchval(waits):
            return
        await asyncio.sleep(0.01)
    raise AssertionError("nobody waits for the demand's row")


async def test_the_migration_fills_the_table_from_what_is_there(new_database: Callable[[], str]) -> None:
    url = new_database()
    pool = await open_pool(url, size=2)
    stories = [await taken_in(pool) for _ in range(5)]
    await record(pool, **does(stories[0], RequestInfo(reason="weather")))
    await record(pool, **rings_at(stories[1], stories[1].demand.clocks[ClockName.ACCEPT].due_at))
    await record(pool, **does(stories[2], Resolve(reply_id="r")))
    while stories[2].demand.closed_at is None:
        await record(pool, **rings_next(stories[2]))
    everything = "select * from clock order by number, name"
    written = await pool.fetch(everything)
    await pool.close()
    for migrates in (lambda: command.downgrade(migrate.config(url), "0002"), lambda: migrate.upgrade(url)):
        await asyncio.get_running_loop().run_in_executor(None, migrates)
    pool = await open_pool(url, size=2)
    assert await pool.fetch(everything) == written != []
    for one in stories:
        assert await rows(pool, one.demand.number) == expected(one.demand)
    await pool.close()


async def test_the_audit_finds_every_row_that_is_wrong(new_database: Callable[[], str]) -> None:
    pool = await open_pool(new_database(), size=2)
    one, other = await taken_in(pool), await taken_in(pool)
    await record(pool, **does(one, RequestInfo(reason="weather")))
    async with pool.acquire() as lent:
        connection: Any = lent
        assert await check_clocks(connection) == []
        await connection.execute(
            "update clock set warned = 50 where number = $1 and name = 'accept'", one.demand.number
        )
        await connection.execute("delete from clock where number = $1 and name = 'contact'", other.demand.number)
        await connection.execute("insert into clock select 'nobody', name, due_at, started_at, paused_at, breached,"
                                 " warned, provisional from clock where number = $1 limit 1", one.demand.number)  # fmt: skip
        found = await check_clocks(connection)
    assert {said.split(": ")[0] for said in found} == {one.demand.number, other.demand.number, "nobody"}
    assert len(found) == 3
    await pool.close()
