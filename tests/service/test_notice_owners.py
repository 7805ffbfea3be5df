"""What a channel has given up goes on through the next one, and then somebody owns it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest_asyncio

from domain import commands as c
from service.notice_letters import letter_of
from service.notice_owners import raise_owner
from store.contacts import Wish
from store.pool import open_pool
from tests.service import notice_ground as g

MONDAY = datetime(2026, 11, 23, 3, 5, tzinfo=UTC)


@pytest_asyncio.fixture
async def ground(new_database: Callable[..., str]) -> AsyncIterator[g.Ground]:
    database = new_database()
    pool = await open_pool(database, size=4)
    yield g.the_ground(database, pool, MONDAY, channels=["email", "sms"])
    await pool.close()


async def dies(ground: g.Ground, delivery: int) -> None:
    """As the delivering half does it: dead, and its owner raised in the same transaction."""
    async with ground.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "update delivery set state = 'dead', last_error = 'refused_recipient' where id = $1", delivery
        )
        await raise_owner(connection, ground.planner, ground.watch.in_force.district, delivery, ground.now)


async def raised(ground: g.Ground) -> list[tuple[str | None, str]]:
    return [(row["person"], row["audience"]) for row in await ground.notices() if row["event"] == "undeliverable"]


async def last_delivery(ground: g.Ground) -> int:
    return int((await ground.deliveries())[-1]["id"])


async def test_it_goes_on_through_the_persons_next_channel_before_anybody_is_bothered(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn", "sms": "13900001234"})
    await ground.taken_in()
    await ground.keeper().once()
    (first,) = await ground.deliveries()
    await dies(ground, first["id"])
    second = (await ground.deliveries())[-1]
    assert (second["channel"], second["notice"], second["state"]) == ("sms", first["notice"], "waiting")
    assert await raised(ground) == []
    await dies(ground, second["id"])
    assert await raised(ground) == [(g.SUPERVISOR, "owner")]


async def test_nobody_is_woken_by_a_second_channel(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn", "sms": "13900001234"})
    await ground.taken_in()
    await ground.keeper().once()
    ground.now = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # 23:00
    await dies(ground, await last_delivery(ground))
    assert (await ground.deliveries())[-1]["next_at"] == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


async def test_a_member_of_staff_keeps_it_in_the_inbox_and_the_supervisor_hears_of_it_once(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    one = await ground.taken_in()
    await ground.keeper().once()
    delivery = await last_delivery(ground)
    for _ in range(2):
        await dies(ground, delivery)
    assert await raised(ground) == [(g.SUPERVISOR, "owner")]
    kept = [row for row in await ground.notices(one.demand.number) if row["reader"] == g.WORKER]
    assert [row["read_at"] for row in kept] == [None]


async def test_a_reporter_who_could_not_be_reached_is_the_operators(ground: g.Ground) -> None:
    await ground.reached_by(g.OPERATOR, {"email": "operator@example.cn"}, Wish(digest=False))
    one = await ground.taken_in(email="zhang@example.cn")
    await ground.keeper().once()
    (delivery,) = await ground.deliveries()
    await dies(ground, delivery["id"])
    assert await raised(ground) == [(g.OPERATOR, "owner")]
    told = (await ground.deliveries())[-1]
    letter = await letter_of(
        ground.pool, ground.sealer, ground.watch.in_force.district, ground.settings, told["id"]
    )  # fmt: skip
    assert letter is not None and one.demand.number in letter.subject
    assert "诉求人" in letter.body and "电子邮件" in letter.body and "zhang" not in letter.body


async def test_another_way_that_is_still_open_needs_no_owner(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn", "sms": "13900001234"})
    await ground.taken_in()
    await ground.keeper().once()
    first = await last_delivery(ground)
    await dies(ground, first)
    await ground.pool.execute("update delivery set state = 'delivered' where id <> $1", first)
    await dies(ground, first)
    assert await raised(ground) == [] and len(await ground.deliveries()) == 2


async def test_a_supervisor_is_not_their_own_owner_and_an_owners_notice_has_none(ground: g.Ground) -> None:
    await ground.reached_by(g.SUPERVISOR, {"email": "chief@example.cn"}, Wish(digest=False))
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"})
    one = await ground.taken_in()
    await ground.does(one, g.CHIEF, c.Supervise(deed="take_over"))
    await ground.pool.execute(
        "update demand_event set actor = 'p-other' where number = $1 and type = 'taken_over'", one.demand.number
    )
    await ground.keeper().once()
    mine = next(row for row in await ground.deliveries() if row["lane"] == g.SUPERVISOR)
    await dies(ground, mine["id"])
    (owner, _), *_ = await raised(ground)
    assert owner not in (g.SUPERVISOR, None)
    others = next(row for row in await ground.deliveries() if row["lane"] == g.WORKER)
    await dies(ground, others["id"])
    count = len(await raised(ground))
    chiefs = next(
        row for row in await ground.deliveries() if row["lane"] == g.SUPERVISOR and row["event"] == "undeliverable"
    )
    await dies(ground, chiefs["id"])
    assert len(await raised(ground)) == count


async def test_a_collection_that_does_not_get_through_is_owned_by_its_first_demand(ground: g.Ground) -> None:
    await ground.reached_by(g.WORKER, {"email": "worker@example.cn"}, Wish(digest=True))
    first = await ground.taken_in()
    await ground.taken_in()
    await ground.keeper().once()
    (delivery,) = await ground.deliveries()
    ground.now += timedelta(hours=7)
    await dies(ground, delivery["id"])
    about = [row["number"] for row in await ground.notices() if row["event"] == "undeliverable"]
    assert about == [first.demand.number]
