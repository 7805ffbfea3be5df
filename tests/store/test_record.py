"""The projection: recorded twice, late, or out of order, the tables end up the same; the chain survives the database."""

from __future__ import annotations

import asyncio
import json
from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.demand import Demand
from domain.ledger import Entry, replay
from store import queries
from store.intake import Writer
from store.pool import Pool
from store.record import record
from tests.store.builders import intake, story


async def taken_in(pool: Pool) -> Any:
    one = story()
    assert await Writer(pool, lease=timedelta(seconds=20)).insert(intake(one))
    return one


async def stored(pool: Pool, number: str) -> list[Entry]:
    rows = await pool.fetch(
        "select seq, type, at, actor, performed_at, data::text as data, hash from demand_event where number = $1"
        " order by seq",
        number,
    )
    return [Entry.model_validate(dict(r) | {"data": json.loads(r["data"])}) for r in rows]


async def row(pool: Pool, number: str) -> Demand:
    return Demand.model_validate_json(await pool.fetchval("select state from demand where number = $1", number))


async def test_the_chain_and_the_state_survive_the_database(pool: Pool, database: str) -> None:
    one = await taken_in(pool)
    await record(pool, **one.note("a", performed_at=datetime(2026, 11, 20, 1, 2, 3, 456789, tzinfo=UTC)))
    await record(pool, **one.note("b", performed_at=datetime(2026, 11, 20, 1, 2, 3, tzinfo=UTC)))
    back = await stored(pool, one.demand.number)
    assert replay(one.demand.number, back) == one.demand == await row(pool, one.demand.number)
    engine = queries.open_engine(database, size=1)
    listed = await queries.events(engine, one.demand.number, after=0, limit=100)
    fields = ("seq", "type", "at", "actor", "performed_at", "data", "hash")
    assert replay(one.demand.number, [Entry(**{f: getattr(r, f) for f in fields}) for r in listed]) == one.demand
    await engine.dispose()


async def test_an_instant_in_another_zone_has_the_same_hash_afterwards(pool: Pool) -> None:
    one = await taken_in(pool)
    china = timezone(timedelta(hours=8))
    await record(pool, **one.note("a", performed_at=datetime(2026, 11, 20, 9, 0, tzinfo=china)))
    assert replay(one.demand.number, await stored(pool, one.demand.number)) == one.demand


@pytest.mark.parametrize("column", ["actor", "data", "at", "type", "hash", "performed_at"])
async def test_whatever_is_changed_in_the_log_shows(pool: Pool, column: str) -> None:
    one = await taken_in(pool)
    await record(pool, **one.note("a"))
    forged = {
        "actor": "'p-0666'", "data": "data || '{\"x\": 1}'", "at": "at + interval '1 us'", "type": "'urged'",
        "hash": "md5(hash)", "performed_at": "now()",
    }[column]  # fmt: skip
    await pool.execute(f"update demand_event set {column} = {forged} where number = $1 and seq = 2", one.demand.number)
    with pytest.raises(ValueError, match="event"):
        replay(one.demand.number, await stored(pool, one.demand.number))


async def test_a_missing_entry_shows(pool: Pool) -> None:
    one = await taken_in(pool)
    await record(pool, **one.note("a"))
    await pool.execute("delete from demand_event where number = $1 and seq = 3", one.demand.number)
    with pytest.raises(ValueError, match="follows"):
        replay(one.demand.number, await stored(pool, one.demand.number))


async def test_recorded_again_and_again_changes_nothing(pool: Pool) -> None:
    one = await taken_in(pool)
    step = one.note("a")
    await asyncio.gather(*(record(pool, **step) for _ in range(12)))
    before = await pool.fetchrow("select * from demand where number = $1", one.demand.number)
    await record(pool, **step)
    assert await pool.fetchrow("select * from demand where number = $1", one.demand.number) == before
    assert await stored(pool, one.demand.number) == one.entries


async def test_what_a_lost_task_had_written_gives_way_to_what_happened(pool: Pool) -> None:
    """A worker died after its record and before its task was reported: those events never happened."""
    one = await taken_in(pool)
    lost = deepcopy(one)
    for text in ("never", "nor this", "nor that"):
        await record(pool, **lost.note(text, after=timedelta(seconds=1)))
    await record(pool, **one.note("really"))
    assert await stored(pool, one.demand.number) == one.entries
    assert await row(pool, one.demand.number) == one.demand


async def test_a_lost_task_that_writes_late_changes_nothing(pool: Pool) -> None:
    one = await taken_in(pool)
    lost = deepcopy(one)
    late = [lost.note(text, after=timedelta(seconds=1)) for text in ("never", "nor this", "nor that")]
    await record(pool, **one.note("really"))
    for step in late:
        await record(pool, **step)
    assert await stored(pool, one.demand.number) == one.entries
    assert await row(pool, one.demand.number) == one.demand


async def test_a_record_without_entries_takes_back_what_never_happened(pool: Pool) -> None:
    one = await taken_in(pool)
    lost = deepcopy(one)
    step = lost.note("never")
    await record(pool, **step)
    later = step["at"] + timedelta(seconds=5)
    await record(pool, one.demand, [], after=one.demand.head, at=later)
    assert await stored(pool, one.demand.number) == one.entries
    assert await row(pool, one.demand.number) == one.demand


async def test_the_clock_of_intake_may_be_ahead(pool: Pool) -> None:
    """Intake's instant is the API's, the others are Temporal's: a first command is never taken for a late one."""
    one = await taken_in(pool)
    await record(pool, **one.note("a", after=timedelta(seconds=-3)))
    assert await stored(pool, one.demand.number) == one.entries


async def test_columns_say_what_the_state_says(pool: Pool) -> None:
    one = await taken_in(pool)
    await record(pool, **one.note("a"))
    r = await pool.fetchrow("select * from demand where number = $1", one.demand.number)
    d = one.demand
    assert r is not None
    assert (r["seq"], r["head"], r["stage"], r["unit"], r["holder"], r["due_at"], r["breached"]) == (
        d.seq, d.head, d.stage, d.unit, d.holder, d.due_at, d.breached
    )  # fmt: skip
    assert (r["community"], r["grid"], r["category"]) == (d.community, d.place and d.place.grid, d.category)
