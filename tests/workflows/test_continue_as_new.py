"""A server that asks for a new run after few events: nothing is forgotten on the way, least of all the keys."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain import commands as c
from domain.errors import DomainError
from domain.ledger import replay
from domain.meeting import Item
from domain.vocabulary import ClockName, Stage
from domain.worktime import due
from tests.builders import Product, new_key, resident, running_product, until, with_days_off
from tests.conftest import temporal_server


@pytest_asyncio.fixture(scope="module")
async def product(new_database: Callable[..., str]) -> AsyncIterator[Product]:
    frugal = "limit.historyCount.suggestContinueAsNew=30"
    async with temporal_server(frugal) as server, running_product(server, new_database()) as running:
        yield running


async def renewed(p: Product, number: str) -> str:
    """Notes until the demand's workflow is in another run; returns the first run's id."""
    first = (await p.handle(number).describe()).run_id
    for n in range(40):
        await p.act(number, resident(), "note", note=f"第{n}条")
        if (await p.handle(number).describe()).run_id != first:
            return first
    raise AssertionError("never continued as new")


async def test_keys_state_and_timer_survive(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="xuanhualu-01")
    worker, before = p.worker_of("xuanhualu-01"), await p.started(number)
    sent = c.Act(command=c.Note(note_id="once"), actor=worker, key="carried", fingerprint="a")
    once = await p.send(number, sent)
    await renewed(p, number)
    d = await p.row(number)
    assert (await p.state(number)) == d and replay(number, await p.entries(number)) == d
    again = await p.send(number, sent)
    assert again.seq >= once.seq and (await p.row(number)).seq == d.seq
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await p.send(number, sent.model_copy(update={"fingerprint": "b"}))
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "idempotency_key_reused"
    await p.pass_until(number, before.clocks[ClockName.ACCEPT].due_at)
    after = await p.until_row(number, lambda d: d.clocks[ClockName.ACCEPT].breached)
    assert after.holder == p.substitute_of("xuanhualu-01").id


async def test_an_adopted_calendar_is_carried_along(product: Product) -> None:
    p, grid = product, "xuanhualu-04"
    number = await p.submit(resident(), grid=grid)
    before = await p.started(number)
    clock, old = before.clocks[ClockName.RESOLVE], p.desk.calendar
    first, last = (old.table.local(at).date() for at in (clock.started_at, clock.due_at))
    new = with_days_off(old, first, last)
    await p.handle(number).signal("adopt", new)
    await p.until_row(number, lambda d: d.terms.calendar == new.version)
    await renewed(p, number)
    seq = (await p.row(number)).seq
    await p.handle(number).signal("adopt", new)
    d = await p.act(number, p.worker_of(grid), "request_info", reason="weather")
    assert (await p.types(number))[seq:] == ["info_requested", "clock_paused", "clock_paused", "clock_started"]
    limit = d.clocks[ClockName.PAUSE]  # started by the new run: it knows the days
    budget = d.terms.budgets[ClockName.PAUSE]
    assert limit.due_at == due(new, limit.started_at, budget) > due(old, limit.started_at, budget)
    await p.pass_until(number, clock.due_at)
    assert not (await p.row(number)).breached
    await p.pass_until(number, d.clocks[ClockName.ACCEPT].due_at)
    assert (await p.until_row(number, lambda d: d.breached)).clocks[ClockName.ACCEPT].breached


async def test_a_repeated_key_after_the_end_does_not_lose_the_text_it_had_written(product: Product) -> None:
    p = product
    number, key = await p.submit(resident(), grid="xuanhualu-02"), new_key()
    await p.act(number, resident(), "note", key=key, note="重要的话")
    await renewed(p, number)
    await p.act(number, resident(), "withdraw")
    await p.handle(number).result()
    kept = "select count(*) from demand_text where number = $1 and kind = 'note'"
    before = await p.pool.fetchval(kept, number)
    with contextlib.suppress(DomainError):  # told that it is closed, or given the first answer: both are true
        await p.act(number, resident(), "note", key=key, note="重要的话")
    assert await p.pool.fetchval(kept, number) == before


async def test_a_shelved_demand_does_not_come_back_to_the_agenda_by_itself(product: Product) -> None:
    p = product
    number = await p.submit(resident(), grid="xuanhualu-03")
    await p.act(number, p.worker_of("xuanhualu-03"), "escalate", reason="repeat")
    await p.until_agenda("xuanhualu", number)
    review = datetime.now(UTC) + timedelta(days=40)
    await p.decide("xuanhualu", p.secretary_of("xuanhualu"), number, "shelve", review_at=review)
    await renewed(p, number)
    await p.act(number, resident(), "urge")
    await asyncio.sleep(1)  # what the new run might do on its own, it does at once
    items = await p.handle("meeting-xuanhualu").query("agenda", result_type=list[Item])
    assert number not in [i.number for i in items]
    assert (await p.state(number)).shelved


async def test_the_meeting_renews_itself_and_keeps_its_agenda(product: Product) -> None:
    p = product
    numbers = [await p.submit(resident(), grid="wenqulu-01") for _ in range(8)]
    worker, secretary = p.worker_of("wenqulu-01"), p.secretary_of("wenqulu")
    for number in numbers:
        await p.act(number, worker, "escalate", reason="repeat")
    for number in numbers:
        await p.until_agenda("wenqulu", number)
    for number in numbers[:4]:
        assert (await p.decide("wenqulu", secretary, number, "return_to_grid")).stage is Stage.GRID

    async def several() -> bool | None:
        found = [w async for w in p.environment.client.list_workflows("WorkflowId = 'meeting-wenqulu'")]
        return True if len(found) > 1 else None

    await until(several)
    items = await p.handle("meeting-wenqulu").query("agenda", result_type=list[Item])
    assert sorted(i.number for i in items) == numbers[4:]
    for number in numbers[4:]:
        assert (await p.decide("wenqulu", secretary, number, "return_to_grid")).stage is Stage.GRID
