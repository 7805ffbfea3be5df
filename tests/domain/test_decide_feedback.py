"""回访反馈 and 结案: the resident has the last word, silence is not consent, and the end is an end."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.actors import Actor
from domain.errors import DomainError
from domain.vocabulary import ClockName, Outcome, Satisfied, Solved, Stage
from tests.domain import builders as b

S = Satisfied


@pytest.mark.parametrize(
    ("solved", "satisfied", "stage"),
    [
        (Solved.YES, S.SATISFIED, Stage.CLOSED),
        (Solved.YES, S.BASICALLY, Stage.CLOSED),
        (Solved.PARTLY, S.BASICALLY, Stage.CLOSED),
        (Solved.NO, S.SATISFIED, Stage.GRID),
        (Solved.YES, S.DISSATISFIED, Stage.GRID),
        (Solved.PARTLY, S.VERY_DISSATISFIED, Stage.GRID),
    ],
)
def test_the_three_answers_close_it_or_order_a_redo(solved: Solved, satisfied: S, stage: Stage) -> None:
    story = b.in_feedback()
    story.does(b.REPORTER, c.Confirm(contacted=True, solved=solved, satisfied=satisfied))
    assert story.demand.stage is stage


def test_an_explanation_closes_as_an_explanation() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Resolve(reply_id="t-1", outcome=Outcome.EXPLAINED))
    story.does(b.REPORTER, b.satisfied())
    assert (story.demand.outcome, story.demand.reply_id) == (Outcome.EXPLAINED, "t-1")


def test_it_is_redone_at_most_twice_and_then_goes_to_the_meeting() -> None:
    story = b.redone(b.in_grid(), 2)
    assert (story.demand.stage, story.demand.redos) == (Stage.GRID, 2)
    b.redone(story, 1)
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "redo_limit")


def test_a_redo_goes_to_the_unit_that_did_it_and_it_cannot_refuse() -> None:
    story = b.redone(b.in_unit("A"), 1)
    assert (story.demand.stage, story.demand.unit, story.demand.lead_bound) == (Stage.UNIT, "A", True)


def test_a_redo_does_not_give_the_handler_a_new_promise() -> None:
    story = b.in_grid()
    story.does(b.WORKER, b.resolved())
    left = story.demand.clocks[ClockName.RESOLVE].due_at - story.now
    story.does(b.REPORTER, b.not_solved())
    assert story.demand.clocks[ClockName.RESOLVE].running
    assert story.demand.clocks[ClockName.RESOLVE].due_at - story.now == left


def test_nobody_is_asked_before_somebody_else_has_looked() -> None:
    story = b.in_feedback(promise=b.a_promise(verify=True))
    assert story.demand.holder == b.SUPERVISOR.id and ClockName.CALL_BACK not in story.demand.clocks
    for actor, command in ((b.REPORTER, b.satisfied()), (b.OPERATOR, c.CallBack(channel="sms"))):
        with pytest.raises(DomainError, match="stage_forbids"):
            story.does(actor, command)
    story.does(b.SECRETARY, c.Verify(ok=True))
    assert story.demand.holder == b.OPERATOR.id and story.demand.clocks[ClockName.CALL_BACK].running
    with pytest.raises(DomainError, match="stage_forbids"):
        story.does(b.SUPERVISOR, c.Verify(ok=True))


def test_what_somebody_else_found_undone_is_redone() -> None:
    story = b.in_feedback(promise=b.a_promise(verify=True))
    story.does(b.SUPERVISOR, c.Verify(ok=False))
    assert (story.demand.stage, story.demand.holder, story.demand.redos) == (Stage.GRID, b.WORKER.id, 1)


@pytest.mark.parametrize("channel", ["link", "sms", "phone", "visit"])
def test_a_ladder_without_an_answer_ends_unconfirmed_and_never_satisfied(channel: str) -> None:
    story = b.in_feedback()
    for _ in range(3):
        story.does(b.OPERATOR, c.CallBack.model_validate({"channel": channel}))
    assert story.demand.stage is Stage.FEEDBACK, "three calls in a minute are not a ladder over days"
    story.lives(days=2)
    assert story.demand.outcome is Outcome.UNCONFIRMED and "feedback_given" not in story.types()


def test_the_ladder_climbs_by_itself_over_days() -> None:
    story = b.in_feedback().lives(days=1)
    assert story.demand.stage is Stage.FEEDBACK
    story.lives(days=6)
    assert story.demand.outcome is Outcome.UNCONFIRMED


def test_after_an_outage_one_attempt_is_counted_and_not_all_at_once() -> None:
    story = b.in_feedback().waits(days=60)
    story.rings()
    assert (story.demand.stage, story.demand.call_backs) == (Stage.FEEDBACK, 1)


def test_every_handling_is_asked_about_anew() -> None:
    story = b.in_feedback()
    story.does(b.OPERATOR, c.CallBack(channel="sms"))
    story.does(b.REPORTER, b.not_solved())
    story.does(b.WORKER, b.resolved())
    assert story.demand.call_backs == 0


@pytest.mark.parametrize("actor", [b.WORKER, b.NEIGHBOUR, b.SUPERVISOR, b.INTEGRATOR, b.CHAIR], ids=lambda a: a.id)
def test_nobody_answers_for_the_reporter_but_an_operator(actor: Actor) -> None:
    with pytest.raises(DomainError):
        b.in_feedback().does(actor, b.satisfied())
    b.in_feedback().does(b.OPERATOR, b.satisfied())


# ---- closed


def test_the_reporter_reopens_within_the_window() -> None:
    story = b.in_closed().lives(days=7, seconds=-1)
    story.does(b.REPORTER, c.Reopen())
    d = story.demand
    assert (d.stage, d.holder, d.outcome, d.closed_at, d.redos) == (Stage.GRID, b.WORKER.id, None, None, 1)


@pytest.mark.parametrize("heard", [True, False], ids=["bell heard", "bell not heard yet"])
def test_nobody_reopens_after_the_window(heard: bool) -> None:
    story = b.in_closed()
    story = story.lives(days=7) if heard else story.waits(days=7)
    with pytest.raises(DomainError, match=r"closed|reopen_window_over"):
        story.does(b.REPORTER, c.Reopen())


@pytest.mark.parametrize("actor", [b.NEIGHBOUR, b.WORKER, b.SUPERVISOR, b.SECRETARY], ids=lambda a: a.id)
def test_only_the_reporter_or_an_operator_reopens(actor: Actor) -> None:
    with pytest.raises(DomainError):
        b.in_closed().does(actor, c.Reopen())


def test_what_is_sealed_refuses_everything_from_everybody_with_one_code() -> None:
    story = b.in_closed().lives(days=8)
    assert story.demand.sealed and story.types()[-1] == "sealed"
    for actor in b.EVERYBODY:
        for command in (c.Note(note_id="t"), c.Reopen(), c.Withdraw(), c.Ring(), c.Accept(), c.Urge()):
            with pytest.raises(DomainError) as refused:
                story.does(actor, command)
            assert refused.value.code == "closed"


def test_a_third_reopening_goes_to_the_meeting() -> None:
    story = b.in_closed()
    for _ in range(2):
        story.does(b.REPORTER, c.Reopen())
        story.does(b.WORKER, b.resolved())
        story.does(b.REPORTER, b.satisfied())
    story.waits(hours=1).does(b.REPORTER, c.Reopen())
    assert (story.demand.stage, story.demand.meeting) == (Stage.MEETING, b.COMMUNITY)
    assert story.demand.clocks[ClockName.RESOLVE].running


def test_a_demand_that_waited_in_closed_is_not_late_because_of_it() -> None:
    story = b.in_closed()
    before = story.demand.clocks[ClockName.RESOLVE].due_at
    story.lives(days=6).does(b.REPORTER, c.Reopen())
    story.lives(hours=1)
    assert not story.demand.clocks[ClockName.RESOLVE].breached
    assert story.demand.clocks[ClockName.RESOLVE].due_at > before + timedelta(days=3)


def test_the_end_of_a_withdrawal_carries_the_reason_before_it_closes() -> None:
    story = b.in_grid()
    story.does(b.REPORTER, c.Withdraw(note_id="t-why"))
    types = story.types()
    assert types.index("note_added") < types.index("closed"), "nothing is added to a demand that is closed for good"
