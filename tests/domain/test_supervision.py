"""督办 and the approval of final replies."""

from __future__ import annotations

import pytest

from domain import commands as c
from domain.errors import DomainError
from domain.lifecycle import permitted
from domain.vocabulary import ClockName, DecisionKind, Outcome, Role, Stage
from tests.domain import builders as b


def take_over() -> c.Supervise:
    return c.Supervise(deed="take_over")


@pytest.mark.parametrize("stage", [Stage.INTAKE, Stage.GRID, Stage.UNIT, Stage.MEETING, Stage.FEEDBACK])
def test_a_supervisor_takes_it_over_and_gives_it_back(stage: Stage) -> None:
    story = b.STAGES[stage]()
    before = story.demand
    story.does(b.SUPERVISOR, take_over())
    assert story.demand.holder == b.SUPERVISOR.id and story.demand.clocks == before.clocks
    with pytest.raises(DomainError, match="hold it already"):
        story.does(b.SUPERVISOR, take_over())
    story.does(b.SUPERVISOR, c.Supervise(deed="return"))
    assert (story.demand.holder, story.demand.clocks) == (before.holder, before.clocks)
    with pytest.raises(DomainError, match="nothing to return"):
        story.does(b.SUPERVISOR, c.Supervise(deed="return"))


def test_an_order_says_what_is_to_be_done_and_changes_nothing_else() -> None:
    story = b.in_grid()
    with pytest.raises(DomainError, match="Say what"):
        story.does(b.SUPERVISOR, c.Supervise(deed="order"))
    before = story.demand
    events = story.does(b.SUPERVISOR, c.Supervise(deed="order", note_id="t-1"))
    assert [one.type for one in events] == ["note_added", "supervised"]
    assert (story.demand.holder, story.demand.clocks) == (before.holder, before.clocks)


def test_nobody_else_supervises() -> None:
    for actor in b.EVERYBODY:
        if not any(g.role is Role.SUPERVISOR for g in actor.grants):
            assert "supervise" not in permitted(b.in_grid().demand, actor)


def test_a_final_reply_waits_for_somebody_other_than_its_chair() -> None:
    story = b.proposed()
    d = story.demand
    assert (d.stage, d.proposed, d.proposed_by, d.holder) == (Stage.MEETING, "t-final", "chair", b.SUPERVISOR.id)
    assert d.clocks[ClockName.APPROVE].running and not d.clocks[ClockName.DECIDE].running
    with pytest.raises(DomainError, match="not_on_agenda"):
        story.decides(DecisionKind.ASSIGN)
    story.does(b.SUPERVISOR, c.DecideFinalReply(approved=True))
    assert (story.demand.outcome, story.demand.reply_id, story.demand.sealed) == (Outcome.FINAL_REPLY, "t-final", True)


def test_a_final_reply_that_is_not_approved_goes_back_to_the_meeting() -> None:
    story = b.proposed()
    story.does(b.SUPERVISOR, c.DecideFinalReply(approved=False))
    d = story.demand
    assert (d.stage, d.meeting_reason, d.proposed, d.turn) == (Stage.MEETING, "reply_not_approved", None, 2)
    assert d.clocks[ClockName.DECIDE].running and not d.clocks[ClockName.APPROVE].running


def test_who_chaired_does_not_approve_and_the_secretary_holds_it_then() -> None:
    terms = b.with_budgets(b.a_promise(), approve=b.a_budget(2, "working_days"))
    story = b.in_meeting(promise=terms)
    story.decides(DecisionKind.FINAL_REPLY, chair=b.SUPERVISOR.id, document="f-1")
    assert story.demand.holder == b.SECRETARY.id
    with pytest.raises(DomainError, match="somebody else"):
        story.does(b.SUPERVISOR, c.DecideFinalReply(approved=True))
    assert "decide_final_reply" not in permitted(story.demand, b.SUPERVISOR)
    story.does(b.SECRETARY, c.DecideFinalReply(approved=True))
    assert story.demand.outcome is Outcome.FINAL_REPLY


def test_an_approval_that_nobody_gives_is_told_and_breaks() -> None:
    story = b.proposed().lives(days=14)
    assert story.demand.clocks[ClockName.APPROVE].breached and "notice_issued" in story.types()
