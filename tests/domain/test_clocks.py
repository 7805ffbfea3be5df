"""Which bell rings next: exactly one timer is needed, and it is always the right one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.clocks import alarms, next_alarm, rung
from domain.vocabulary import ClockName, Stage
from tests.domain import builders as b


def test_the_next_alarm_is_the_first_promise_that_ends() -> None:
    demand = b.in_grid().demand
    alarm = next_alarm(demand)
    assert alarm is not None and alarm.clock is ClockName.ACCEPT
    assert alarm.at == demand.due_at == min(a.at for a in alarms(demand))


def test_a_clock_rings_at_its_instant_and_not_before() -> None:
    story = b.in_grid()
    alarm = next_alarm(story.demand)
    assert alarm is not None
    assert rung(story.demand, alarm.at - timedelta(microseconds=1)) == []
    assert rung(story.demand, alarm.at) == [ClockName.ACCEPT]


def test_bells_are_heard_in_the_order_of_their_instants() -> None:
    story = b.in_grid().waits(days=365)
    names = rung(story.demand, story.now)
    assert names == [ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE]


def test_ringing_before_anything_is_due_does_nothing() -> None:
    story = b.in_grid()
    assert story.rings() == []


def test_paused_and_broken_clocks_do_not_ring() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    assert alarms(story.demand) == []
    story.does(b.WORKER, c.Resume())
    story.lives(days=60)
    assert story.demand.breached and alarms(story.demand) == []
    assert story.demand.due_at == story.demand.clocks[ClockName.CONTACT].due_at, "the oldest broken promise is shown"


def test_a_breach_is_never_taken_back() -> None:
    story = b.in_grid().lives(days=60)
    story.does(b.SUBSTITUTE, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    assert story.demand.clocks[ClockName.RESOLVE].breached and story.demand.breached


@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.CLOSED])
def test_an_open_demand_always_has_a_next_alarm(stage: Stage) -> None:
    assert next_alarm(b.a_demand(stage)) is not None


def test_closing_stops_every_promise_and_starts_the_reopen_window_of_seven_days() -> None:
    story = b.in_closed()
    assert [(a.clock, a.at - story.now) for a in alarms(story.demand)] == [(ClockName.REOPEN, timedelta(days=7))]
    assert story.demand.due_at is None


def test_a_sealed_demand_has_no_alarm() -> None:
    assert next_alarm(b.in_closed().lives(days=8).demand) is None
    assert next_alarm(b.in_sealed().demand) is None


def test_a_working_day_promise_skips_the_holiday_and_counts_the_make_up_saturday() -> None:
    story = b.Story(now=b.MONDAY_NINE + timedelta(days=25), place=b.a_place())  # Friday 2 April, before the holiday
    due = story.demand.clocks[ClockName.RESOLVE].due_at
    assert due.isoformat() == "2027-04-13T09:30:00+00:00"  # 6 7 8 9 10(Sat, worked) 12 13 April, 17:30 local
