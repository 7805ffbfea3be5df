"""The database goes away in the middle: nothing is lost, and the answer comes when it is back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from contracts.demand import Acted
from domain import commands as c
from domain.errors import DomainError
from domain.ledger import replay
from tests.builders import Product, new_key, resident, running_product, until
from tests.lines import Line, line_to


@pytest_asyncio.fixture
async def cut_off(temporal: WorkflowEnvironment, new_database: object) -> AsyncIterator[tuple[Product, Line]]:
    """Only the worker's own connections go over the line; what the test reads goes past it."""
    url: str = new_database()  # type: ignore[operator]
    async with line_to(url) as (line, through), running_product(temporal, url, worker_url=through) as product:
        yield product, line


async def test_an_update_is_answered_once_the_database_is_back(cut_off: tuple[Product, Line]) -> None:
    p, line = cut_off
    number = await p.submit(resident(), grid="xuanhualu-01")
    worker, before = p.worker_of("xuanhualu-01"), await p.started(number)
    await line.cut()
    sending = [
        asyncio.create_task(p.send(number, c.Act(command=c.Note(note_id=f"n{n}"), actor=worker, key=new_key())))
        for n in range(4)
    ]
    await asyncio.sleep(1.5)
    assert not any(s.done() for s in sending)
    assert (await p.row(number)).seq == before.seq
    await line.mend()
    answers: list[Acted] = await asyncio.wait_for(asyncio.gather(*sending), 40)
    assert max(a.seq for a in answers) == before.seq + 4
    assert replay(number, await p.entries(number)) == await p.row(number) == await p.state(number)
    assert (await p.types(number)).count("note_added") == 4


async def test_a_clock_that_rings_without_a_database_is_written_later(cut_off: tuple[Product, Line]) -> None:
    p, line = cut_off
    number = await p.submit(grid="xuanhualu-02")
    d = await p.started(number)
    await line.cut()
    from domain.vocabulary import ClockName

    due = d.clocks[ClockName.ACCEPT].due_at
    passing = asyncio.create_task(p.pass_until(number, due))
    await asyncio.sleep(1)
    await line.mend()
    await p.until_type(number, "clock_breached")
    await passing
    breach = next(e for e in await p.entries(number) if e.type == "clock_breached")
    assert breach.data["due_at"] == due.isoformat().replace("+00:00", "Z")
    assert replay(number, await p.entries(number)) == await p.row(number)


async def test_the_service_says_that_the_outcome_is_not_known_and_the_key_finds_it(
    cut_off: tuple[Product, Line], monkeypatch: pytest.MonkeyPatch
) -> None:
    p, line = cut_off
    monkeypatch.setattr("gateways.temporal.engine.PATIENCE_SECONDS", 1.0)
    number, key = await p.submit(resident(), grid="xuanhualu-03"), new_key()
    before = await p.started(number)
    await line.cut()
    with pytest.raises(DomainError) as unsure:
        await p.act(number, resident(), "urge", key=key, note="请快一点")
    assert unsure.value.code == "outcome_unknown"
    await line.mend()

    async def answered() -> int | None:
        try:
            return (await p.act(number, resident(), "urge", key=key, note="请快一点")).seq
        except DomainError:
            return None

    assert await until(answered, seconds=30) == before.seq + 2  # the urge and its note, once
    assert (await p.types(number)).count("urged") == 1
    assert await p.pool.fetchval("select count(*) from demand_text where number = $1 and kind = 'note'", number) == 1
