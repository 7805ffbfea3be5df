"""What a publication would do to the demands that are open: how many change, by how much, and some of them by name.

Demands are read a batch at a time, so a hundred thousand of them need no more memory than a hundred, and everything else
that the process does goes on in between.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pydantic import TypeAdapter

from domain.categories import SlaClass
from domain.clocks import is_provisional, replanned
from domain.demand import Demand
from domain.policies import Sla
from domain.tasks import ClockKey
from domain.vocabulary import ClockName
from domain.worktime import Budget, Calendar
from service.intake import budgets_for
from service.publish_in_force import versions
from service.views import instant
from store.pool import Pool
from store.publications import snapshot

BATCH = 100
EXAMPLES = 20

Impact = dict[str, Any]

_DURATION = TypeAdapter(timedelta)
_BUDGET: TypeAdapter[Budget] = TypeAdapter(Budget)
_CLASS: TypeAdapter[SlaClass] = TypeAdapter(SlaClass)


@dataclass
class Tally:
    """What one calendar after another changes; `now` is the instant it is asked for."""

    now: datetime
    demands: int = 0
    shifts: Counter[timedelta] = field(default_factory=Counter)
    overdue: int = 0
    no_longer_provisional: int = 0
    examples: list[tuple[timedelta, str, ClockKey, datetime, datetime]] = field(default_factory=list)

    def add(self, demand: Demand, calendar: Calendar) -> None:
        """Count what changes for a demand that goes on with `calendar`."""
        moves = replanned(demand, calendar)
        self.demands += bool(moves)
        for name, due_at in moves.items():
            clock = demand.clocks[name]
            self.shifts[due_at - clock.due_at] += 1
            self.overdue += clock.running and not clock.breached and due_at <= self.now < clock.due_at
            self.examples.append((abs(due_at - clock.due_at), demand.number, name, clock.due_at, due_at))
        for name, clock in demand.clocks.items():
            if clock.provisional and clock.stopped_at is None:
                due_at, budget = moves.get(name, clock.due_at), demand.terms.budget_of(name)
                self.no_longer_provisional += not is_provisional(calendar, budget, clock.started_at, due_at)

    def trim(self) -> None:
        """Keep the examples that move most."""
        self.examples = heapq.nsmallest(EXAMPLES, self.examples, key=lambda e: (-e[0], e[1], e[2]))

    def figures(self) -> Impact:
        self.trim()
        return {
            "demands_changed": self.demands,
            "clocks_changed": self.shifts.total(),
            "earlier": sum(n for shift, n in self.shifts.items() if shift < timedelta(0)),
            "later": sum(n for shift, n in self.shifts.items() if shift > timedelta(0)),
            "shift": _spread(self.shifts),
            "overdue_at_once": self.overdue,
            "no_longer_provisional": self.no_longer_provisional,
            "examples": [
                {"number": number, "clock": clock, "due_at": instant(before), "new_due_at": instant(after)}
                for _, number, clock, before, after in self.examples
            ],
        }


def _spread(shifts: Counter[timedelta]) -> Impact | None:
    """Least, middle and greatest shift in plain time, negative for earlier; None when nothing moves."""
    if not shifts:
        return None
    order = sorted(shifts)
    left = shifts.total() // 2  # of an even number the upper one of the two in the middle
    for middle in order:
        left -= shifts[middle]
        if left < 0:
            break
    named = {"min": order[0], "median": middle, "max": order[-1]}
    return {
        name: {"seconds": round(shift.total_seconds()), "duration": _DURATION.dump_python(shift, mode="json")}
        for name, shift in named.items()
    }


async def calendar_impact(pool: Pool, wanted: Mapping[int, Calendar], now: datetime) -> Impact:
    """Of open demands going on with the calendar of the year in which each was opened."""
    tally, by_version = Tally(now), {c.version: c for c in wanted.values()}
    async with snapshot(pool) as seen:
        still_open = await seen.open_demands()
        async for batch in seen.differing(versions(wanted), batch=BATCH):
            for one in batch:
                tally.add(Demand.model_validate_json(one.state), by_version[one.version])
            tally.trim()
            await asyncio.sleep(0)
    return {"open_demands": still_open, **tally.figures()}


async def sla_impact(pool: Pool, sla: Sla) -> Impact:
    """Open demands keep what they were promised; `would_differ` counts those promised another budget than new ones get."""
    async with snapshot(pool) as seen:
        still_open, promised = await seen.open_demands(), await seen.budgets()
    differ: dict[str, dict[str, int]] = defaultdict(Counter)
    for sla_class, clock, budget, demands in sorted(promised):
        if budgets_for(sla, _CLASS.validate_python(sla_class)).get(ClockName(clock)) != _BUDGET.validate_json(budget):
            differ[sla_class][clock] += demands
    return {"open_demands": still_open, "demands_changed": 0, "would_differ": differ}
