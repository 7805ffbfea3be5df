"""What the working calendar says of a day, and when a budget that starts at some instant would be due, and why."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain import worktime
from domain.calendar import HORIZON_YEARS
from domain.errors import DomainError
from domain.reasons import Line, Unit
from domain.worktime import Budget, Calendar
from service.desk import Desk
from service.forms import Instant
from service.views import View, instant

ONE_DAY = timedelta(days=1)
MOST_DAYS, MOST_LINES = 400, 2000


class DueForm(BaseModel):
    """A budget and the instant it starts at; whole amounts for `working_days` and `calendar_days`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: Instant
    amount: Annotated[float, Field(gt=0, allow_inf_nan=False, strict=True)]
    unit: Unit

    @model_validator(mode="after")
    def _whole_days(self) -> Self:
        if self.unit in ("working_days", "calendar_days") and not self.amount.is_integer():
            raise ValueError("days are counted whole; use hours for parts of a day")
        return self


def day_view(desk: Desk, day: date) -> View:
    """One local date: whether it is worked, when, and which holiday says so. `weekday` is 1 (Monday) to 7 (Sunday)."""
    calendar = _calendar_of(desk, day.year, day.year)
    working = worktime.is_working_day(calendar, day)
    special = day in calendar.table.work if working else day in calendar.table.off
    return {
        "date": day.isoformat(),
        "weekday": day.isoweekday(),
        "working": working,
        "kind": {(1, 0): "workday", (1, 1): "make_up", (0, 1): "holiday", (0, 0): "weekend"}[working, special],
        "name": desk.almanac.name_of(day) if special else None,
        "windows": [{"opens": _wall(w.opens), "closes": _wall(w.closes)} for w in calendar.windows if working],
        "calendar": calendar.version,
        "provisional": not calendar.published_from <= day <= calendar.published_until,
    }


def days_view(desk: Desk, first: date, last: date) -> list[View]:
    """Every local date from `first` to `last`, both included; DomainError for a range that is backwards or too long."""
    count = (last - first).days + 1
    if count < 1:
        raise DomainError("invalid_filter", "`until` is not before `from`")
    if count > MOST_DAYS:
        raise DomainError("span_too_long", f"At most {MOST_DAYS} days at once", most_days=MOST_DAYS)
    return [day_view(desk, first + offset * ONE_DAY) for offset in range(count)]


def due_view(desk: Desk, form: DueForm) -> View:
    """When the budget is used up, and each stretch of time that made it so.

    `provisional` when working time of dates without published holidays is in it. DomainError `span_too_long` for a due
    time more than 20 years ahead, and for an explanation of more than 2,000 lines.
    """
    budget = Budget(amount=form.amount, unit=form.unit)
    try:
        calendar, due_at = _due(desk, form.start, budget)
        lines = worktime.explain(calendar, form.start, budget, desk.almanac.names, most=MOST_LINES)
    except DomainError as refused:
        if refused.code != "calendar_exhausted":  # that one calls for an administrator; here the caller asked too much
            raise
        rule = f"The due time lies more than {HORIZON_YEARS} years after the start"
        raise DomainError("span_too_long", rule, most_years=HORIZON_YEARS) from None
    depends = form.unit in ("working_hours", "working_days")
    return {
        "due_at": instant(due_at),
        "calendar": calendar.version,
        "provisional": depends and worktime.outside_published(calendar, form.start, due_at),
        "explanation": [line_view(line) for line in lines],
    }


def line_view(line: Line) -> dict[str, Any]:
    """A line of an explanation, JSON-ready."""
    return line.model_dump() | {"from_at": instant(line.from_at), "until_at": instant(line.until_at)}


def _due(desk: Desk, start: datetime, budget: Budget) -> tuple[Calendar, datetime]:
    """The due time under a calendar that knows every year on the way to it, as far as there are tables."""
    first = last = desk.calendar.table.local(start).year
    while True:
        calendar = _calendar_of(desk, first, last)
        due_at = worktime.due(calendar, start, budget)
        year = calendar.table.local(due_at).year
        if year <= last:
            return calendar, due_at
        last = year


def _calendar_of(desk: Desk, first: int, last: int) -> Calendar:
    """The calendar that demands are promised under now, where it knows these years as well as anything does."""
    known = {entry.year for entry in desk.almanac.known(first, last)}
    # Every table has days off, so their years are the years that a calendar was made from.
    if known <= {day.year for day in desk.calendar.off}:
        return desk.calendar
    return desk.almanac.calendar_for(first, last)


def _wall(at: time) -> str:
    return at.isoformat().removesuffix(":00")
