"""What units have to do, counted from the demands' rows: as demands come, change hands and end."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest_asyncio

from domain.actors import Actor, Grant
from domain.capacity import Account
from domain.commands import Act, AddCoUnits, CoDone, Command, Refuse, Resolve, Withdraw
from domain.vocabulary import Role
from store import unit_tasks
from store.intake import Writer
from store.past_demands import past_demands
from store.pool import Pool, open_pool
from store.record import record
from tests.store.builders import Story, intake, story

LIAISON = Actor(id="p-5", grants=(Grant(role=Role.UNIT_LIAISON),))
REPORTER = Actor(id="resident-0001", grants=(Grant(role=Role.RESIDENT),))
UNITS = [f"u-{n}" for n in range(5)]


@pytest_asyncio.fixture(autouse=True)
async def nothing_else(pool: Pool) -> AsyncIterator[None]:
    await pool.execute("truncate demand, demand_event, demand_text, clock, outbox, reporter, idempotency")
    yield


async def taken_in(pool: Pool) -> Story:
    one = story()
    assert await Writer(pool, lease=timedelta(seconds=20)).insert(intake(one))
    return one


async def go(pool: Pool, one: Story, command: Command, actor: Actor = LIAISON) -> None:
    await record(pool, **one.go(Act(command=command, actor=actor, key=command.type)))


async def help_with(pool: Pool, one: Story, *tasks: dict[str, Any]) -> None:
    await pool.execute(
        "update demand set state = state || jsonb_build_object('co_tasks', $2::jsonb) where number = $1",
        one.demand.number, json.dumps(tasks),
    )  # fmt: skip


async def loads(pool: Pool) -> dict[str, int]:
    """Both ways of counting say the same."""
    counted = await unit_tasks.counted(pool)
    assert counted == Account.of(await unit_tasks.tasks(pool, UNITS)).loads
    return counted


async def test_a_demand_is_a_task_of_the_unit_that_leads_it_and_of_no_other(pool: Pool) -> None:
    first, _ = await taken_in(pool), await taken_in(pool)
    assert await loads(pool) == {"u-0": 2}
    await go(pool, first, Refuse(basis="not_our_duty"))
    assert first.demand.unit == "u-1" and await loads(pool) == {"u-0": 1, "u-1": 1}
    await go(pool, first, Resolve(reply_id="r"))
    assert first.demand.unit == "u-1" and await loads(pool) == {"u-0": 1}  # done: it waits for the reporter now


async def test_what_ends_is_given_back(pool: Pool) -> None:
    one = await taken_in(pool)
    await go(pool, one, Withdraw(), REPORTER)
    assert await loads(pool) == {}


async def test_helping_counts_until_it_is_done_refused_or_released(pool: Pool) -> None:
    one = await taken_in(pool)
    states = ("offered", "bound", "done", "refused", "released")
    for state in states:
        await help_with(pool, one, {"unit": "u-2", "state": state}, {"unit": "u-3", "state": "done"})
        assert await loads(pool) == {"u-0": 1} | ({"u-2": 1} if state in ("offered", "bound") else {}), state
    await help_with(pool, one, {"unit": "u-2"})  # a state that is the default is left out of the row
    assert await loads(pool) == {"u-0": 1, "u-2": 1}
    await help_with(pool, one, {"unit": "u-0"})  # it leads it anyway
    assert await loads(pool) == {"u-0": 1}


async def test_the_rows_of_the_product_itself_are_counted(pool: Pool) -> None:
    """What the decider writes, not what this test makes of it: asked, done, and released when the demand leaves."""
    one = await taken_in(pool)
    helper = Actor(id="p-h", grants=(Grant(role=Role.UNIT_LIAISON, unit="u-3"),))
    asked = [{"unit": "u-3", "liaison": "p-h"}, {"unit": "u-4", "liaison": "p-i", "required": False}]
    await go(pool, one, AddCoUnits.model_validate({"co_units": asked}))
    assert await loads(pool) == {"u-0": 1, "u-3": 1, "u-4": 1}
    await go(pool, one, CoDone(unit="u-3"), helper)
    assert await loads(pool) == {"u-0": 1, "u-4": 1}
    await go(pool, one, Resolve(reply_id="r"))
    assert await loads(pool) == {}


_UPDATES = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'demand'"


async def updates(pool: Pool) -> tuple[int, int]:
    """How many rows were written anew since ever, and how many of them within their page."""
    async with pool.acquire() as connection:
        await connection.execute("select pg_stat_force_next_flush()")
        row = await connection.fetchrow(_UPDATES)
    assert row is not None
    return row["n_tup_upd"], row["n_tup_hot_upd"]


async def test_a_note_costs_no_entry_in_the_indexes(pool: Pool, database: str) -> None:
    """What they hold stays as it is, so PostgreSQL keeps the new row within its page, without touching an index (HOT)."""
    one = await taken_in(pool)
    alone = await open_pool(database, size=1)  # a session tells what it did when it is asked itself
    before = await updates(alone)
    for n in range(10):
        await record(alone, **one.note(str(n)))
    after = await updates(alone)
    await alone.close()
    assert after[0] - before[0] == 10 and after[1] - before[1] >= 8, (before, after)


async def test_only_the_units_asked_for_are_read(pool: Pool) -> None:
    one, two = await taken_in(pool), await taken_in(pool)
    await go(pool, two, Refuse(basis="no_power"))
    await help_with(pool, one, {"unit": "u-4"}, {"unit": "u-1"})
    found = await unit_tasks.tasks(pool, ["u-1", "u-4", "u-9"])
    numbers = one.demand.number, two.demand.number
    assert sorted(found) == sorted([("u-1", numbers[1]), ("u-1", numbers[0]), ("u-4", numbers[0])])
    assert await unit_tasks.tasks(pool, []) == []


async def test_both_indexes_serve_the_count_of_some_units(pool: Pool) -> None:
    """Without them a hand-off would read every demand there is."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {unit_tasks._TASKS}", ["u-1"]))
    assert "demand_led" in plan and "demand_helped" in plan, plan


async def test_past_demands_are_read_newest_first_in_batches(pool: Pool) -> None:
    stories = [await taken_in(pool) for _ in range(5)]
    for one in stories[:3]:
        await go(pool, one, Withdraw(), REPORTER)
    async with past_demands(pool, since=None, most_closed=2, batch=2) as batches:
        found = [one for batch in [list(b) async for b in batches] for one in batch]
    # All open ones, and the newest two of the three that are closed.
    assert [one.number for one in found] == [one.demand.number for one in reversed(stories[1:])]
    assert [one.still_open for one in found] == [True, True, False, False]
    assert {(one.category, one.community, one.grid, one.unit, one.handed_off) for one in found} == {
        ("040102", "c-1", "g-1", "u-0", True)
    }
    async with past_demands(
        pool, since=stories[0].entries[0].at + timedelta(days=1), most_closed=9, batch=9
    ) as batches:
        assert [b async for b in batches] == []
