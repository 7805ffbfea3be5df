"""The call-back ladder: link, message, call, visit, over days, at decent hours; no answer is never satisfied."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.call_backs import CallBackPlan, Hours
from domain.errors import DomainError
from domain.vocabulary import ClockName, Outcome, Role, Stage
from tests.domain import builders as b


def asked(story: b.Story) -> list[tuple[str, str | None]]:
    return [(x.data["channel"], x.data.get("person")) for x in story.entries if x.type == "reporter_asked"]


def a_story(plan: CallBackPlan | None = None, *, reach: tuple[str, ...] = ("phone",), **changes: Any) -> b.Story:
    return b.in_feedback(promise=b.asking_by(b.a_promise(), plan or b.a_plan()), reach=reach, **changes)


def test_the_whole_ladder_in_order_each_rung_by_whoever_owes_it() -> None:
    story = a_story()
    assert asked(story) == [("link", None)] and story.demand.holder == b.OPERATOR.id
    first = story.demand.clocks[ClockName.CALL_BACK].due_at
    assert first == b.MONDAY_NINE + timedelta(hours=5, minutes=30), "four working hours, with the noon between"
    story.lives(days=2)
    assert asked(story) == [
        ("link", None), ("sms", None), ("phone", b.OPERATOR.id), ("visit", b.SUBSTITUTE.id),
    ], "the substitute visits: how it was is not asked by whoever did it"  # fmt: skip
    assert story.demand.holder == b.SUBSTITUTE.id and story.demand.stage is Stage.FEEDBACK
    story.lives(days=3)
    assert story.demand.outcome is Outcome.UNCONFIRMED and not story.demand.sealed


def test_a_unit_that_did_the_work_is_asked_after_by_the_grids_worker() -> None:
    story = b.in_unit(promise=b.asking_by(b.a_promise(), b.a_plan()), reach=("phone",))
    story.does(b.LIAISONS["A"], b.resolved())
    story.lives(days=2)
    assert asked(story)[-1] == ("visit", b.WORKER.id)


@pytest.mark.parametrize(
    ("reach", "channels"),
    [
        (("phone",), ["link", "sms", "phone", "visit"]), (("account",), ["link", "visit"]), (("email",), ["link", "visit"]),
        ((), ["visit"]),
    ],
)  # fmt: skip
def test_only_what_can_reach_the_reporter_is_tried(reach: tuple[str, ...], channels: list[str]) -> None:
    story = a_story(reach=reach).lives(days=7)
    assert [channel for channel, _ in asked(story)] == channels and story.demand.stage is Stage.CLOSED


@pytest.mark.parametrize(
    ("results", "outcome"),
    [
        ((), Outcome.UNCONFIRMED),
        (("no_answer",), Outcome.UNREACHABLE),
        (("wrong_number", "no_answer"), Outcome.UNREACHABLE),
        (("no_answer", "declined"), Outcome.UNCONFIRMED),
    ],
)
def test_unreachable_is_who_was_tried_in_person_and_never_met(results: tuple[str, ...], outcome: Outcome) -> None:
    story = a_story()
    for result in results:
        story.does(b.OPERATOR, c.CallBack.model_validate({"channel": "phone", "result": result}))
    story.lives(days=7)
    assert story.demand.outcome is outcome and "feedback_given" not in story.types()


def test_who_declines_is_not_asked_again() -> None:
    story = a_story()
    story.does(b.OPERATOR, c.CallBack(channel="phone", result="declined"))
    assert story.demand.outcome is Outcome.UNCONFIRMED and story.now == b.MONDAY_NINE


def test_the_follow_up_is_kept_by_asking_in_person_and_broken_by_not_asking() -> None:
    kept = a_story().lives(days=1)
    kept.does(b.OPERATOR, c.CallBack(channel="phone"))
    kept.lives(days=10)
    assert not kept.demand.clocks[ClockName.FOLLOW_UP].breached
    forgotten = a_story(b.a_plan(ends=b.a_budget(3, "working_days"))).lives(days=10)
    assert forgotten.demand.clocks[ClockName.FOLLOW_UP].breached


def test_an_unreachable_reporter_may_still_reopen() -> None:
    story = a_story()
    story.does(b.OPERATOR, c.CallBack(channel="phone"))
    story.lives(days=6)
    assert story.demand.outcome is Outcome.UNREACHABLE
    story.does(b.REPORTER, c.Reopen())
    assert (story.demand.stage, story.demand.holder) == (Stage.GRID, b.WORKER.id)


def test_at_night_nobody_is_asked() -> None:
    night = datetime(2027, 3, 8, 14, 30, tzinfo=UTC)  # 22:30 in Shanghai
    story = a_story(now=night)
    assert asked(story) == []
    assert story.demand.clocks[ClockName.CALL_BACK].due_at == datetime(2027, 3, 9, 1, tzinfo=UTC)
    story.lives(hours=11)
    assert asked(story) == [("link", None)]


@pytest.mark.parametrize(
    ("wall", "expected"), [("08:59", "09:00"), ("09:00", "09:00"), ("19:59", "19:59"), ("20:00", "+09:00")]
)
def test_the_hours_begin_and_end_to_the_minute(wall: str, expected: str) -> None:
    zone = b.CALENDAR.table.zone
    at = datetime.combine(b.MONDAY_NINE.date(), datetime.strptime(wall, "%H:%M").time(), zone)  # noqa: DTZ007
    found = Hours().next(b.CALENDAR, at).astimezone(zone)
    assert f"{'+' if found.date() > at.date() else ''}{found:%H:%M}" == expected


def test_hours_that_never_come_are_refused() -> None:
    with pytest.raises(ValueError, match="begin before they end"):
        Hours.model_validate({"opens": "20:00", "closes": "09:00"})


def test_after_an_outage_one_rung_is_taken_and_not_all_at_once() -> None:
    story = a_story().waits(days=60)
    story.rings()
    assert [channel for channel, _ in asked(story)] == ["link", "sms"]


def test_every_handling_is_asked_about_anew_and_a_calendar_does_not_move_the_rungs() -> None:
    story = a_story().lives(days=1)
    at = story.demand.clocks[ClockName.CALL_BACK].due_at
    story.adopts(b.another_calendar())
    assert story.demand.clocks[ClockName.CALL_BACK].due_at == at
    story.does(b.REPORTER, b.not_solved())
    story.does(b.WORKER, b.resolved())
    assert story.demand.asked == 1 and asked(story)[-1] == ("link", None)


def test_evidence_is_asked_for_where_the_category_does() -> None:
    story = b.in_grid(promise=b.a_promise(evidence=True))
    with pytest.raises(DomainError, match="evidence_required"):
        story.does(b.WORKER, b.resolved())
    events = story.does(b.WORKER, c.Resolve(reply_id="t-reply", file_ids=("f-1",)))
    assert isinstance(events[0], e.FilesAttached) and story.demand.stage is Stage.FEEDBACK


def test_the_operator_records_what_the_reporter_said_on_the_phone() -> None:
    story = a_story().lives(days=1)
    story.does(b.an_actor(b.OPERATOR.id, Role.OPERATOR), b.satisfied())
    assert story.demand.outcome is Outcome.RESOLVED
