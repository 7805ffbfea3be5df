"""A joint meeting: who decides, what a decision needs, and that a demand takes whatever its meeting lets out."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.actors import SYSTEM, Actor
from domain.errors import DomainError
from domain.meeting import Decision, Item, Meeting, MeetingAct, decide_item
from domain.vocabulary import DecisionKind, Stage
from service.pack import load_pack
from tests.domain import builders as b

PACK = Path(__file__).resolve().parents[2] / "config" / "shengli-road"
NEEDS: dict[DecisionKind, dict[str, Any]] = {
    DecisionKind.ASSIGN: {"lead": b.a_candidate("D")},
    DecisionKind.PROJECT: {"lead": b.a_candidate("D")},
    DecisionKind.SHELVE: {"review_at": b.MONDAY_NINE + timedelta(days=20)},
    DecisionKind.FINAL_REPLY: {"reply_id": "t-final"},
}


def an_item(number: str = b.NUMBER, turn: int = 1) -> Item:
    return Item(number=number, turn=turn, community=b.COMMUNITY, reason="nobody_left", asked_at=b.MONDAY_NINE)


def a_meeting(*items: Item, scope: str | None = b.COMMUNITY) -> Meeting:
    upper: dict[str, Any] = {"upper": b.COMMITTEE, "upper_convener": b.SUPERVISOR.id} if scope else {}
    meeting = Meeting(id=scope or b.COMMITTEE, scope=scope, **upper)
    for item in items or (an_item(),):
        meeting = meeting.with_item(item)
    return meeting


def an_answer(kind: DecisionKind, actor: Actor = b.SECRETARY, **changes: Any) -> MeetingAct:
    said = {"number": b.NUMBER, "kind": kind} | NEEDS.get(kind, {}) | changes
    return MeetingAct(decision=Decision.model_validate(said), actor=actor)


def test_an_item_is_on_the_agenda_once_however_often_it_is_handed_in() -> None:
    meeting = a_meeting()
    assert meeting.with_item(an_item()) is meeting
    assert meeting.with_item(an_item(turn=2)).agenda[b.NUMBER].turn == 2


def test_a_late_repetition_of_an_earlier_visit_does_not_replace_a_newer_one() -> None:
    meeting = a_meeting(an_item(turn=3))
    assert meeting.with_item(an_item(turn=2)) is meeting


def test_a_decision_takes_its_item_off_and_leaves_the_others() -> None:
    meeting, _ = decide_item(a_meeting(an_item(), an_item("D-2")), an_answer(DecisionKind.SHELVE), b.MONDAY_NINE)
    assert set(meeting.agenda) == {"D-2"}


@pytest.mark.parametrize("actor", b.EVERYBODY, ids=lambda a: a.id)
def test_the_chair_and_the_secretary_of_the_community_decide_and_nobody_else(actor: Actor) -> None:
    act = an_answer(DecisionKind.RETURN_TO_GRID, actor)
    if actor in (b.CHAIR, b.SECRETARY):
        decide_item(a_meeting(), act, b.MONDAY_NINE)
        return
    with pytest.raises(DomainError, match="not_permitted"):
        decide_item(a_meeting(), act, b.MONDAY_NINE)


def test_a_supervisor_decides_in_the_committee_and_a_communitys_secretary_does_not() -> None:
    act = an_answer(DecisionKind.RETURN_TO_GRID, b.SUPERVISOR)
    decide_item(a_meeting(scope=None), act, b.MONDAY_NINE)
    with pytest.raises(DomainError, match="not_permitted"):
        decide_item(a_meeting(scope=None), an_answer(DecisionKind.RETURN_TO_GRID), b.MONDAY_NINE)


def test_whoever_chairs_a_meeting_of_the_reference_district_may_decide_in_it() -> None:
    district = load_pack(PACK)
    shut_out = []
    for settings in district.meetings:
        scope = None if settings.id == district.id else settings.id
        chair = district.person(district.chair_person(settings.id, b.MONDAY_NINE.date())).actor
        try:
            decide_item(a_meeting(scope=scope), an_answer(DecisionKind.RETURN_TO_GRID, chair), b.MONDAY_NINE)
        except DomainError:
            shut_out.append((settings.id, chair.id))
    assert not shut_out, "the page shows them as chair, and their decisions are refused"


def test_what_is_not_on_the_agenda_is_not_decided() -> None:
    act = an_answer(DecisionKind.RETURN_TO_GRID, number="D-9")
    with pytest.raises(DomainError, match="not_on_agenda"):
        decide_item(a_meeting(), act, b.MONDAY_NINE)


@pytest.mark.parametrize(
    ("kind", "missing", "code"),
    [
        (DecisionKind.ASSIGN, "lead", "unknown_unit"),
        (DecisionKind.PROJECT, "lead", "unknown_unit"),
        (DecisionKind.SHELVE, "review_at", "validation_failed"),
        (DecisionKind.FINAL_REPLY, "reply_id", "reply_required"),
    ],
)
def test_a_decision_without_what_it_needs_is_refused(kind: DecisionKind, missing: str, code: str) -> None:
    with pytest.raises(DomainError, match=code):
        decide_item(a_meeting(), an_answer(kind, b.SECRETARY, **{missing: None}), b.MONDAY_NINE)


def test_a_review_date_lies_ahead() -> None:
    with pytest.raises(DomainError, match="validation_failed"):
        decide_item(a_meeting(), an_answer(DecisionKind.SHELVE, review_at=b.MONDAY_NINE), b.MONDAY_NINE)


@pytest.mark.parametrize("field", ["review_at", "due_at"])
def test_an_instant_without_a_time_zone_is_refused_before_it_can_stop_a_demand(field: str) -> None:
    naive = (b.MONDAY_NINE + timedelta(days=5)).replace(tzinfo=None)
    with pytest.raises(ValueError, match="timezone"):
        an_answer(DecisionKind.ASSIGN, b.SECRETARY, **{field: naive})
    with pytest.raises(ValueError, match="timezone"):
        b.a_decision(DecisionKind.ASSIGN, b.in_meeting().demand, **{field: naive})


def test_the_committee_has_nobody_above_it() -> None:
    with pytest.raises(DomainError, match="stage_forbids"):
        decide_item(a_meeting(scope=None), an_answer(DecisionKind.ESCALATE, b.SUPERVISOR), b.MONDAY_NINE)


@pytest.mark.parametrize("kind", DecisionKind)
@pytest.mark.parametrize("delay", [timedelta(0), timedelta(days=90)], ids=["at once", "after an outage"])
def test_a_demand_takes_whatever_its_meeting_lets_out(kind: DecisionKind, delay: timedelta) -> None:
    story = b.in_meeting()
    _, command = decide_item(a_meeting(), an_answer(kind), story.now)
    story.now += delay
    story.does(SYSTEM, command)
    if not story.demand.sealed:
        story.rings()
    assert story.demand.stage is not Stage.MEETING or story.demand.turn == 2 or story.demand.shelved


def test_a_meeting_survives_storage() -> None:
    meeting = a_meeting(an_item(), an_item("D-2"))
    assert Meeting.model_validate_json(meeting.model_dump_json(exclude_defaults=True)) == meeting
