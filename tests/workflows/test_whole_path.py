"""A demand from its first word to its seal, on a real worker, a real database and a clock of its own."""

from __future__ import annotations

from datetime import timedelta

from domain.ledger import replay
from domain.vocabulary import ClockName, Outcome, Stage
from tests.builders import BLOCKED_DRAIN, WASTE, Product, resident

MOST_HISTORY_EVENTS = 300


async def test_every_stage_until_the_seal(product: Product) -> None:
    p, reporter = product, resident(11)
    number = await p.submit(reporter, category=WASTE, grid="xuanhualu-01")
    worker = p.worker_of("xuanhualu-01")
    d = await p.act(number, worker, "accept")
    assert (d.stage, d.holder) == (Stage.GRID, worker.id)
    await p.act(number, worker, "contact")
    d = await p.act(number, worker, "hand_off", unit="u-sanitation")
    assert (d.stage, d.unit) == (Stage.UNIT, "u-sanitation")
    liaison = p.liaison_of("u-sanitation")
    d = await p.act(number, liaison, "escalate", reason="beyond_power")
    assert (d.stage, d.meeting, d.holder) == (Stage.MEETING, "xuanhualu", p.secretary_of("xuanhualu").id)
    secretary = p.secretary_of("xuanhualu")
    await p.until_agenda("xuanhualu", number)
    d = await p.decide("xuanhualu", secretary, number, "assign", unit="u-sanitation", minute="由环卫公司办理")
    assert (d.stage, d.lead_bound) == (Stage.UNIT, True)
    d = await p.act(number, liaison, "resolve", reply="已清运完毕")
    assert (d.stage, d.awaiting_verification) == (Stage.FEEDBACK, True)
    d = await p.act(number, p.supervisor, "verify", ok=True)
    d = await p.act(number, reporter, "confirm", contacted=True, solved="yes", satisfied="satisfied")
    assert (d.stage, d.outcome, d.sealed) == (Stage.CLOSED, Outcome.RESOLVED, False)
    assert await p.pass_until(number, d.clocks[ClockName.REOPEN].due_at) in (True, False)
    d = await p.until_row(number, lambda d: d.sealed)
    assert await p.handle(number).result() == "resolved"
    entries = await p.entries(number)
    assert entries[-1].type == "sealed" and [e.seq for e in entries] == list(range(1, len(entries) + 1))
    assert replay(number, entries) == await p.row(number)
    length = await p.history_length(number)
    print(f"\nhistory events of a whole demand: {length}")
    assert length < MOST_HISTORY_EVENTS


async def test_above_the_grid_goes_to_a_unit_with_the_worker_as_contact(product: Product) -> None:
    p = product
    number = await p.submit(category=BLOCKED_DRAIN, grid="yupinglu-02")
    d = await p.started(number)
    assert (d.stage, d.holder, d.worker) == (Stage.UNIT, d.lead and d.lead.liaison, p.worker_of("yupinglu-02").id)
    d = await p.act(number, p.worker_of("yupinglu-02"), "contact")
    assert d.clocks[ClockName.CONTACT].stopped_at is not None


async def test_the_row_is_there_when_the_update_returns(product: Product) -> None:
    p = product
    number = await p.submit()
    for n in range(8):
        after = await p.act(number, p.worker_of("xuanhualu-01"), "note", note=f"第{n}次走访")
        assert (await p.row(number)).seq == after.seq == (await p.entries(number))[-1].seq
        assert (await p.state(number)).seq == after.seq


async def test_an_outage_rings_once_and_keeps_the_true_instant(product: Product) -> None:
    p = product
    number = await p.submit(grid="zhangjiapo-03")
    d = await p.started(number)
    due = d.clocks[ClockName.ACCEPT].due_at
    await p.pass_until(number, due + timedelta(days=40))
    types = await p.until_type(number, "clock_breached", times=4)
    breaches = {e.data["clock"]: e.data for e in await p.entries(number) if e.type == "clock_breached"}
    assert set(breaches) == {"accept", "contact", "resolve", "decide"}  # the meeting that got it was late, too
    assert types.count("clock_breached") == 4
    for name in (ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE):
        assert breaches[name]["due_at"] == d.clocks[name].due_at.isoformat().replace("+00:00", "Z")
