"""The register of the rotation and its turns in the database: nothing is lost, nothing is written twice."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from contracts.rotation import TurnTaken
from domain.rotation_changes import CHANGE, Change
from store import rosters
from store.pool import Pool

AT = datetime(2026, 11, 23, 15, 59, tzinfo=UTC)  # 23:59 in China
SAID: tuple[dict[str, object], ...] = (
    {"type": "skip", "unit": "u-1", "period": "2027-01-01"},
    {"type": "swap", "unit": "u-1", "period": "2027-01-01", "with_unit": "u-2", "with_period": "2027-02-01"},
    {"type": "substitute", "unit": "u-1", "from": "2027-01-01", "until": "2027-01-09", "by_person": "p-1"},
    {"type": "override", "from": "2027-01-01", "until": "2027-01-01", "unit": "u-3", "person": "p-1"},
)
CHANGES: list[Change] = [CHANGE.validate_python(said) for said in SAID]


@pytest_asyncio.fixture(autouse=True)
async def clean(pool: Pool) -> AsyncIterator[None]:
    for table in ("roster_change", "chair_turn", "meeting_item"):
        await pool.execute(f"delete from {table}")
    yield


async def put(pool: Pool, community: str, *changes: Change) -> list[int]:
    async with rosters.changing(pool, community) as register:
        return [await register.insert(one, reason="因故", by="p-1", at=AT) for one in changes]


def turn(first: date, **more: object) -> TurnTaken:
    values: dict[str, object] = {
        "community": "east", "unit": "u-1", "person": "p-1", "how": "rotation", "period_from": first,
        "period_until": first + timedelta(days=27), "handed_over_at": AT, "agenda": ("a", "b"), "projects": ("p",),
    }  # fmt: skip
    return TurnTaken.model_validate(values | more)


async def test_every_kind_of_change_comes_back_as_it_was_entered(pool: Pool) -> None:
    ids = await put(pool, "east", *CHANGES)
    await put(pool, "west", CHANGES[0])
    found = await rosters.changes(pool)
    assert [c.entry.change for c in found["east"]] == CHANGES and [c.entry.id for c in found["east"]] == ids
    assert {(c.reason, c.made_by, c.made_at, c.revoked_at) for c in found["east"]} == {("因故", "p-1", AT, None)}
    assert set(found) == {"east", "west"} and set(await rosters.entries(pool, "west")) == {"west"}
    assert await rosters.entries(pool, "nowhere") == {}


async def test_a_revoked_change_stops_on_the_local_day_and_stays_revoked(pool: Pool) -> None:
    (id, other) = await put(pool, "east", CHANGES[0], CHANGES[3])
    async with rosters.changing(pool, "east") as register:
        await register.revoke(id, by="p-2", at=AT)
        await register.revoke(other, by="p-2", at=AT + timedelta(minutes=1))
    async with rosters.changing(pool, "east") as register:
        await register.revoke(id, by="p-3", at=AT + timedelta(days=9))
        first, second = await register.changes()
    assert (first.revoked_by, first.revoked_at, first.entry.revoked_on) == ("p-2", AT, date(2026, 11, 23))
    assert second.entry.revoked_on == date(2026, 11, 24)


async def test_what_is_not_finished_leaves_nothing(pool: Pool) -> None:
    with pytest.raises(ZeroDivisionError):
        async with rosters.changing(pool, "east") as register:
            await register.insert(CHANGES[0], reason="因故", by="p-1", at=AT)
            1 / 0
    assert await rosters.changes(pool) == {}


async def test_one_community_is_changed_by_one_at_a_time_and_holds_up_no_other(pool: Pool) -> None:
    order: list[str] = []
    holding, release = asyncio.Event(), asyncio.Event()

    async def first() -> None:
        async with rosters.changing(pool, "east"):
            holding.set()
            await release.wait()
            order.append("first")

    async def second() -> None:
        await holding.wait()
        async with rosters.changing(pool, "east"):
            order.append("second")

    tasks = [asyncio.create_task(first()), asyncio.create_task(second())]
    await holding.wait()
    async with rosters.changing(pool, "west"):
        order.append("west")
    await asyncio.sleep(0.1)
    assert order == ["west"]
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["west", "first", "second"]


async def test_a_kind_that_nobody_knows_is_not_stored(pool: Pool) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await pool.execute(
            "insert into roster_change (community, kind, body, reason, made_by, made_at)"
            " values ('east', 'vote', '{}', '', 'p-1', now())"
        )


async def test_a_turn_is_written_once_and_read_newest_first(pool: Pool) -> None:
    january, february = turn(date(2027, 1, 1)), turn(date(2027, 2, 1), agenda=(), projects=())
    assert await rosters.last_turn_ends(pool, "east") is None
    assert await rosters.take_turn(pool, january) and await rosters.take_turn(pool, february)
    assert not await rosters.take_turn(pool, turn(date(2027, 1, 1), unit="u-9", agenda=()))
    assert await rosters.take_turn(pool, turn(date(2027, 1, 1), community="west"))
    assert await rosters.turns(pool, "east", limit=9) == [february, january]
    assert await rosters.turns(pool, "east", limit=1) == [february]
    assert await rosters.last_turn_ends(pool, "east") == february.period_until
    counted = await pool.fetch("select open_items from chair_turn where community = 'east' order by period_from")
    assert [row["open_items"] for row in counted] == [3, 0]


async def test_what_waited_at_an_instant(pool: Pool) -> None:
    hour = timedelta(hours=1)
    await pool.executemany(
        "insert into meeting_item (meeting, number, turn, community, reason, asked_at, ended_at, kind, reporters, breached,"
        " rolls, late, consented) values ($1, $2, $3, $1, 'repeat', $4, $5, null, 1, 0, 0, false, false)",
        [
            ("east", "n-waits", 1, AT - hour, None),
            ("east", "n-longer", 1, AT - 2 * hour, AT + hour),
            ("east", "n-ended", 1, AT - 2 * hour, AT - hour),
            ("east", "n-ends-then", 1, AT - 3 * hour, AT),
            ("east", "n-comes-then", 1, AT, None),
            ("east", "n-came-back", 1, AT - 9 * hour, AT - 8 * hour),
            ("east", "n-came-back", 2, AT - 4 * hour, None),
            ("west", "n-elsewhere", 1, AT - hour, None),
        ],
    )
    waiting = ("n-came-back", "n-ends-then", "n-longer", "n-waits")
    assert await rosters.agenda_at(pool, "east", AT) == waiting
    assert await rosters.agenda_at(pool, "east", AT + timedelta(seconds=1)) == (
        "n-came-back", "n-longer", "n-waits", "n-comes-then",
    )  # fmt: skip
