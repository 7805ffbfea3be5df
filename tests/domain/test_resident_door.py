"""Reporters without an account: whom the rules take for the reporter, what each pass opens and when it ends, in what words."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import get_args

import pytest

from domain.actors import Actor, Grant, reporter_of
from domain.commands import Refuse
from domain.demand import Demand
from domain.events import Event
from domain.files import may_see_file
from domain.ledger import Entry
from domain.lifecycle import may_see, permitted, speaks_for_reporters
from domain.privacy import REPORTER_FIELDS, Field, Sight, sight, speaks_for, text_sight
from domain.resident_door import OPENS, is_over, reporter, round_began
from domain.resident_words import _OF_THEIR_OWN, _TELLS, ENDED, next_of, stage_words, told
from domain.retention import LinkRules
from domain.vocabulary import ClockName, Outcome, Role, Stage
from tests.domain.builders import (
    ADMIN,
    INTEGRATOR,
    LIAISONS,
    NUMBER,
    OPERATOR,
    REPORTER,
    SUPERVISOR,
    WORKER,
    a_demand,
    in_closed,
    in_feedback,
    in_unit,
    not_solved,
    resolved,
    satisfied,
)

RULES = LinkRules()
BY_LINK = reporter(NUMBER)


@pytest.mark.parametrize("stage", Stage)
def test_by_link_one_may_what_a_reporter_may_and_nothing_else(stage: Stage) -> None:
    d = a_demand(stage)
    assert permitted(d, BY_LINK) == permitted(d, REPORTER) != ()
    assert may_see(d, BY_LINK) and speaks_for(d, BY_LINK)


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize(
    "stranger",
    [
        reporter("D-2"),
        Actor(id=reporter_of(NUMBER)),
        Actor(id=reporter_of(NUMBER), grants=(Grant(role=Role.INTEGRATOR, community="c2"),)),
        Actor(id=NUMBER, grants=(Grant(role=Role.RESIDENT),)),
    ],
    ids=["another demand's", "without the role", "with another role", "the bare number"],
)
def test_nobody_else_is_taken_for_the_reporter(stage: Stage, stranger: Actor) -> None:
    assert permitted(a_demand(stage), stranger) == ()


def test_the_log_says_that_the_reporter_did_it_and_not_who_opened_it() -> None:
    story = in_feedback(opened_by=OPERATOR.id)
    story.does(BY_LINK, satisfied())
    assert story.demand.stage is Stage.CLOSED
    answered = next(entry for entry in story.entries if entry.type == "feedback_given")
    assert answered.actor == f"reporter:{NUMBER}"


def test_who_handles_it_is_not_told_the_code() -> None:
    assert all(speaks_for_reporters(one) for one in (REPORTER, OPERATOR, INTEGRATOR))
    assert not any(speaks_for_reporters(one) for one in (WORKER, SUPERVISOR, ADMIN))


def test_what_a_reporter_wrote_and_sent_by_link_is_theirs() -> None:
    d = a_demand(Stage.GRID)
    assert all(sight(d, BY_LINK, field) is Sight.FULL for field in (*REPORTER_FIELDS, Field.PUBLIC_TEXT))
    assert sight(d, BY_LINK, Field.INTERNAL_TEXT) is Sight.NONE
    photo = {"uploader": BY_LINK.id, "attached_with": "attach"}
    assert may_see_file(d, BY_LINK, **photo) and may_see_file(d, REPORTER, **photo)
    assert not may_see_file(d, BY_LINK, uploader=WORKER.id, attached_with="note")
    assert not may_see_file(d, reporter("D-2"), **photo)


def test_what_the_reporter_said_by_link_is_read_by_the_account_too_but_not_by_who_opened_it_for_another() -> None:
    said = {"kind": "note", "author": BY_LINK.id}
    assert text_sight(a_demand(Stage.GRID), REPORTER, **said) is Sight.FULL
    assert text_sight(a_demand(Stage.GRID, opened_by=INTEGRATOR.id), INTEGRATOR, **said) is Sight.NONE


# ---- until when


def test_a_link_to_the_questions_ends_with_the_reopen_window() -> None:
    d = in_closed().demand
    asked, until = round_began(d), d.clocks[ClockName.REOPEN].due_at
    assert not is_over(d, "answer", asked, RULES, until - timedelta(seconds=1))
    assert is_over(d, "answer", asked, RULES, until)
    sealed = d.model_copy(update={"sealed": True})
    assert is_over(sealed, "answer", asked, RULES, until - timedelta(days=1))


def test_a_link_of_an_earlier_round_is_over_once_another_has_begun() -> None:
    story = in_feedback()
    first = round_began(story.demand)
    story.does(REPORTER, not_solved())
    assert not is_over(story.demand, "answer", first, RULES, story.now), "it still shows what was answered"
    story.waits(hours=1).does(WORKER, resolved())
    assert is_over(story.demand, "answer", first, RULES, story.now)
    assert not is_over(story.demand, "answer", round_began(story.demand), RULES, story.now)


def test_what_follows_a_demand_ends_some_time_after_closing_and_never_before() -> None:
    open_one, d = a_demand(Stage.MEETING), in_closed().demand
    assert d.closed_at is not None
    end = d.closed_at + timedelta(days=RULES.days_after_closing)
    for kind in ("follow", "session"):
        assert not is_over(open_one, kind, None, RULES, end + timedelta(days=5_000))
        assert not is_over(d, kind, None, RULES, end - timedelta(seconds=1))
        assert is_over(d, kind, None, RULES, end)


def test_what_each_pass_opens() -> None:
    assert set(OPENS["answer"]) == {"confirm", "note", "attach", "reopen"}
    assert set(OPENS["follow"]) == set(OPENS["session"])
    assert set(OPENS["follow"]) - set(OPENS["answer"]) == {"urge", "withdraw", "unmerge", "contact"}


# ---- in what words


@pytest.mark.parametrize("stage", Stage)
def test_every_stage_has_words_and_an_instant_or_an_end(stage: Stage) -> None:
    d = a_demand(stage)
    zh, en = stage_words(d)
    assert re.search("[\u4e00-\u9fff]", zh) and en.isascii()
    following = next_of(d)
    assert following is not None and following.due_at is not None and not following.late


def test_every_outcome_has_words() -> None:
    assert set(ENDED) == set(Outcome)


def test_what_was_missed_is_not_hidden() -> None:
    d = a_demand(Stage.GRID)
    missed = {name: clock.model_copy(update={"breached": True}) for name, clock in d.clocks.items()}
    following = next_of(d.model_copy(update={"clocks": missed}))
    assert following is not None and following.late
    assert following.due_at == min(clock.due_at for clock in missed.values())


def told_of(demand: Demand, entries: list[Entry]) -> list[str]:
    found = [told(one.type, one.at, one.data, own=one.actor in (REPORTER.id, BY_LINK.id)) for one in entries]
    return [one.words[1] for one in found if one is not None]


def test_the_history_tells_what_concerns_the_reporter_and_nothing_of_the_house() -> None:
    story = in_unit("A", "B")
    for actor, command in (
        (LIAISONS["A"], Refuse(basis="no_power")),
        (LIAISONS["B"], resolved()),
        (BY_LINK, satisfied()),
    ):
        story.waits(minutes=5).does(actor, command)
    said = told_of(story.demand, story.entries)
    assert said[0] == "Your demand was received" and said[-1] == ENDED[Outcome.RESOLVED][1]
    assert {"Handled, with a reply", "You said how it was"} <= set(said)
    assert not any("refus" in one or "liaison" in one or "task" in one for one in said), said


def test_notes_of_others_are_not_told_and_broken_promises_are() -> None:
    at = in_feedback().now
    assert told("note_added", at, {"note_id": "n"}, own=False) is None
    assert told("note_added", at, {"note_id": "n"}, own=True) is not None
    assert told("clock_breached", at, {"clock": "accept"}, own=False) is None
    assert told("clock_breached", at, {"clock": "resolve"}, own=False) is not None
    assert told("final_reply_proposed", at, {"reply_id": "r", "chair": "c"}, own=False) is None


def test_every_event_that_is_told_is_an_event_that_there_is() -> None:
    known = {str(one.model_fields["type"].default) for one in get_args(get_args(Event)[0])}
    assert known > set(_TELLS) | set(_OF_THEIR_OWN)
