"""Due instants and steps of 2026 that somebody reckoned with a paper calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain import commands as c
from domain.clocks import falls_at, late_by, measure, planned_due
from domain.demand import Clock, Shift
from domain.ladder import BREACH
from domain.vocabulary import ClockName
from tests.domain import builders as b
from tests.domain.test_clock_properties import MARKS, opened, promised
from tests.domain.year_2026 import CN, SHANGHAI, at

RESOLVE = ClockName.RESOLVE
SEVEN_DAYS = b.a_budget(7, "working_days")


@pytest.mark.parametrize(
    ("since", "until", "due_at"),
    [
        ("2026-02-11 12:00", "2026-02-11 13:30", "2026-02-26 17:30"),  # the lunch break: no working time at all
        ("2026-02-11 11:30", "2026-02-11 14:00", "2026-02-27 10:00"),  # over it: half an hour before, half after
        ("2026-02-11 17:30", "2026-02-12 09:00", "2026-02-26 17:30"),  # a night
        ("2026-02-14 17:30", "2026-02-24 09:00", "2026-02-26 17:30"),  # the whole Spring Festival
        ("2026-02-14 16:30", "2026-02-24 10:00", "2026-02-27 11:00"),  # an hour on either side of it
        ("2026-02-13 09:00", "2026-02-14 17:30", "2026-02-28 17:30"),  # a Friday and the Saturday that is worked
        ("2026-02-11 10:00", "2026-02-11 10:00", "2026-02-26 17:30"),  # no time at all
    ],
)
def test_a_pause_by_hand(since: str, until: str, due_at: str) -> None:
    story = opened(at("2026-02-10 15:00"), promised(SEVEN_DAYS))
    story.now = at(since)
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.now = at(until)
    story.does(b.WORKER, c.Resume())
    assert story.demand.clocks[RESOLVE].due_at == at(due_at)


def test_what_broke_before_a_pause_by_another_class_broke_then() -> None:
    """Three hours promised instead of seven days; five were used when the pause began."""
    story = opened(at("2026-03-04 09:00"), promised(SEVEN_DAYS))
    story.now = at("2026-03-04 15:30")
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.now = at("2026-03-05 10:00")
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(b.a_budget(3), ladder=MARKS)))
    clock = story.demand.clocks[RESOLVE]
    assert clock.breached and clock.paused_at == at("2026-03-04 15:30"), "it is broken, and still waits"
    fell = {e.data.get("step", "100%"): e.data.get("fell_at", e.data.get("due_at")) for e in story.entries[-3:]}
    walls = {
        key: datetime.fromisoformat(str(value)).astimezone(SHANGHAI).strftime("%H:%M") for key, value in fell.items()
    }
    assert walls == {"50%": "10:30", "80%": "11:24", "100%": "12:00"}
    story.does(b.REPORTER, c.Withdraw())
    assert story.demand.clocks[RESOLVE].breached


def test_what_broke_before_a_pause_that_is_over_broke_then() -> None:
    """The same, told when the pause is over: it moved the due instant, and not the instant at which it broke."""
    story = opened(at("2026-03-04 09:00"), promised(SEVEN_DAYS))
    story.now = at("2026-03-04 15:30")
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.now = at("2026-03-05 10:00")
    story.does(b.WORKER, c.Resume())
    story.now = at("2026-03-05 11:00")
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(b.a_budget(3), ladder=MARKS)))
    (breach,) = [entry for entry in story.entries if entry.type == "clock_breached"]
    assert datetime.fromisoformat(str(breach.data["due_at"])) == at("2026-03-04 12:00")
    assert story.demand.clocks[RESOLVE].due_at == at("2026-03-04 16:30"), (
        "three hours and the three that it stood still"
    )
    assert late_by(CN, story.demand.clocks[RESOLVE], b.a_budget(3), story.now) == timedelta(hours=3)


def test_a_step_that_would_fall_in_a_pause_waits_for_its_end() -> None:
    """Due on Thursday at 11:00, the notice on Friday evening; the pause from Friday to Monday moves the due instant to
    Thursday 16:00, and a working day after that is the same Friday evening."""
    story = opened(at("2026-03-04 09:00"), promised(b.a_budget(9), ladder=b.a_ladder()))
    story.now = at("2026-03-06 15:00")
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.now = at("2026-03-09 10:00")
    story.does(b.WORKER, c.Resume())
    assert story.demand.clocks[RESOLVE].due_at == at("2026-03-05 16:00")
    story.rings()
    (notice,) = [entry for entry in story.entries if entry.type == "notice_issued"]
    assert datetime.fromisoformat(str(notice.data["fell_at"])) == at("2026-03-09 10:00")


def test_a_due_instant_without_working_time_before_it_has_no_step_after_it_that_falls_before_it() -> None:
    """A meeting on Friday evening wants it done on Saturday night."""
    clock = Clock(started_at=at("2026-03-06 18:00"), due_at=at("2026-03-07 22:00"))
    falls = [falls_at(CN, clock, SEVEN_DAYS, step) for step in (*MARKS[:2], BREACH, MARKS[2])]
    assert falls == sorted(falls) and falls[2:] == [clock.due_at, clock.due_at]


def test_a_longer_class_during_a_pause_can_be_broken_again() -> None:
    """Broken under two hours, then found to be one of seven days: the new promise has a ladder of its own."""
    ladder = b.a_ladder()
    story = opened(at("2026-03-04 09:00"), promised(b.a_budget(2), ladder=ladder))
    story.now = at("2026-03-04 15:30")
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.now = at("2026-03-20 10:00")
    story.does(b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(SEVEN_DAYS, ladder=ladder)))
    story.does(b.WORKER, c.Resume())
    assert story.demand.clocks[RESOLVE].done == () and story.demand.clocks[RESOLVE].breached
    story.lives(days=60)
    breaches = [entry for entry in story.entries if entry.type == "clock_breached" and entry.data["clock"] == "resolve"]
    assert len(breaches) == 2


def test_a_class_of_the_same_due_does_not_repeat_its_reminders() -> None:
    story = opened(at("2026-03-04 09:00"), promised(SEVEN_DAYS, ladder=b.a_ladder()))
    story.lives(days=6).does(
        b.SUPERVISOR, c.Reclassify(category="020202", promise=promised(SEVEN_DAYS, ladder=b.a_ladder()))
    )
    assert story.demand.clocks[RESOLVE].done == ("50%",)
    assert [entry.data["clock"] for entry in story.entries if entry.type == "clock_warned"] == ["resolve"]


def test_a_shift_that_is_no_pause_stands_for_itself() -> None:
    start = at("2026-03-04 09:00")
    fixed = Shift(kind="decision", from_at=at("2026-03-05 09:00"), until_at=at("2026-03-20 20:00"))
    more = Shift(kind="extension", from_at=at("2026-03-06 09:00"), working_days=1)
    still = Shift(kind="pause", from_at=at("2026-03-09 09:00"), until_at=at("2026-03-09 10:00"))

    def planned(*shifts: Shift) -> datetime:
        return planned_due(CN, Clock(started_at=start, due_at=start, shifts=shifts), SEVEN_DAYS)

    assert planned(more) == at("2026-03-16 17:30")
    assert planned(more, still) == at("2026-03-17 10:00")
    assert planned(still, more) == at("2026-03-17 17:30"), "a day more from wherever it was due then"
    assert planned(more, fixed) == at("2026-03-20 20:00")
    assert planned(more, fixed, still) == at("2026-03-23 10:00")


@pytest.mark.parametrize(("unit", "hours"), [("working_hours", 1.5), ("hours", 3.0)])
def test_the_own_time_of_a_clock_is_that_of_its_unit(unit: str, hours: float) -> None:
    over_lunch = at("2026-03-04 11:30"), at("2026-03-04 14:30")
    assert measure(CN, b.a_budget(1, unit), *over_lunch) == timedelta(hours=hours)
    assert measure(CN, None, *over_lunch) == timedelta(hours=3)
