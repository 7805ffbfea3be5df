"""Every clock that ticks has its row, and no row tells of a clock that does not."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import asyncpg

from domain.demand import Clock, Demand
from domain.vocabulary import ClockName

Row = tuple[Any, ...]
_COLUMNS = ("due_at", "started_at", "paused_at", "breached", "warned", "provisional")


async def check_clocks(db: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """The table `clock` against the states of all demands, both as of one instant."""
    async with db.transaction(isolation="repeatable_read", readonly=True):
        states = await db.fetch("select state::text state from demand")
        rows: dict[str, dict[str, Row]] = defaultdict(dict)
        for r in await db.fetch("select * from clock"):
            rows[r["number"]][r["name"]] = tuple(r[column] for column in _COLUMNS)
    wrong: list[str] = []
    for demand in (Demand.model_validate_json(r["state"]) for r in states):
        there, wanted = rows.pop(demand.number, {}), _ticking(demand)
        apart = sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
        wrong += [f"{demand.number}: clock {n} is {wanted.get(n)}, its row {there.get(n)}" for n in apart]
    return wrong + [f"{number}: rows of {', '.join(names)}, but no such demand" for number, names in rows.items()]


def _ticking(demand: Demand) -> dict[str, Row]:
    return {
        str(name): _row(clock)
        for name, clock in demand.clocks.items()
        if clock.stopped_at is None and name != ClockName.REOPEN
    }


def _row(c: Clock) -> Row:
    warned = max((int(key[:-1]) for key in c.done if key.endswith("%")), default=0)
    return None if c.paused_at else c.due_at, c.started_at, c.paused_at, c.breached, warned, c.provisional
