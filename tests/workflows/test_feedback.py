"""回访 on the real engine, by its own virtual time: the whole ladder, redo, reopening, and the end that nothing changes."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.demand import Demand
from domain.errors import DomainError
from domain.vocabulary import ClockName, Outcome, Stage
from tests.builders import Product, resident

PHONE = {"name": "甲", "phone": "13800000000"}


async def resolved(p: Product, grid: str, **more: object) -> Demand:
    number = await p.submit(resident(), grid=grid, **more)
    return await p.act(number, p.worker_of(grid), "resolve", reply="已办结")


async def next_rung(p: Product, d: Demand) -> Demand:
    at = d.clocks[ClockName.CALL_BACK].due_at
    await p.pass_until(d.number, at)
    return await p.until_row(d.number, lambda d: d.stage is Stage.CLOSED or d.clocks[ClockName.CALL_BACK].due_at != at)


async def asked(p: Product, number: str) -> list[tuple[str, str | None]]:
    rungs = [entry for entry in await p.entries(number) if entry.type == "reporter_asked"]
    return [(entry.data["channel"], entry.data.get("person")) for entry in rungs]


async def climbed(p: Product, d: Demand) -> Demand:
    while d.stage is not Stage.CLOSED:
        d = await next_rung(p, d)
    return d


async def test_the_ladder_climbs_from_link_to_visit_and_ends_unconfirmed(product: Product) -> None:
    p = product
    d = await climbed(p, await resolved(p, "xuanhualu-06", reporter=PHONE))
    assert await asked(p, d.number) == [
        ("link", None), ("sms", None), ("phone", d.operator), ("visit", p.substitute_of("xuanhualu-06").id),
    ]  # fmt: skip
    assert (d.outcome, d.sealed) == (Outcome.UNCONFIRMED, False)
    assert not {"feedback_given", "call_back_made"} & set(await p.types(d.number))
    hours = [(e.at + timedelta(hours=8)).hour for e in await p.entries(d.number) if e.type == "reporter_asked"]
    assert all(9 <= hour < 20 for hour in hours), hours


async def test_called_and_never_met_is_unreachable_and_can_be_reopened(product: Product) -> None:
    p = product
    d = await resolved(p, "xuanhualu-07", reporter=PHONE)
    for result in ("no_answer", "wrong_number"):
        await p.act(d.number, p.operator, "call_back", channel="phone", result=result)
    d = await climbed(p, await p.row(d.number))
    assert (d.outcome, d.call_backs) == (Outcome.UNREACHABLE, 2)
    d = await p.act(d.number, resident(), "reopen")
    assert (d.stage, d.holder) == (Stage.GRID, p.worker_of("xuanhualu-07").id)


async def test_without_a_telephone_nobody_is_told_to_call(product: Product) -> None:
    p = product
    d = await climbed(p, await resolved(p, "xuanhualu-08"))
    assert [channel for channel, _ in await asked(p, d.number)] == ["link", "visit"]


async def test_twice_not_content_goes_to_the_meeting_with_the_history_kept(product: Product) -> None:
    p, grid = product, "xuanhualu-09"
    d = await resolved(p, grid)
    for redo in (1, 2):
        d = await p.act(d.number, resident(), "confirm", contacted=True, solved="no", satisfied="dissatisfied")
        assert (d.stage, d.redos, d.holder) == (Stage.GRID, redo, p.worker_of(grid).id)
        d = await p.act(d.number, p.worker_of(grid), "resolve", reply="再次办结")
    d = await p.act(d.number, resident(), "confirm", contacted=True, solved="yes", satisfied="very_dissatisfied")
    assert (d.stage, d.meeting_reason) == (Stage.MEETING, "redo_limit")
    await p.until_agenda("xuanhualu", d.number)
    types = await p.types(d.number)
    assert (types.count("resolved"), types.count("feedback_given"), types.count("redo_ordered")) == (3, 3, 3)


async def test_after_its_window_nothing_changes_any_more(product: Product) -> None:
    p = product
    d = await resolved(p, "xuanhualu-10")
    d = await p.act(d.number, resident(), "confirm", contacted=True, solved="partly", satisfied="satisfied")
    await p.pass_until(d.number, d.clocks[ClockName.REOPEN].due_at)
    sealed = await p.until_row(d.number, lambda d: d.sealed)
    assert await p.handle(d.number).result() == "resolved"
    for by, kind, more in (
        (resident(), "reopen", {}),
        (resident(), "note", {"note": "还有一句"}),
        (p.supervisor, "urge", {}),
        (p.operator, "withdraw", {}),
    ):
        with pytest.raises(DomainError) as refused:
            await p.act(d.number, by, kind, **more)
        assert refused.value.code == "closed"
    assert await p.row(d.number) == sealed and (await p.types(d.number))[-1] == "sealed"
