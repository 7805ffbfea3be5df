"""网格: the grid worker's stage."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain import commands as c
from domain.actors import Actor
from domain.errors import DomainError
from domain.vocabulary import ClockName, Stage
from domain.worktime import elapsed
from tests.domain import builders as b

RESOLVE, ACCEPT, CONTACT = ClockName.RESOLVE, ClockName.ACCEPT, ClockName.CONTACT


def refusal(story: b.Story, actor: Actor, command: c.Command) -> str:
    with pytest.raises(DomainError) as refused:
        story.does(actor, command)
    return refused.value.code


def test_accepting_stops_the_accept_clock_and_no_other() -> None:
    story = b.in_grid().waits(hours=1)
    story.does(b.WORKER, c.Accept())
    assert story.demand.clocks[ACCEPT].stopped_at == story.now
    assert story.demand.clocks[CONTACT].running and story.demand.clocks[RESOLVE].running
    assert refusal(story, b.WORKER, c.Accept()) == "stage_forbids"


@pytest.mark.parametrize(
    "command", [c.Note(note_id="t-1"), c.Attach(file_ids=("f-1",)), c.Urge()], ids=lambda x: x.type
)
def test_talking_about_it_touches_no_clock(command: c.Command) -> None:
    story = b.in_grid().waits(minutes=30)
    clocks = story.demand.clocks
    story.does(b.OPERATOR, command)
    assert story.demand.clocks == clocks


def test_a_note_is_not_a_contact_with_the_resident() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Note(note_id="t-1"))
    assert story.demand.clocks[CONTACT].running
    story.does(b.WORKER, c.Contact())
    assert not story.demand.clocks[CONTACT].running


@pytest.mark.parametrize("command", [c.Note(), c.Attach()], ids=lambda x: x.type)
def test_an_empty_note_or_attachment_is_refused(command: c.Command) -> None:
    assert refusal(b.in_grid(), b.WORKER, command) == "validation_failed"


def test_found_and_fixed_on_the_spot_takes_one_step() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Resolve(reply_id="t-1", file_ids=("photo",)))
    assert story.demand.stage is Stage.FEEDBACK
    assert {"accepted", "resolved", "files_attached"} <= set(story.types())


def test_a_late_acceptance_is_a_breach_and_the_substitute_takes_over() -> None:
    story = b.in_grid()
    due = story.demand.clocks[ACCEPT].due_at
    story.lives(hours=30)
    assert story.demand.holder == b.SUBSTITUTE.id and story.demand.clocks[ACCEPT].breached
    (breach,) = [e for e in story.entries if e.type == "clock_breached" and e.data["clock"] == "accept"]
    assert breach.at == due


def test_after_an_outage_the_breach_is_recorded_once_with_its_true_instant() -> None:
    story = b.in_grid()
    due = story.demand.clocks[ACCEPT].due_at
    story.waits(days=40)
    story.rings()
    assert story.rings() == []
    breaches = [e for e in story.entries if e.type == "clock_breached"]
    assert sorted(str(e.data["clock"]) for e in breaches) == ["accept", "contact", "resolve"]
    assert min(str(e.data["due_at"]) for e in breaches) == due.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("clock", "command"), [(RESOLVE, b.resolved()), (ACCEPT, c.Accept()), (CONTACT, c.Contact())]
)  # fmt: skip
def test_what_is_done_late_counts_as_late_even_if_the_bell_was_not_heard_before(clock: ClockName, command: Any) -> None:
    story = b.in_grid(promise=b.a_promise(ladder=()))  # whose agenda step would take it away from whoever is late
    story.now = story.demand.clocks[clock].due_at + timedelta(hours=1)
    story.does(b.SUBSTITUTE, command)  # who has taken over, because it was not accepted in time
    assert story.demand.clocks[clock].breached


def test_a_pause_cannot_hide_a_promise_that_is_already_broken() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    story.now = story.demand.clocks[RESOLVE].due_at + timedelta(minutes=1)
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    assert story.demand.clocks[RESOLVE].breached


def test_what_is_done_in_the_last_moment_before_the_due_instant_is_in_time() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    story.now = story.demand.clocks[RESOLVE].due_at - timedelta(microseconds=1)
    story.does(b.WORKER, b.resolved())
    assert not story.demand.clocks[RESOLVE].breached


# ---- pause and extension


@pytest.mark.parametrize("unit", ["working_hours", "working_days", "hours", "calendar_days"])
@pytest.mark.parametrize("hours", [0.01, 3, 17, 24 * 4, 24 * 35])
def test_a_pause_moves_the_due_instant_by_exactly_what_it_lasted(unit: str, hours: float) -> None:
    terms = b.with_budgets(b.a_promise(), resolve=b.a_budget(40, unit), pause=b.a_budget(60, "calendar_days"))
    story = b.in_grid(promise=terms)
    story.does(b.WORKER, c.Accept())
    story.waits(hours=2).does(b.WORKER, c.RequestInfo(reason="awaiting_reporter"))
    paused_at, before = story.now, story.demand.clocks[RESOLVE].due_at
    story.lives(hours=hours).does(b.WORKER, c.Resume())
    after = story.demand.clocks[RESOLVE].due_at
    if unit in ("hours", "calendar_days"):
        assert after - before == story.now - paused_at
    else:
        assert elapsed(b.CALENDAR, before, after) == elapsed(b.CALENDAR, paused_at, story.now)
    assert not story.demand.clocks[RESOLVE].breached


def test_nothing_is_due_while_it_is_paused_and_nothing_can_be_done_but_resume() -> None:
    story = b.in_grid(promise=b.with_budgets(b.a_promise(), pause=b.a_budget(100, "calendar_days")))
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.RequestInfo(reason="awaiting_access"))
    story.lives(days=90)
    assert not story.demand.clocks[RESOLVE].breached and not story.demand.clocks[RESOLVE].done
    for command in (b.resolved(), c.HandOff(routing=b.a_routing("A")), c.Extend(working_days=1, basis="season")):
        assert refusal(story, b.WORKER, command) == "stage_forbids"
    story.does(b.WORKER, c.Resume())
    assert refusal(story, b.WORKER, c.Resume()) == "stage_forbids"


def test_a_paused_demand_cannot_be_refused_because_nobody_could_resume_it() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.RequestInfo(reason="awaiting_access"))
    assert refusal(story, b.WORKER, c.Refuse(basis="wrong_grid")) == "stage_forbids"


def test_a_paused_demand_runs_on_when_it_is_escalated() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.RequestInfo(reason="ownership_dispute"))
    story.lives(days=10).does(b.WORKER, c.Escalate(reason="beyond_power"))
    assert story.demand.info_reason is None and story.demand.clocks[RESOLVE].running


def test_a_supervisor_grants_more_time_that_was_asked_for_in_time() -> None:
    story = b.in_grid()
    before = story.demand.clocks[RESOLVE].due_at
    story.does(b.WORKER, c.Extend(working_days=2, basis="procurement"))
    assert story.demand.clocks[RESOLVE].due_at == before, "asking alone changes nothing"
    assert refusal(story, b.WORKER, c.DecideExtension(approved=True)) != ""
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    assert story.demand.clocks[RESOLVE].due_at > before
    assert refusal(story, b.SUPERVISOR, c.DecideExtension(approved=True)) == "stage_forbids"


def test_at_most_three_extensions_are_granted() -> None:
    story = b.in_grid()
    for _ in range(3):
        story.does(b.WORKER, c.Extend(working_days=3, basis="procurement"))
        story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    assert refusal(story, b.WORKER, c.Extend(working_days=1, basis="procurement")) == "stage_forbids"


def test_time_that_has_run_out_is_not_extended() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.now = story.demand.clocks[RESOLVE].due_at
    assert refusal(story, b.WORKER, c.Extend(working_days=1, basis="season")) == "stage_forbids"


# ---- to other hands


def test_the_wrong_grid_goes_to_the_right_one_and_keeps_its_clocks() -> None:
    story = b.in_grid()
    clocks = story.demand.clocks
    story.waits(minutes=20).does(b.WORKER, c.Refuse(basis="wrong_grid", place=b.another_place()))
    assert (story.demand.holder, story.demand.place) == (b.COLLEAGUE.id, b.another_place())
    assert story.demand.clocks == clocks


def test_the_wrong_grid_without_a_better_one_goes_back_to_the_dispatcher_with_a_clock() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Refuse(basis="wrong_grid"))
    assert (story.demand.stage, story.demand.holder) == (Stage.INTAKE, b.DISPATCHER.id)
    assert story.demand.clocks[ClockName.LOCATE].running


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (c.Refuse(basis="not_our_duty"), "basis_required"),
        (c.Refuse(basis="wrong_grid", place=b.a_place()), "unknown_place"),
        (c.Reassign(person=b.WORKER.id), "not_permitted|outside_scope|not_holder"),
        (c.DecideExtension(approved=True), "not_permitted|outside_scope|not_holder"),
    ],
)  # fmt: skip
def test_a_worker_is_refused_with_the_reason(command: c.Command, code: str) -> None:
    assert refusal(b.in_grid(), b.WORKER, command) in code.split("|")


def test_what_is_accepted_is_not_refused_any_more() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    assert refusal(story, b.WORKER, c.Refuse(basis="wrong_grid")) == "stage_forbids"


def test_a_supervisor_reassigns_and_the_resident_loses_no_time() -> None:
    story = b.in_grid().waits(hours=1)
    promised = story.demand.clocks[RESOLVE]
    assert refusal(story, b.SUPERVISOR, c.Reassign(person=b.WORKER.id)) == "stage_forbids"
    story.does(b.SUPERVISOR, c.Reassign(person=b.COLLEAGUE.id))
    assert story.demand.holder == b.COLLEAGUE.id and story.demand.clocks[RESOLVE] == promised
    assert refusal(story, b.WORKER, c.Accept()) == "not_holder"


def test_handing_off_counts_as_accepting_and_reaches_the_first_unit() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.HandOff(routing=b.a_routing("B", "A")))
    assert (story.demand.stage, story.demand.unit) == (Stage.UNIT, "B")
    assert story.demand.clocks[ACCEPT].stopped_at is not None


def test_what_a_device_says_about_its_time_needs_a_time_zone() -> None:
    naive = b.MONDAY_NINE.replace(tzinfo=None)
    with pytest.raises(ValueError, match="timezone"):
        b.an_act(b.WORKER, c.Accept(), performed_at=naive)


def test_a_demand_that_no_grid_wants_goes_to_the_meeting_instead_of_round_in_circles() -> None:
    story = b.in_grid()
    for person, place in ((b.WORKER, b.another_place()), (b.COLLEAGUE, b.a_place()), (b.WORKER, b.another_place())):
        assert story.demand.stage is Stage.GRID
        story.does(person, c.Refuse(basis="wrong_grid", place=place))
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "refused_too_often")


def test_a_substitute_who_accepts_holds_it() -> None:
    story = b.in_grid()
    story.does(b.SUBSTITUTE, c.Accept())
    assert (story.demand.holder, story.demand.accepted) == (b.SUBSTITUTE.id, True)
    story.does(b.SUBSTITUTE, c.Contact())
    story.does(b.SUBSTITUTE, c.RequestInfo(reason="weather"))


def test_an_extension_asked_for_does_not_pass_to_the_next_holder() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Extend(working_days=3, basis="procurement"))
    story.does(b.SUPERVISOR, c.Reassign(person=b.COLLEAGUE.id))
    assert refusal(story, b.SUPERVISOR, c.DecideExtension(approved=True)) == "stage_forbids"
