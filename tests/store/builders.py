"""Demands for the tables, without a district: the smallest promise that the rules accept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

from domain.actors import Actor, Grant
from domain.commands import Act, Note, Place
from domain.decide import decide, submit
from domain.demand import Demand
from domain.events import DemandSubmitted
from domain.ledger import Entry, append
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.vocabulary import Channel, ClockName, Role
from domain.worktime import Budget, Calendar
from service.calendars import for_span
from store.intake import Intake

PLACE = Place(community="c-1", grid="g-1", worker="p-1", substitute="p-2", secretary="p-3")
WORKER = Actor(id="p-1", grants=(Grant(role=Role.GRID_WORKER, community="c-1"),))
_numbers = count(1)


@cache
def calendar() -> Calendar:
    return for_span(Path(__file__).parent.parent.parent / "config/calendar", 2026, 2027)


def promise() -> Promise:
    clocks = [c for c in ClockName if c is not ClockName.REVIEW]
    return Promise(
        pack="t", sla_class="ordinary", calendar=calendar().version, committee="all", verify=False,
        budgets={c: Budget(amount=7.0, unit="working_days") for c in clocks},
    )  # fmt: skip


Step = dict[str, Any]
"""What `store.record.record` takes besides the pool."""


@dataclass
class Story:
    """A demand and its log, grown one command at a time."""

    demand: Demand
    entries: list[Entry]

    def note(self, text_id: str = "n", **more: Any) -> Step:
        return self.go(Act(command=Note(note_id=text_id), actor=WORKER, key=text_id), **more)

    def go(self, act: Act, *, after: timedelta = timedelta(minutes=1), **more: Any) -> Step:
        at = self.entries[-1].at + after
        head, events = self.demand.head, decide(self.demand, act, at, calendar())
        self.demand, new = append(self.demand, events, at=at, actor=act.actor.id, **more)
        self.entries += new
        return {"demand": self.demand, "entries": new, "after": head, "at": at}


def story(*, scored: bool = True) -> Story:
    number, at = f"20261123-{900_000 + next(_numbers):06d}", datetime(2026, 11, 23, 3, 4, 5, 678901, tzinfo=UTC)
    submitted = DemandSubmitted(
        channel=Channel.API, category="040102", confidential=False, opened_by="resident-0001", dispatcher="p-9",
        supervisor="p-8", operator="p-7", promise=promise(),
    )  # fmt: skip
    scores = (1.0, 0.3333, 1e-05, 100000.0, 0.1 + 0.2)
    candidates = tuple(
        Candidate(unit=f"u-{n}", liaison="p-5", reason="resource", score=s) for n, s in enumerate(scores)
    )
    made = submit(
        submitted, number, at, calendar(), place=PLACE, screened=None, actor=WORKER,
        routing=Routing(version="1", rule="resource", candidates=candidates) if scored else None,
    )  # fmt: skip
    return Story(*append(Demand(number=number), made.events, at=at, actor=WORKER.id))


def intake(of: Story, **more: Any) -> Intake:
    values: dict[str, Any] = {
        "demand": of.demand, "entries": of.entries, "at": of.entries[-1].at, "channel": "api",
        "opened_by": "resident-0001", "sealed_text": b"sealed", "sealed_reporter": b"sealed too",
        "principal": "resident-0001", "key": None, "fingerprint": "f", "answer": "{}", "refs": (),
    }  # fmt: skip
    return Intake(**values | more)
