"""Which bell rings next: exactly one timer is needed, and it is always the right one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain import events as e
from domain.clocks import Alarm, ahead, alarms, next_alarm, rung
from domain.tasks import ClockKey
from domain.vocabulary import ClockName, Stage
from tests.domain import builders as b

ACCEPT, CONTACT, RESOLVE, PAUSE = ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.PAUSE
CAL = b.CALENDAR


def without_ladder(**changes: object) -> b.Story:
    return b.in_grid(promise=b.a_promise(ladder=()), **changes)


def said(alarm: Alarm | None) -> tuple[ClockKey, str]:
    assert alarm is not None
    return alarm.clock, alarm.step.key


def test_the_next_alarm_is_the_first_step_of_the_first_promise() -> None:
    story = b.in_grid()
    assert said(next_alarm(story.demand, CAL)) == (ACCEPT, "50%")
    assert next_alarm(story.demand, CAL) == min(alarms(story.demand, CAL))
    assert next_alarm(story.demand, CAL) == Alarm(story.now + timedelta(hours=1), ACCEPT, b.a_ladder()[0])


def test_without_a_ladder_the_next_alarm_is_the_first_promise_that_ends() -> None:
    demand = without_ladder().demand
    assert said(next_alarm(demand, CAL)) == (ACCEPT, "100%")
    assert [a.at for a in alarms(demand, CAL)] == [demand.clocks[n].due_at for n in (ACCEPT, CONTACT, RESOLVE)]


def test_a_clock_rings_at_its_instant_and_not_before() -> None:
    story = b.in_grid()
    alarm = next_alarm(story.demand, CAL)
    assert alarm is not None
    assert rung(story.demand, alarm.at - timedelta(microseconds=1), CAL) == []
    assert rung(story.demand, alarm.at, CAL) == [alarm]


def test_bells_are_heard_in_the_order_of_their_instants() -> None:
    story = b.in_grid().waits(days=365)
    heard = rung(story.demand, story.now, CAL)
    assert [a.clock for a in heard] == [ACCEPT, CONTACT, RESOLVE]
    assert [a.at for a in heard] == sorted(a.at for a in heard)


def test_every_step_that_lies_ahead_is_known_in_the_order_in_which_they_fall() -> None:
    story = b.in_grid()
    steps = ahead(story.demand, CAL, RESOLVE)
    assert [a.step.key for a in steps] == ["50%", "80%", "100%", "+1working_days", "+5working_days", "300%"]
    assert [a.at for a in steps] == sorted(a.at for a in steps)
    story.now = steps[1].at
    story.rings()
    assert ahead(story.demand, CAL, RESOLVE) == steps[2:]
    assert steps[2] in alarms(story.demand, CAL)


def test_ringing_before_anything_is_due_does_nothing() -> None:
    story = b.in_grid()
    assert story.rings() == []


def test_paused_clocks_do_not_ring_and_only_the_end_of_the_pause_does() -> None:
    story = b.paused()
    assert [said(a) for a in alarms(story.demand, CAL)] == [(PAUSE, "100%")]
    assert all(ahead(story.demand, CAL, name) == [] for name in (CONTACT, RESOLVE))
    assert story.demand.due_at == story.demand.clocks[PAUSE].due_at


def test_broken_clocks_without_a_ladder_do_not_ring_again() -> None:
    story = without_ladder().lives(days=60)
    assert story.demand.breached and alarms(story.demand, CAL) == []
    assert story.demand.due_at == story.demand.clocks[ACCEPT].due_at, "the oldest broken promise is shown"


def test_a_breach_is_never_taken_back() -> None:
    story = without_ladder().lives(days=60)
    story.does(b.SUBSTITUTE, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    assert story.demand.clocks[RESOLVE].breached and story.demand.breached


@pytest.mark.parametrize("ladder", [b.a_ladder(), ()], ids=["ladder", "no ladder"])
@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.CLOSED])
def test_an_open_demand_always_has_a_next_alarm(stage: Stage, ladder: tuple[object, ...]) -> None:
    assert next_alarm(b.a_demand(stage, promise=b.a_promise(ladder=ladder)), CAL) is not None


def test_closing_stops_every_promise_and_starts_the_reopen_window_of_seven_days() -> None:
    story = b.in_closed()
    assert [(a.clock, a.at - story.now) for a in alarms(story.demand, CAL)] == [(ClockName.REOPEN, timedelta(days=7))]
    assert story.demand.due_at is None


def test_a_sealed_demand_has_no_alarm() -> None:
    assert next_alarm(b.in_closed().lives(days=8).demand, CAL) is None
    sealed = b.in_sealed().demand
    assert next_alarm(sealed, CAL) is None and ahead(sealed, CAL, RESOLVE) == []


def test_a_working_day_promise_skips_the_holiday_and_counts_the_make_up_saturday() -> None:
    story = b.Story(now=b.MONDAY_NINE + timedelta(days=25), place=b.a_place())  # Friday 2 April, before the holiday
    due = story.demand.clocks[RESOLVE].due_at
    assert due.isoformat() == "2027-04-13T09:30:00+00:00"  # 6 7 8 9 10(Sat, worked) 12 13 April, 17:30 local


def test_a_promise_beyond_the_published_holidays_says_so_until_they_are_published() -> None:
    unpublished = b.CALENDAR.model_copy(update={"published_until": b.MONDAY_NINE.date() + timedelta(days=3)})
    story = b.in_grid(calendar=unpublished)
    flags = {name: clock.provisional for name, clock in story.demand.clocks.items()}
    assert flags == {ACCEPT: False, CONTACT: False, RESOLVE: True}
    events = story.adopts(b.CALENDAR.model_copy(update={"version": "test-3"}))
    assert [ev.clock for ev in events if isinstance(ev, e.ClockReplanned)] == [RESOLVE]
    assert not any(clock.provisional for clock in story.demand.clocks.values())


def test_plain_hours_are_never_provisional_for_no_holiday_moves_them() -> None:
    unpublished = b.CALENDAR.model_copy(update={"published_until": b.MONDAY_NINE.date()})
    terms = b.with_budgets(b.a_promise(), resolve=b.a_budget(24 * 30, "hours"))
    assert not b.in_grid(calendar=unpublished, promise=terms).demand.clocks[RESOLVE].provisional


# ---- a pause ends


def test_a_pause_ends_by_itself_after_its_limit_and_the_promise_runs_on() -> None:
    story = b.paused()
    before, limit = story.demand.clocks[RESOLVE].due_at, story.demand.clocks[PAUSE].due_at
    story.now = limit - timedelta(seconds=1)
    assert story.rings() == []
    story.now = limit
    assert [ev.type for ev in story.rings()] == [
        "info_received", "clock_stopped", *["clock_resumed"] * (1 + (CONTACT in running(story))),
    ]  # fmt: skip
    assert story.demand.info_reason is None and story.demand.clocks[RESOLVE].due_at > before
    assert said(next_alarm(story.demand, CAL))[0] is RESOLVE


def running(story: b.Story) -> set[ClockKey]:
    return {name for name, clock in story.demand.clocks.items() if clock.running}


def test_what_still_waits_is_paused_again_and_each_pause_has_its_own_limit() -> None:
    story = b.paused().lives(days=30)
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    assert story.demand.clocks[PAUSE].started_at == story.now and story.demand.clocks[PAUSE].running
    story.waits(hours=1).does(b.WORKER, c.Resume())
    assert not story.demand.clocks[PAUSE].running
    assert len(story.demand.clocks[RESOLVE].shifts) == 2


def test_a_promise_of_before_the_limit_waits_for_whoever_paused_it() -> None:
    terms = b.a_promise(ladder=())
    old = {name: budget for name, budget in terms.budgets.items() if name not in (PAUSE, ClockName.UNIT_DUE)}
    story = b.paused(promise=terms.model_copy(update={"budgets": old}))
    assert alarms(story.demand, CAL) == [] and story.demand.due_at is None
    story.lives(days=90).does(b.WORKER, c.Resume())
    assert not story.demand.clocks[RESOLVE].breached
