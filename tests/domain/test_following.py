"""Duplicates: one handling, and every reporter hears and rates the end; what was merged by mistake goes on as if it had not."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.actors import SYSTEM, Actor
from domain.errors import DomainError
from domain.following import word_for_followers
from domain.lifecycle import permitted
from domain.vocabulary import ClockName, DecisionKind, Outcome, Stage
from tests.domain import builders as b


def settle(**changes: object) -> c.Settle:
    said = {"primary": "D-2", "reply_id": "t-own", "outcome": "resolved", "handler": b.COLLEAGUE.id}
    return c.Settle.model_validate(said | changes)


def test_a_duplicate_keeps_its_residents_clock_and_rests_the_others() -> None:
    story = b.following()
    running = {name for name, clock in story.demand.clocks.items() if clock.running}
    assert running == {ClockName.RESOLVE}
    assert (story.demand.holder, story.demand.kept_holder) == (b.OPERATOR.id, b.WORKER.id)
    assert story.demand.due_at == story.demand.clocks[ClockName.RESOLVE].due_at


@pytest.mark.parametrize("start", [b.in_grid, b.in_unit, b.paused, b.in_intake, b.in_meeting], ids=lambda f: f.__name__)
def test_unmerging_restores_the_clocks_with_the_time_that_was_left(start: object) -> None:
    story: b.Story = start()  # type: ignore[operator]
    twin: b.Story = start()  # type: ignore[operator]
    story.lives(hours=1)
    twin.lives(hours=1)
    left = {n: k.due_at - story.now for n, k in story.demand.clocks.items() if k.running}
    b.following(story)
    story.lives(days=1)
    story.does(b.SUPERVISOR, c.Unmerge())
    d = story.demand
    assert d.primary is None and not any(clock.paused_at for clock in d.clocks.values())
    assert d.clocks[ClockName.RESOLVE].due_at == twin.demand.clocks[ClockName.RESOLVE].due_at or start is b.paused
    for name in (ClockName.ACCEPT, ClockName.REFUSAL_WINDOW):
        if name in left:
            assert d.clocks[name].running and not d.clocks[name].breached
    assert d.holder == (b.WORKER.id if start is b.in_intake else twin.demand.holder)


def test_nothing_else_can_be_done_to_a_duplicate_while_its_primary_is_handled() -> None:
    story = b.following()
    for command in (c.Accept(), b.resolved(), c.HandOff(routing=b.a_routing("A")), c.RequestInfo(reason="weather")):
        with pytest.raises(DomainError, match="merged"):
            story.does(b.WORKER, command)
    assert permitted(story.demand, b.WORKER) == ("note", "attach")
    assert permitted(story.demand, b.REPORTER) == ("unmerge", "withdraw", "urge", "note", "attach")


def test_its_reporter_hears_the_end_and_is_asked_for_themselves() -> None:
    story = b.following()
    story.does(SYSTEM, settle())
    d = story.demand
    assert (d.stage, d.reply_id, d.handler, d.primary) == (Stage.FEEDBACK, "t-own", b.COLLEAGUE.id, "D-2")
    assert d.clocks[ClockName.CALL_BACK].running and d.clocks[ClockName.ACCEPT].stopped_at == story.now
    story.does(b.REPORTER, b.satisfied())
    assert story.demand.outcome is Outcome.RESOLVED


def test_what_others_looked_at_once_is_not_looked_at_again_for_each_reporter() -> None:
    story = b.following(b.in_grid(promise=b.a_promise(verify=True)))
    story.does(SYSTEM, settle())
    assert not story.demand.awaiting_verification and story.demand.clocks[ClockName.CALL_BACK].running


def test_a_reporter_who_is_not_content_gets_a_handling_of_their_own() -> None:
    story = b.following()
    story.does(SYSTEM, settle())
    story.does(b.REPORTER, b.not_solved())
    d = story.demand
    assert (d.stage, d.holder, d.primary, d.redos) == (Stage.GRID, b.WORKER.id, None, 1)
    assert d.clocks[ClockName.RESOLVE].running


def test_a_final_reply_answers_those_who_follow() -> None:
    story = b.following()
    story.does(SYSTEM, settle(outcome="final_reply"))
    assert (story.demand.outcome, story.demand.reply_id, story.demand.sealed) == (Outcome.FINAL_REPLY, "t-own", True)


def test_what_happens_to_the_primary_is_told_once_and_in_any_order() -> None:
    story = b.following()
    with pytest.raises(DomainError, match="does not follow"):
        story.does(SYSTEM, settle(primary="D-9"))
    story.does(SYSTEM, settle())
    with pytest.raises(DomainError):
        story.does(SYSTEM, settle())
    with pytest.raises(DomainError):
        story.does(SYSTEM, c.LosePrimary(primary="D-2"))


@pytest.mark.parametrize(("heir", "follows"), [("D-3", "D-3"), (b.NUMBER, None), (None, None)])
def test_a_primary_that_is_withdrawn_leaves_an_heir(heir: str | None, follows: str | None) -> None:
    story = b.following()
    story.does(SYSTEM, c.LosePrimary(primary="D-2", heir=heir))
    d = story.demand
    assert (d.primary, d.holder) == (follows, b.OPERATOR.id if follows else b.WORKER.id)
    assert (d.clocks[ClockName.ACCEPT].running) == (follows is None)
    if follows:
        story.does(b.OPERATOR, c.Unmerge())
        assert story.demand.holder == b.WORKER.id


def test_the_same_person_who_said_it_twice_is_answered_at_once() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Merge(primary="D-2", same_reporter=True))
    assert (story.demand.outcome, story.demand.reply_id) == (Outcome.DUPLICATE, "duplicate:D-2")


def test_no_circles_and_no_chains() -> None:
    with pytest.raises(DomainError, match="merge_circle"):
        b.in_grid().does(b.WORKER, c.Merge(primary=b.NUMBER))
    primary = b.in_grid()
    primary.does(SYSTEM, c.Join(number="D-3"))
    with pytest.raises(DomainError, match="merge_circle"):
        primary.does(b.WORKER, c.Merge(primary="D-2"))
    with pytest.raises(DomainError, match="merged"):
        b.following().does(b.SUPERVISOR, c.Merge(primary="D-3"))


def test_a_demand_without_a_place_takes_its_primarys() -> None:
    story = b.in_intake()
    with pytest.raises(DomainError, match="unknown_place"):
        story.does(b.OPERATOR, c.Merge(primary="D-2"))
    b.following(story)
    assert (story.demand.stage, story.demand.worker) == (Stage.GRID, b.WORKER.id)


def test_a_duplicate_holds_up_no_unit() -> None:
    story = b.in_unit()
    assert story.demand.unit == "A"
    b.following(story)
    assert story.demand.unit is None
    story.does(b.OPERATOR, c.Unmerge())
    assert (story.demand.unit, story.demand.holder) == ("A", "liaison-A")


def test_a_broken_promise_of_a_duplicate_is_known_but_brings_no_second_item_to_the_meeting() -> None:
    story = b.following().lives(days=60)
    assert story.demand.clocks[ClockName.RESOLVE].breached and story.demand.stage is Stage.GRID


def test_the_primary_knows_who_follows_and_gets_hotter() -> None:
    primary = b.in_meeting()
    for number in ("D-3", "D-4", "D-5"):
        primary.does(SYSTEM, c.Join(number=number))
    with pytest.raises(DomainError, match="already"):
        primary.does(SYSTEM, c.Join(number="D-3"))
    primary.does(SYSTEM, c.Leave(number="D-4"))
    assert primary.demand.followers == ("D-3", "D-5")
    from domain.meeting import item_of

    assert item_of(primary.demand).reporters == 3


@pytest.mark.parametrize("actor", [b.REPORTER, b.SUPERVISOR, b.ADMIN, b.INTEGRATOR], ids=lambda a: a.id)
def test_nobody_outside_speaks_for_another_workflow(actor: Actor) -> None:
    for command in (settle(), c.LosePrimary(primary="D-2")):
        with pytest.raises(DomainError):
            b.following().does(actor, command)
    for command in (c.Join(number="D-8"), c.Leave(number="D-8")):
        with pytest.raises(DomainError):
            b.in_grid().does(actor, command)  # type: ignore[arg-type]


def test_what_followers_are_told_follows_from_where_the_primary_stands() -> None:
    assert word_for_followers(b.in_grid().demand) is None
    waiting = b.in_feedback(promise=b.a_promise(verify=True))
    assert word_for_followers(waiting.demand) is None, "nobody has looked yet"
    done = word_for_followers(b.in_feedback().demand)
    assert isinstance(done, c.Settle) and (done.outcome, done.handler) == (Outcome.RESOLVED, b.WORKER.id)
    meeting = b.in_meeting()
    meeting.decides(DecisionKind.FINAL_REPLY)
    final = word_for_followers(meeting.demand)
    assert isinstance(final, c.Settle) and final.outcome is Outcome.FINAL_REPLY
    for ended in (b.in_sealed(), b.following()):
        assert isinstance(word_for_followers(ended.demand), c.LosePrimary)


def test_time_merged_is_no_time_lost_or_won_for_the_resident() -> None:
    story, alone = b.in_grid(), b.in_grid()
    story.lives(hours=1)
    b.following(story)
    story.waits(hours=3)
    story.does(b.SUPERVISOR, c.Unmerge())
    alone.waits(hours=4)
    assert story.demand.clocks[ClockName.RESOLVE] == alone.demand.clocks[ClockName.RESOLVE]
    assert story.demand.clocks[ClockName.ACCEPT].due_at - alone.demand.clocks[ClockName.ACCEPT].due_at >= timedelta(
        hours=2
    )
