"""Duplicates on the real engine: each its own workflow, one handling, and every reporter hears the end of it."""

from __future__ import annotations

import asyncio

from domain.demand import Demand
from domain.vocabulary import Outcome, Stage
from tests.builders import Product, resident, until


async def merged(p: Product, number: str, primary: str, *, grid: str) -> Demand:
    d = await p.act(number, p.worker_of(grid), "merge", primary=primary)
    await until_followed(p, primary, number)
    return d


async def until_followed(p: Product, primary: str, *numbers: str) -> Demand:
    return await p.until_row(primary, lambda d: set(numbers) <= set(d.followers))


async def some(p: Product, grid: str, count: int) -> list[str]:
    return [await p.submit(resident(n), grid=grid) for n in range(1, count + 1)]


async def test_each_reporter_gets_the_reply_is_asked_and_rates_alone(product: Product) -> None:
    p, grid = product, "yupinglu-02"
    primary, *others = await some(p, grid, 4)
    for number in others:
        d = await merged(p, number, primary, grid=grid)
        assert (d.primary, d.holder, d.stage) == (primary, d.operator, Stage.GRID)
    await p.act(primary, p.worker_of(grid), "resolve", reply="路灯已换新")
    for n, number in enumerate(others, 2):
        d = await p.until_row(number, lambda d: d.stage is Stage.FEEDBACK)
        text = await p.pool.fetchrow("select number, sealed from demand_text where id = $1", d.reply_id)
        assert text is not None and text["number"] == number
        assert p.desk.sealer.open(text["sealed"], number) == "路灯已换新"
        d = await p.act(number, resident(n), "confirm", contacted=True, solved="yes", satisfied="satisfied")
        assert (d.stage, d.outcome) == (Stage.CLOSED, Outcome.RESOLVED)
    assert (await p.row(primary)).stage is Stage.FEEDBACK, "the first one has not answered yet"
    assert len(await p.types(primary)) < 20


async def test_whoever_joins_late_hears_at_once_what_was_done(product: Product) -> None:
    p, grid = product, "yupinglu-03"
    primary, late, later = await some(p, grid, 3)
    await p.act(primary, p.worker_of(grid), "resolve", reply="已处理")
    await p.act(late, p.worker_of(grid), "merge", primary=primary)
    assert (await p.until_row(late, lambda d: d.stage is Stage.FEEDBACK)).handler == p.worker_of(grid).id
    await p.act(primary, resident(1), "confirm", contacted=True, solved="yes", satisfied="satisfied")
    await p.act(later, p.worker_of(grid), "merge", primary=primary)
    await p.until_row(later, lambda d: d.stage is Stage.FEEDBACK)


async def test_unmerged_it_goes_on_where_it_stood_and_hears_nothing_of_the_other(product: Product) -> None:
    p, grid = product, "yupinglu-05"
    primary, other = await some(p, grid, 2)
    before = await p.row(other)
    await merged(p, other, primary, grid=grid)
    d = await p.act(other, p.operator, "unmerge")
    assert (d.primary, d.holder) == (None, before.holder)
    assert d.clocks["resolve"] == before.clocks["resolve"] and d.clocks["accept"].running
    await p.until_row(primary, lambda d: not d.followers)
    await p.act(primary, p.worker_of(grid), "resolve", reply="已处理")
    await p.act(other, p.worker_of(grid), "accept")
    assert (await p.row(other)).stage is Stage.GRID
    await merged_again(p, other, primary, grid)


async def merged_again(p: Product, other: str, primary: str, grid: str) -> None:
    await p.act(other, p.worker_of(grid), "merge", primary=primary)
    await p.until_row(other, lambda d: d.stage is Stage.FEEDBACK)


async def test_the_oldest_follower_is_the_heir_of_a_primary_that_is_withdrawn(product: Product) -> None:
    p, grid = product, "yupinglu-06"
    primary, *others = await some(p, grid, 4)
    for number in others:
        await merged(p, number, primary, grid=grid)
    await p.act(primary, resident(1), "withdraw")
    heir = await until_followed(p, others[0], *others[1:])
    assert (heir.primary, heir.holder) == (None, p.worker_of(grid).id)
    await p.act(others[0], p.worker_of(grid), "resolve", reply="已处理")
    for number in others[1:]:
        await p.until_row(number, lambda d: d.stage is Stage.FEEDBACK)


async def test_two_that_are_merged_into_each_other_at_once_do_not_wait_for_each_other(product: Product) -> None:
    p, grid = product, "yupinglu-07"
    one, two = await some(p, grid, 2)
    worker = p.worker_of(grid)
    await asyncio.gather(
        p.act(one, worker, "merge", primary=two), p.act(two, worker, "merge", primary=one), return_exceptions=True
    )

    async def free() -> bool | None:
        rows = [await p.row(one), await p.row(two)]
        return True if any(d.primary is None and d.holder == worker.id for d in rows) else None

    await until(free)


async def test_a_final_reply_answers_those_who_ask_again(product: Product) -> None:
    p, grid = product, "yupinglu-08"
    primary, again = await some(p, grid, 2)
    await p.act(primary, p.worker_of(grid), "escalate", reason="beyond_power")
    await p.until_agenda("yupinglu", primary)
    await p.decide("yupinglu", p.secretary_of("yupinglu"), primary, "final_reply", reply="依法不予支持")
    d = await p.act(primary, p.supervisor, "decide_final_reply", approved=True)
    assert d.outcome is Outcome.FINAL_REPLY
    await p.act(again, p.worker_of(grid), "merge", primary=primary)
    d = await p.until_row(again, lambda d: d.stage is Stage.CLOSED)
    assert (d.outcome, d.sealed) == (Outcome.FINAL_REPLY, True)
    text = await p.pool.fetchrow("select sealed from demand_text where id = $1", d.reply_id)
    assert text is not None and p.desk.sealer.open(text["sealed"], again) == "依法不予支持"


async def test_a_duplicate_leaves_the_agenda_and_comes_back_with_its_own_turn(product: Product) -> None:
    p, grid = product, "yupinglu-10"
    primary, other = await some(p, grid, 2)
    await p.act(other, p.worker_of(grid), "escalate", reason="several_units")
    await p.until_agenda("yupinglu", other)
    await p.act(other, p.secretary_of("yupinglu"), "merge", primary=primary)

    async def off() -> bool | None:
        query = "select true from meeting_item where number = $1 and kind = 'withdrawn'"
        return await p.pool.fetchval(query, other)

    await until(off)
    d = await p.act(other, p.operator, "unmerge")
    assert (d.stage, d.turn, d.holder) == (Stage.MEETING, 2, p.secretary_of("yupinglu").id)
    await p.until_agenda("yupinglu", other)


async def test_more_reporters_make_an_item_hotter(product: Product) -> None:
    p, grid = product, "yupinglu-09"
    primary, other = await some(p, grid, 2)
    await p.act(primary, p.worker_of(grid), "escalate", reason="several_units")
    await p.until_agenda("yupinglu", primary)
    await merged(p, other, primary, grid=grid)

    async def hotter() -> bool | None:
        query = "select reporters from meeting_item where number = $1"
        return True if await p.pool.fetchval(query, primary) == 2 else None

    await until(hotter)
