"""Unit tasks on a real server: silence, refusals that go round, leads that change, parts that somebody waits for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.ledger import Entry
from domain.routing import Routing
from domain.tasks import co_clocks
from domain.vocabulary import ClockName, Stage
from service.forms import Location
from service.places import locate
from service.routing_decisions import route_at_intake
from store import unit_tasks
from tests.builders import ROOF_LEAK, WASTE, Product, resident
from workflows.resident_demand import ResidentDemand

MOMENT = timedelta(minutes=1)
"""A bell is heard within it; the instants themselves are exact."""


def routed(p: Product, grid: str, category: str) -> Routing:
    place = locate(p.desk, Location(grid=grid), p.desk.now())
    assert place is not None
    return route_at_intake(p.desk, place, p.desk.district.category(category), p.desk.now())


def much_wanted(p: Product, grid: str, least: int) -> str:
    """A category for whose demands in this grid several units could be asked, one after another."""
    for category in p.desk.district.categories:
        if category.handling_level == "unit" and len(routed(p, grid, category.code).candidates) >= least:
            return category.code
    raise AssertionError(f"no category has {least} candidates in {grid}")


async def led(p: Product, grid: str, category: str = ROOF_LEAK) -> Demand:
    """With a unit that has accepted it and spoken with the resident."""
    number = await p.submit(category=category, grid=grid)
    d = await p.started(number)
    for action in ("accept", "contact"):
        d = await p.act(number, lead_of(p, d), action)
    assert d.stage is Stage.UNIT
    return d


def lead_of(p: Product, d: Demand) -> Actor:
    assert d.unit is not None
    return p.liaison_of(d.unit)


def others(p: Product, d: Demand, count: int) -> list[str]:
    assert d.community is not None
    units = [u.id for u in p.desk.district.units_of(d.community, "member_unit") if u.id not in d.past_units]
    return units[:count]


async def helped(p: Product, d: Demand, *units: str, required: bool = True) -> Demand:
    parts = [{"unit": unit, "required": required} for unit in units]
    return await p.act(d.number, lead_of(p, d), "add_co_units", co_units=parts)


def parts(d: Demand) -> dict[str, str]:
    return {task.unit: task.state for task in d.co_tasks}


async def said(p: Product, number: str, type: str, **data: str) -> list[Entry]:
    return [x for x in await p.entries(number) if x.type == type and data.items() <= x.data.items()]


async def refused(p: Product, d: Demand, by: str, type: str, **more: Any) -> str:
    before = await p.row(d.number)
    with pytest.raises(DomainError) as refusal:
        await p.act(d.number, p.liaison_of(by), type, **more)
    assert (await p.row(d.number)).seq == before.seq, "a refused command changes nothing"
    return refusal.value.code


async def replays(p: Product, number: str) -> None:
    """Its history makes the commands it made, by this very code."""
    history = await p.handle(number).fetch_history()
    await Replayer(workflows=[ResidentDemand], data_converter=pydantic_data_converter).replay_workflow(history)


# ---- silence


async def test_silence_in_the_window_binds_lead_and_co_unit_each_at_the_end_of_its_own(product: Product) -> None:
    p = product
    number = await p.submit(category=ROOF_LEAK, grid="xuanhualu-01")
    d = await p.started(number)
    (one, other), lead = others(p, d, 2), d.unit
    assert lead is not None
    await p.pass_time(number, timedelta(hours=1))
    d = await helped(p, d, one, other)
    leads, window = d.clocks[ClockName.REFUSAL_WINDOW].due_at, d.clocks[co_clocks(one)[0]].due_at
    await p.act(number, p.liaison_of(other), "co_refuse", basis="no_resources")
    await p.pass_until(number, max(leads, window))
    d = await p.until_row(number, lambda d: d.lead_bound and parts(d)[one] == "bound")
    for type, unit, ended in (("unit_bound", lead, leads), ("co_unit_bound", one, window)):
        (bound,) = await said(p, number, type, unit=unit)
        assert (bound.data["by"], bound.actor) == ("silence", "system")
        assert timedelta() <= bound.at - ended < MOMENT
    assert parts(d) == {one: "bound", other: "refused"}
    assert await refused(p, d, lead, "refuse", basis="not_our_duty") == "refusal_window_over"
    assert await refused(p, d, one, "co_refuse", basis="not_our_duty") == "refusal_window_over"
    await replays(p, number)


# ---- round in circles


async def test_the_third_refusal_goes_to_the_meeting_by_itself(product: Product) -> None:
    p, grid = product, "xuanhualu-02"
    number = await p.submit(category=much_wanted(p, grid, 4), grid=grid)
    d, asked = await p.started(number), list[str]()
    resolve = d.clocks[ClockName.RESOLVE]
    while d.stage is Stage.UNIT:
        assert d.unit is not None and d.unit not in asked
        asked.append(d.unit)
        await p.pass_time(number, timedelta(minutes=5))
        d = await p.act(number, p.liaison_of(d.unit), "refuse", basis="other_unit_responsible")
    assert (len(asked), d.stage, d.meeting_reason) == (3, Stage.MEETING, "refused_too_often")
    assert d.clocks[ClockName.RESOLVE] == resolve, "the resident's promise does not know who refused"
    assert d.place is not None and d.holder == d.place.secretary
    await p.until_agenda("xuanhualu", number)
    assert number not in [n for _, n in await unit_tasks.tasks(p.pool, asked)], "nobody has a task of it any more"


async def test_a_demand_on_its_way_back_to_a_unit_that_had_it_goes_to_the_meeting(product: Product) -> None:
    p, grid, worker = product, "yupinglu-01", product.worker_of("yupinglu-01")
    number = await p.submit(resident(), category=WASTE, grid=grid)
    d = await p.started(number)
    (a,) = others(p, d, 1)
    await p.act(number, worker, "hand_off", unit=a)
    d = await p.act(number, p.liaison_of(a), "refuse", basis="not_our_duty")
    assert d.unit not in (None, a)
    with pytest.raises(DomainError) as swap:
        await p.act(number, p.supervisor, "swap_lead", unit=a)
    assert swap.value.code == "stage_forbids"
    await p.act(number, p.supervisor, "escalate", reason="several_units")
    await p.until_agenda("yupinglu", number)
    await p.decide("yupinglu", p.secretary_of("yupinglu"), number, "return_to_grid")
    d = await p.act(number, worker, "hand_off", unit=a)
    assert (d.stage, d.meeting_reason) == (Stage.MEETING, "returned_to_same_unit")
    assert (await p.types(number)).count("unit_assigned") == 2, "it was not given to the first one again"
    await p.until_agenda("yupinglu", number)


# ---- leads and helpers


async def test_a_lead_is_swapped_while_two_co_units_work(product: Product) -> None:
    p = product
    d = await led(p, "zhangjiapo-01")
    number, (one, other, new) = d.number, others(p, d, 3)
    d = await helped(p, d, one, other)
    old = d.unit
    assert old is not None
    d = await p.act(number, p.liaison_of(one), "co_accept")
    await p.pass_time(number, timedelta(hours=2))
    before = await p.row(number)
    d = await p.act(number, p.supervisor, "swap_lead", unit=new)
    assert (d.unit, d.holder, d.lead_bound) == (new, p.liaison_of(new).id, False)
    assert parts(d) == {one: "bound", other: "offered"}
    kept = (ClockName.RESOLVE, co_clocks(one)[1], *co_clocks(other))
    assert {name: d.clocks[name] for name in kept} == {name: before.clocks[name] for name in kept}
    counted = Counter(unit for unit, n in await unit_tasks.tasks(p.pool, [old, new, one, other]) if n == number)
    assert counted == {new: 1, one: 1, other: 1}
    await p.pass_until(number, max(d.clocks[ClockName.REFUSAL_WINDOW].due_at, d.clocks[co_clocks(other)[0]].due_at))
    d = await p.until_row(number, lambda d: d.lead_bound and parts(d)[other] == "bound")
    assert d.unit == new and await refused(p, d, old, "resolve", reply="好了") == "outside_scope"
    for unit in (one, other):
        d = await p.act(number, p.liaison_of(unit), "co_done", note="已配合")
    d = await p.act(number, p.liaison_of(new), "resolve", reply="已修缮")
    assert (d.stage, d.handler, parts(d)) == (Stage.FEEDBACK, p.liaison_of(new).id, {one: "done", other: "done"})
    assert d.clocks[ClockName.RESOLVE].due_at == before.clocks[ClockName.RESOLVE].due_at
    await replays(p, number)


async def test_a_required_part_keeps_the_lead_waiting_however_late_it_is(product: Product) -> None:
    p = product
    d = await led(p, "shenglilu-01")
    number, lead, (one, other) = d.number, d.unit, others(p, d, 2)
    assert lead is not None
    await helped(p, d, one)
    d = await helped(p, d, other, required=False)
    assert await refused(p, d, lead, "resolve", reply="好了") == "co_task_open"
    due = d.clocks[co_clocks(one)[1]].due_at
    await p.pass_until(number, due)
    d = await p.until_row(number, lambda d: d.clocks[co_clocks(one)[1]].breached)
    (breach,) = await said(p, number, "clock_breached", clock=co_clocks(one)[1])
    assert breach.data["told"] == [p.liaison_of(one).id, d.supervisor]
    assert timedelta() <= breach.at - due < MOMENT
    assert await refused(p, d, lead, "resolve", reply="好了") == "co_task_open"
    await p.act(number, p.liaison_of(one), "co_done")
    d = await p.act(number, p.liaison_of(lead), "resolve", reply="已修缮")
    assert parts(d) == {one: "done", other: "released"}
    await replays(p, number)


async def test_a_pause_of_the_lead_moves_the_due_of_a_part_and_its_limit_ends_both(product: Product) -> None:
    p = product
    d = await led(p, "yonggangcun-01")
    number, (one,) = d.number, others(p, d, 1)
    d = await helped(p, d, one)
    before = d.clocks[co_clocks(one)[1]]
    d = await p.act(number, lead_of(p, d), "request_info", reason="weather")
    assert d.clocks[co_clocks(one)[1]].paused_at is not None
    ends = d.clocks[ClockName.PAUSE].due_at
    await p.pass_until(number, ends)
    d = await p.until_row(number, lambda d: d.info_reason is None)
    after = d.clocks[co_clocks(one)[1]]
    assert after.running and not after.breached and after.due_at > before.due_at
    assert [s.until_at for s in after.shifts] == [s.until_at for s in d.clocks[ClockName.UNIT_DUE].shifts]
    assert parts(d) == {one: "bound"}, "its window ran on, and it said nothing"


# ---- by a meeting


async def test_the_co_units_of_a_decision_are_bound_at_once(product: Product) -> None:
    p, meeting = product, "wenqulu"
    secretary = p.secretary_of(meeting)
    number = await p.submit(resident(), grid="wenqulu-01")
    d = await p.act(number, p.worker_of("wenqulu-01"), "escalate", reason="several_units")
    lead, one, other = others(p, d, 3)
    start = await unit_tasks.counted(p.pool)
    await p.until_agenda(meeting, number)
    with pytest.raises(DomainError) as unknown:
        await p.decide(meeting, secretary, number, "assign", unit=lead, co_units=[{"unit": "u-nobody"}])
    assert unknown.value.code == "unknown_unit"
    due = datetime.now(UTC) + timedelta(days=20)
    named = [{"unit": one}, {"unit": other, "required": False}]
    with pytest.raises(DomainError) as twice:
        await p.decide(meeting, secretary, number, "assign", unit=lead, co_units=[*named, {"unit": lead}])
    assert twice.value.code == "validation_failed"
    d = await p.decide(meeting, secretary, number, "assign", unit=lead, co_units=named, due_at=due)
    assert (d.unit, d.lead_bound, parts(d)) == (lead, True, {one: "bound", other: "bound"})
    assert d.clocks[ClockName.RESOLVE].due_at == due
    assert not {ClockName.REFUSAL_WINDOW, co_clocks(one)[0]} & d.clocks.keys()
    assert [x.data["by"] for x in await said(p, number, "co_unit_bound")] == ["decision", "decision"]
    session = await p.sit(meeting)
    row = await p.pool.fetchrow("select kind, session from meeting_item where number = $1", number)
    assert row is not None and (row["kind"], row["session"]) == ("assign", session.id)
    taken = Counter(await unit_tasks.counted(p.pool)) - Counter(start)
    assert taken == {lead: 1, one: 1, other: 1}
    assert await refused(p, d, one, "co_refuse", basis="not_our_duty") == "refusal_window_over"
    assert await refused(p, d, lead, "resolve", reply="好了") == "co_task_open"
    await p.act(number, p.liaison_of(one), "co_done")
    d = await p.act(number, p.liaison_of(lead), "resolve", reply="已办理")
    assert parts(d) == {one: "done", other: "released"}
    assert await unit_tasks.counted(p.pool) == start, "every place is given back"
    await p.hold(meeting, session, secretary, "close")
    await replays(p, number)
