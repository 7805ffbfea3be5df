"""The planning of notices on a real database: each once, whatever comes again and whoever plans beside."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from domain import commands as c
from domain.commands import Act
from domain.notice_rules import Quiet
from service import notifying
from service.notice_letters import letter_of
from store.contacts import Wish, address_of
from store.pool import open_pool
from store.record import record
from tests.service import notice_ground as g
from tests.store.builders import WORKER

MONDAY = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)


@pytest_asyncio.fixture
async def ground(new_database: Callable[..., str]) -> AsyncIterator[g.Ground]:
    database = new_database()
    pool = await open_pool(database, size=8)
    yield g.the_ground(database, pool, MONDAY)
    await pool.close()


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str | None, str]]:
    return [(row["event"], row["person"], row["state"]) for row in rows]


async def test_what_happened_is_planned_once_however_often_it_is_looked_at(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    one = await ground.taken_in()
    assert await ground.keeper().once() == 1
    assert await ground.keeper().once() == 0
    assert told(await ground.notices()) == [("worker_assigned", g.WORKER, "outgoing")]
    (delivery,) = await ground.deliveries()
    assert (delivery["channel"], delivery["lane"], delivery["state"], delivery["attempts"]) == (
        "email",
        g.WORKER,
        "waiting",
        0,
    )
    assert (delivery["number"], delivery["next_at"]) == (one.demand.number, ground.now)
    assert delivery["position"] == round(ground.now.timestamp() * 1000)


async def test_a_feed_that_begins_again_and_several_workers_make_no_second_notice(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    for _ in range(6):
        await ground.urged(await ground.taken_in())
    made = await asyncio.gather(*(ground.keeper().once() for _ in range(4)))
    assert sum(made) == 12
    await ground.pool.execute("delete from feed_cursor")
    assert sum(await asyncio.gather(*(ground.keeper().once() for _ in range(4)))) == 0
    assert len(await ground.notices()) == len(await ground.deliveries()) == 12


async def test_a_failure_in_the_middle_plans_nothing_and_loses_nothing(
    ground: g.Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    await ground.taken_in()
    await ground.pool.execute("alter table delivery add constraint broken check (attempts > 0)")
    with pytest.raises(asyncpg.CheckViolationError):
        await ground.keeper().once()
    assert await ground.notices() == []
    await ground.pool.execute("alter table delivery drop constraint broken")
    assert await ground.keeper().once() == 1


async def test_more_than_one_batch_is_planned_in_one_go(ground: g.Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notifying, "AT_ONCE", 7)
    for _ in range(4):
        await ground.urged(await ground.taken_in())
    assert await ground.keeper().once() == 8


async def test_an_attempt_that_was_replaced_is_not_told_and_the_one_that_counts_is(ground: g.Ground) -> None:
    one = await ground.taken_in()
    before, entries = one.demand, list(one.entries)
    await ground.urged(one)  # an attempt whose worker died before its history was kept
    lost = one.entries[-1]
    one.demand, one.entries = before, entries
    step = one.go(Act(command=c.Accept(), actor=WORKER, key="a"), after=timedelta(minutes=2))
    await record(ground.pool, **step)
    await ground.keeper().once()
    assert lost.type == "urged" and "urged" not in [row["event"] for row in await ground.notices()]
    await ground.urged(one)
    await ground.keeper().once()
    assert [row["event"] for row in await ground.notices()].count("urged") == 1


async def test_history_is_not_news(ground: g.Ground) -> None:
    one = await ground.taken_in()
    ground.now += timedelta(hours=25)
    assert await ground.keeper().once() == 0
    step = one.go(Act(command=c.Urge(), actor=g.CHIEF, key="u"), after=timedelta(hours=25))
    await record(ground.pool, **step)
    assert await ground.keeper().once() == 1


async def test_a_log_that_cannot_be_read_does_not_keep_the_others_waiting(ground: g.Ground) -> None:
    broken, sound = await ground.taken_in(), await ground.taken_in()
    await ground.pool.execute(
        "update demand_event set type = 'from_the_future' where number = $1 and seq = 1", broken.demand.number
    )
    assert await ground.keeper().once() == 1
    assert [row["number"] for row in await ground.notices()] == [sound.demand.number]


async def test_without_an_address_or_a_channel_it_is_in_the_inbox(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"wecom": "worker"})  # which is not set up here
    await ground.taken_in()
    await ground.keeper().once()
    assert told(await ground.notices()) == [("worker_assigned", g.WORKER, "inbox")]
    assert await ground.deliveries() == []
    assert (await ground.notices())[0]["reader"] == g.WORKER


async def test_quiet_hours_and_language_are_each_persons_own(ground: g.Ground) -> None:
    quiet = Quiet.model_validate({"from": "11:00", "until": "12:30"})
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"}, Wish("en", quiet))
    await ground.taken_in()
    await ground.keeper().once()
    (notice,), (delivery,) = await ground.notices(), await ground.deliveries()
    assert notice["language"] == "en"
    assert notice["send_at"] == delivery["next_at"] == datetime(2026, 11, 23, 4, 30, tzinfo=UTC)


async def test_the_reporter_is_told_at_the_address_that_was_left(ground: g.Ground) -> None:
    one = await ground.taken_in(name="张三", phone="139 0000 1234", email="zhang@example.cn")
    nobody = await ground.taken_in()
    await ground.keeper().once()
    assert told(await ground.notices(nobody.demand.number)) == [("worker_assigned", g.WORKER, "inbox")]
    assert ("clock_started", None, "outgoing") in told(await ground.notices(one.demand.number))
    (delivery,) = await ground.deliveries()
    assert (delivery["channel"], delivery["lane"]) == ("email", f"reporter:{one.demand.number}")
    assert await address_of(ground.pool, ground.sealer, delivery["id"]) == "zhang@example.cn"
    await ground.pool.execute("update delivery set channel = 'sms'")
    assert await address_of(ground.pool, ground.sealer, delivery["id"]) == "13900001234"
    await ground.pool.execute("delete from reporter")
    assert await address_of(ground.pool, ground.sealer, delivery["id"]) is None


async def test_nothing_personal_is_stored_with_a_notice_and_no_text_either(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    await ground.taken_in(name="张三", phone="13900001234", email="zhang@example.cn")
    await ground.keeper().once()
    stored = str(await ground.notices()) + str(await ground.deliveries())
    assert not [word for word in ("张三", "1390000", "example.cn", "路灯") if word in stored]
    contact = await ground.pool.fetchval("select sealed from contact")
    assert b"worker" not in contact


async def test_the_letter_is_written_when_it_is_sent(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    one = await ground.taken_in()
    await ground.keeper().once()
    (delivery,) = await ground.deliveries()
    district = ground.watch.in_force.district
    letter = await letter_of(ground.pool, ground.sealer, district, ground.settings, delivery["id"])
    assert letter is not None and one.demand.number in letter.subject and letter.language == "zh"
    assert f"https://linli.example.cn/demands/{one.demand.number}" in letter.body
    assert await letter_of(ground.pool, ground.sealer, district, ground.settings, 10_000) is None
    await ground.pool.execute("update notice set template = 'gone'")
    assert await letter_of(ground.pool, ground.sealer, district, ground.settings, delivery["id"]) is None


# ---- collections


async def collecting(ground: g.Ground, times: int) -> None:
    """The worker wants everything collected; so many demands are assigned."""
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"}, Wish(digest=True))
    for _ in range(times):
        await ground.taken_in()
        await ground.keeper().once()


async def test_what_is_collected_goes_out_in_one_letter_that_names_each_once_in_order(ground: g.Ground) -> None:
    await collecting(ground, 3)
    notices, (delivery,) = await ground.notices(), await ground.deliveries()
    assert [row["state"] for row in notices] == ["collected"] * 3
    assert (delivery["event"], delivery["about"], delivery["lane"]) == ("digest", None, g.WORKER)
    assert delivery["next_at"] == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # 17:00
    letter = await letter_of(
        ground.pool, ground.sealer, ground.watch.in_force.district, ground.settings, delivery["id"]
    )
    assert letter is not None and "3" in letter.subject
    places = [letter.body.index(row["number"]) for row in notices]
    assert places == sorted(places)
    assert [letter.body.count(row["number"]) for row in notices] == [1, 1, 1]


async def test_what_comes_when_a_collection_leaves_goes_into_the_next(ground: g.Ground) -> None:
    await collecting(ground, 1)
    one = await ground.taken_in()
    ground.now = datetime(2026, 11, 23, 8, 59, 30, tzinfo=UTC)
    await ground.keeper().once()
    hours = [row["next_at"] for row in await ground.deliveries()]
    assert hours == [datetime(2026, 11, day, 9, 0, tzinfo=UTC) for day in (23, 24)]
    collected = [row["digest"] for row in await ground.notices(one.demand.number)]
    assert len(set(collected)) == 1


async def test_workers_that_collect_at_the_same_time_make_one_collection(ground: g.Ground) -> None:
    await collecting(ground, 1)
    for _ in range(5):
        await ground.taken_in()
    await asyncio.gather(*(ground.keeper().once() for _ in range(4)))
    assert len(await ground.deliveries()) == 1
    assert len({row["digest"] for row in await ground.notices()}) == 1


async def test_a_book_that_says_nothing_plans_nothing(ground: g.Ground) -> None:
    silent = g.the_ground(ground.settings.database_url, ground.pool, ground.now, rules=[])
    await silent.taken_in()
    assert await silent.keeper().once() == 0
    assert await silent.notices() == []
