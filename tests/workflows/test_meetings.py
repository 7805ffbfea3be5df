"""A demand and the joint meeting: on the agenda, decided, put aside, sent above, taken off."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from domain.demand import Demand
from domain.errors import DomainError
from domain.meeting import Item
from domain.vocabulary import ClockName, Outcome, Stage
from gateways.temporal.engine import PATIENCE_SECONDS
from tests.builders import Product, resident, until

COMMITTEE = "shengli-road"


async def on_agenda(p: Product, grid: str) -> Demand:
    number = await p.submit(resident(), grid=grid)
    d = await p.act(number, p.worker_of(grid), "escalate", reason="several_units")
    assert d.meeting is not None
    await p.until_agenda(d.meeting, number)
    return d


async def agenda(p: Product, meeting: str) -> dict[str, Item]:
    items: list[Item] = await p.handle(f"meeting-{meeting}").query("agenda", result_type=list[Item])
    return {item.number: item for item in items}


async def ended(p: Product, meeting: str, number: str, kind: str) -> None:
    async def look() -> bool | None:
        return await p.pool.fetchval(
            "select true from meeting_item where meeting = $1 and number = $2 and kind = $3 and ended_at is not null",
            meeting, number, kind,
        )  # fmt: skip

    await until(look)


async def settled(p: Product, workflow_id: str) -> int:
    """The length of a history that has stopped growing."""
    seen = [-1]

    async def still() -> int | None:
        seen.append(await p.history_length(workflow_id))
        await asyncio.sleep(0.4)
        return seen[-1] if seen[-1] == seen[-2] else None

    return await until(still)


async def test_shelved_comes_back_by_itself_on_its_review_date(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-01")
    review = datetime.now(UTC) + timedelta(days=60)
    d = await p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "shelve", review_at=review)
    assert (d.stage, d.shelved, d.clocks[ClockName.REVIEW].due_at) == (Stage.MEETING, True, review)
    assert d.number not in await agenda(p, "yupinglu")
    await p.pass_until(d.number, review)
    d = await p.until_row(d.number, lambda d: d.turn == 2)
    assert (d.stage, d.shelved, d.meeting_reason, d.meeting) == (Stage.MEETING, False, "review", "yupinglu")
    assert d.clocks[ClockName.RESOLVE].running and not d.clocks[ClockName.RESOLVE].breached

    async def back() -> bool | None:
        item = (await agenda(p, "yupinglu")).get(d.number)
        return True if item and item.turn == 2 else None

    await until(back)
    await p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "return_to_grid")


async def test_a_review_after_years_neither_rings_at_once_nor_spins(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-02")
    secretary, year = p.secretary_of("yupinglu"), timedelta(days=366)
    with pytest.raises(DomainError, match="more than five years ahead"):
        await p.decide("yupinglu", secretary, d.number, "shelve", review_at=datetime.now(UTC) + 6 * year)
    await p.decide("yupinglu", secretary, d.number, "shelve", review_at=datetime.now(UTC) + 4.9 * year)
    length = await p.history_length(d.number)
    await asyncio.sleep(1.5)
    assert await p.history_length(d.number) <= length + 8
    assert (await p.act(d.number, resident(), "urge")).shelved


async def test_escalated_to_the_committee_and_decided_there(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-03")
    d = await p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "escalate")
    assert (d.stage, d.meeting, d.turn, d.holder) == (Stage.MEETING, COMMITTEE, 2, d.supervisor)
    await p.until_agenda(COMMITTEE, d.number)
    await ended(p, "yupinglu", d.number, "escalate")
    for who, kind, code in (
        (p.secretary_of("yupinglu"), "return_to_grid", "not_permitted"),
        (p.supervisor, "escalate", "stage_forbids"),
    ):
        with pytest.raises(DomainError) as refused:
            await p.decide(COMMITTEE, who, d.number, kind)
        assert refused.value.code == code
    chair = p.chair_of(await p.sit(COMMITTEE)).id
    d = await p.decide(COMMITTEE, p.supervisor, d.number, "final_reply", reply="经研究不予支持，理由如下")
    assert (d.stage, d.proposed_by, d.clocks[ClockName.APPROVE].running) == (Stage.MEETING, chair, True)
    with pytest.raises(DomainError, match="not_on_agenda"):
        await p.decide(COMMITTEE, p.supervisor, d.number, "shelve", review_at=datetime.now(UTC) + timedelta(days=9))
    d = await p.act(d.number, p.secretary_of("yupinglu"), "decide_final_reply", approved=True)
    assert (d.stage, d.outcome, d.sealed) == (Stage.CLOSED, Outcome.FINAL_REPLY, True)
    assert await p.handle(d.number).result() == "final_reply"


async def test_the_committees_review_comes_back_to_somebody_who_may_decide_it(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-04")
    await p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "escalate")
    await p.until_agenda(COMMITTEE, d.number)
    review = datetime.now(UTC) + timedelta(days=30)
    await p.decide(COMMITTEE, p.supervisor, d.number, "shelve", review_at=review)
    await p.pass_until(d.number, review)
    d = await p.until_row(d.number, lambda d: d.turn == 3)
    assert (d.meeting, d.holder) == (COMMITTEE, d.supervisor)


async def test_withdrawn_while_on_the_agenda_is_taken_off_it(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-05")
    assert d.number in await agenda(p, "yupinglu")
    await p.act(d.number, resident(), "withdraw")
    await ended(p, "yupinglu", d.number, "withdrawn")
    assert d.number not in await agenda(p, "yupinglu")
    with pytest.raises(DomainError) as refused:
        await p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "return_to_grid")
    assert refused.value.code == "not_on_agenda"


async def test_withdrawn_at_the_very_moment_it_is_sent_leaves_no_ghost_on_the_agenda(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="yupinglu-06")
    await p.started(number)
    await p.act(number, p.worker_of("yupinglu-06"), "escalate", reason="repeat")
    await p.act(number, resident(), "withdraw")
    await p.handle(number).result()

    async def gone() -> bool | None:
        rows = await p.pool.fetch("select ended_at from meeting_item where number = $1", number)
        there = number in await agenda(p, "yupinglu") or any(r["ended_at"] is None for r in rows)
        return None if there else True

    await until(gone)


async def test_an_item_is_decided_once(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-07")
    both = await asyncio.gather(
        p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "return_to_grid"),
        p.decide("yupinglu", p.secretary_of("yupinglu"), d.number, "assign", unit="u-roads"),
        return_exceptions=True,
    )
    refused = [one for one in both if isinstance(one, DomainError)]
    assert [r.code for r in refused] == ["not_on_agenda"]
    assert (await p.types(d.number)).count("meeting_decided") == 1


async def test_a_refused_decision_leaves_nothing_behind(product: Product) -> None:
    p = product
    d = await on_agenda(p, "yonggangcun-01")  # nothing else of this module happens there
    await p.sit("yonggangcun")
    length = await settled(p, "meeting-yonggangcun")
    for by in (resident(9), p.worker_of("yonggangcun-01"), p.secretary_of("wenqulu")):
        with pytest.raises(DomainError) as refused:
            await p.decide("yonggangcun", by, d.number, "final_reply", reply="不该留下的字", minute="也不该")
        assert refused.value.code in ("not_permitted", "not_found", "outside_scope")
    assert await p.history_length("meeting-yonggangcun") == length
    left = await p.pool.fetchval("select count(*) from demand_text where number = $1 and kind <> 'demand'", d.number)
    assert left == 0


@pytest.mark.parametrize("field", ["due_at", "review_at"])
async def test_a_decision_with_a_time_without_a_zone_wedges_nothing(product: Product, field: str) -> None:
    p = product
    d = await on_agenda(p, "yupinglu-09")
    kind = {"due_at": "assign", "review_at": "shelve"}[field]
    with pytest.raises((DomainError, ValueError)) as refused:
        await p.decide(
            "yupinglu", p.secretary_of("yupinglu"), d.number, kind, unit="u-roads", **{field: "2027-06-01T09:00:00"}
        )
    if isinstance(refused.value, DomainError):
        assert refused.value.code == "validation_failed"
    await asyncio.wait_for(p.act(d.number, resident(), "urge"), 5)


async def test_the_chair_that_is_shown_may_decide(product: Product) -> None:
    from service.meetings import meetings

    p = product
    shown = {m["id"]: m["chair"]["id"] for m in await meetings(p.desk, p.supervisor)}
    d = await on_agenda(p, "zhangjiapo-01")
    after = await p.decide("zhangjiapo", p.person(shown["zhangjiapo"]), d.number, "return_to_grid")
    assert after.stage is Stage.GRID


async def test_what_a_killed_worker_held_is_given_to_another_before_the_deciding_lose_patience(
    product: Product,
) -> None:
    d = await on_agenda(product, "yupinglu-01")
    begun = (await product.handle(f"meeting-{d.meeting}").fetch_history()).events[0]
    given_up_after = begun.workflow_execution_started_event_attributes.workflow_task_timeout.ToTimedelta()
    assert given_up_after <= timedelta(seconds=PATIENCE_SECONDS / 2)
