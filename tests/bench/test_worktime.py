from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from bench import worktime as bench
from bench.__main__ import FIGURES
from bench.figure import Size
from bench.ground import BenchError
from bench.report import told
from devstack.program import ROOT
from service.calendars import Almanac, read_years

ALMANAC = Almanac(read_years(ROOT / "config" / "calendar"))
CALENDAR = ALMANAC.calendar_for(2026, 2027)


def test_the_figure_needs_no_server_and_tells_due_and_explanation_over_a_day_and_a_year() -> None:
    figure = FIGURES["worktime"](Size(passes=2, worktime_seconds=1e-6))
    assert [line.title for line in figure.lines] == [
        f"{what} over {span} in {unit}"
        for what in ("due", "explanation")
        for span in ("a day", "a year")
        for unit in ("working hours", "working days")
    ]
    for line in figure.lines:
        assert len(line.ours) == len(line.floor) == 2
        assert line.our_median > 0 and line.floor_median > 0
        assert (line.target is None) == line.title.startswith("explanation")
    year = figure.lines[6].ours[0].facts
    assert year["lines each"] > 4 * 248
    assert told(figure).count("\n") == 7


def test_sides_that_disagree_are_not_measured() -> None:
    other = CALENDAR.model_copy(update={"off": (*CALENDAR.off, date(2026, 3, 4))})
    schedule = bench.as_workclock(other)
    with pytest.raises(BenchError, match="disagree"):
        bench.due_race(CALENDAR, schedule, "a year", 248, "working_hours")
    with pytest.raises(BenchError, match="disagree"):
        bench.explain_race(CALENDAR, schedule, ALMANAC, "a year", 248, "working_days")


def test_a_walk_collects_the_working_periods_of_the_amount() -> None:
    saturday_made_up = datetime(2026, 2, 14, tzinfo=UTC)
    periods = bench.walk(bench.as_workclock(CALENDAR), saturday_made_up, timedelta(hours=9))
    assert sum((ends - begins for begins, ends in periods), timedelta()) == timedelta(hours=9)
    assert [begins.date() for begins, _ in periods] == [date(2026, 2, 14)] * 2 + [date(2026, 2, 24)]
