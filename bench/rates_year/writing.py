"""Lives into the tables, by the statements of production: intake as intake, each transition as a transition."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from bench.rates_year.life import Life
from service.desk import Desk
from store.intake import Intake
from store.record import record

AT_ONCE = 8


async def write(desk: Desk, lives: Iterable[Life]) -> tuple[int, int]:
    """How many demands and events were written."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(life: Life) -> int:
        async with gate:
            await _write(desk, life)
        return sum(len(step.entries) for step in life.steps)

    counts = await asyncio.gather(*(one(life) for life in lives))
    await desk.pool.execute("analyze demand, demand_event")
    return len(counts), sum(counts)


async def _write(desk: Desk, life: Life) -> None:
    first, *others = life.steps
    submitted = first.entries[0].data
    taken = Intake(
        demand=first.demand, entries=first.entries, at=first.at, channel=str(submitted["channel"]),
        opened_by=str(submitted["opened_by"]), sealed_text=desk.sealer.seal("模拟", life.number), sealed_reporter=None,
        principal=str(submitted["opened_by"]), key=None, fingerprint="", answer="{}",
    )  # fmt: skip
    assert await desk.writer.insert(taken)
    for step in others:
        await record(desk.pool, step.demand, step.entries, after=step.after, at=step.at)
