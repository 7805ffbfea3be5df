"""(f) Due times and their explanations per second on one core, against workclock, working time in Rust."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import workclock

from bench.figure import Figure, Line, Side, Size
from bench.ground import BenchError
from devstack.program import ROOT
from domain import worktime
from domain.worktime import Budget, Calendar, Unit
from service.calendars import Almanac, read_years

TARGET = 1.0
YEAR = 2026
HOURS_A_DAY = 7
SPANS = {"a day": 1, "a year": 248}
"""In working days; 2026 has 248 of them."""
STARTS = 24

OURS = (
    "`domain.worktime.due` and `explain` with the shipped calendar of 2026–2027 and the names of its holidays, called one "
    "after the other in one thread, for 24 starts spread over 2026, per second of CPU time. Spans of a working day and of a "
    "year of 248 working days, each as working hours and as working days. Every line of an explanation carries its text in "
    "Chinese and in English."
)
FLOOR = (
    "`workclock`, a Rust extension, in the same thread with the same starts. For a due time `Schedule.add`; working days are "
    "given to it as hours from the next midnight on, which is computed beforehand. For an explanation a walk with "
    "`Schedule.next_period` that collects the working periods until the amount is used up, without what lies between them, "
    "without reasons or text. It knows no make-up days: its schedule works every day of the week, and each date that is not "
    "worked is a holiday. Before anything is measured both have to name the same instants for every start."
)

Period = tuple[datetime, datetime]


@dataclass(frozen=True)
class Race:
    """The same question to both sides; the floor starts where it has to for the same answer."""

    title: str
    unit: str
    ours: Callable[[datetime], object]
    floor: Callable[[datetime], object]
    starts: Sequence[datetime]
    floor_starts: Sequence[datetime]
    target: float | None = None
    lines: float = 0.0

    def run(self, passes: int, seconds: float) -> Line:
        ours: list[Side] = []
        floor: list[Side] = []
        for side, work, starts in ((floor, self.floor, self.floor_starts), (ours, self.ours, self.starts)) * passes:
            rate = _rate(work, starts, seconds)
            side.append(Side(rate, facts={"µs each": 1e6 / rate} | ({"lines each": self.lines} if self.lines else {})))
        return Line(self.title, self.unit, ours, floor, self.target)


def measure(size: Size) -> Figure:
    """Needs no server. BenchError when the two sides disagree, because then their speeds mean nothing."""
    almanac = Almanac(read_years(ROOT / "config" / "calendar"))
    calendar = almanac.calendar_for(YEAR, YEAR + 1)
    schedule = as_workclock(calendar)
    budgets: list[tuple[str, int, Unit]] = [
        (span, days, unit) for span, days in SPANS.items() for unit in ("working_hours", "working_days")
    ]
    races = [
        *(due_race(calendar, schedule, *budget) for budget in budgets),
        *(explain_race(calendar, schedule, almanac, *budget) for budget in budgets),
    ]
    headline, *beside = [race.run(size.passes, size.worktime_seconds) for race in races]
    title = "Due times and explanations per second"
    return Figure("worktime", "f", title, OURS, FLOOR, headline, beside)


def due_race(calendar: Calendar, schedule: workclock.Schedule, span: str, days: int, unit: Unit) -> Race:
    starts, theirs = _starts(calendar, unit)
    budget, amount = _budget(days, unit), timedelta(hours=days * HOURS_A_DAY)
    for start, their in zip(starts, theirs, strict=True):
        _agree(span, start, worktime.due(calendar, start, budget), schedule.add(their, amount))
    return Race(
        f"due over {span} in {unit.replace('_', ' ')}", "1/s",
        lambda start: worktime.due(calendar, start, budget), lambda start: schedule.add(start, amount),
        starts, theirs, TARGET,
    )  # fmt: skip


def explain_race(
    calendar: Calendar, schedule: workclock.Schedule, almanac: Almanac, span: str, days: int, unit: Unit
) -> Race:
    starts, theirs = _starts(calendar, unit)
    budget, amount = _budget(days, unit), timedelta(hours=days * HOURS_A_DAY)
    lines = 0
    for start, their in zip(starts, theirs, strict=True):
        explained = worktime.explain(calendar, start, budget, almanac.names)
        counted = [(line.from_at, line.until_at) for line in explained if line.counted]
        periods = walk(schedule, their, amount)
        if unit == "working_days":  # explained from midnight to midnight, so only the end can be compared
            counted, periods = counted[-1:], [(counted[-1][0], periods[-1][1])]
        _agree(span, start, counted, periods)
        lines += len(explained)
    return Race(
        f"explanation over {span} in {unit.replace('_', ' ')}", "1/s",
        lambda start: worktime.explain(calendar, start, budget, almanac.names),
        lambda start: walk(schedule, start, amount),
        starts, theirs, lines=lines / len(starts),
    )  # fmt: skip


def as_workclock(calendar: Calendar) -> workclock.Schedule:
    """The same working time over the years that the spans touch."""
    day, shut = date(YEAR, 1, 1), []
    while day.year < YEAR + 2:
        if not worktime.is_working_day(calendar, day):
            shut.append(day)
        day += timedelta(days=1)
    windows = [workclock.WorkDay(window.opens, window.closes, range(7)) for window in calendar.windows]
    return workclock.Schedule([*windows, workclock.Holidays(shut)], time_zone=calendar.timezone)


def walk(schedule: workclock.Schedule, start: datetime, amount: timedelta) -> list[Period]:
    """The working periods from `start` until `amount` is used up."""
    found: list[Period] = []
    while amount:
        begins, ends = schedule.next_period(start)
        ends = min(ends, begins + amount)
        found.append((begins, ends))
        amount -= ends - begins
        start = ends
    return found


def _starts(calendar: Calendar, unit: Unit) -> tuple[list[datetime], list[datetime]]:
    """Ours, and those from which workclock gets to the same due time: working days count from the next midnight."""
    first, step = datetime(YEAR, 1, 1, tzinfo=UTC), timedelta(days=365) / STARTS
    starts = [first + step * number for number in range(STARTS)]
    if unit == "working_hours":
        return starts, starts
    zone = ZoneInfo(calendar.timezone)
    days = [start.astimezone(zone).date() + timedelta(days=1) for start in starts]
    return starts, [datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC) for day in days]


def _budget(days: int, unit: Unit) -> Budget:
    return Budget(amount=days * (HOURS_A_DAY if unit == "working_hours" else 1), unit=unit)


def _agree(span: str, start: datetime, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise BenchError(f"Over {span} from {start} the two sides disagree, so the figure means nothing.")


def _rate(work: Callable[[datetime], object], starts: Sequence[datetime], seconds: float) -> float:
    """Calls per second of CPU time, over whole sweeps of the starts."""
    done, began, spent = 0, time.process_time(), 0.0
    while spent < seconds:
        for start in starts:
            work(start)
        done += len(starts)
        spent = time.process_time() - began
    return done / spent
