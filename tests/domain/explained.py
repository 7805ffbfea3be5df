"""A demand over Spring Festival 2026, told by its own commands, and the explanation of one of its clocks."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from domain import commands as c
from domain.actors import SYSTEM, Actor
from domain.calendar import Calendar
from domain.clock_log import ClockLog, read_log
from domain.decide import submit, take_turn
from domain.demand import Clock, Demand
from domain.explain import explain_clock
from domain.explanation import Explanation
from domain.ladder import Step
from domain.ledger import Entry, seal
from domain.promise import Promise
from domain.turn import Turn
from domain.vocabulary import ClockName
from domain.worktime import Budget
from service.calendars import for_span, read_years
from tests.domain import builders as b

TABLES = Path(__file__).resolve().parents[2] / "config" / "calendar"
SHANGHAI = ZoneInfo("Asia/Shanghai")
LADDER = (Step(do="remind", percent=80), Step(do="breach", percent=100))
CN = for_span(TABLES, 2026, 2026)
HOLIDAYS = {
    day: holiday.name
    for year in read_years(TABLES)
    for holiday in year.holiday
    for day in (*holiday.off(), *holiday.work)
}


def at(wall: str) -> datetime:
    """`2026-02-12 15:20` by the clock in Shanghai."""
    return datetime.fromisoformat(wall).replace(tzinfo=SHANGHAI).astimezone(UTC)


def promised(*, calendar: str = CN.version, budgets: dict[ClockName, Budget] | None = None, **changes: Any) -> Promise:
    """The builders' promise, with a ladder and with the clocks of a unit's task and of a pause."""
    more = {ClockName.UNIT_DUE: b.a_budget(5, "working_days"), ClockName.PAUSE: b.a_budget(10, "working_days")}
    every = b.a_promise().budgets | more | (budgets or {})
    return b.a_promise(calendar=calendar, ladder=LADDER, budgets=every, **changes)


class Case:
    """One demand under the calendar of 2026, its log, and what is said of its clocks."""

    def __init__(self, start: str, *, calendar: Calendar = CN, **promise: Any) -> None:
        self.calendar, self.entries = calendar, list[Entry]()
        self.demand = Demand(number=b.NUMBER)
        said = b.a_submission(promise=promised(calendar=calendar.version, **promise))
        now = at(start)
        turn = submit(
            said, b.NUMBER, now, calendar, place=b.a_place(), routing=None, screened=None, actor=b.REPORTER
        )  # fmt: skip
        self._take(turn, now)

    def accepted(self) -> Case:
        """By the worker, so that it stays with that person."""
        self._take(
            take_turn(self.demand, b.an_act(b.WORKER, c.Accept()), self.entries[0].at, self.calendar),
            self.entries[0].at,
        )
        return self

    def does(self, wall: str, actor: Actor, command: c.Command) -> Case:
        self._take(take_turn(self.demand, b.an_act(actor, command), at(wall), self.calendar), at(wall))
        return self

    def pauses(self, since: str, until: str) -> Case:
        self.does(since, b.WORKER, c.RequestInfo(reason="awaiting_access"))
        return self.does(until, b.WORKER, c.Resume())

    def extends(self, asked: str, granted: str, working_days: int) -> Case:
        self.does(asked, b.WORKER, c.Extend(working_days=working_days, basis="procurement"))
        return self.does(granted, b.SUPERVISOR, c.DecideExtension(approved=True))

    def adopts(self, wall: str, calendar: Calendar) -> Case:
        self.calendar = calendar
        return self.does(wall, SYSTEM, c.AdoptCalendar(version=calendar.version))

    def reclassified(self, wall: str, promise: Promise) -> Case:
        return self.does(wall, b.SUPERVISOR, c.Reclassify(category="020202", promise=promise))

    def _take(self, turn: Turn, now: datetime) -> None:
        self.demand, entries = seal(turn.demand, turn.events, at=now, actor=turn.actor.id)
        self.entries += entries

    def clock(self, name: ClockName = ClockName.RESOLVE) -> Clock:
        return self.demand.clocks[name]

    def log(self, name: ClockName = ClockName.RESOLVE) -> ClockLog:
        return read_log(self.entries)[name]

    def explained(self, name: ClockName = ClockName.RESOLVE) -> Explanation:
        budget = self.demand.terms.budgets.get(name)
        return explain_clock(self.calendar, name, self.clock(name), budget, log=self.log(name), names=HOLIDAYS)


def over_spring_festival() -> Case:
    """Seven working days over the holiday and its make-up Saturdays, a pause over two lunch breaks, an extension."""
    case = Case("2026-02-12 15:20")
    case.does("2026-02-12 16:00", b.WORKER, c.Accept())
    case.does("2026-02-13 10:00", b.WORKER, c.Contact())
    case.pauses("2026-02-26 10:00", "2026-02-27 15:00")
    return case.extends("2026-03-02 09:40", "2026-03-02 11:00", 2)
