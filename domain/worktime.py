"""Working time: when a promise is due, how much working time has passed, and why.

    due(calendar, start, Budget(amount=4, unit="working_hours"))     Fri 17:00 → Sat 14:00 when that Saturday is made up

Pure: equal arguments give equal answers for ever, so workflows may replay it. Instants go in aware and come out in UTC.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.calendar import DEFAULT_WINDOWS, HORIZON_YEARS, ONE_DAY, ZERO, Calendar, Table, Window, exhausted
from domain.errors import DomainError
from domain.reasons import COUNTED, Kind, Line, Stretch, Unit, lines_of, plain_line

__all__ = [
    "DEFAULT_WINDOWS",
    "Budget",
    "Calendar",
    "Line",
    "Unit",
    "Window",
    "add_working",
    "add_working_days",
    "due",
    "elapsed",
    "explain",
    "is_working_day",
    "outside_published",
    "working_days_between",
]

HORIZON_HOURS = HORIZON_YEARS * 366 * 24


class Budget(BaseModel):
    """An amount of time as a promise states it: 4 working hours, 7 working days, 24 hours, 15 calendar days."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amount: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    unit: Unit

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.unit in ("working_days", "calendar_days") and not self.amount.is_integer():
            raise ValueError(f"{self.amount} {self.unit}: days are counted whole; use hours for parts of a day")
        return self


def due(calendar: Calendar, start: datetime, budget: Budget) -> datetime:
    """The instant at which `budget` is used up, in UTC.

    `working_hours` run inside the windows; `working_days` count from the next working day and end with the last window
    of the last one; `hours` are plain; `calendar_days` end at the same wall-clock time N days later.
    DomainError `calendar_exhausted` when that lies more than 20 years ahead.
    """
    unit, amount = budget.unit, budget.amount
    if amount > HORIZON_HOURS:
        raise exhausted(start)
    if unit == "working_hours":
        return add_working(calendar, start, timedelta(hours=amount))
    if unit == "working_days":
        return add_working_days(calendar, start, int(amount))
    local = calendar.table.local(start)
    if unit == "hours":
        return start.astimezone(UTC) + timedelta(hours=amount)
    if amount > HORIZON_YEARS * 366:
        raise exhausted(start)
    return (local + timedelta(days=amount)).astimezone(UTC)


def add_working(calendar: Calendar, start: datetime, amount: timedelta) -> datetime:
    """The earliest instant with `amount` of working time after `start`; zero gives `start` itself.

    ValueError for a negative amount, DomainError `calendar_exhausted` beyond 20 years.
    """
    table = calendar.table
    first = table.local(start).year
    start = start.astimezone(UTC)
    if amount <= ZERO:
        if amount < ZERO:
            raise ValueError("working time is added forwards only")
        return start
    year = table.year(first)
    amount += year.worked(start)
    for number in range(first + 1, first + HORIZON_YEARS + 2):
        if amount <= year.total:
            return year.reached(amount)
        amount -= year.total
        year = table.year(number)
    raise exhausted(start)


def add_working_days(calendar: Calendar, start: datetime, days: int) -> datetime:
    """The close of the last window of the `days`-th working day after the local date of `start`; `days` ≥ 1."""
    if days < 1:
        raise ValueError("working days are counted from one")
    table = calendar.table
    local = table.local(start)
    first = local.year
    year = table.year(first)
    index = bisect_right(year.days, local.date()) + days - 1
    for number in range(first + 1, first + HORIZON_YEARS + 2):
        if index < len(year.days):
            return year.ends[index]
        index -= len(year.days)
        year = table.year(number)
    raise exhausted(start)


def elapsed(calendar: Calendar, start: datetime, end: datetime) -> timedelta:
    """Working time from `start` to `end`; negative when `end` is the earlier one."""
    table = calendar.table
    first, last = table.local(start).year, table.local(end).year
    if last < first:
        return -elapsed(calendar, end, start)
    worked = table.year(last).worked(end.astimezone(UTC)) - table.year(first).worked(start.astimezone(UTC))
    for number in range(first, last):
        worked += table.year(number).total
    return worked


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Whether anyone works on that local date: the weekly pattern, less days off, plus make-up days."""
    return calendar.table.works_on(day)


def working_days_between(calendar: Calendar, first: date, last: date) -> int:
    """Working days from `first` to `last`, both included; zero when `last` is earlier."""
    table, count = calendar.table, 0
    for number in range(first.year, last.year + 1):
        days = table.year(number).days
        count += bisect_right(days, last) - bisect_left(days, first)
    return max(count, 0)


def outside_published(calendar: Calendar, start: datetime, due: datetime) -> bool:
    """Whether the span touches a local date whose holidays are not published: warn, and recompute when they are.

    Concerns working hours and days; plain hours and calendar days do not depend on holidays.
    """
    local = calendar.table.local
    return local(start).date() < calendar.published_from or local(due).date() > calendar.published_until


def explain(
    calendar: Calendar,
    start: datetime,
    budget: Budget,
    names: Mapping[date, str] | None = None,
    *,
    most: int | None = None,
) -> tuple[Line, ...]:
    """Every stretch of time between `start` and its due time, without gaps, and what it counted.

    `names` tells the holiday of a day off, and the one for which a make-up day is worked. Ends with a line of no length,
    `unpublished`, when the span leaves the published calendar. DomainError `span_too_long` beyond `most` lines.
    """
    end = due(calendar, start, budget)
    begin, unit, table = start.astimezone(UTC), budget.unit, calendar.table
    if unit in ("hours", "calendar_days"):
        return (plain_line(table, begin, end, unit, budget.amount),)
    stretches = _stretches(table, begin, end, names or {}, by_day=unit == "working_days", most=most)
    if outside_published(calendar, begin, end):
        stretches.append((end, end, "unpublished", None))
    return tuple(lines_of(table, stretches, unit))


def _stretches(
    table: Table, at: datetime, end: datetime, names: Mapping[date, str], *, by_day: bool, most: int | None
) -> list[Stretch]:
    found: list[Stretch] = []
    day = table.local(at).date()
    while at < end:
        for until, kind in _parts(table, day, by_day=by_day):
            until = min(until, end)
            if until <= at:
                continue
            if by_day and not found and kind in COUNTED:
                kind = "start_day"
            name = names.get(day) if kind in ("holiday", "make_up") else None
            if found and kind not in COUNTED and found[-1][2:] == (kind, name):
                found[-1] = (found[-1][0], until, kind, name)
            else:
                found.append((at, until, kind, name))
            at = until
        if most is not None and len(found) > most:
            raise _too_long(most)
        day += ONE_DAY
    return found


def _too_long(most: int) -> DomainError:
    rule = f"The explanation would have more than {most} lines; ask for a shorter span"
    return DomainError("span_too_long", rule, most_lines=most)


def _parts(table: Table, day: date, *, by_day: bool) -> Iterator[tuple[datetime, Kind]]:
    """The parts of a local date in order, each by the instant it ends at."""
    midnight = table.instant(day + ONE_DAY)
    if not table.works_on(day):
        yield midnight, "holiday" if day in table.off else "weekend"
        return
    made_up = day in table.work
    if by_day:
        yield midnight, "make_up" if made_up else "working_day"
        return
    for index, (opens, closes) in enumerate(table.worked_on(day)):
        yield opens, "break" if index else "closed"
        yield closes, "make_up" if made_up else "window"
    yield midnight, "closed"
