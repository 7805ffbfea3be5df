"""Working time on the real calendars: the golden vectors, every day of three years, and what is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import chinese_calendar
import pytest
from pydantic import ValidationError

from domain import worktime
from domain.errors import DomainError
from domain.reasons import english
from domain.worktime import Budget, Calendar, Unit, Window
from service.calendars import Almanac, for_span, load_calendars, read_years

TABLES = Path(__file__).parents[2] / "config" / "calendar"
CALENDAR = load_calendars(TABLES)
SHANGHAI = ZoneInfo("Asia/Shanghai")
NAMES = Almanac(read_years(TABLES)).names


def local(text: str) -> datetime:
    """ "2026-02-13 17:00" by the clock in Shanghai."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def a_calendar(**changes: object) -> Calendar:
    return Calendar.model_validate(
        {"version": "test", "published_from": date(2026, 1, 1), "published_until": date(2026, 12, 31)} | changes
    )


def a_budget(amount: float, unit: Unit) -> Budget:
    return Budget(amount=amount, unit=unit)


@pytest.mark.parametrize(
    ("amount", "unit", "start", "due"),
    [
        (4, "working_hours", "2026-02-13 17:00", "2026-02-14 14:00"),
        (2, "working_hours", "2026-02-14 16:30", "2026-02-24 10:00"),
        (4, "working_hours", "2026-09-30 16:00", "2026-10-08 11:30"),
        (4, "working_hours", "2026-10-09 16:30", "2026-10-10 12:00"),
        (2, "working_hours", "2026-05-08 17:00", "2026-05-09 10:30"),
        (4, "working_hours", "2026-03-04 11:30", "2026-03-04 17:00"),
        (4, "working_hours", "2026-03-07 10:00", "2026-03-09 14:30"),
        (2, "working_hours", "2026-01-04 16:00", "2026-01-05 09:30"),
        (4, "working_hours", "2026-09-19 10:00", "2026-09-20 14:30"),
        (1, "working_days", "2026-10-09 10:00", "2026-10-10 17:30"),
        (7, "working_days", "2026-09-17 10:00", "2026-09-28 17:30"),
        (5, "working_days", "2026-09-28 10:00", "2026-10-10 17:30"),
        (3, "working_days", "2026-02-12 10:00", "2026-02-24 17:30"),
        (20, "working_days", "2026-09-10 10:00", "2026-10-14 17:30"),
        (15, "working_days", "2026-04-28 10:00", "2026-05-21 17:30"),
        (1, "working_days", "2026-04-30 23:00", "2026-05-06 17:30"),
    ],
)
def test_golden_vectors(amount: float, unit: Unit, start: str, due: str) -> None:
    result = worktime.due(CALENDAR, local(start), a_budget(amount, unit))
    assert result == local(due)
    assert result.tzinfo is UTC


@pytest.mark.parametrize(
    ("amount", "unit", "start", "due"),
    [
        (24, "hours", "2026-09-30 16:00", "2026-10-01 16:00"),
        (0.5, "hours", "2026-12-31 23:45", "2027-01-01 00:15"),
        (15, "calendar_days", "2026-09-30 16:00", "2026-10-15 16:00"),
        (1, "calendar_days", "2028-02-28 08:00", "2028-02-29 08:00"),
        (1, "working_hours", "2026-03-04 11:00", "2026-03-04 12:00"),
        (1, "working_hours", "2026-03-04 12:30", "2026-03-04 14:30"),
        (7, "working_hours", "2026-12-31 09:00", "2026-12-31 17:30"),
        (1, "working_hours", "2026-12-31 17:30", "2027-01-04 10:00"),
        (0.001, "working_hours", "2026-03-06 18:00", "2026-03-09 09:00:03.6"),
    ],
)
def test_other_units_and_edges_of_windows(amount: float, unit: Unit, start: str, due: str) -> None:
    assert worktime.due(CALENDAR, local(start), a_budget(amount, unit)) == local(due)


def test_calendar_days_keep_the_wall_clock_where_it_jumps() -> None:
    berlin = a_calendar(timezone="Europe/Berlin")
    start = datetime(2026, 3, 28, 8, tzinfo=ZoneInfo("Europe/Berlin"))
    assert worktime.due(berlin, start, a_budget(1, "calendar_days")) - start.astimezone(UTC) == timedelta(hours=23)


def test_every_day_of_three_years_agrees_with_the_published_tables() -> None:
    day, wrong = date(2024, 1, 1), []
    while day.year < 2027:
        if worktime.is_working_day(CALENDAR, day) != chinese_calendar.is_workday(day):
            wrong.append(day)
        day += timedelta(days=1)
    assert wrong == []
    assert worktime.working_days_between(CALENDAR, date(2026, 1, 1), date(2026, 12, 31)) == 248


def test_working_days_between_counts_both_ends() -> None:
    count = worktime.working_days_between
    assert count(CALENDAR, date(2026, 9, 30), date(2026, 10, 8)) == 2
    assert count(CALENDAR, date(2025, 12, 31), date(2026, 1, 4)) == 2
    assert count(CALENDAR, date(2026, 10, 1), date(2026, 10, 7)) == 0
    assert count(CALENDAR, date(2026, 10, 8), date(2026, 10, 1)) == 0


def test_elapsed_leaves_out_lunch_nights_and_holidays() -> None:
    elapsed = worktime.elapsed(CALENDAR, local("2026-02-14 16:30"), local("2026-02-24 14:00"))
    assert elapsed == timedelta(hours=1 + 3.5)
    assert worktime.elapsed(CALENDAR, local("2026-02-24 14:00"), local("2026-02-14 16:30")) == -elapsed
    assert worktime.elapsed(CALENDAR, local("2026-02-15 08:00"), local("2026-02-23 20:00")) == timedelta(0)


def test_elapsed_over_whole_years_is_their_working_days() -> None:
    whole = worktime.elapsed(CALENDAR, local("2024-01-01 00:00"), local("2027-01-01 00:00"))
    assert whole == timedelta(hours=7) * worktime.working_days_between(CALENDAR, date(2024, 1, 1), date(2026, 12, 31))


def test_windows_until_midnight_run_through_the_night() -> None:
    around_the_clock = a_calendar(windows=[{"opens": "00:00", "closes": "00:00"}], workdays=range(7))
    start = local("2026-03-06 18:00")
    assert worktime.due(around_the_clock, start, a_budget(100, "working_hours")) == start + timedelta(hours=100)


def test_outside_published_looks_at_both_ends() -> None:
    calendar = for_span(TABLES, 2026, 2027)
    inside, before, after = local("2026-12-31 23:59"), local("2025-12-31 23:59"), local("2027-01-01 00:00")
    assert not worktime.outside_published(calendar, local("2026-01-01 00:00"), inside)
    assert worktime.outside_published(calendar, inside, after)
    assert worktime.outside_published(calendar, before, inside)


NAIVE = datetime(2026, 3, 4, 11, 30)  # noqa: DTZ001 the point of the test


@pytest.mark.parametrize("unit", ["working_hours", "working_days", "hours", "calendar_days"])
def test_naive_instants_are_refused(unit: Unit) -> None:
    with pytest.raises(ValueError, match="time zone"):
        worktime.due(CALENDAR, NAIVE, a_budget(1, unit))
    with pytest.raises(ValueError, match="time zone"):
        worktime.elapsed(CALENDAR, local("2026-03-04 11:30"), NAIVE)


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (40_000, "working_hours"),
        (5_600, "working_days"),
        (1e300, "hours"),
        (1e300, "working_days"),
        (8_000, "calendar_days"),
    ],
)
def test_a_budget_beyond_twenty_years_is_refused_not_searched_for(amount: float, unit: Unit) -> None:
    with pytest.raises(DomainError) as refused:
        worktime.due(CALENDAR, local("2026-03-04 11:30"), a_budget(amount, unit))
    assert refused.value.code == "calendar_exhausted"
    assert datetime.fromisoformat(str(refused.value.facts["start"])) == local("2026-03-04 11:30")


@pytest.mark.parametrize("year", [1, 1969, 2200, 9999])
def test_instants_far_away_are_refused(year: int) -> None:
    for unit in ("working_hours", "working_days", "hours", "calendar_days"):
        with pytest.raises(DomainError, match="calendar_exhausted"):
            worktime.due(CALENDAR, datetime(year, 12, 31, 23, tzinfo=UTC), Budget(amount=1, unit=unit))


@pytest.mark.parametrize(
    ("amount", "unit"),
    [
        (0, "hours"),
        (-1, "hours"),
        (float("nan"), "hours"),
        (float("inf"), "hours"),
        (1.5, "working_days"),
        (1, "weeks"),
    ],
)
def test_impossible_budgets_are_refused(amount: float, unit: str) -> None:
    with pytest.raises(ValidationError):
        Budget.model_validate({"amount": amount, "unit": unit})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"windows": []}, "without working time"),
        ({"workdays": []}, "without working time"),
        ({"workdays": [7]}, "less than or equal to 6"),
        ({"windows": [{"opens": "12:00", "closes": "09:00"}]}, "closes before it opens"),
        ({"windows": [{"opens": "09:00", "closes": "12:00"}, {"opens": "11:59", "closes": "13:00"}]}, "overlap"),
        ({"windows": [{"opens": "13:00", "closes": "14:00"}, {"opens": "09:00", "closes": "12:00"}]}, "not in order"),
        ({"windows": [{"opens": "13:00", "closes": "00:00"}, {"opens": "23:00", "closes": "23:30"}]}, "overlap"),
        ({"windows": [{"opens": "09:00+08:00", "closes": "12:00+08:00"}]}, "without an offset"),
        ({"off": ["2026-01-04"], "work": ["2026-01-04"]}, "both a day off and a make-up day"),
        ({"off": ["2026-01-09/2026-01-04"]}, "runs forward"),
        ({"off": ["2026-02-30"]}, "day"),
        ({"timezone": "Asia/Chongqing2"}, "unknown time zone"),
        ({"published_until": date(2025, 6, 1)}, "before published_from"),
        ({"surprise": 1}, "Extra inputs"),
    ],
)
def test_unusable_calendars_are_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        a_calendar(**changes)


def test_two_years_travel_small_and_unchanged() -> None:
    calendar = for_span(TABLES, 2026, 2027)
    text = calendar.model_dump_json()
    assert len(text.encode()) <= 900
    assert Calendar.model_validate_json(text) == calendar
    assert Calendar.model_validate_json(text).table is calendar.table


@pytest.mark.parametrize(
    ("days", "written"),
    [
        (["2026-06-10"], ["2026-06-10"]),
        (["2026-02-15/23"], ["2026-02-15/23"]),
        (["2026-04-30", "2026-05-01", "2026-05-02"], ["2026-04-30/05-02"]),
        (["2026-12-31/2027-01-02"], ["2026-12-31/2027-01-02"]),
        ([date(2026, 10, 2), date(2026, 10, 1), date(2026, 10, 4)], ["2026-10-01/02", "2026-10-04"]),
    ],
)
def test_days_are_written_as_ranges_and_read_back(days: list[object], written: list[str]) -> None:
    calendar = a_calendar(off=days)
    assert calendar.model_dump(mode="json")["off"] == written
    assert a_calendar(off=written).off == calendar.off


def test_a_changed_copy_is_checked_and_counts_by_its_own_days() -> None:
    start, budget = local("2026-03-04 09:00"), a_budget(7, "working_hours")
    assert worktime.due(CALENDAR, start, budget) == local("2026-03-04 17:30")
    shut = CALENDAR.model_copy(update={"off": (*CALENDAR.off, date(2026, 3, 4))})
    assert worktime.due(shut, start, budget) == local("2026-03-05 17:30")
    with pytest.raises(ValidationError, match="without working time"):
        CALENDAR.model_copy(update={"windows": ()})


def test_an_explanation_names_every_reason_over_the_spring_festival() -> None:
    lines = worktime.explain(CALENDAR, local("2026-02-13 17:00"), a_budget(9, "working_hours"))
    assert [(line.kind, line.counted) for line in lines] == [
        ("window", 0.5),
        ("closed", 0),
        ("make_up", 3),
        ("break", 0),
        ("make_up", 4),
        ("closed", 0),
        ("holiday", 0),
        ("closed", 0),
        ("window", 1.5),
    ]
    assert lines[3].text_zh == "2026-02-14 12:00–13:30 午休，不计"
    assert lines[6].text_zh == "2026-02-15 – 2026-02-23 法定节假日，不计"
    assert lines[6].text_en == "2026-02-15 – 2026-02-23 public holiday, not counted"
    assert lines[8].text_en == "2026-02-24 09:00–10:30 working hours, counts 1.5 working hours"


def test_names_say_which_holiday_it_is_and_what_a_make_up_day_is_worked_for() -> None:
    budget = a_budget(9, "working_hours")
    plain = worktime.explain(CALENDAR, local("2026-02-13 17:00"), budget)
    lines = worktime.explain(CALENDAR, local("2026-02-13 17:00"), budget, NAMES)
    assert [line.name for line in lines] == [None, None, "春节", None, "春节", None, "春节", None, None]
    assert [(one.from_at, one.kind, one.counted) for one in lines] == [(p.from_at, p.kind, p.counted) for p in plain]
    assert [line for line in lines if line.name is None] == [
        p for p, one in zip(plain, lines, strict=True) if not one.name
    ]
    assert lines[2].text_zh == "2026-02-14 09:00–12:00 春节调休上班日，计 3 工作时"
    assert lines[2].text_en == (
        "2026-02-14 09:00–12:00 make-up working day for Spring Festival, counts 3 working hours"
    )
    assert lines[6].text_zh == "2026-02-15 – 2026-02-23 春节 法定节假日，不计"
    assert lines[6].text_en == "2026-02-15 – 2026-02-23 Spring Festival, public holiday, not counted"


def test_days_are_named_too_when_whole_days_are_counted() -> None:
    lines = worktime.explain(CALENDAR, local("2026-02-12 10:00"), a_budget(3, "working_days"), NAMES)
    assert [(line.kind, line.name) for line in lines] == [
        ("start_day", None),
        ("working_day", None),
        ("make_up", "春节"),
        ("holiday", "春节"),
        ("working_day", None),
    ]


def test_two_holidays_in_a_row_stay_two_lines_and_one_joined_from_two_is_one() -> None:
    off = [date(2026, 9, 25) + timedelta(days=n) for n in range(4)]
    names = dict.fromkeys(off[:2], "中秋节") | dict.fromkeys(off[2:], "地方节")
    explained = worktime.explain(a_calendar(off=off), local("2026-09-24 17:30"), a_budget(1, "working_hours"), names)
    holidays = [line for line in explained if line.kind == "holiday"]
    assert [(line.name, line.until_at - line.from_at) for line in holidays] == [
        ("中秋节", timedelta(days=2)),
        ("地方节", timedelta(days=2)),
    ]
    assert holidays[1].text_zh == "2026-09-27 – 2026-09-28 地方节 法定节假日，不计"
    assert holidays[1].text_en == "2026-09-27 – 2026-09-28 public holiday, not counted"
    joined = worktime.explain(CALENDAR, local("2025-09-30 10:00"), a_budget(1, "working_days"), NAMES)
    (line,) = (line for line in joined if line.kind == "holiday")
    assert line.text_en == "2025-10-01 – 2025-10-08 National Day and Mid-Autumn Festival, public holiday, not counted"


def test_every_holiday_of_the_shipped_tables_has_an_english_name() -> None:
    assert {name for name in NAMES.values() if english(name) is None} == set()


def test_an_explanation_without_end_is_refused_when_a_most_is_given() -> None:
    start, budget = local("2026-03-04 09:00"), a_budget(70, "working_hours")
    lines = worktime.explain(CALENDAR, start, budget)
    assert worktime.explain(CALENDAR, start, budget, most=len(lines)) == lines
    with pytest.raises(DomainError) as refused:
        worktime.explain(CALENDAR, start, budget, most=len(lines) - 1)
    assert refused.value.code == "span_too_long"


def test_an_explanation_of_days_begins_with_the_day_of_receipt_and_warns_of_unpublished_days() -> None:
    lines = worktime.explain(CALENDAR, local("2026-12-30 16:30"), a_budget(2, "working_days"))
    assert [line.kind for line in lines] == [
        "start_day",
        "working_day",
        "holiday",
        "weekend",
        "working_day",
        "unpublished",
    ]
    assert lines[1].text_en == "2026-12-31 working day, counts 1 working day"
    assert lines[-1].text_zh == "2027-01-04 17:30 该日期的放假安排尚未公布，公布后将重新计算"


def test_plain_hours_are_explained_in_one_line() -> None:
    (line,) = worktime.explain(CALENDAR, local("2026-09-30 16:00"), a_budget(24, "hours"))
    assert line.text_zh == "2026-09-30 16:00 – 2026-10-01 16:00 按自然时间连续计算，计 24 小时"


def test_a_second_break_is_not_called_lunch() -> None:
    three = (
        Window(opens=time(9), closes=time(12)),
        Window(opens=time(13), closes=time(16)),
        Window(opens=time(18), closes=time(20)),
    )
    lines = worktime.explain(a_calendar(windows=three), local("2026-03-04 09:00"), a_budget(7, "working_hours"))
    assert [line.text_en.split(" ", 2)[2] for line in lines if line.kind == "break"] == [
        "lunch break, not counted",
        "break, not counted",
    ]
