"""Every clock that does something when it rings, moved by the workflow's own virtual time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.demand import Demand
from domain.errors import DomainError
from domain.vocabulary import ClockName, Outcome, Stage
from domain.worktime import add_working, elapsed
from service import intake
from tests.builders import BLOCKED_DRAIN, WASTE, Product, resident


async def closed(p: Product, *, grid: str = "xuanhualu-02") -> Demand:
    """Resolved and confirmed by its reporter; the reopen window runs."""
    number = await p.submit(resident(), grid=grid)
    await p.act(number, p.worker_of(grid), "resolve", reply="已办结")
    return await p.act(number, resident(), "confirm", contacted=True, solved="yes", satisfied="satisfied")


async def test_accept_overdue_goes_to_the_substitute_at_its_true_instant(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-03")
    before = await p.started(number)
    due = before.clocks[ClockName.ACCEPT].due_at
    await p.pass_until(number, due - timedelta(minutes=1))
    assert (await p.state(number)).holder == before.worker
    await p.pass_until(number, due)
    d = await p.until_row(number, lambda d: d.clocks[ClockName.ACCEPT].breached)
    assert d.holder == p.substitute_of("xuanhualu-03").id
    types = await p.types(number)
    assert types[-2:] == ["clock_breached", "worker_assigned"]
    breach = (await p.entries(number))[-2]
    assert breach.data["due_at"] == due.isoformat().replace("+00:00", "Z")
    assert timedelta() <= breach.at - due < timedelta(minutes=1)
    await p.act(number, p.substitute_of("xuanhualu-03"), "accept")


async def test_a_demand_nobody_could_locate_breaks_its_clock_and_can_still_be_located(product: Product) -> None:
    p = product
    number = await p.submit(grid=None)
    d = await p.started(number)
    assert (d.stage, d.holder) == (Stage.INTAKE, d.dispatcher)
    await p.pass_until(number, d.clocks[ClockName.LOCATE].due_at)
    await p.until_row(number, lambda d: d.clocks[ClockName.LOCATE].breached)
    d = await p.act(number, p.operator, "locate", location={"grid": "wenqulu-01"})
    assert (d.stage, d.holder) == (Stage.GRID, p.worker_of("wenqulu-01").id)
    assert d.breached


async def test_silence_in_the_refusal_window_binds_the_unit(product: Product) -> None:
    p = product
    number = await p.submit(category=BLOCKED_DRAIN, grid="xuanhualu-04")
    d = await p.started(number)
    assert d.unit is not None and not d.lead_bound
    await p.pass_until(number, d.clocks[ClockName.REFUSAL_WINDOW].due_at)
    after = await p.until_row(number, lambda d: d.lead_bound)
    bound = [entry.data for entry in await p.entries(number) if entry.type == "unit_bound"]
    assert bound == [{"unit": d.unit, "by": "silence"}]
    with pytest.raises(DomainError) as refused:
        await p.act(number, p.liaison_of(d.unit), "refuse", basis="not_our_duty")
    assert refused.value.code == "refusal_window_over"
    assert (await p.row(number)).seq == after.seq


async def test_a_refusal_inside_the_window_asks_the_next_unit_and_the_third_goes_to_the_meeting(
    product: Product,
) -> None:
    p = product
    number = await p.submit(category=WASTE, grid="xuanhualu-05")
    await p.act(number, p.worker_of("xuanhualu-05"), "hand_off")
    asked: list[str] = []
    for _ in range(5):
        d = await p.row(number)
        if d.stage is not Stage.UNIT:
            break
        assert d.unit is not None and d.unit not in asked
        asked.append(d.unit)
        await p.act(number, p.liaison_of(d.unit), "refuse", basis="not_our_duty")
    d = await p.row(number)
    assert d.stage is Stage.MEETING and len(asked) <= 3
    await p.until_agenda("xuanhualu", number)


async def test_reopen_in_time_goes_back_to_whoever_handled_it(product: Product) -> None:
    p = product
    d = await closed(p)
    await p.pass_until(d.number, d.clocks[ClockName.REOPEN].due_at - timedelta(hours=1))
    d = await p.act(d.number, resident(), "reopen")
    assert (d.stage, d.holder, d.redos, d.outcome) == (Stage.GRID, p.worker_of("xuanhualu-02").id, 1, None)
    assert d.clocks[ClockName.RESOLVE].running


async def test_reopen_too_late_is_refused_and_changes_nothing(product: Product) -> None:
    p = product
    d = await closed(p)
    await p.pass_until(d.number, d.clocks[ClockName.REOPEN].due_at)
    await p.until_row(d.number, lambda d: d.sealed)
    await p.handle(d.number).result()
    with pytest.raises(DomainError) as refused:
        await p.act(d.number, resident(), "reopen")
    assert refused.value.code in ("closed", "reopen_window_over")
    assert (await p.types(d.number))[-1] == "sealed"


async def test_a_pause_moves_the_due_date_by_the_working_time_it_lasted(product: Product) -> None:
    p = product
    number = await p.submit(grid="xuanhualu-07")
    worker = p.worker_of("xuanhualu-07")
    await p.act(number, worker, "accept")
    before = (await p.act(number, worker, "request_info", reason="awaiting_reporter")).clocks[ClockName.RESOLVE]
    await p.pass_time(number, timedelta(days=9))  # less than a pause may last
    assert not (await p.row(number)).clocks[ClockName.RESOLVE].breached
    d = await p.act(number, worker, "resume")
    after = d.clocks[ClockName.RESOLVE]
    assert after.running and not after.breached
    (pause,) = after.shifts
    assert pause.until_at is not None and pause.until_at - pause.from_at >= timedelta(days=9)
    stood = elapsed(p.desk.calendar, pause.from_at, pause.until_at)
    assert after.due_at == add_working(p.desk.calendar, before.due_at, stood) > before.due_at


async def test_a_promise_of_0_1_is_kept_as_it_was_made(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """No ladder, no limit of a pause, no due of a unit task; its log says what it said then."""
    p, of_now = product, intake.promise_for

    def of_then(*given: object) -> object:
        promise = of_now(*given)  # type: ignore[arg-type]
        kept = {n: b for n, b in promise.budgets.items() if n not in (ClockName.PAUSE, ClockName.UNIT_DUE)}
        return promise.model_copy(update={"budgets": kept, "ladder": ()})

    monkeypatch.setattr(intake, "promise_for", of_then)
    number = await p.submit(grid="xuanhualu-05")
    worker = p.worker_of("xuanhualu-05")
    await p.act(number, worker, "accept")
    await p.act(number, worker, "request_info", reason="weather")
    await p.pass_time(number, timedelta(days=40))
    d = await p.act(number, worker, "resume")
    await p.pass_until(number, d.clocks[ClockName.RESOLVE].due_at + timedelta(days=30))
    await p.until_type(number, "clock_breached", times=2)
    entries = await p.entries(number)
    assert not {"clock_warned", "notice_issued", "clock_escalated"} & {e.type for e in entries}
    for entry in entries:
        assert not {"told", "provisional", "working_days"} & set(entry.data), entry
    d = await p.row(number)
    assert (d.stage, d.holder, ClockName.PAUSE in d.clocks) == (Stage.GRID, worker.id, False)


async def test_redo_past_the_limit_goes_to_the_meeting(product: Product) -> None:
    p, grid = product, "xuanhualu-08"
    number = await p.submit(resident(), grid=grid)
    for n in range(3):
        await p.act(number, p.worker_of(grid), "resolve", reply=f"第{n}次办理")
        d = await p.act(number, resident(), "confirm", contacted=True, solved="no", satisfied="dissatisfied")
        assert d.redos == n + 1
    assert (d.stage, d.meeting_reason) == (Stage.MEETING, "redo_limit")
    await p.until_agenda("xuanhualu", number)


async def test_the_bell_and_a_withdrawal_in_one_task_do_not_wedge_the_demand(product: Product) -> None:
    """The worker was away when the accept clock rang; meanwhile the reporter withdrew."""
    p = product
    number = await p.submit(resident(), grid="xuanhualu-09")
    d = await p.started(number)
    await _ring_while_the_worker_is_away(p, d, "withdraw")
    assert (await p.row(number)).outcome is Outcome.WITHDRAWN
    assert await p.handle(number).result() == "withdrawn"


async def _ring_while_the_worker_is_away(p: Product, d: Demand, command: str) -> None:
    import asyncio
    import contextlib

    await p.absent_worker()
    try:
        passing = asyncio.create_task(p.pass_until(d.number, d.clocks[ClockName.ACCEPT].due_at))
        await asyncio.sleep(0.5)
        acting = asyncio.create_task(p.act(d.number, resident(), command))
        await asyncio.sleep(0.5)
    finally:
        await p.present_worker()
    await asyncio.wait_for(acting, 8)
    with contextlib.suppress(Exception):
        await asyncio.wait_for(passing, 5)
