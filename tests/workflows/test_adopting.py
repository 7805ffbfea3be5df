"""A calendar that is published while a demand is open: the signal `adopt`, and the one timer that follows it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import date, datetime, timedelta

import pytest
from temporalio.service import RPCError

from domain.demand import Demand
from domain.ledger import Entry, replay
from domain.vocabulary import ClockName, Outcome
from domain.worktime import Budget, Calendar, add_working, due, elapsed
from tests.builders import Product, resident, until, with_days_off

ONE_DAY = timedelta(days=1)


def day_of(calendar: Calendar, at: datetime) -> date:
    return calendar.table.local(at).date()


async def adopt(p: Product, number: str, calendar: Calendar) -> None:
    await p.handle(number).signal("adopt", calendar)


async def adopted(p: Product, number: str, calendar: Calendar) -> Demand:
    await adopt(p, number, calendar)
    return await p.until_row(number, lambda d: d.terms.calendar == calendar.version)


async def with_resolve_only(p: Product, grid: str) -> Demand:
    """Accepted and spoken with, two working days ago: one promise is left."""
    number = await p.submit(resident(), grid=grid)
    d = await p.started(number)
    await p.act(number, p.worker_of(grid), "accept")
    await p.act(number, p.worker_of(grid), "contact")
    await p.pass_until(number, due(p.desk.calendar, d.clocks[ClockName.RESOLVE].started_at, working_days(2)))
    return await p.row(number)


def working_days(amount: int) -> Budget:
    return Budget(amount=amount, unit="working_days")


def holidays_until_due(p: Product, d: Demand, name: str = "b") -> Calendar:
    """Every day that is left to resolve it becomes a day off."""
    now = due(p.desk.calendar, d.clocks[ClockName.RESOLVE].started_at, working_days(2))
    last = day_of(p.desk.calendar, d.clocks[ClockName.RESOLVE].due_at)
    return with_days_off(p.desk.calendar, day_of(p.desk.calendar, now) + ONE_DAY, last, name)


def fell(entries: list[Entry]) -> list[tuple[str, datetime]]:
    steps = [e for e in entries if e.type in ("clock_warned", "clock_breached", "notice_issued")]
    return [(e.type, datetime.fromisoformat(str(e.data.get("fell_at") or e.data["due_at"]))) for e in steps]


async def test_a_calendar_with_more_holidays_moves_the_due_instant_and_the_timer_later(product: Product) -> None:
    p = product
    before = await with_resolve_only(p, "xuanhualu-01")
    number, clock = before.number, before.clocks[ClockName.RESOLVE]
    longer = holidays_until_due(p, before)
    d = await adopted(p, number, longer)
    after = d.clocks[ClockName.RESOLVE]
    assert after.due_at == due(longer, clock.started_at, d.terms.budgets[ClockName.RESOLVE]) > clock.due_at
    assert d.terms == before.terms.model_copy(update={"calendar": longer.version})
    new = (await p.entries(number))[before.seq :]
    # No reminder among them: what the calendar of before had not brought is not to be told by a mixture of both.
    assert [(e.type, e.actor) for e in new] == [("calendar_adopted", "system"), ("clock_replanned", "system")]
    assert new[1].data["by"] == "calendar" and new[1].data["clock"] == "resolve"
    await p.pass_until(number, clock.due_at)
    await asyncio.sleep(0.3)
    assert (await p.row(number)).seq == d.seq
    await p.pass_until(number, after.due_at)
    await p.until_row(number, lambda d: d.breached)
    span = elapsed(longer, after.started_at, after.due_at)
    entries = await p.entries(number)
    assert fell(entries) == [
        ("clock_warned", add_working(longer, after.started_at, span * 0.5)),
        ("clock_warned", add_working(longer, after.started_at, span * 0.8)),
        ("clock_breached", after.due_at),
    ]
    assert replay(number, entries) == await p.row(number) == await p.state(number)


async def test_a_calendar_with_fewer_holidays_moves_them_earlier(product: Product) -> None:
    p = product
    before = await with_resolve_only(p, "xuanhualu-02")
    number, clock = before.number, before.clocks[ClockName.RESOLVE]
    later = (await adopted(p, number, holidays_until_due(p, before))).clocks[ClockName.RESOLVE].due_at
    assert later > clock.due_at
    d = await adopted(p, number, p.desk.calendar)
    assert d.clocks[ClockName.RESOLVE] == clock
    await p.pass_until(number, clock.due_at)
    await p.until_row(number, lambda d: d.breached)
    *_, breach = [e for e in await p.entries(number) if e.type == "clock_breached"]
    assert timedelta() <= breach.at - clock.due_at < timedelta(minutes=1)


async def test_a_due_instant_that_comes_to_lie_in_the_past_breaks_at_once_with_its_true_instants(
    product: Product,
) -> None:
    p = product
    before = await with_resolve_only(p, "xuanhualu-03")
    number, clock = before.number, before.clocks[ClockName.RESOLVE]
    await adopted(p, number, holidays_until_due(p, before))
    await p.pass_until(number, clock.due_at + timedelta(minutes=30))
    await adopt(p, number, p.desk.calendar)
    await p.until_row(number, lambda d: d.breached)
    span = elapsed(p.desk.calendar, clock.started_at, clock.due_at)
    entries = await p.entries(number)
    assert fell(entries) == [
        ("clock_warned", add_working(p.desk.calendar, clock.started_at, span * 0.5)),
        ("clock_warned", add_working(p.desk.calendar, clock.started_at, span * 0.8)),
        ("clock_breached", clock.due_at),
    ]
    types = [e.type for e in entries]
    assert types.index("clock_warned") > max(n for n, t in enumerate(types) if t == "clock_replanned")


IN_A_TASK = [
    "workflow_execution_signaled_event_attributes", "workflow_task_scheduled_event_attributes",
    "workflow_task_started_event_attributes",
]  # fmt: skip


async def at_rest(p: Product, number: str, *, after: int = 0) -> list[str]:
    """The kinds of the history's events, more than `after`, when no task is under way."""

    async def look() -> list[str] | None:
        events = (await p.handle(number).fetch_history()).events
        kinds = [str(e.WhichOneof("attributes")) for e in events]
        return kinds if len(kinds) > after and kinds[-1] not in IN_A_TASK else None

    return await until(look)


async def test_the_same_calendar_a_second_time_leaves_nothing(product: Product) -> None:
    p = product
    before = await with_resolve_only(p, "xuanhualu-04")
    number, longer = before.number, holidays_until_due(p, before)
    d = await adopted(p, number, longer)
    events = len(await at_rest(p, number))
    await adopt(p, number, longer)
    assert (await at_rest(p, number, after=events))[events:] == [*IN_A_TASK, "workflow_task_completed_event_attributes"]
    assert (await p.row(number)) == d == await p.state(number)


async def test_it_comes_before_the_first_task_of_the_workflow(product: Product) -> None:
    p, grid = product, "xuanhualu-05"
    await p.absent_worker()
    try:
        number = await p.submit(resident(), grid=grid)
        before = await p.row(number)
        accept = before.clocks[ClockName.ACCEPT]
        first = day_of(p.desk.calendar, accept.started_at)
        longer = with_days_off(p.desk.calendar, first, day_of(p.desk.calendar, accept.due_at), "first")

        async def running() -> bool | None:
            with contextlib.suppress(RPCError):
                await adopt(p, number, longer)
                return True
            return None

        await until(running)
    finally:
        await p.present_worker()
    d = await p.until_row(number, lambda d: d.terms.calendar == longer.version)
    assert d.clocks[ClockName.ACCEPT].due_at == due(
        longer, accept.started_at, before.terms.budgets[ClockName.ACCEPT]
    )  # fmt: skip
    assert d.clocks[ClockName.ACCEPT].due_at > accept.due_at
    await p.pass_until(number, d.clocks[ClockName.ACCEPT].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.ACCEPT].breached)
    assert replay(number, await p.entries(number)) == await p.row(number)


async def test_a_paused_demand_keeps_its_pause_under_the_new_calendar(product: Product) -> None:
    p, grid = product, "xuanhualu-06"
    before = await with_resolve_only(p, grid)
    number = before.number
    await p.act(number, p.worker_of(grid), "request_info", reason="awaiting_access")
    longer = holidays_until_due(p, before, "paused")
    d = await adopted(p, number, longer)
    limit = d.clocks[ClockName.PAUSE]
    assert limit.due_at == due(longer, limit.started_at, working_days(10))
    await p.pass_until(number, limit.due_at)
    d = await p.until_row(number, lambda d: d.clocks[ClockName.RESOLVE].running)
    clock = d.clocks[ClockName.RESOLVE]
    plain = due(longer, clock.started_at, d.terms.budgets[ClockName.RESOLVE])
    assert clock.due_at == add_working(longer, plain, elapsed(longer, limit.started_at, limit.due_at))


async def test_a_sealed_demand_ignores_it(product: Product) -> None:
    """The bell that seals it and the signal come to the worker together."""
    p, grid = product, "xuanhualu-07"
    number = await p.submit(resident(), grid=grid)
    d = await closed(p, number, grid)
    await p.pass_until(number, d.clocks[ClockName.REOPEN].due_at - timedelta(hours=1))  # past every other timer
    await p.absent_worker()
    try:
        passing = asyncio.create_task(p.pass_until(number, d.clocks[ClockName.REOPEN].due_at))
        await asyncio.sleep(0.5)
        await adopt(p, number, holidays_until_due(p, d, "sealed"))
    finally:
        await p.present_worker()
    assert await asyncio.wait_for(p.handle(number).result(), 10) == Outcome.RESOLVED
    with contextlib.suppress(Exception):
        await asyncio.wait_for(passing, 5)
    types = await p.types(number)
    assert types[-1] == "sealed" and "calendar_adopted" not in types
    with pytest.raises(RPCError, match="already completed"):
        await adopt(p, number, p.desk.calendar)


async def test_a_closed_one_keeps_its_outcome(product: Product) -> None:
    p, grid = product, "xuanhualu-08"
    number = await p.submit(resident(), grid=grid)
    before = await closed(p, number, grid)
    d = await adopted(p, number, holidays_until_due(p, before, "closed"))
    assert (d.stage, d.outcome, d.clocks) == (before.stage, before.outcome, before.clocks)
    assert (await p.types(number))[before.seq :] == ["calendar_adopted"]


async def closed(p: Product, number: str, grid: str) -> Demand:
    await p.act(number, p.worker_of(grid), "resolve", reply="已办结")
    return await p.act(number, resident(), "confirm", contacted=True, solved="yes", satisfied="satisfied")
