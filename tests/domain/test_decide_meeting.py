"""联席会议: each decision leads somewhere, and nothing that a meeting decided is lost on the way."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.actors import SYSTEM
from domain.errors import DomainError
from domain.vocabulary import ClockName, DecisionKind, Outcome, Stage
from tests.domain import builders as b

RESOLVE = ClockName.RESOLVE


@pytest.mark.parametrize(
    ("kind", "stage", "holder"),
    [
        (DecisionKind.ASSIGN, Stage.UNIT, "liaison-D"),
        (DecisionKind.PROJECT, Stage.UNIT, "liaison-D"),
        (DecisionKind.RETURN_TO_GRID, Stage.GRID, "worker"),
        (DecisionKind.SHELVE, Stage.MEETING, "secretary"),
        (DecisionKind.ESCALATE, Stage.MEETING, "supervisor"),
        (DecisionKind.FINAL_REPLY, Stage.CLOSED, None),
    ],
)
def test_every_decision_leads_somewhere(kind: DecisionKind, stage: Stage, holder: str | None) -> None:
    story = b.in_meeting()
    story.decides(kind)
    assert (story.demand.stage, story.demand.holder) == (stage, holder)


def test_a_unit_that_a_meeting_names_cannot_refuse_and_may_have_had_it_before() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    story.decides(DecisionKind.ASSIGN, lead=b.a_candidate("A"))
    assert (story.demand.unit, story.demand.lead_bound) == ("A", True)
    with pytest.raises(DomainError, match="refusal_window_over"):
        story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))


def test_a_meeting_gives_more_time_and_never_takes_any() -> None:
    story = b.in_meeting()
    promised = story.demand.clocks[RESOLVE].due_at
    later = promised + timedelta(days=30)
    story.decides(DecisionKind.ASSIGN, due_at=later)
    assert story.demand.clocks[RESOLVE].due_at == later


@pytest.mark.parametrize("changes", [{"turn": 0}, {"meeting": "c2"}, {"turn": 2}])
def test_a_late_or_misdirected_decision_is_not_taken(changes: dict[str, object]) -> None:
    story = b.in_meeting()
    with pytest.raises(DomainError, match="not_on_agenda"):
        story.decides(DecisionKind.RETURN_TO_GRID, **changes)


def test_the_same_decision_is_not_taken_twice() -> None:
    story = b.in_meeting()
    decision = b.a_decision(DecisionKind.ESCALATE, story.demand)
    story.does(SYSTEM, decision)
    with pytest.raises(DomainError, match="not_on_agenda"):
        story.does(SYSTEM, decision)


def test_a_meeting_that_does_not_decide_in_time_breaks_its_promise_and_keeps_the_demand() -> None:
    story = b.in_meeting()
    story.lives(days=40)
    assert story.demand.stage is Stage.MEETING and story.demand.clocks[ClockName.DECIDE].breached


def test_what_is_shelved_stands_still_and_comes_back_by_itself() -> None:
    story = b.shelved(days=30)
    left = story.demand.clocks[RESOLVE].due_at
    assert story.demand.shelved and story.demand.clocks[RESOLVE].paused_at is not None
    assert story.demand.due_at == story.now + timedelta(days=30)
    story.lives(days=30)
    d = story.demand
    assert (d.stage, d.shelved, d.meeting_reason, d.turn) == (Stage.MEETING, False, "review", 2)
    assert d.clocks[ClockName.DECIDE].running and d.clocks[RESOLVE].running and d.clocks[RESOLVE].due_at > left


def test_what_the_committee_shelved_comes_back_to_the_committee_and_its_convener() -> None:
    story = b.in_committee()
    story.decides(DecisionKind.SHELVE, review_at=story.now + timedelta(days=20))
    story.lives(days=20)
    assert (story.demand.meeting, story.demand.holder) == (b.COMMITTEE, b.SUPERVISOR.id)


def test_what_is_shelved_is_decided_again_only_after_its_review() -> None:
    story = b.shelved(days=30)
    with pytest.raises(DomainError, match="not_on_agenda"):
        story.decides(DecisionKind.RETURN_TO_GRID)
    story.lives(days=30).decides(DecisionKind.RETURN_TO_GRID)
    assert story.demand.stage is Stage.GRID


def test_a_review_date_that_passed_on_the_way_brings_it_back_instead_of_losing_it() -> None:
    story = b.in_meeting()
    story.decides(DecisionKind.SHELVE, review_at=story.now - timedelta(seconds=1))
    story.rings()
    assert (story.demand.stage, story.demand.shelved, story.demand.turn) == (Stage.MEETING, False, 2)


def test_there_is_no_meeting_above_the_committee() -> None:
    story = b.in_committee()
    with pytest.raises(DomainError, match="stage_forbids"):
        story.decides(DecisionKind.ESCALATE)


@pytest.mark.parametrize(
    ("kind", "missing", "code"),
    [
        (DecisionKind.ASSIGN, "lead", "unknown_unit"),
        (DecisionKind.PROJECT, "lead", "unknown_unit"),
        (DecisionKind.SHELVE, "review_at", "validation_failed"),
        (DecisionKind.FINAL_REPLY, "reply_id", "reply_required"),
        (DecisionKind.ESCALATE, "upper_meeting", "stage_forbids"),
    ],
)
def test_a_decision_without_what_it_needs_is_refused(kind: DecisionKind, missing: str, code: str) -> None:
    story = b.in_meeting()
    before = story.demand
    with pytest.raises(DomainError, match=code):
        story.decides(kind, **{missing: None})
    assert story.demand == before


def test_back_to_the_grid_with_a_new_due_the_ladder_begins_anew() -> None:
    story = b.in_grid().lives(days=30)
    assert story.demand.stage is Stage.MEETING and story.demand.clocks[RESOLVE].breached
    new = story.now + timedelta(days=10)
    story.decides(DecisionKind.RETURN_TO_GRID, due_at=new)
    clock = story.demand.clocks[RESOLVE]
    assert (story.demand.stage, clock.due_at, clock.breached) == (Stage.GRID, new, True)
    assert story.demand.due_at == new, "somebody owes it by a known instant again"
    story.does(b.WORKER, c.Extend(working_days=2, basis="season"))
    breaches = story.types().count("clock_breached")
    story.lives(days=11)
    assert story.types().count("clock_breached") == breaches + 1


def test_a_final_reply_is_final() -> None:
    story = b.in_meeting()
    story.decides(DecisionKind.FINAL_REPLY)
    assert (story.demand.outcome, story.demand.sealed, story.demand.reply_id) == (Outcome.FINAL_REPLY, True, "t-final")


def test_a_fresh_start_after_a_meeting_counts_refusals_and_redos_anew() -> None:
    story = b.redone(b.in_grid(), 3)
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "redo_limit")
    story.decides(DecisionKind.RETURN_TO_GRID)
    assert (story.demand.redos, story.demand.unit_refusals) == (0, 0)


@pytest.mark.parametrize("kind", DecisionKind)
def test_only_the_meeting_itself_sends_its_decision(kind: DecisionKind) -> None:
    story = b.in_meeting()
    for actor in (b.SECRETARY, b.CHAIR, b.SUPERVISOR):
        with pytest.raises(DomainError, match="not_permitted"):
            story.does(actor, b.a_decision(kind, story.demand))
