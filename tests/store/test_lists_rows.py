"""Projects and individual needs in the database: nothing half written, nothing lost between two at a time."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, date, datetime
from typing import Any

import asyncpg
import pytest

from domain.care import Entry
from domain.projects import Milestone, Project
from store import care, projects
from store.pool import Pool
from store.projects import Change, Wanted

NOW = datetime(2027, 3, 1, 2, tzinfo=UTC)


def project(id: str, **more: Any) -> Project:
    values = {
        "id": id,
        "community": "c",
        "title": "补路",
        "lead_unit": "u",
        "opened_at": NOW,
        "opened_by": "p",
        "seq": 1,
    }
    return Project.model_validate({**values, **more})


async def opened(pool: Pool, *, origin: str | None = None, **more: Any) -> Project | None:
    made = project(await projects.next_id(pool), **more)
    async with projects.changing(pool) as transaction:
        if not await transaction.insert(made, origin=origin):
            return None
        await transaction.record(made.id, Change(1, "opened", NOW, "p", {}))
    return made


async def decided(pool: Pool, number: str, project: str | None) -> None:
    await pool.execute(
        "insert into demand_event (number, seq, type, at, actor, data, hash)"
        " values ($1, 1, 'meeting_decided', $2, 'system', $3, $4)",
        number, NOW, json.dumps({"kind": "project", "project": project}), number,
    )  # fmt: skip


async def test_a_project_comes_back_as_it_was_written(pool: Pool) -> None:
    steps = (
        Milestone(seq=1, title="勘察", due_on=date(2027, 3, 9)),
        Milestone(seq=2, title="验收", due_on=date(2027, 4, 1)),
    )
    made = await opened(pool, milestones=steps, linked=("20270301-000002", "20270301-000001"), due_on=date(2027, 5, 1))
    assert made is not None
    found = await projects.one(pool, made.id)
    assert found == made.model_copy(update={"linked": ("20270301-000001", "20270301-000002")})
    done = steps[0].model_copy(update={"percent": 100, "done_at": NOW, "done_by": "p"})
    after = found.model_copy(update={"milestones": (done,), "linked": (), "seq": 2})
    async with projects.changing(pool) as transaction:
        assert await transaction.lock(made.id) == found
        await transaction.save(after)
    assert await projects.one(pool, made.id) == after


async def test_what_a_meeting_decided_is_read_from_the_log(pool: Pool) -> None:
    made = await opened(pool, linked=("20270302-000001",))
    assert made is not None
    await decided(pool, "20270302-000002", made.id)
    await decided(pool, "20270302-000003", None)
    await decided(pool, "20270302-000004", "prj-of-0.1")
    found = await projects.one(pool, made.id)
    assert found is not None and (found.decided, found.linked) == (("20270302-000002",), ("20270302-000001",))
    for number, ids in (("20270302-000001", [made.id]), ("20270302-000002", [made.id]), ("20270302-000004", [])):
        assert [p.id for p in await projects.of_demand(pool, number)] == ids, number


async def test_a_refused_decision_takes_its_project_back_but_never_one_that_lives(pool: Pool) -> None:
    fresh, linked, moved = [await opened(pool, origin=f"key-{n}") for n in range(3)]
    assert fresh and linked and moved
    await decided(pool, "20270303-000001", linked.id)
    async with projects.changing(pool) as transaction:
        await transaction.save(moved.model_copy(update={"seq": 2}))
    for one in (fresh, linked, moved):
        await projects.forget(pool, one.id)
    assert [await projects.one(pool, p.id) is None for p in (fresh, linked, moved)] == [True, False, False]
    assert await projects.HISTORY.page(pool, fresh.id, after=0, limit=9) == []
    assert len(await projects.HISTORY.page(pool, linked.id, after=0, limit=9)) == 1


async def test_one_decision_opens_one_project_however_often_it_comes(pool: Pool) -> None:
    made = await asyncio.gather(*(opened(pool, origin="the same key") for _ in range(5)))
    kept = [p for p in made if p is not None]
    assert len(kept) == 1 and await projects.by_origin(pool, "the same key") == kept[0].id
    assert await pool.fetchval("select count(*) from project where origin = 'the same key'") == 1


async def test_nothing_of_a_change_stays_when_it_is_broken_off(pool: Pool) -> None:
    made = await opened(pool, milestones=(Milestone(seq=1, title="勘察", due_on=date(2027, 3, 9)),))
    assert made is not None
    with pytest.raises(asyncpg.UniqueViolationError):
        async with projects.changing(pool) as transaction:
            await transaction.lock(made.id)
            await transaction.save(made.model_copy(update={"title": "改名", "milestones": ()}))
            await transaction.record(made.id, Change(1, "change", NOW, "p", {}))  # that number is taken
    assert await projects.one(pool, made.id) == made


async def test_overdue_is_reckoned_by_the_day_that_is_asked_for(pool: Pool) -> None:
    late = await opened(pool, community="late", due_on=date(2027, 3, 10))
    assert late is not None
    for on, overdue in ((date(2027, 3, 10), False), (date(2027, 3, 11), True)):
        found = await projects.page(pool, Wanted(community="late", overdue=overdue), on=on, before=None, limit=9)
        assert [p.id for p in found] == [late.id]
        assert late.overdue(on) is overdue


async def test_two_changes_of_one_entry_wait_for_each_other(pool: Pool) -> None:
    entry = Entry(
        id=await care.next_id(pool), community="c", grid="c-01", group="g", needs=("a", "b"), check_in_days=3,
        responsible="p", created_at=NOW, updated_at=NOW, seq=1,
    )  # fmt: skip
    async with care.changing(pool) as transaction:
        await transaction.insert(entry, b"k1:sealed")

    async def count_on() -> None:
        async with care.changing(pool) as transaction:
            found = await transaction.lock(entry.id)
            assert found is not None
            await transaction.save(found.model_copy(update={"seq": found.seq + 1}))

    await asyncio.gather(*(count_on() for _ in range(6)))
    found = await care.one(pool, entry.id)
    assert found is not None and (found.seq, found.needs) == (7, ("a", "b"))
    assert await care.open_person(pool, entry.id, by="p", at=NOW) == b"k1:sealed", (
        "what is not changed stays sealed there"
    )
    async with care.changing(pool) as transaction:
        await transaction.save(found.model_copy(update={"ended_at": NOW}), b"k1:other")
    assert await care.open_person(pool, entry.id, by="p", at=NOW) is None
    assert len(await care.readings(pool, entry.id, before=None, limit=9)) == 1, "nothing was read the second time"
