"""What holds for every calendar, start and budget; `workclock` is the independent second opinion."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
import workclock
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import worktime
from domain.worktime import Budget, Calendar, Unit, Window

FIRST, LAST = date(2025, 10, 1), date(2027, 3, 31)
ZONES = st.sampled_from(["Asia/Shanghai", "Asia/Kolkata", "Europe/Berlin", "America/New_York", "UTC"])
STARTS = st.datetimes(datetime(2025, 12, 1), datetime(2026, 12, 1), timezones=st.just(UTC))  # noqa: DTZ001 bounds are naive
HOURS = st.integers(1, 40 * 3600).map(lambda seconds: timedelta(seconds=seconds))
UNITS: st.SearchStrategy[Unit] = st.sampled_from(["working_hours", "working_days", "hours", "calendar_days"])
few = settings(max_examples=80, deadline=None)


@st.composite
def windows(draw: st.DrawFn, first_hour: int, last_hour: int) -> tuple[Window, ...]:
    """One to four windows at quarters of an hour; the last may end at midnight."""
    marks = sorted(draw(st.sets(st.integers(first_hour * 4, last_hour * 4), min_size=2, max_size=8)))
    at = [time(mark // 4 % 24, mark % 4 * 15) for mark in marks]
    return tuple(Window(opens=opens, closes=closes) for opens, closes in zip(at[::2], at[1::2], strict=False))


@st.composite
def calendars(draw: st.DrawFn, first_hour: int = 0, last_hour: int = 24) -> Calendar:
    days = st.dates(FIRST, LAST)
    off = draw(st.frozensets(days, max_size=40))
    return Calendar(
        version="random",
        timezone=draw(ZONES),
        windows=draw(windows(first_hour, last_hour)),
        workdays=tuple(draw(st.sets(st.integers(0, 6), min_size=1))),
        off=tuple(off),
        work=tuple(draw(st.frozensets(days, max_size=40)) - off),
        published_from=FIRST,
        published_until=LAST,
    )


def second_opinion(calendar: Calendar) -> workclock.Schedule:
    """workclock has no make-up days: every weekday gets the windows, and each date not worked becomes a holiday."""
    span = [FIRST + timedelta(days=offset) for offset in range(2500)]
    rules: list[workclock.WorkDay | workclock.Holidays] = [
        workclock.WorkDay(window.opens, window.closes, range(7)) for window in calendar.windows
    ]
    rules.append(workclock.Holidays(day for day in span if not worktime.is_working_day(calendar, day)))
    return workclock.Schedule(rules, time_zone=calendar.timezone)


@few
@given(calendars(), STARTS, HOURS)
def test_due_agrees_with_workclock(calendar: Calendar, start: datetime, amount: timedelta) -> None:
    budget = Budget(amount=amount / timedelta(hours=1), unit="working_hours")
    assert worktime.due(calendar, start, budget) == second_opinion(calendar).add(start, amount)


@few
@given(calendars(), STARTS, STARTS)
def test_elapsed_agrees_with_workclock(calendar: Calendar, start: datetime, end: datetime) -> None:
    assert worktime.elapsed(calendar, start, end) == second_opinion(calendar).between(start, end)


@few
@given(calendars(), STARTS, HOURS)
def test_elapsed_until_due_is_the_budget(calendar: Calendar, start: datetime, amount: timedelta) -> None:
    budget = Budget(amount=amount / timedelta(hours=1), unit="working_hours")
    due = worktime.due(calendar, start, budget)
    assert due > start
    assert worktime.elapsed(calendar, start, due) == amount
    assert worktime.elapsed(calendar, start, due - timedelta(microseconds=1)) < amount


@few
@given(calendars(), STARTS, HOURS, HOURS)
def test_adding_twice_is_adding_the_sum(calendar: Calendar, start: datetime, one: timedelta, two: timedelta) -> None:
    between = worktime.add_working(calendar, start, one)
    assert worktime.add_working(calendar, between, two) == worktime.add_working(calendar, start, one + two)
    assert worktime.add_working(calendar, start, timedelta(0)) == start


@few
@given(calendars(), STARTS, st.integers(1, 30), UNITS)
def test_more_budget_is_never_due_earlier(calendar: Calendar, start: datetime, amount: int, unit: Unit) -> None:
    due = worktime.due(calendar, start, Budget(amount=amount, unit=unit))
    assert start <= due < worktime.due(calendar, start, Budget(amount=amount + 1, unit=unit))


@few
@given(calendars(), STARTS, STARTS, st.integers(1, 30), UNITS)
def test_a_later_start_is_never_due_earlier(
    calendar: Calendar, one: datetime, two: datetime, amount: int, unit: Unit
) -> None:
    budget = Budget(amount=amount, unit=unit)
    early, late = sorted((one, two))
    assert worktime.due(calendar, early, budget) <= worktime.due(calendar, late, budget)


@few
@given(calendars(6, 22), STARTS, st.integers(1, 30))
def test_working_days_end_with_the_last_window_of_the_nth_next_day(
    calendar: Calendar, start: datetime, amount: int
) -> None:
    zone = ZoneInfo(calendar.timezone)
    due = worktime.due(calendar, start, Budget(amount=amount, unit="working_days")).astimezone(zone)
    tomorrow = start.astimezone(zone).date() + timedelta(days=1)
    assert due.time() == calendar.windows[-1].closes
    assert worktime.is_working_day(calendar, due.date())
    assert worktime.working_days_between(calendar, tomorrow, due.date()) == amount


@few
@given(calendars(), STARTS, st.integers(1, 20), UNITS)
def test_an_explanation_has_no_gaps_and_adds_up(calendar: Calendar, start: datetime, amount: int, unit: Unit) -> None:
    budget = Budget(amount=amount, unit=unit)
    lines = worktime.explain(calendar, start, budget)
    assert lines[0].from_at == start
    assert lines[-1].until_at == worktime.due(calendar, start, budget)
    assert all(one.until_at == two.from_at for one, two in pairwise(lines))
    assert sum(line.counted for line in lines) == pytest.approx(amount)


@few
@given(calendars())
def test_a_calendar_survives_its_journey_as_json(calendar: Calendar) -> None:
    assert Calendar.model_validate_json(calendar.model_dump_json()) == calendar


def test_windows_inside_the_hour_that_the_clock_skips_are_not_counted_twice() -> None:
    skipped = (Window(opens=time(2, 15), closes=time(2, 45)), Window(opens=time(3), closes=time(4)))
    calendar = Calendar(
        version="gap",
        timezone="Europe/Berlin",
        windows=skipped,
        workdays=tuple(range(7)),
        published_from=FIRST,
        published_until=LAST,
    )
    start, end = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 3, 29, 12, tzinfo=UTC)
    worked = worktime.elapsed(calendar, start, end)
    assert worked == second_opinion(calendar).between(start, end) == timedelta(hours=1)
