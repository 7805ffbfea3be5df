"""Each figure from logs that can be counted by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from domain import commands as c
from domain.kpi_definition import Definition, RateBook
from domain.kpi_words import figures_of, words_of
from domain.rates import Period, cases_in
from domain.tasks import CoUnit
from domain.vocabulary import Channel, ClockName, DecisionKind, Outcome, Satisfied, Solved
from tests.domain import builders as b
from tests.domain.counting import (
    APRIL,
    BOOK,
    MARCH,
    SHANGHAI,
    an_answer,
    counted,
    share,
    the_definition,
    types_behind,
    worth,
)

# ---- response


def test_accepted_and_contacted_in_time_is_a_response() -> None:
    story = b.in_grid()
    story.waits(hours=1).does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    assert counted(story, "response", Period(MARCH.start, story.now)) == [], "its time has not come yet"
    (case,) = counted(story, "response")
    assert case.value == 1
    assert case.at == datetime(2027, 3, 9, 9, 30, tzinfo=UTC), "when the later of both clocks is due"
    assert types_behind(story, case) == ["accepted", "reporter_contacted"]
    assert types_behind(story, case, "denominator") == ["clock_started", "clock_started"]


@pytest.mark.parametrize(
    ("live", "kept"),
    [
        (lambda s: s.waits(hours=2).does(b.SUBSTITUTE, c.Accept()), 0),
        (lambda s: s.does(b.WORKER, c.Accept()), 0),
        (lambda s: s.does(b.WORKER, b.resolved()), 0),
        (lambda s: (s.does(b.WORKER, c.Accept()), s.lives(days=2).does(b.WORKER, c.Contact())), 0),
        (lambda s: (s.does(b.WORKER, c.Contact()), s.does(b.WORKER, c.Escalate(reason="repeat"))), 1),
    ],
    ids=[
        "accepted at the very instant",
        "never contacted",
        "resolved without a word",
        "contacted late",
        "to a meeting",
    ],
)
def test_what_is_missing_makes_it_none(live: Callable[[b.Story], Any], kept: int) -> None:
    story = b.in_grid()
    live(story)
    assert share(story, "response") == (kept, 1)


def test_a_worker_who_found_it_needs_not_call_himself() -> None:
    story = b.in_grid(channel=Channel.PATROL)
    story.does(b.WORKER, b.resolved())
    assert share(story, "response") == (1, 1)
    assert share(story, "response", contact_not_needed=()) == (0, 1)


def test_a_response_counts_in_the_month_in_which_it_is_due() -> None:
    story = b.in_grid(now=datetime(2027, 3, 31, 1, 0, tzinfo=UTC))
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Contact())
    assert share(story, "response", MARCH) == (0, 0)
    assert share(story, "response", APRIL) == (1, 1)
    assert (len(counted(story, "opened", MARCH)), len(counted(story, "opened", APRIL))) == (1, 0)


def test_a_due_instant_moved_into_a_past_month_counts_when_it_was_moved() -> None:
    slow = b.with_budgets(b.a_promise(), contact=b.a_budget(7, "working_days"))
    story = b.in_grid(now=datetime(2027, 3, 30, 1, 0, tzinfo=UTC), promise=slow)
    story.does(b.WORKER, c.Accept())
    story.lives(days=3).does(b.SUPERVISOR, c.Reclassify(category="020101", promise=b.a_promise()))
    assert story.demand.clocks[ClockName.CONTACT].due_at < APRIL.start
    assert (share(story, "response", MARCH), share(story, "response", APRIL)) == ((0, 0), (0, 1))


def test_a_paused_clock_is_not_due() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    in_the_pause = Period(MARCH.start, story.now + timedelta(days=3))
    assert counted(story, "response", in_the_pause) == []


# ---- answers


def test_partly_solved_is_worth_what_the_definition_says() -> None:
    story = b.in_feedback()
    story.does(b.REPORTER, an_answer(Solved.PARTLY, Satisfied.BASICALLY))
    assert share(story, "resolution") == (Decimal("0.5"), 1)
    assert share(story, "resolution", partly=Decimal("0.3")) == (Decimal("0.3"), 1)
    assert share(story, "satisfaction") == (1, 1)
    assert share(story, "satisfaction", satisfied=(Satisfied.SATISFIED,)) == (0, 1)


def test_every_answer_counts_also_the_one_before_a_redo() -> None:
    story = b.in_feedback()
    story.does(b.REPORTER, b.not_solved())
    story.does(b.WORKER, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    assert share(story, "resolution") == (1, 2)
    assert share(story, "redo") == (1, 2)
    assert [types_behind(story, case) for case in counted(story, "redo")] == [["redo_ordered"], []]


def test_nobody_reached_is_no_answer_and_is_shown_beside() -> None:
    story = b.in_feedback().lives(days=20)
    assert story.demand.outcome is Outcome.UNCONFIRMED
    for figure in ("resolution", "satisfaction"):
        assert [case.excluded for case in counted(story, figure)] == ["unconfirmed"]


# ---- clocks


def test_a_clock_is_kept_missed_or_neither() -> None:
    story = b.in_unit("A", "B")
    story.waits(hours=1).does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    assert share(story, "on_time_refusal_window") == (1, 2), "A answered; B let its window pass by the end of March"
    story.waits(hours=0.5).does(b.LIAISONS["B"], c.Accept())
    assert share(story, "on_time_refusal_window") == (2, 2)
    assert share(story, "on_time_accept") == (1, 1)
    kept, missed = counted(story, "on_time_unit_due"), counted(story, "on_time_resolve")
    assert [(worth(case), case.where.unit) for case in kept] == [(0, "B")], "what A gave back was neither"
    assert [(worth(case), case.at) for case in missed] == [(0, datetime(2027, 3, 17, 9, 30, tzinfo=UTC))]


def test_silence_in_the_window_is_no_answer_in_time() -> None:
    story = b.in_unit("A").lives(days=2)
    assert share(story, "on_time_refusal_window") == (0, 1)
    assert share(story, "refusal") == (0, 1)
    assert share(story, "first_dispatch") == (1, 1)


def test_a_miss_stays_one_after_a_pause() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.lives(days=4)  # the contact was due on the second day
    story.does(b.WORKER, c.RequestInfo(reason="weather"))
    story.lives(days=2).does(b.WORKER, c.Resume())
    story.does(b.WORKER, c.Contact())
    (case,) = counted(story, "on_time_contact")
    assert (worth(case), case.at) == (0, datetime(2027, 3, 9, 9, 30, tzinfo=UTC))


def test_a_miss_that_another_class_makes_stays_one_after_the_pause() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept())
    story.lives(days=3).does(b.WORKER, c.RequestInfo(reason="weather"))
    shorter = b.with_budgets(b.a_promise(), resolve=b.a_budget(2, "working_days"))
    story.lives(days=1).does(b.SUPERVISOR, c.Reclassify(category="020101", promise=shorter))
    reclassified = story.now
    story.lives(hours=1).does(b.WORKER, c.Resume())
    story.does(b.WORKER, b.resolved())
    (case,) = counted(story, "on_time_resolve")
    assert (worth(case), case.at) == (0, reclassified), "when it was known; the month of the due instant may be over"
    assert case.where.category == "020101"


def test_an_outage_of_ours_misses_nothing_and_adds_nothing() -> None:
    heard, unheard = b.in_grid().lives(days=25), b.in_grid().waits(days=25)
    for kind in ("accept", "contact", "resolve"):
        for_both = [counted(s, f"on_time_{kind}") for s in (heard, unheard)]
        assert [(worth(x), x.at) for x in for_both[0]] == [(worth(x), x.at) for x in for_both[1]] != []


def test_a_co_units_part_is_its_own() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Accept())
    helper = CoUnit(unit="C", liaison="liaison-C")
    story.does(b.LIAISONS["A"], c.AddCoUnits(co_units=(helper, CoUnit(unit="D", liaison="liaison-D"))))
    story.does(b.LIAISONS["C"], c.CoDone(unit="C"))
    story.does(b.LIAISONS["D"], c.CoRefuse(unit="D", basis="no_power"))
    assert [(worth(x), x.where.unit) for x in counted(story, "on_time_co_due")] == [(1, "C")]
    assert {(worth(x), x.where.unit) for x in counted(story, "on_time_co_window")} == {(1, "C"), (1, "D")}
    assert {(worth(x), x.where.unit) for x in counted(story, "refusal")} == {(0, "A"), (0, "C"), (1, "D")}
    assert sorted(str(x.where.unit) for x in counted(story, "load")) == ["A", "C", "D"]
    assert [x.value for x in counted(story, "on_time_co_due", clocks=("co_window",))] == []


# ---- dispatch


def test_the_first_dispatch_is_wrong_when_it_is_refused_or_swapped() -> None:
    refused = b.in_unit("A", "B")
    refused.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    refused.does(b.LIAISONS["B"], c.Accept())
    swapped = b.in_unit("A")
    swapped.does(b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("B")))
    swapped.does(b.LIAISONS["B"], c.Accept())
    taken = b.in_grid()
    taken.does(b.WORKER, c.HandOff(routing=b.a_routing("A")))
    assert [share(story, "first_dispatch") for story in (refused, swapped, taken)] == [(0, 1), (0, 1), (1, 1)]
    assert [share(story, "refusal") for story in (refused, swapped)] == [(1, 2), (0, 1)]
    assert types_behind(refused, counted(refused, "refusal")[0]) == ["unit_refused"]


def test_a_substitute_of_the_same_grid_is_no_other_dispatch() -> None:
    story = b.in_grid().lives(hours=3)
    story.does(b.SUBSTITUTE, c.Accept())
    assert share(story, "first_dispatch") == (1, 1)
    assert share(story, "load") == (1, 1)


def test_what_a_meeting_assigned_cannot_be_refused() -> None:
    story = b.in_meeting()
    story.decides(DecisionKind.ASSIGN)
    assert (share(story, "first_dispatch"), share(story, "refusal")) == ((0, 0), (0, 0))
    assert [case.where.unit for case in counted(story, "load")] == ["D"]


def test_a_to_b_to_a_is_ping_pong() -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Refuse(basis="wrong_grid", place=b.another_place()))
    story.does(b.COLLEAGUE, c.Refuse(basis="wrong_grid", place=b.a_place()))
    story.does(b.WORKER, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    (case,) = counted(story, "ping_pong")
    assert (worth(case), types_behind(story, case)) == (1, ["worker_assigned"])
    straight = b.in_closed()
    assert share(straight, "ping_pong") == (0, 1)


def test_a_redo_asks_nobody_again() -> None:
    story = b.redone(b.in_grid(), 1)
    story.does(b.WORKER, b.resolved())
    assert share(story, "refusal") == (0, 1)
    refusing = b.redone(b.in_grid(), 1)
    refusing.does(b.WORKER, c.Refuse(basis="wrong_grid"))
    assert share(refusing, "refusal") == (1, 2), "but may say no"


def test_a_unit_that_would_get_it_again_is_ping_pong() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Escalate(reason="beyond_power"))
    story.decides(DecisionKind.RETURN_TO_GRID)
    story.does(b.WORKER, c.HandOff(routing=b.a_routing("A")))
    story.decides(DecisionKind.FINAL_REPLY)
    (case,) = counted(story, "ping_pong")
    assert (worth(case), types_behind(story, case)) == (1, ["sent_to_meeting"])


def test_a_closing_knows_only_what_came_before_it() -> None:
    story = b.in_closed()
    story.does(b.REPORTER, c.Reopen())
    story.does(b.WORKER, c.Refuse(basis="wrong_grid", place=b.another_place()))
    story.does(b.COLLEAGUE, c.Refuse(basis="wrong_grid", place=b.a_place()))
    story.does(b.WORKER, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    assert [worth(case) for case in counted(story, "ping_pong")] == [0, 1]


def test_given_again_to_who_refused_is_ping_pong_and_a_redo_is_not() -> None:
    again = b.in_grid()
    again.does(b.WORKER, c.Refuse(basis="wrong_grid"))
    again.does(b.DISPATCHER, c.Locate(place=b.a_place()))
    again.does(b.WORKER, b.resolved())
    redone = b.redone(b.in_unit("A"), 1)
    redone.does(b.LIAISONS["A"], b.resolved())
    for story, value in ((again, 1), (redone, 0)):
        story.does(b.REPORTER, b.satisfied())
        assert share(story, "ping_pong") == (value, 1)
    assert len(counted(redone, "load")) == 1


# ---- closing


def test_reopened_within_the_window_or_not() -> None:
    left, again = b.in_closed().lives(days=8), b.in_closed()
    again.waits(days=1).does(b.REPORTER, c.Reopen())
    assert (share(left, "reopen"), share(again, "reopen")) == ((0, 1), (1, 1))
    assert (len(counted(left, "closed")), len(counted(again, "closed"))) == (1, 0)
    assert share(again, "redo") == (0, 1), "that it was reopened is no redo of the resolution that was confirmed"


def test_on_the_spot_is_the_same_local_day_in_the_grid() -> None:
    at_once = b.in_grid(channel=Channel.PATROL)
    at_once.does(b.WORKER, b.resolved())
    next_day = b.in_grid(now=datetime(2027, 3, 8, 15, 30, tzinfo=UTC))  # half an hour before midnight
    next_day.waits(hours=1).does(b.WORKER, b.resolved())
    by_unit = b.in_unit("A")
    by_unit.does(b.LIAISONS["A"], b.resolved())
    assert [share(s, "on_the_spot") for s in (at_once, next_day, by_unit)] == [(1, 1), (0, 1), (0, 1)]


def test_what_was_on_the_spot_stays_so_when_a_unit_does_it_again() -> None:
    story = b.in_feedback()
    story.does(b.REPORTER, b.not_solved())
    story.does(b.WORKER, c.HandOff(routing=b.a_routing("A")))
    assert share(story, "on_the_spot") == (1, 1)


def test_a_meeting_yields_what_it_settles() -> None:
    shelved, assigned, left = b.shelved(days=10), b.in_meeting(), b.in_meeting()
    assigned.decides(DecisionKind.ESCALATE)
    assigned.decides(DecisionKind.ASSIGN)
    left.does(b.REPORTER, c.Withdraw())
    assert share(shelved, "meeting_yield") == (0, 1)
    assert share(assigned, "meeting_yield") == (1, 2)
    assert [case.excluded for case in counted(left, "meeting_yield")] == ["withdrawn"]
    shelved.lives(days=11)
    shelved.decides(DecisionKind.FINAL_REPLY)
    assert share(shelved, "meeting_yield") == (1, 2)
    assert share(shelved, "meeting_yield", settles=(DecisionKind.PROJECT,)) == (0, 2)


def test_what_ended_out_of_scope_or_withdrawn_stands_beside() -> None:
    screened, withdrawn = b.Story(screened="court"), b.in_grid()
    withdrawn.does(b.REPORTER, c.Withdraw())
    assert [case.excluded for case in counted(screened, "response")] == ["out_of_scope"]
    assert {case.excluded for case in counted(withdrawn, "response")} == {"withdrawn"}
    assert share(withdrawn, "response", excluded=()) == (0, 1)
    assert len(counted(withdrawn, "opened")) == len(counted(withdrawn, "closed")) == 1


def test_an_ending_that_was_taken_back_excludes_nothing() -> None:
    story = b.in_feedback().lives(days=6)
    excluded = (Outcome.UNCONFIRMED,)
    assert [case.excluded for case in counted(story, "on_the_spot", excluded=excluded)] == ["unconfirmed"]
    story.does(b.REPORTER, c.Reopen())
    assert [case.excluded for case in counted(story, "on_the_spot", excluded=excluded)] == [""]


# ---- months


def test_what_happens_later_changes_no_month_before() -> None:
    story = b.in_grid(now=datetime(2027, 3, 30, 1, 0, tzinfo=UTC))
    for command in (c.Accept(), c.Contact(), b.resolved()):
        story.does(b.WORKER, command)
    story.does(b.REPORTER, b.satisfied())
    story.lives(hours=48)
    before = cases_in(b.NUMBER, story.entries, the_definition(), MARCH, zone=SHANGHAI)
    story.does(b.REPORTER, c.Reopen())
    story.does(b.OPERATOR, c.Withdraw())
    assert cases_in(b.NUMBER, story.entries, the_definition(), MARCH, zone=SHANGHAI) == before
    assert counted(story, "closed", APRIL) != []


# ---- definitions


@pytest.mark.parametrize(
    "changes",
    [
        {"weights": {"response": 0.3, "resolution": 0.35, "satisfaction": 0.36}},
        {"partly": 1.5}, {"satisfied": ()}, {"excluded": ("gone",)}, {"clocks": ("reopen",)}, {"settles": ("later",)},
    ],
)  # fmt: skip
def test_a_definition_that_cannot_be_meant_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Definition.model_validate(b.RATES["definitions"][0] | changes)


def test_a_book_has_each_version_once_and_one_in_force() -> None:
    (only,) = b.RATES["definitions"]
    for broken in ({"in_force": "r2", "definitions": (only,)}, {"in_force": "r1", "definitions": (only, only)}):
        with pytest.raises(ValidationError):
            RateBook.model_validate(broken)
    assert BOOK.definition("r1") == BOOK.definition() and BOOK.definition("r2") is None


def test_every_figure_has_words_in_both_languages() -> None:
    definition = the_definition()
    for figure in figures_of(definition):
        assert all(text.strip() and "{" not in text for text in words_of(figure, definition))
