"""The turn of the chair: handed over at midnight with what is open, once, and caught up when it was missed."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import re
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from temporalio.client import WorkflowHandle

from contracts.rotation import ROTATION_WORKFLOW, HandedOver, RotationStart, TurnTaken, rotation_schedule_id
from devstack.ports import free_port
from domain.rotation import Roster, roster_of
from domain.rotation_changes import CHANGE
from gateways.temporal import connect
from gateways.temporal.rotations import ensure_rotations, rotation_schedule
from gateways.temporal.schedules import ensure_schedule
from service import rotation_turns
from service.publish_watch import open_watch
from service.rotation import chair_of
from service.rotation_turns import Turns
from store import rosters
from tests.builders import Product, new_key, resident, until

SHANGHAI = ZoneInfo("Asia/Shanghai")
BY_MONTH, BY_QUARTER, AGENDA, MISSED, CHANGED = "yupinglu", "xuanhualu", "zhangjiapo", "shenglilu", "wenqulu"
Handle = WorkflowHandle[object, HandedOver]


@pytest_asyncio.fixture(autouse=True)
async def clean(product: Product) -> AsyncIterator[None]:
    for table in ("chair_turn", "roster_change"):
        await product.pool.execute(f"delete from {table}")
    yield
    await product.end_rotations()


def roster(p: Product, community: str) -> Roster:
    return roster_of(p.desk.district, community)


def today(p: Product) -> date:
    return p.desk.now().astimezone(SHANGHAI).date()


def turn_at(first: date) -> datetime:
    return datetime.combine(first, time(0, 5), SHANGHAI)


async def started(p: Product, community: str, delay: timedelta = timedelta()) -> Handle:
    return await p.environment.client.start_workflow(
        ROTATION_WORKFLOW, RotationStart(community=community), id=new_key(), task_queue=p.task_queue,
        result_type=HandedOver, start_delay=delay,
    )  # fmt: skip


async def handed_over(p: Product, community: str, at: datetime | None = None) -> HandedOver:
    """A run that begins at that instant of its own clock."""
    delay = at - datetime.now(UTC) if at else timedelta()
    handle = await started(p, community, delay)
    if at:
        await p.environment.fast_forward(handle, delay + timedelta(seconds=1))
    return await asyncio.wait_for(handle.result(), 20)


async def taken(p: Product, community: str) -> list[TurnTaken]:
    """Oldest first."""
    return list(reversed(await rosters.turns(p.pool, community, limit=100)))


async def test_the_turn_at_midnight_hands_over_what_waits(product: Product) -> None:
    p = product
    before, after = roster(p, AGENDA).calendar(today(p).year + 1)[:2]
    numbers = []
    for grid in (f"{AGENDA}-01", f"{AGENDA}-02", f"{AGENDA}-03"):
        numbers.append(await p.submit(resident(), grid=grid))
        await p.act(numbers[-1], p.worker_of(grid), "escalate", reason="several_units")
        await p.until_agenda(AGENDA, numbers[-1])
    await p.pool.execute(
        "update meeting_item set ended_at = now(), kind = 'withdrawn' where meeting = $1 and number = $2", AGENDA, numbers[1]
    )  # fmt: skip
    at = turn_at(after.period_from)
    done = await handed_over(p, AGENDA, at)
    (turn,) = done.turns
    assert (turn.unit, turn.period_from, turn.period_until) == (after.unit, after.period_from, after.period_until)
    assert turn.person == p.desk.district.unit(after.unit).liaison and turn.unit != before.unit
    assert turn.agenda == (numbers[0], numbers[2]) and turn.projects == () and turn.open_items == 2
    assert at <= turn.handed_over_at < at + timedelta(minutes=1)
    assert await taken(p, AGENDA) == [turn]


async def test_projects_under_way_go_along(product: Product) -> None:
    p = product
    (first, *_) = roster(p, CHANGED).calendar(today(p).year + 1)
    midnight = turn_at(first.period_from) - timedelta(minutes=5)
    hour = timedelta(hours=1)
    await p.pool.executemany(
        "insert into project (id, community, title, lead_unit, state, opened_at, opened_by, closed_at, seq)"
        " values ($1, $2, '加装电梯', 'u-1', $3, $4, 'p-1', $5, 1)",
        [
            ("prj-t2", CHANGED, "open", midnight - hour, None),
            ("prj-t1", CHANGED, "done", midnight - 2 * hour, midnight + hour),
            ("prj-t3", CHANGED, "done", midnight - 2 * hour, midnight - hour),
            ("prj-t4", CHANGED, "open", midnight + hour, None),
            ("prj-t5", AGENDA, "open", midnight - hour, None),
        ],
    )
    (turn,) = (await handed_over(p, CHANGED, turn_at(first.period_from))).turns
    assert (turn.agenda, turn.projects, turn.open_items) == ((), ("prj-t1", "prj-t2"), 2)
    row = await p.pool.fetchrow("select open_items, items::text from chair_turn where community = $1", CHANGED)
    assert row is not None and row["open_items"] == 2 and "prj-t1" in row["items"]
    await p.pool.execute("delete from project where id like 'prj-t%'")


async def test_the_same_turn_twice_changes_nothing(product: Product) -> None:
    p = product
    first = await handed_over(p, BY_MONTH)
    assert [t.period_from for t in first.turns] == [today(p).replace(day=1)]
    again = await asyncio.gather(*(handed_over(p, BY_MONTH) for _ in range(3)))
    assert [a.turns for a in again] == [(), (), ()]
    assert await taken(p, BY_MONTH) == list(first.turns)


async def test_several_runs_at_once_record_a_turn_once(product: Product) -> None:
    p = product
    runs = await asyncio.gather(*(handed_over(p, BY_QUARTER) for _ in range(4)))
    assert len([turn for run in runs for turn in run.turns]) == 1
    assert len(await taken(p, BY_QUARTER)) == 1


async def test_turns_that_were_missed_are_caught_up_once_with_what_was_open_then(product: Product) -> None:
    p = product
    (_, *missed, now) = roster(p, MISSED).turns(today(p) - timedelta(days=100), today(p))
    assert len(missed) >= 2
    await rosters.take_turn(
        p.pool,
        TurnTaken(
            community=MISSED, unit="u-before", person="p-1", how="rotation", period_from=date(2026, 1, 1),
            period_until=missed[0].period_from - timedelta(days=1), handed_over_at=datetime(2026, 1, 1, tzinfo=UTC),
        ),
    )  # fmt: skip
    began = datetime.combine(missed[1].period_from, time(), SHANGHAI)
    await p.pool.executemany(
        "insert into meeting_item (meeting, number, turn, community, reason, asked_at, ended_at, kind, reporters, breached,"
        " rolls, late, consented) values ($1, $2, 1, $1, 'repeat', $3, $4, $5, 1, 0, 0, false, false)",
        [
            (MISSED, "19990101-000001", began - timedelta(days=2), began + timedelta(days=1), "assign"),
            (MISSED, "19990101-000002", began - timedelta(days=1), began - timedelta(seconds=1), "assign"),
            (MISSED, "19990101-000003", began, None, None),
        ],
    )
    done = await handed_over(p, MISSED)
    assert [(t.period_from, t.unit) for t in done.turns] == [(t.period_from, t.unit) for t in (*missed, now)]
    of_then = next(t for t in done.turns if t.period_from == missed[1].period_from)
    assert of_then.agenda == ("19990101-000001",)
    assert "19990101-000003" in done.turns[-1].agenda or done.turns[-1] == of_then
    assert (await handed_over(p, MISSED)).turns == ()
    assert [t.period_from for t in await taken(p, MISSED)][1:] == [t.period_from for t in (*missed, now)]


async def test_a_swap_and_an_override_decide_who_takes_over(product: Product) -> None:
    p = product
    one, other, third = roster(p, CHANGED).calendar(today(p).year + 1)[:3]
    chair = p.desk.district.secretary(CHANGED)
    async with rosters.changing(p.pool, CHANGED) as register:
        for said in (
            {"type": "swap", "unit": one.unit, "period": one.period_from, "with_unit": third.unit, "with_period": third.period_from},
            {"type": "override", "from": other.period_from, "until": other.period_until, "unit": one.unit, "person": chair},
        ):  # fmt: skip
            change = CHANGE.validate_python(said)
            await register.insert(change, reason="因故调整", by="p-1", at=p.desk.now())
    await handed_over(p, CHANGED, turn_at(one.period_from))
    await handed_over(p, CHANGED, turn_at(other.period_from))
    done = await taken(p, CHANGED)
    assert [(t.unit, t.person, t.how) for t in done] == [
        (third.unit, p.desk.district.unit(third.unit).liaison, "swap"), (one.unit, chair, "override"),
    ]  # fmt: skip


async def test_the_chair_changes_at_midnight_in_shanghai(product: Product) -> None:
    p = product
    before, after = roster(p, BY_QUARTER).calendar(today(p).year + 1)[:2]
    midnight = datetime.combine(after.period_from, time(), SHANGHAI).astimezone(UTC)
    assert (await chair_of(p.desk, BY_QUARTER, midnight - timedelta(seconds=1))).unit == before.unit
    assert (await chair_of(p.desk, BY_QUARTER, midnight)).unit == after.unit
    assert midnight.hour == 16


async def test_the_database_being_away_delays_a_turn_and_loses_none(product: Product) -> None:
    p = product
    await p.pool.execute("alter table chair_turn rename to away")
    try:
        handle = await started(p, BY_MONTH)

        async def tried() -> bool | None:
            pending = (await handle.describe()).raw_description.pending_activities
            return True if pending and pending[0].attempt > 1 else None

        await until(tried)
    finally:
        await p.pool.execute("alter table away rename to chair_turn")
    done = await asyncio.wait_for(handle.result(), 30)
    assert len(done.turns) == 1 and len(await taken(p, BY_MONTH)) == 1


async def test_no_personal_data_and_no_reason_is_in_a_history(product: Product) -> None:
    p = product
    (_, following, *_) = roster(p, BY_MONTH).calendar(today(p).year + 1)
    async with rosters.changing(p.pool, BY_MONTH) as register:
        change = CHANGE.validate_python({"type": "skip", "unit": following.unit, "period": following.period_from})
        await register.insert(change, reason="联络员住院", by="p-1", at=p.desk.now())
    handle = await started(p, BY_MONTH)
    (turn,) = (await handle.result()).turns
    written = (await handle.fetch_history()).to_json()
    history = "".join(base64.b64decode(data).decode() for data in re.findall(r'"data": "([^"]+)"', written))
    assert turn.unit in history and "住院" not in history
    assert p.desk.district.person(turn.person).name not in history


async def test_schedules_are_made_once_follow_the_pack_and_hand_over(product: Product) -> None:
    p = product
    client, district = p.environment.client, p.desk.district
    rotations = district.rotations
    await ensure_rotations(client, p.task_queue, rotations, district.timezone)
    await ensure_rotations(client, p.task_queue, rotations, district.timezone)
    quarterly = client.get_schedule_handle(rotation_schedule_id(BY_QUARTER))

    async def all_taken() -> bool | None:
        return True if await p.pool.fetchval("select count(*) from chair_turn") == len(rotations) else None

    await until(all_taken)
    known = (await quarterly.describe()).info.next_action_times
    local = [at.astimezone(SHANGHAI) for at in known]
    assert [(at.month % 3, at.day, at.hour, at.minute) for at in local] == [(1, 1, 0, 5)] * len(local)

    await p.pool.execute("delete from chair_turn")
    await quarterly.trigger()

    async def turned() -> bool | None:
        return True if await taken(p, BY_QUARTER) else None

    await until(turned)

    await quarterly.pause(note="an operator's reason")
    monthly = rotations[0].model_copy(update={"period": "month"})
    assert rotations[0].community == BY_QUARTER
    assert not await ensure_schedule(
        client, rotation_schedule_id(BY_QUARTER), rotation_schedule(monthly, p.task_queue, district.timezone)
    )
    there = await quarterly.describe()
    assert there.schedule.state.paused and there.schedule.state.note == "an operator's reason"
    months = {at.astimezone(SHANGHAI).month for at in there.info.next_action_times}
    assert len(months) > 4


async def test_schedules_are_made_as_soon_as_temporal_is_there(
    product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    p = product
    monkeypatch.setattr(rotation_turns, "EVERY", timedelta(milliseconds=50))
    port = free_port()
    client = await connect(f"127.0.0.1:{port}", "default")
    turns = Turns(open_watch(p.settings, p.pool), p.pool)
    keeping = asyncio.create_task(turns.keep(client, p.task_queue))
    try:
        await asyncio.sleep(0.5)
        assert not keeping.done() and await p.pool.fetchval("select count(*) from chair_turn") == 0
        async with forwarded(port, p.environment.client.service_client.config.target_host):

            async def all_taken() -> bool | None:
                count = await p.pool.fetchval("select count(*) from chair_turn")
                return True if count == len(p.desk.district.rotations) else None

            await until(all_taken)
            assert not keeping.done()
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)


@contextlib.asynccontextmanager
async def forwarded(port: int, target: str) -> AsyncIterator[None]:
    """A server that appears at `port` and passes everything on."""
    host, target_port = target.split(":")
    pipes: set[asyncio.Task[None]] = set()

    async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.transport.abort()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, int(target_port))
        pipes.update((asyncio.create_task(pipe(reader, far_writer)), asyncio.create_task(pipe(far_reader, writer))))

    server = await asyncio.start_server(accept, "127.0.0.1", port)
    try:
        yield
    finally:
        server.close()
        for one in pipes:
            one.cancel()
        await asyncio.gather(*pipes, return_exceptions=True)
        await asyncio.sleep(0)  # the aborted transports close in the next round of the loop
