"""改类, 新日历 and 单元办理时限: what re-plans clocks, and the due of a unit's own task."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM, Actor
from domain.clocks import ahead, alarms, next_alarm, rung
from domain.decide import take_turn
from domain.errors import DomainError
from domain.promise import Promise
from domain.vocabulary import ClockName, DecisionKind, Stage
from domain.worktime import due
from tests.domain import builders as b

ACCEPT, CONTACT, RESOLVE, UNIT_DUE = ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.UNIT_DUE
DECIDE, PAUSE = ClockName.DECIDE, ClockName.PAUSE


def refusal(story: b.Story, actor: Actor, command: c.Command) -> str:
    before = story.demand, len(story.entries)
    with pytest.raises(DomainError) as refused:
        story.does(actor, command)
    assert (story.demand, len(story.entries)) == before
    return refused.value.code


def complex_promise(**changes: Any) -> Promise:
    return b.with_budgets(
        b.a_promise(sla_class="complex", **changes), accept=b.a_budget(4), contact=b.a_budget(2, "working_days"),
        resolve=b.a_budget(15, "working_days"), unit_due=b.a_budget(10, "working_days"),
    )  # fmt: skip


def emergency_promise(**changes: Any) -> Promise:
    return b.with_budgets(
        b.a_promise(sla_class="emergency", **changes), accept=b.a_budget(0.5, "hours"),
        contact=b.a_budget(1, "hours"), resolve=b.a_budget(2, "hours"), unit_due=b.a_budget(2, "hours"),
    )  # fmt: skip


def as_another(promise: Promise | None = None, **changes: Any) -> c.Reclassify:
    return c.Reclassify(category="020202", promise=promise or complex_promise(), **changes)


# ---- reclassify


def test_another_class_is_reckoned_from_when_the_demand_came_in() -> None:
    story = b.in_grid()
    opened_at = story.now
    story.lives(minutes=45).does(b.SUPERVISOR, as_another())
    d = story.demand
    assert (d.category, d.terms.sla_class) == ("020202", "complex")
    for name in (ACCEPT, CONTACT, RESOLVE):
        clock = d.clocks[name]
        assert clock.started_at == opened_at
        assert clock.due_at == due(b.CALENDAR, opened_at, d.terms.budgets[name])
    assert (d.stage, d.holder) == (Stage.GRID, b.WORKER.id), "only the promise changes hands with the class"


@pytest.mark.parametrize("actor", [b.DISPATCHER, b.OPERATOR, b.SECRETARY, b.SUPERVISOR], ids=lambda a: a.id)
def test_those_who_see_to_the_order_of_demands_reclassify(actor: Actor) -> None:
    story = b.in_grid()
    story.does(actor, as_another())
    assert story.demand.category == "020202"


@pytest.mark.parametrize(
    "actor", [b.WORKER, b.SUBSTITUTE, b.REPORTER, b.OTHER_SECRETARY, b.AUDITOR], ids=lambda a: a.id
)
def test_nobody_else_does(actor: Actor) -> None:
    assert refusal(b.in_grid(), actor, as_another()) in ("not_permitted", "outside_scope", "not_holder")


@pytest.mark.parametrize("stage", Stage)
def test_what_is_done_is_not_reclassified(stage: Stage) -> None:
    story = b.STAGES[stage]()
    if stage in (Stage.FEEDBACK, Stage.CLOSED):
        assert refusal(story, b.SUPERVISOR, as_another()) == "stage_forbids"
    else:
        story.does(b.SUPERVISOR, as_another())
        assert story.demand.stage is stage


def test_every_clock_of_a_class_says_that_it_is_reckoned_anew_also_where_nothing_changes() -> None:
    """So that its explanation names the class under which it runs."""
    story = b.in_unit("A")
    events = story.does(b.SUPERVISOR, as_another(b.a_promise(sla_class="complex")))
    replanned = [(ev.clock, ev.by) for ev in events if isinstance(ev, e.ClockReplanned)]
    assert replanned == [(name, "reclassified") for name in (CONTACT, RESOLVE, ACCEPT, UNIT_DUE)]


def test_the_category_that_it_has_is_refused() -> None:
    same = c.Reclassify(category="010101", promise=complex_promise())
    assert refusal(b.in_grid(), b.SUPERVISOR, same) == "stage_forbids"


def test_the_calendar_that_the_demand_carries_goes_on_counting() -> None:
    story = b.in_grid()
    story.does(b.SUPERVISOR, as_another(complex_promise(calendar="test-9")))
    assert story.demand.terms == complex_promise(calendar=b.CALENDAR.version)


def test_a_clock_that_has_stopped_stays_as_it_was() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    accepted = story.demand.clocks[ACCEPT]
    events = story.does(b.SUPERVISOR, as_another())
    assert story.demand.clocks[ACCEPT] == accepted
    assert [ev.clock for ev in events if isinstance(ev, e.ClockReplanned)] == [CONTACT, RESOLVE]


def test_what_is_late_by_the_new_class_is_told_in_the_same_breath() -> None:
    story = b.in_grid().lives(hours=1.5)
    opened_at = story.demand.opened_at
    assert opened_at is not None
    events = story.does(b.SUPERVISOR, as_another(emergency_promise(ladder=())))
    broken = {ev.clock: ev.due_at - opened_at for ev in events if isinstance(ev, e.ClockBreached)}
    assert broken == {ACCEPT: timedelta(minutes=30), CONTACT: timedelta(hours=1)}
    assert story.demand.holder == b.SUBSTITUTE.id, "and what follows from it happens"
    assert rung(story.demand, story.now, story.calendar) == []


def test_what_is_late_by_the_new_class_is_told_before_it_is_stopped() -> None:
    """The new category belongs to units, and none is there: it goes to the meeting, which stops the accept clock."""
    story = b.in_grid().lives(hours=1.5)
    story.does(b.SUPERVISOR, as_another(emergency_promise(), routing=b.a_routing()))
    assert story.demand.stage is Stage.MEETING
    assert story.demand.clocks[ACCEPT].breached and story.demand.clocks[ACCEPT].stopped_at == story.now


def test_a_breach_stays_when_the_new_class_would_have_allowed_it() -> None:
    story = b.in_grid().lives(hours=3)
    assert story.demand.clocks[ACCEPT].breached
    story.does(b.SUPERVISOR, as_another())
    clock = story.demand.clocks[ACCEPT]
    assert clock.breached and story.demand.breached and clock.due_at > story.now
    assert clock.done == ("50%",), "a promise of its own, with reminders of its own"
    story.lives(hours=4)
    assert story.demand.clocks[ACCEPT].done == ("50%", "80%", "100%")


def test_what_a_new_category_gives_to_units_leaves_the_grid_worker() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.lives(minutes=5).does(b.SUPERVISOR, as_another(routing=b.a_routing("B", "C")))
    d = story.demand
    assert (d.stage, d.unit, d.info_reason) == (Stage.UNIT, "B", None)
    assert d.clocks[RESOLVE].running and d.clocks[UNIT_DUE].running and not d.clocks[PAUSE].running


@pytest.mark.parametrize("make", [b.in_intake, b.in_unit, b.in_meeting], ids=["intake", "unit", "meeting"])
def test_what_does_not_lie_with_a_grid_worker_stays_where_it_is(make: Any) -> None:
    story: b.Story = make()
    before = story.demand
    story.does(b.SUPERVISOR, as_another(routing=b.a_routing("D")))
    assert (story.demand.stage, story.demand.holder, story.demand.unit) == (before.stage, before.holder, before.unit)


def test_other_clocks_follow_the_new_promise_where_it_says_another_thing_of_them() -> None:
    """So that a calendar that comes later reckons with what the promise says."""
    story = b.in_meeting()
    other = b.with_budgets(complex_promise(), decide=b.a_budget(3, "working_days"))
    story.does(b.SUPERVISOR, as_another(other))
    clock = story.demand.clocks[DECIDE]
    assert clock.due_at == due(b.CALENDAR, clock.started_at, b.a_budget(3, "working_days"))
    before = story.demand.clocks
    story.adopts(b.CALENDAR.model_copy(update={"version": "test-3"}))
    assert story.demand.clocks == before


def test_a_note_comes_with_it() -> None:
    story = b.in_grid()
    assert [ev.type for ev in story.does(b.SUPERVISOR, as_another(note_id="t-why"))][:2] == [
        "note_added",
        "reclassified",
    ]


def test_a_demand_without_a_ladder_gets_that_of_its_new_class() -> None:
    story = b.in_grid(promise=b.a_promise(ladder=()))
    story.does(b.SUPERVISOR, as_another())
    alarm = next_alarm(story.demand, story.calendar)
    assert alarm is not None and alarm.step.key == "50%"


# ---- a new calendar


def test_only_the_product_itself_brings_a_calendar() -> None:
    for make in (*b.STAGES.values(), b.shelved, b.paused):
        story: b.Story = make()
        for actor in b.EVERYBODY[:-1]:
            assert refusal(story, actor, c.AdoptCalendar(version="test-2")) in (
                "not_permitted",
                "not_holder",
                "outside_scope",
            )
        story.does(SYSTEM, c.AdoptCalendar(version="test-2"))
        assert story.demand.terms.calendar == "test-2"


def test_a_holiday_that_is_published_later_moves_what_is_due_after_it() -> None:
    """8 March and 7 working days are 17 March; without the 10th, the 18th."""
    story = b.in_grid()
    before = story.demand.clocks
    events = story.adopts(b.another_calendar())
    after = story.demand.clocks
    assert after[RESOLVE].due_at - before[RESOLVE].due_at == timedelta(days=1)
    assert (after[ACCEPT], after[CONTACT]) == (before[ACCEPT], before[CONTACT])
    assert events == [
        e.CalendarAdopted(version="test-2"),
        e.ClockReplanned(clock=RESOLVE, due_at=after[RESOLVE].due_at, provisional=False, by="calendar"),
    ]


def test_the_bells_of_before_ring_by_the_calendar_of_before() -> None:
    """By the new calendar the reminder at 80 % would have come by now, of a due instant that it moves."""
    story = b.in_grid()
    for command in (c.Accept(), c.Contact()):
        story.does(b.WORKER, command)
    story.lives(days=6)
    before = story.demand.clocks[RESOLVE].done
    fewer = b.another_calendar(off=tuple(b.MONDAY_NINE.date() + timedelta(days=n) for n in (7, 8, 9, 10)))
    assert take_turn(story.demand, b.an_act(SYSTEM, c.Ring()), story.now, fewer).events, "the case is one"
    events = story.adopts(fewer)
    assert {type(ev) for ev in events} == {e.CalendarAdopted, e.ClockReplanned}
    assert story.demand.clocks[RESOLVE].done == before


def test_a_promise_that_broke_stays_broken_when_its_day_becomes_a_holiday() -> None:
    story = b.in_grid().lives(days=1.5)
    assert story.demand.clocks[CONTACT].breached
    story.adopts(b.another_calendar(off=(b.MONDAY_NINE.date() + timedelta(days=1),)))
    clock = story.demand.clocks[CONTACT]
    assert clock.breached and story.demand.breached and clock.due_at > story.now
    story.lives(days=2)
    assert "100%" in story.demand.clocks[CONTACT].done, "and is marked again when it breaks again"


def test_what_was_put_aside_while_the_calendar_came_is_due_by_it_afterwards() -> None:
    story = b.in_grid()
    story.does(b.WORKER, b.resolved())
    story.adopts(b.another_calendar())
    assert story.demand.clocks[RESOLVE].due_at == due(b.CALENDAR, b.MONDAY_NINE, b.a_budget(7, "working_days"))
    events = story.does(b.REPORTER, b.not_solved())
    replanned = [ev for ev in events if isinstance(ev, e.ClockReplanned)]
    assert [(ev.clock, ev.by) for ev in replanned] == [(RESOLVE, "calendar")]
    assert story.demand.clocks[RESOLVE].due_at == due(story.calendar, b.MONDAY_NINE, b.a_budget(7, "working_days"))


def test_a_demand_of_release_0_1_keeps_its_instants_for_it_does_not_know_its_pauses() -> None:
    story = b.in_grid(promise=b.an_old_promise())
    before = story.demand.clocks
    assert story.adopts(b.another_calendar()) == [e.CalendarAdopted(version="test-2")]
    assert story.demand.clocks == before


def test_what_is_sealed_takes_no_calendar() -> None:
    assert refusal(b.in_sealed(), SYSTEM, c.AdoptCalendar(version="test-2")) == "closed"


# ---- the due of a unit's task


def test_each_unit_has_a_due_of_its_own_and_the_resident_the_one_of_before() -> None:
    story = b.in_unit("A", "B")
    first, resolve = story.demand.clocks[UNIT_DUE], story.demand.clocks[RESOLVE]
    assert first.due_at == due(b.CALENDAR, story.now, b.a_budget(5, "working_days"))
    story.lives(hours=3).does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    second = story.demand.clocks[UNIT_DUE]
    assert second.started_at == story.now and second.running
    assert story.demand.clocks[RESOLVE] == resolve


@pytest.mark.parametrize("way", ["resolve", "escalate", "withdraw"])
def test_a_task_that_is_over_has_no_due(way: str) -> None:
    story = b.in_unit("A")
    ways: dict[str, tuple[Actor, c.Command]] = {
        "resolve": (b.LIAISONS["A"], b.resolved()), "escalate": (b.LIAISONS["A"], c.Escalate(reason="repeat")),
        "withdraw": (b.REPORTER, c.Withdraw()),
    }  # fmt: skip
    actor, command = ways[way]
    story.lives(hours=1).does(actor, command)
    assert story.demand.clocks[UNIT_DUE].stopped_at == story.now


def test_the_same_task_goes_on_when_it_is_redone() -> None:
    story = b.in_unit("A")
    story.lives(hours=5).does(b.LIAISONS["A"], b.resolved())
    before = story.demand.clocks[UNIT_DUE]
    story.lives(hours=20).does(b.REPORTER, b.not_solved())
    clock = story.demand.clocks[UNIT_DUE]
    assert clock.running and clock.started_at == before.started_at and len(clock.shifts) == 1
    assert clock.due_at > before.due_at


def test_a_unit_that_a_meeting_names_has_a_task_of_its_own() -> None:
    story = b.in_unit("A")
    story.lives(hours=5).does(b.LIAISONS["A"], c.Escalate(reason="repeat"))
    story.lives(days=1).decides(DecisionKind.ASSIGN)
    assert story.demand.clocks[UNIT_DUE].started_at == story.now


def test_a_meetings_due_instant_is_that_of_the_resident_and_of_the_unit() -> None:
    story = b.in_meeting()
    fixed = story.now + timedelta(days=50, minutes=7)
    events = story.decides(DecisionKind.ASSIGN, due_at=fixed)
    assert [(ev.clock, ev.due_at, ev.working_days) for ev in events if isinstance(ev, e.ClockExtended)] == [
        (RESOLVE, fixed, None), (UNIT_DUE, fixed, None),
    ]  # fmt: skip
    assert story.demand.clocks[RESOLVE].due_at == story.demand.clocks[UNIT_DUE].due_at == fixed


@pytest.mark.parametrize("year", [2034, 2070, 2206, 9999])
def test_a_due_instant_that_is_a_slip_of_the_pen_stops_no_clock_and_no_bell(year: int) -> None:
    story = b.in_meeting()
    promised = story.demand.clocks[RESOLVE].due_at
    story.decides(DecisionKind.ASSIGN, due_at=datetime(year, 1, 1, tzinfo=UTC))
    assert story.demand.stage is Stage.UNIT and story.demand.clocks[RESOLVE].due_at == promised
    assert story.lives(days=60).demand.clocks[RESOLVE].breached


@pytest.mark.parametrize("years", [5, 12, 50, 300])
def test_a_promise_beyond_every_calendar_does_not_silence_the_others(years: int) -> None:
    far = b.with_budgets(b.a_promise(), resolve=b.a_budget(years * 250, "working_days"))
    try:
        story = b.in_grid(promise=far)
    except DomainError as refused:
        assert refused.code == "calendar_exhausted" and years > 20
        return
    assert [a.clock for a in alarms(story.demand, story.calendar)] == [ACCEPT, CONTACT, RESOLVE]
    steps = [a.step.key for a in ahead(story.demand, story.calendar, RESOLVE)]
    assert steps[:5] == ["50%", "80%", "100%", "+1working_days", "+5working_days"]
    assert ("300%" in steps) == (years * 3 < 20), "nobody waits for what lies beyond the calendars"
    assert story.lives(days=9).demand.clocks[CONTACT].breached


def test_an_extension_is_more_time_for_the_resident_s_clock_and_the_unit_s() -> None:
    story = b.in_unit("A")
    before = story.demand.clocks
    story.does(b.LIAISONS["A"], c.Extend(working_days=2, basis="procurement"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    two = b.a_budget(2, "working_days")
    for name in (RESOLVE, UNIT_DUE):
        assert story.demand.clocks[name].due_at == due(b.CALENDAR, before[name].due_at, two)
    assert story.demand.clocks[ACCEPT] == before[ACCEPT]


def test_a_pause_stands_still_for_the_unit_as_well() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.RequestInfo(reason="awaiting_material"))
    still = {name for name, clock in story.demand.clocks.items() if clock.paused_at is not None}
    assert still == {CONTACT, RESOLVE, UNIT_DUE}
    story.lives(days=2).does(b.LIAISONS["A"], c.Resume())
    assert all(story.demand.clocks[name].running for name in still)


@pytest.mark.parametrize("hours", [0, 5, 24 * 8])
def test_a_review_that_was_heard_late_gives_nobody_more_time(hours: int) -> None:
    there, away = b.shelved(days=30), b.shelved(days=30)
    there.lives(days=30).lives(hours=hours)
    away.waits(days=30, hours=hours).rings()
    assert away.demand.clocks[RESOLVE].due_at == there.demand.clocks[RESOLVE].due_at
    assert away.demand.clocks[RESOLVE].shifts == there.demand.clocks[RESOLVE].shifts
    assert (away.demand.stage, away.demand.turn) == (there.demand.stage, there.demand.turn)


def test_a_review_date_before_its_decision_gives_and_takes_nothing() -> None:
    story = b.in_meeting()
    promised = story.demand.clocks[RESOLVE].due_at
    story.lives(days=2).decides(DecisionKind.SHELVE, review_at=story.now - timedelta(days=1))
    story.rings()
    assert story.demand.clocks[RESOLVE].due_at == promised and story.demand.clocks[RESOLVE].running
