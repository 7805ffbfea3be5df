"""催办: what happens before a promise breaks, when it breaks and after; with the instants of 2026's calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import commands as c
from domain.clocks import alarms, next_alarm
from domain.ladder import PROMISED, Step
from domain.rungs import told
from domain.tasks import CoUnit
from domain.vocabulary import ClockName, DecisionKind, Outcome, Stage
from tests.domain import builders as b
from tests.domain.year_2026 import CN, at, promised_by_the_district, wall

ACCEPT, CONTACT, RESOLVE, DECIDE = ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.DECIDE
UNIT_DUE = ClockName.UNIT_DUE
Row = tuple[str, str, str, tuple[str, ...]]


def in_2026(start: str, **changes: Any) -> b.Story:
    story: dict[str, Any] = {"now": at(start), "calendar": CN, "place": b.a_place()}
    return b.Story(**(story | changes))


def rows(story: b.Story, *clocks: ClockName, since: int = 0) -> list[Row]:
    """Every step that fell: its instant in Shanghai, its clock, what it was, and who was told."""
    found = []
    for entry in story.entries[since:]:
        if entry.type in ("clock_warned", "clock_breached", "notice_issued", "clock_escalated", "clock_far_breached"):
            data = entry.data
            step = f"warned {data['step']}" if entry.type == "clock_warned" else entry.type
            told_of: Any = data.get("told", ())
            if not clocks or data["clock"] in clocks:
                fell = data["due_at"] if entry.type == "clock_breached" else data["fell_at"]
                found.append((wall(fell), str(data["clock"]), step, tuple(told_of)))
    return found


def reasons(story: b.Story) -> list[object]:
    return [entry.data["reason"] for entry in story.entries if entry.type == "sent_to_meeting"]


# ---- nobody touches it

W, SUB, SUP, SEC = (b.WORKER.id,), (b.SUBSTITUTE.id,), (b.SUPERVISOR.id,), (b.SECRETARY.id,)
UNTOUCHED: list[Row] = [
    # Tuesday 10 February 2026, 15:00. The 14th is a worked Saturday, 15–23 are Spring Festival, the 28th is worked again
    ("02-10 16:00", "accept", "warned 50%", W),
    ("02-10 16:36", "accept", "warned 80%", W),
    ("02-10 17:00", "accept", "clock_breached", W + SUP),  # and the substitute holds it
    ("02-11 11:15", "contact", "warned 50%", SUB),
    ("02-11 14:00", "accept", "clock_far_breached", SUP),
    ("02-11 15:36", "contact", "warned 80%", SUB),
    ("02-11 17:30", "accept", "notice_issued", SUB + SUP),
    ("02-11 17:30", "contact", "clock_breached", SUB + SUP),
    ("02-12 17:30", "contact", "notice_issued", SUB + SUP),
    ("02-14 11:15", "resolve", "warned 50%", SUB),
    ("02-14 15:30", "contact", "clock_far_breached", SUP),
    ("02-24 17:30", "accept", "clock_escalated", SUB + SUP + SEC),  # the fifth working day after: to the meeting
    ("02-25 14:12", "resolve", "warned 80%", SEC),
    ("02-25 17:30", "contact", "clock_escalated", SEC + SUP),
    ("02-26 17:30", "resolve", "clock_breached", SEC + SUP),
    ("02-27 17:30", "resolve", "notice_issued", SEC + SUP),
    ("03-02 17:30", "decide", "warned 50%", SEC),
    ("03-04 17:30", "resolve", "clock_escalated", SEC + SUP),
    ("03-05 17:30", "decide", "warned 80%", SEC),
    ("03-09 17:30", "decide", "clock_breached", SEC + SUP),
    ("03-10 17:30", "decide", "notice_issued", SEC + SUP),
    ("03-18 15:30", "resolve", "clock_far_breached", SUP),
    ("04-07 17:30", "decide", "clock_far_breached", SUP),  # over 清明, 4–6 April
]


def test_a_demand_that_nobody_touches_walks_the_whole_ladder() -> None:
    story = in_2026("2026-02-10 15:00").lives(days=90)
    assert rows(story) == UNTOUCHED
    assert next_alarm(story.demand, CN) is None, "the last step has fallen"
    assert reasons(story) == ["overdue"]
    assert (story.demand.stage, story.demand.holder) == (Stage.MEETING, b.SECRETARY.id)


def test_every_step_of_it_is_recorded_at_its_instant() -> None:
    story = in_2026("2026-02-10 15:00").lives(days=90)
    steps = [entry for entry in story.entries if "fell_at" in entry.data or entry.type == "clock_breached"]
    assert [wall(entry.at) for entry in steps] == [row[0] for row in UNTOUCHED]
    assert wall(next(entry.at for entry in story.entries if entry.type == "sent_to_meeting")) == "02-24 17:30"


def test_after_an_outage_each_step_falls_once_with_its_own_instant_and_in_order() -> None:
    story = in_2026("2026-02-10 15:00").waits(days=90)
    story.rings()
    assert story.rings() == []
    heard = [row for row in rows(story) if row[1] != "decide"]
    assert [row[:3] for row in heard] == [row[:3] for row in UNTOUCHED if row[1] != "decide"]
    assert {entry.at for entry in story.entries[4:] if "fell_at" in entry.data} == {story.now}
    assert story.demand.clocks[DECIDE].started_at == story.now, "the meeting has its time from when it hears of it"


@pytest.mark.parametrize("hours", [1, 7, 24, 24 * 6, 24 * 17])
def test_however_often_the_bell_is_heard_the_steps_are_the_same(hours: int) -> None:
    """Time goes by in leaps, and all that came meanwhile is told at the end of each: an outage after the other."""
    story = in_2026("2026-02-10 15:00")
    while story.now < at("2026-05-11 15:00"):
        story.waits(hours=hours)
        story.rings()
    assert [row[:3] for row in rows(story, ACCEPT, CONTACT, RESOLVE)] == [
        row[:3] for row in UNTOUCHED if row[1] != "decide"
    ]


def test_an_emergency_is_measured_by_the_wall_clock_and_its_notice_goes_out_within_the_hour() -> None:
    story = in_2026("2026-02-14 22:00", promise=promised_by_the_district("emergency"))  # Saturday night
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    story.lives(days=12)
    all_three = W + SUP + SEC
    assert rows(story, RESOLVE) == [
        ("02-14 23:00", "resolve", "warned 50%", W),
        ("02-14 23:36", "resolve", "warned 80%", W + SUP),
        ("02-15 00:00", "resolve", "clock_breached", all_three),
        ("02-15 01:00", "resolve", "notice_issued", all_three),
        ("02-15 04:00", "resolve", "clock_far_breached", SUP),
        ("02-24 17:30", "resolve", "clock_escalated", all_three),  # the first working day after the holiday
    ]
    assert story.demand.meeting_reason == "overdue"


# ---- the meeting, in each stage


@pytest.mark.parametrize("make", [b.in_grid, b.in_unit], ids=["grid", "unit"])
def test_what_lies_with_a_worker_or_a_unit_goes_to_the_joint_meeting(make: Any) -> None:
    story: b.Story = make()
    while "clock_escalated" not in story.types():
        alarm = next_alarm(story.demand, story.calendar)
        assert alarm is not None
        story.now = alarm.at
        story.rings()
    d = story.demand
    assert (d.stage, d.meeting, d.meeting_reason, d.turn) == (Stage.MEETING, b.COMMUNITY, "overdue", 1)
    assert (d.holder, d.unit, d.clocks[DECIDE].running) == (b.SECRETARY.id, None, True)
    assert not d.clocks[ACCEPT].running and UNIT_DUE not in {a.clock for a in alarms(d, story.calendar)}
    assert d.clocks[RESOLVE].running, "the resident's clock goes on"


def test_a_unit_that_is_paused_and_overdue_goes_to_the_meeting_and_its_clocks_run_on() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.RequestInfo(reason="awaiting_material"))  # without accepting: that clock runs
    story.lives(days=9)
    d = story.demand
    assert (d.stage, d.meeting_reason, d.info_reason) == (Stage.MEETING, "overdue", None)
    assert d.clocks[RESOLVE].running and not d.clocks[ClockName.PAUSE].running


def test_what_nobody_locates_is_taken_over_by_the_supervisor_who_can_locate_it() -> None:
    story = b.in_intake().lives(days=14)
    assert (story.demand.stage, story.demand.holder) == (Stage.INTAKE, b.SUPERVISOR.id)
    assert story.types().count("taken_over") == 1 and "sent_to_meeting" not in story.types()
    story.does(b.SUPERVISOR, c.Locate(place=b.a_place()))
    assert (story.demand.stage, story.demand.holder) == (Stage.GRID, b.WORKER.id)


def test_a_follow_up_that_does_not_end_is_taken_over_by_the_supervisor() -> None:
    story = b.in_feedback(promise=b.a_promise(call_backs=20))
    assert story.demand.holder == b.OPERATOR.id
    story.lives(days=12)
    assert (story.demand.stage, story.demand.holder) == (Stage.FEEDBACK, b.SUPERVISOR.id)
    (over,) = [entry for entry in story.entries if entry.type == "taken_over"]
    assert over.data == {"person": b.SUPERVISOR.id, "reason": "overdue"}
    story.does(b.SUPERVISOR, c.CallBack(channel="phone"))
    story.does(b.SUPERVISOR, b.satisfied())
    assert story.demand.stage is Stage.CLOSED, "whoever holds it can bring it to its end"


def test_what_the_supervisor_holds_already_is_not_taken_over_again() -> None:
    story = b.in_feedback(promise=b.a_promise(verify=True)).lives(days=30)
    assert story.demand.holder == b.SUPERVISOR.id
    assert "clock_escalated" in story.types() and "taken_over" not in story.types()


def test_a_demand_that_is_on_the_agenda_already_is_only_marked() -> None:
    story = b.in_meeting().lives(days=30)
    assert [row[2] for row in rows(story, RESOLVE)][-2:] == ["notice_issued", "clock_escalated"]
    assert (reasons(story), story.demand.turn) == (["nobody_responsible"], 1)


def test_a_meeting_is_warned_and_marked_and_sent_to_no_other_meeting() -> None:
    story = b.in_meeting().lives(days=90)
    assert [row[2] for row in rows(story, DECIDE)] == [
        "warned 50%", "warned 80%", "clock_breached", "notice_issued", "clock_far_breached",
    ]  # fmt: skip


def test_what_is_shelved_waits_for_its_review_and_climbs_on_from_there() -> None:
    story = b.shelved(days=40).lives(days=39)
    assert rows(story) == []
    story.lives(days=30)
    assert [row[2] for row in rows(story, RESOLVE)][:3] == ["warned 50%", "warned 80%", "clock_breached"]


# ---- what other engines of this kind get wrong (feature matrix, A7)


@pytest.mark.parametrize(
    "talk", [c.Note(note_id="t-1"), c.Attach(file_ids=("f-1",)), c.Urge()], ids=lambda command: command.type
)
def test_talking_about_it_every_day_does_not_hold_up_the_ladder(talk: c.Command) -> None:
    story = in_2026("2026-02-10 15:00")
    for _ in range(90):
        story.lives(days=1).does(b.OPERATOR, talk)
    assert rows(story) == UNTOUCHED


def test_asking_for_an_extension_does_not_hold_up_the_ladder() -> None:
    story = in_2026("2026-02-10 15:00")
    story.does(b.WORKER, c.Extend(working_days=3, basis="procurement"))
    assert rows(story.lives(days=90)) == UNTOUCHED


def test_a_demand_that_nobody_accepted_still_escalates() -> None:
    story = b.in_grid().lives(days=12)
    assert not story.demand.accepted and "accepted" not in story.types()
    assert reasons(story) == ["overdue"]


def test_a_demand_that_is_with_nobody_in_particular_still_escalates() -> None:
    """No place, so no worker, no unit, no secretary: those who are there are told, and the ladder goes on."""
    story = b.in_intake().lives(days=14)
    dispatcher, supervisor = b.DISPATCHER.id, b.SUPERVISOR.id
    assert [row[2:] for row in rows(story, ClockName.LOCATE)][-2:] == [
        ("notice_issued", (dispatcher, supervisor)), ("clock_escalated", (dispatcher, supervisor)),
    ]  # fmt: skip


def test_it_escalates_more_than_once() -> None:
    story = b.in_unit("A", "B")
    for times in (1, 2, 3):
        story.lives(days=40)
        assert (story.demand.stage, story.demand.turn) == (Stage.MEETING, times)
        story.decides(DecisionKind.ASSIGN, lead=b.a_candidate("A"))
    assert reasons(story) == ["overdue"] * 3


@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.CLOSED])
def test_from_every_stage_an_overdue_demand_climbs(stage: Stage) -> None:
    story = b.STAGES[stage](promise=b.a_promise(call_backs=20)).lives(days=60)
    assert {"clock_warned", "clock_breached", "notice_issued", "clock_escalated"} <= set(story.types())


@pytest.mark.parametrize("clock", PROMISED)
def test_every_promised_clock_has_the_whole_ladder(clock: ClockName) -> None:
    make: Any = {
        ClockName.LOCATE: b.in_intake, DECIDE: b.in_meeting, UNIT_DUE: accepted_by_a_unit,
        ClockName.FOLLOW_UP: lambda: b.in_feedback(promise=b.a_promise(verify=True)), ClockName.APPROVE: b.proposed,
    }.get(clock, b.in_grid)  # fmt: skip
    story: b.Story = make()
    keys = [step.key for step in b.a_ladder() if not step.clocks or clock in step.clocks]
    story.lives(days=90)
    over = {"300%"} if clock is UNIT_DUE else set()  # that task has ended, on the agenda, before three times its time
    assert set(story.demand.clocks[clock].done) == set(keys) - over


def accepted_by_a_unit() -> b.Story:
    story = b.in_unit("A")
    for command in (c.Accept(), c.Contact()):
        story.does(b.LIAISONS["A"], command)
    return story


def test_a_demand_handed_round_does_not_start_the_residents_ladder_again() -> None:
    """Reassigning, refusing, the meeting: the resident's clock fell where it would have fallen untouched."""
    story = in_2026("2026-02-10 15:00")
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    story.lives(days=1).does(b.SUPERVISOR, c.Reassign(person=b.COLLEAGUE.id))
    story.lives(hours=1).does(b.COLLEAGUE, c.HandOff(routing=b.a_routing("A", "B")))
    story.lives(hours=1).does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    story.lives(hours=1).does(b.LIAISONS["B"], c.Escalate(reason="beyond_power"))
    story.lives(days=3).decides(DecisionKind.RETURN_TO_GRID)
    untouched = [row[:3] for row in UNTOUCHED if row[1] == "resolve"]
    assert [row[:3] for row in rows(story.lives(days=60), RESOLVE)] == untouched


# ---- who is told


def test_each_person_is_told_once_and_those_who_are_not_there_are_left_out() -> None:
    everybody: Any = ("holder", "supervisor", "secretary", "dispatcher", "operator")
    intake, grid, meeting = b.in_intake().demand, b.in_grid().demand, b.in_meeting().demand
    assert told(intake, everybody, RESOLVE) == ("dispatcher", "supervisor", "operator")
    assert told(grid, everybody, RESOLVE) == ("worker", "supervisor", "secretary", "dispatcher", "operator")
    assert told(meeting, everybody, RESOLVE) == ("secretary", "supervisor", "dispatcher", "operator")
    one = b.in_grid(dispatcher="p-1", operator="p-1", supervisor="p-1").demand
    assert told(one, everybody, RESOLVE) == ("worker", "p-1", "secretary")
    assert told(grid, (), RESOLVE) == ()


def test_the_ladder_of_a_unit_speaks_to_its_liaison() -> None:
    story = accepted_by_a_unit()
    assert rows(story.lives(days=7), UNIT_DUE)[0][3] == (b.LIAISONS["A"].id,)


def test_whoever_holds_it_when_the_step_falls_is_told() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.SUPERVISOR, c.Reassign(person=b.COLLEAGUE.id))
    assert rows(story.lives(days=5), CONTACT)[0][3] == (b.COLLEAGUE.id,)


# ---- a due instant that moves


def test_after_a_meetings_new_due_the_ladder_starts_anew_and_the_breach_stays() -> None:
    story = in_2026("2026-02-10 15:00")
    for command in (c.Accept(), c.Contact()):
        story.does(b.WORKER, command)
    story.now = at("2026-02-27 09:00")
    story.rings()
    assert [row[2] for row in rows(story, RESOLVE)] == ["warned 50%", "warned 80%", "clock_breached"]
    story.does(b.SUPERVISOR, c.Escalate(reason="beyond_power"))
    told_before = len(story.entries)
    story.decides(DecisionKind.ASSIGN, due_at=at("2026-03-10 17:30"))
    assert story.demand.clocks[RESOLVE].breached and story.demand.breached
    assert story.demand.clocks[RESOLVE].done == ("50%", "80%"), "what was said before the due instant stays said"
    story.does(b.LIAISONS["D"], c.Accept())
    story.lives(days=30)
    assert [row[:3] for row in rows(story, RESOLVE, since=told_before)] == [
        ("03-10 17:30", "resolve", "clock_breached"),
        ("03-11 17:30", "resolve", "notice_issued"),
        ("03-17 17:30", "resolve", "clock_escalated"),
    ]
    assert reasons(story) == ["beyond_power", "overdue"]


def test_an_extension_moves_the_steps_that_have_not_fallen_and_repeats_none() -> None:
    story = in_2026("2026-02-10 15:00")
    for command in (c.Accept(), c.Contact()):
        story.does(b.WORKER, command)
    story.lives(days=5)
    assert [row[0] for row in rows(story, RESOLVE)] == ["02-14 11:15"]
    story.does(b.WORKER, c.Extend(working_days=3, basis="procurement"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    story.lives(days=60)
    assert [row[:3] for row in rows(story, RESOLVE)] == [
        ("02-14 11:15", "resolve", "warned 50%"),
        ("02-27 17:00", "resolve", "warned 80%"),  # 58 of 72.5 hours
        ("03-02 17:30", "resolve", "clock_breached"),  # 27 and 28 February, the Saturday is worked, 2 March
        ("03-03 17:30", "resolve", "notice_issued"),
        ("03-09 17:30", "resolve", "clock_escalated"),
        ("03-31 15:30", "resolve", "clock_far_breached"),
    ]


def test_an_extension_that_is_granted_too_late_brings_the_ladder_back_down() -> None:
    story = b.in_grid()
    for command in (c.Accept(), c.Contact(), c.Extend(working_days=3, basis="procurement")):
        story.does(b.WORKER, command)
    due = story.demand.clocks[RESOLVE].due_at
    story.lives(days=10)
    assert story.demand.clocks[RESOLVE].breached and "100%" in story.demand.clocks[RESOLVE].done
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    clock = story.demand.clocks[RESOLVE]
    assert clock.breached and clock.due_at > story.now > due and clock.done == ("50%", "80%")
    assert [a.step.key for a in alarms(story.demand, story.calendar) if a.clock is RESOLVE] == ["100%"]


def test_no_step_is_lost_or_repeated_when_it_is_redone() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    story.lives(days=5)
    fallen = story.demand.clocks[RESOLVE].done
    assert fallen == ("50%",)
    story.does(b.WORKER, b.resolved())
    story.lives(hours=20).does(b.REPORTER, b.not_solved())
    assert story.demand.clocks[RESOLVE].done == fallen
    story.lives(days=60)
    assert [row[2] for row in rows(story, RESOLVE)] == [
        "warned 50%", "warned 80%", "clock_breached", "notice_issued", "clock_escalated", "clock_far_breached",
    ]  # fmt: skip


# ---- at one and the same instant


def test_a_clock_that_breaks_just_when_the_meeting_takes_over_is_broken() -> None:
    """Accept is five working days overdue at the very instant at which the unit's task is due."""
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.AddCoUnits(co_units=(CoUnit(unit="B", liaison="liaison-B"),)))
    due = story.demand.clocks[UNIT_DUE].due_at
    story.now = due
    story.rings()
    assert story.demand.stage is Stage.MEETING
    for task in (UNIT_DUE, "co_due:B"):
        clock = story.demand.clocks[task]
        assert clock.stopped_at == due and clock.breached


def test_a_clock_that_broke_while_nobody_heard_the_meetings_bell_is_broken() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Contact())
    story.waits(days=30)
    story.rings()
    clock = story.demand.clocks[UNIT_DUE]
    assert clock.stopped_at == story.now and clock.breached, "until then nobody had taken it from the unit"


def test_a_follow_up_that_broke_while_nobody_heard_the_last_call_back_is_broken() -> None:
    story = b.in_feedback(promise=b.a_promise(call_backs=1)).waits(days=9)
    story.rings()
    assert story.demand.outcome is Outcome.UNCONFIRMED
    assert story.demand.clocks[ClockName.FOLLOW_UP].breached


# ---- no ladder


def test_without_a_ladder_a_promise_breaks_and_nothing_else_happens() -> None:
    story = b.in_grid(promise=b.a_promise(ladder=())).lives(days=120)
    assert [row[1:] for row in rows(story)] == [(n, "clock_breached", ()) for n in ("accept", "contact", "resolve")]
    assert story.demand.stage is Stage.GRID


def test_a_promise_of_release_0_1_goes_on_saying_what_it_said_then() -> None:
    story = b.in_grid(promise=b.an_old_promise())
    story.does(b.WORKER, c.Accept())
    story.lives(hours=2).does(b.WORKER, c.RequestInfo(reason="weather"))
    story.lives(days=90).does(b.WORKER, c.Resume())
    story.does(b.WORKER, c.Extend(working_days=3, basis="season"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    story.does(b.WORKER, c.HandOff(routing=b.a_routing("A", "B")))
    story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    story.lives(days=2).does(b.LIAISONS["B"], c.Escalate(reason="beyond_power"))
    story.decides(DecisionKind.SHELVE, review_at=story.now + timedelta(days=9))
    story.lives(days=90).decides(DecisionKind.ASSIGN, due_at=story.now + timedelta(days=20))
    story.lives(days=40).does(b.LIAISONS["D"], b.resolved())
    story.does(b.REPORTER, b.not_solved())
    story.does(b.LIAISONS["D"], b.resolved())
    story.does(b.REPORTER, b.satisfied())
    said = {(entry.type, *sorted(entry.data)) for entry in story.entries if entry.type.startswith("clock_")}
    assert said == {
        ("clock_started", "clock", "due_at"), ("clock_stopped", "clock"), ("clock_paused", "clock"),
        ("clock_resumed", "clock", "due_at"), ("clock_extended", "clock", "due_at"), ("clock_breached", "clock", "due_at"),
    }  # fmt: skip
    clocks = {entry.data["clock"] for entry in story.entries if entry.type == "clock_started"}
    assert not {"unit_due", "pause"} & clocks
    assert "ladder" not in story.entries[0].data["promise"]  # type: ignore[operator]


def test_a_clock_that_no_step_of_a_ladder_names_is_still_marked_when_it_breaks() -> None:
    ladder = (
        Step(do="remind", percent=50, clocks=(RESOLVE,)),
        Step(do="breach", percent=100, clocks=(RESOLVE,), tell=()),
    )
    story = b.in_grid(promise=b.a_promise(ladder=ladder)).lives(days=20)
    assert [row[1:] for row in rows(story)] == [
        ("accept", "clock_breached", W), ("contact", "clock_breached", SUB),
        ("resolve", "warned 50%", SUB), ("resolve", "clock_breached", ()),
    ]  # fmt: skip
