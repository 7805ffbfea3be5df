"""Sessions of a joint meeting: called, opened, attended; deciding in them; what rolls over; what happens by itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.actors import Actor
from domain.cadence import Cadence, next_sitting, sittings
from domain.convening import (
    Arrive,
    Attend,
    Blow,
    Call,
    Close,
    Consent,
    Convene,
    Open,
    SessionAct,
    Turned,
    call_regular,
    hold,
    next_bell,
    ring,
)  # fmt: skip
from domain.errors import DomainError
from domain.meeting import Decision, Item, Meeting, MeetingAct, RulingMade, decide_item
from domain.session import LAPSES_AFTER, Chair, Rules, Session, SessionState
from domain.tasks import CoUnit
from domain.vocabulary import DecisionKind, Role
from tests.domain import builders as b

NOW = b.MONDAY_NINE
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MEMBERS = {unit: actor.id for unit, actor in b.LIAISONS.items()}
RULES = Rules(quorum=2, agenda_cutoff_days=3, members=MEMBERS)
CHAIR = Chair(person=b.CHAIR.id, unit="A", how="rotation")
ID = "extra-1"


def an_item(number: str = b.NUMBER, *, asked_at: datetime = NOW - DAY, **more: Any) -> Item:
    return Item(number=number, turn=1, community=b.COMMUNITY, reason="nobody_left", asked_at=asked_at, **more)


def a_meeting(*items: Item, rules: Rules | None = RULES) -> Meeting:
    meeting = Meeting(id="m", scope=b.COMMUNITY, upper=b.COMMITTEE, upper_convener=b.SUPERVISOR.id, rules=rules)
    for item in items or (an_item(),):
        meeting = meeting.with_item(item)
    return meeting


def does(meeting: Meeting, actor: Actor, command: Any, now: datetime = NOW) -> Turned:
    return hold(meeting, SessionAct(command=command, actor=actor), now)


def code_of(meeting: Meeting, actor: Actor, command: Any, now: datetime = NOW) -> str:
    with pytest.raises(DomainError) as refused:
        does(meeting, actor, command, now)
    return refused.value.code


def decides(
    meeting: Meeting, number: str = b.NUMBER, actor: Actor = b.CHAIR, now: datetime = NOW, **more: Any
) -> Meeting:
    said = {"number": number, "kind": DecisionKind.RETURN_TO_GRID, **more}
    after, _ = decide_item(meeting, MeetingAct(decision=Decision.model_validate(said), actor=actor), now)
    return after


def refused_decision(meeting: Meeting, *args: Any, **more: Any) -> str:
    with pytest.raises(DomainError) as refused:
        decides(meeting, *args, **more)
    return refused.value.code


def in_session(*items: Item, units: tuple[str, ...] = ("A", "B"), **convene: Any) -> Meeting:
    """An extra session that is open and attended."""
    meeting = does(a_meeting(*items), b.SECRETARY, Convene(session=ID, rules=RULES, **convene)).meeting
    meeting = does(meeting, b.CHAIR, Open(session=ID, chair=CHAIR)).meeting
    return does(meeting, b.SECRETARY, Attend(session=ID, units=units)).meeting if units else meeting


# ---- deciding


def test_a_meeting_with_rules_decides_only_in_an_open_session_with_quorum() -> None:
    called = does(a_meeting(), b.SECRETARY, Convene(session=ID, rules=RULES)).meeting
    assert refused_decision(a_meeting()) == refused_decision(called) == "no_session"
    assert refused_decision(in_session(units=("A",))) == "no_quorum"
    after = decides(in_session())
    assert not after.agenda and after.sessions[ID].decided == 1


def test_a_meeting_of_release_0_1_decides_without_a_session() -> None:
    assert not decides(a_meeting(rules=None)).agenda
    old = Meeting.model_validate_json('{"id": "m", "scope": "c1", "agenda": {}}')
    assert old.rules is None and not old.sessions


def test_the_decision_carries_the_sessions_chair_whoever_enters_it() -> None:
    act = MeetingAct(decision=Decision(number=b.NUMBER, kind=DecisionKind.RETURN_TO_GRID), actor=b.SECRETARY)
    _, command = decide_item(in_session(), act, NOW)
    assert command.chair == b.CHAIR.id


@pytest.mark.parametrize("actor", b.EVERYBODY, ids=lambda a: a.id)
def test_in_session_its_chair_and_the_secretary_decide_and_nobody_else(actor: Actor) -> None:
    if actor in (b.CHAIR, b.SECRETARY):
        assert not decides(in_session(), actor=actor).agenda
    else:
        assert refused_decision(in_session(), actor=actor) == "not_permitted"


def test_somebody_who_may_chair_at_other_times_does_not_decide_in_this_session() -> None:
    other = b.an_actor("next-month", Role.CHAIR, community=b.COMMUNITY)
    assert refused_decision(in_session(), actor=other) == "not_permitted"


def test_a_late_item_needs_the_chairs_consent() -> None:
    late = an_item("D-2", asked_at=NOW + HOUR)
    meeting = in_session(an_item(), late)
    assert refused_decision(meeting, "D-2") == "late_item"
    for somebody in (b.SECRETARY, b.SUPERVISOR, b.LIAISONS["A"]):
        assert code_of(meeting, somebody, Consent(session=ID, number="D-2")) == "not_permitted"
    let_in = does(meeting, b.CHAIR, Consent(session=ID, number="D-2"))
    assert [s.consented for s in let_in.sessions] == [("D-2#1",)]
    assert set(decides(let_in.meeting, "D-2").agenda) == {b.NUMBER}
    assert does(let_in.meeting, b.CHAIR, Consent(session=ID, number="D-2")).meeting == let_in.meeting


def test_a_consent_is_for_one_visit_to_the_agenda() -> None:
    meeting = does(in_session(an_item(asked_at=NOW + HOUR)), b.CHAIR, Consent(session=ID, number=b.NUMBER)).meeting
    again = an_item(asked_at=NOW + HOUR).model_copy(update={"turn": 2})
    assert refused_decision(meeting.with_item(again)) == "late_item"


def test_co_units_travel_with_an_assignment_and_each_has_one_part() -> None:
    lead, helper = b.a_candidate("D"), CoUnit(unit="A", liaison=MEMBERS["A"])
    said = {"number": b.NUMBER, "kind": DecisionKind.ASSIGN, "lead": lead, "co_units": (helper,)}
    act = MeetingAct(decision=Decision.model_validate(said), actor=b.CHAIR)
    assert decide_item(in_session(), act, NOW)[1].co_units == (helper,)
    for wrong in (
        {"kind": DecisionKind.ASSIGN, "co_units": (helper, helper)},
        {"kind": DecisionKind.ASSIGN, "co_units": (CoUnit(unit="D", liaison="x"),)},
        {"kind": DecisionKind.RETURN_TO_GRID, "co_units": (helper,)},
    ):
        assert refused_decision(in_session(), lead=lead, **wrong) == "validation_failed"


def test_a_ruling_comes_with_an_assignment_and_ends_ahead() -> None:
    lead = b.a_candidate("D")
    ruling = RulingMade(category="0401", until=NOW + DAY)
    assert not decides(in_session(), kind=DecisionKind.ASSIGN, lead=lead, ruling=ruling).agenda
    for wrong in (
        {"kind": DecisionKind.PROJECT, "ruling": ruling},
        {"kind": DecisionKind.ASSIGN, "ruling": RulingMade(category="0401", until=NOW)},
        {"kind": DecisionKind.ASSIGN, "milestones": (NOW + DAY,)},
        {"kind": DecisionKind.PROJECT, "milestones": (NOW,)},
    ):
        assert refused_decision(in_session(), lead=lead, **wrong) == "validation_failed"


# ---- convening, opening, attending


@pytest.mark.parametrize("actor", b.EVERYBODY, ids=lambda a: a.id)
def test_the_chair_the_secretary_and_a_supervisor_convene(actor: Actor) -> None:
    command = Convene(session=ID, rules=RULES)
    if actor in (b.CHAIR, b.SECRETARY, b.SUPERVISOR):
        assert does(a_meeting(), actor, command).meeting.sessions[ID].state is SessionState.CALLED
    else:
        assert code_of(a_meeting(), actor, command) == "not_permitted"


def test_a_session_begins_ahead_and_its_agenda_closes_before_it() -> None:
    for wrong in ({"starts_at": NOW - HOUR}, {"starts_at": NOW + DAY, "cutoff_at": NOW + 2 * DAY}):
        command = Convene.model_validate({"session": ID, "rules": RULES, **wrong})
        assert code_of(a_meeting(), b.SECRETARY, command) == "validation_failed"


def test_a_session_is_opened_by_its_chair_or_the_secretary_not_long_before_its_time() -> None:
    called = does(a_meeting(), b.SECRETARY, Convene(session=ID, rules=RULES, starts_at=NOW + DAY)).meeting
    opening = Open(session=ID, chair=CHAIR)
    assert code_of(called, b.CHAIR, opening) == "no_session"
    assert code_of(called, b.LIAISONS["B"], opening, NOW + DAY) == "not_permitted"
    for who in (b.CHAIR, b.SECRETARY):
        opened = does(called, who, opening, NOW + DAY - HOUR).meeting.open_session
        assert opened is not None and opened.chair == CHAIR
    assert code_of(a_meeting(), b.CHAIR, opening) == "no_session"


def test_one_session_is_open_at_a_time() -> None:
    meeting = does(in_session(), b.SECRETARY, Convene(session="extra-2", rules=RULES)).meeting
    assert code_of(meeting, b.CHAIR, Open(session="extra-2", chair=CHAIR)) == "session_open"
    assert code_of(meeting, b.CHAIR, Open(session=ID, chair=CHAIR)) == "session_open"


def test_sessions_are_not_called_without_end() -> None:
    meeting = a_meeting()
    for count in range(8):
        meeting = does(meeting, b.SECRETARY, Convene(session=f"extra-{count}", rules=RULES)).meeting
    assert code_of(meeting, b.SECRETARY, Convene(session="extra-9", rules=RULES)) == "session_open"


def test_a_unit_is_spoken_for_by_its_liaison_or_by_who_keeps_the_list_and_counts_once() -> None:
    meeting = in_session(units=())
    assert code_of(meeting, b.LIAISONS["B"], Attend(session=ID, units=("A",))) == "not_permitted"
    assert code_of(meeting, b.SECRETARY, Attend(session=ID, units=("Z",))) == "unknown_unit"
    for _ in range(2):
        meeting = does(meeting, b.LIAISONS["A"], Attend(session=ID, units=("A",))).meeting
    assert not meeting.sessions[ID].has_quorum
    meeting = does(meeting, b.SECRETARY, Attend(session=ID, units=("A", "B", "B"))).meeting
    assert [(one.unit, one.person) for one in meeting.sessions[ID].present] == [
        ("A", b.LIAISONS["A"].id), ("B", b.SECRETARY.id)
    ]  # fmt: skip
    assert code_of(meeting, b.SECRETARY, Arrive(session=ID, units=("C",))) == "validation_failed"


# ---- closing


def test_what_is_left_undecided_rolls_over_and_counts_it() -> None:
    meeting = decides(in_session(an_item(), an_item("D-2"), an_item("D-3", asked_at=NOW + HOUR)))
    closed = does(meeting, b.CHAIR, Close(session=ID))
    assert [(s.state, s.decided, s.rolled_over) for s in closed.sessions] == [(SessionState.CLOSED, 1, ("D-2",))]
    assert {n: i.rolls for n, i in closed.meeting.agenda.items()} == {
        "D-2": 1,
        "D-3": 0,
    }  # D-3 was not yet its business
    assert [i.number for i in closed.items] == ["D-2"] and not closed.meeting.sessions


def test_without_quorum_everything_rolls_over() -> None:
    meeting = in_session(an_item(), an_item("D-2"), units=("A",))
    closed = does(meeting, b.CHAIR, Close(session=ID)).meeting
    assert {i.rolls for i in closed.agenda.values()} == {1}
    assert refused_decision(closed) == "no_session"


def test_who_called_a_session_may_call_it_off_and_not_close_it_once_it_sits() -> None:
    called = does(a_meeting(), b.SUPERVISOR, Convene(session=ID, rules=RULES)).meeting
    assert not does(called, b.SUPERVISOR, Close(session=ID)).meeting.sessions
    opened = does(called, b.CHAIR, Open(session=ID, chair=CHAIR)).meeting
    assert code_of(opened, b.SUPERVISOR, Close(session=ID)) == "not_permitted"


# ---- the order of the agenda


def test_the_hottest_item_comes_first_and_of_equal_heat_what_waits_longest() -> None:
    meeting = a_meeting(
        an_item("young"), an_item("old", asked_at=NOW - 5 * DAY), an_item("broken", breached=2),
        an_item("overdue", due_at=NOW - 9 * DAY), an_item("not yet due", due_at=NOW + 9 * DAY),
    )  # fmt: skip
    order = [item.number for item in meeting.in_order(NOW)]
    assert order == ["overdue", "broken", "old", "not yet due", "young"]
    assert meeting.agenda["overdue"].heat(NOW) == 10 and meeting.agenda["not yet due"].heat(NOW + 12 * DAY) == 4


# ---- the cadence


def a_call(month: str = "2027-04", starts_at: datetime = NOW + 30 * DAY) -> Call:
    return Call(month=month, starts_at=starts_at, cutoff_at=starts_at - 3 * DAY)


def test_a_regular_session_is_called_once_however_often_it_is_said() -> None:
    once = call_regular(a_meeting(), a_call(), RULES, NOW)
    again = call_regular(once.meeting, a_call(), RULES, NOW + DAY)
    assert list(once.meeting.sessions) == ["m-2027-04"] and not again.sessions and again.meeting == once.meeting
    held = does(once.meeting, b.SECRETARY, Close(session="m-2027-04"), NOW + 30 * DAY).meeting
    assert not call_regular(held, a_call(), RULES, NOW + 31 * DAY).sessions
    following = call_regular(held, a_call("2027-05", NOW + 60 * DAY), RULES, NOW + 31 * DAY)
    assert list(following.meeting.sessions) == ["m-2027-05"]


def test_a_called_session_follows_a_changed_calendar_and_rules() -> None:
    once = call_regular(a_meeting(rules=None), a_call(), RULES, NOW).meeting
    moved = call_regular(once, a_call(starts_at=NOW + 31 * DAY), RULES, NOW + DAY).meeting
    assert moved.sessions["m-2027-04"].starts_at == NOW + 31 * DAY and moved.rules == RULES


def test_the_next_month_is_not_called_while_this_one_is() -> None:
    once = call_regular(a_meeting(), a_call(), RULES, NOW).meeting
    assert list(call_regular(once, a_call("2027-05"), RULES, NOW).meeting.sessions) == ["m-2027-04"]


@pytest.mark.parametrize(
    ("week", "weekday", "expected"),
    [(1, "monday", "03-01"), (1, "wednesday", "03-03"), (4, "sunday", "03-28"), ("last", "wednesday", "03-31"),
     ("last", "monday", "03-29")],
)  # fmt: skip
def test_the_rule_names_a_day_of_the_month(week: Any, weekday: Any, expected: str) -> None:
    assert f"{Cadence(week=week, weekday=weekday, time='14:30').nominal(2027, 3):%m-%d}" == expected


def test_a_day_off_moves_the_session_to_the_next_working_day() -> None:
    calendar = b.CALENDAR
    off = next(day for day in calendar.off if day.weekday() < 5)
    moved = []
    for weekday in ("monday", "tuesday", "wednesday", "thursday", "friday"):
        for week in (1, 2, 3, 4, "last"):
            cadence = Cadence.model_validate({"week": week, "weekday": weekday, "time": "14:30"})
            since = datetime(off.year, off.month, 1, tzinfo=UTC)
            for one in list(sittings(cadence, calendar, since))[:3]:
                on = calendar.table.local(one.starts_at).date()
                assert calendar.table.works_on(on)
                nominal = cadence.nominal(*map(int, one.month.split("-")))
                assert on >= nominal and not any(calendar.table.works_on(d) for d in _days(nominal, on))
                moved += [one] if on != nominal else []
    assert moved, "no rule met a day off"


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days)]


def test_a_session_whose_agenda_would_be_closed_already_is_not_called_any_more() -> None:
    cadence = Cadence(week=2, weekday="wednesday", time="14:30")
    first = next_sitting(cadence, b.CALENDAR, now=NOW - 10 * DAY, cutoff_days=3)
    assert next_sitting(cadence, b.CALENDAR, now=first.starts_at - 3 * DAY - HOUR, cutoff_days=3) == first
    assert next_sitting(cadence, b.CALENDAR, now=first.starts_at - 3 * DAY, cutoff_days=3).month > first.month


# ---- by itself


def test_a_session_that_nobody_opens_or_closes_ends_by_itself_at_its_own_instant() -> None:
    called = does(a_meeting(), b.SECRETARY, Convene(session=ID, rules=RULES, starts_at=NOW + DAY)).meeting
    assert next_bell(called) == NOW + DAY + LAPSES_AFTER
    assert ring(called, NOW + DAY + LAPSES_AFTER - HOUR).meeting == called
    lapsed = ring(called, NOW + 40 * DAY)
    assert [(s.closed_at, s.rolled_over) for s in lapsed.sessions] == [(NOW + DAY + LAPSES_AFTER, (b.NUMBER,))]
    assert next_bell(lapsed.meeting) is None and lapsed.meeting.agenda[b.NUMBER].rolls == 1
    opened = in_session()
    assert [s.closed_at for s in ring(opened, NOW + 9 * DAY).sessions] == [NOW + LAPSES_AFTER]


def a_whistle(numbers: tuple[str, ...] = (b.NUMBER,)) -> Blow:
    return Blow(
        session="w-1", rules=RULES, about="emergency", units={"A": MEMBERS["A"], "Z": "liaison-Z"}, numbers=numbers,
        deadline_at=NOW + 2 * HOUR,
    )  # fmt: skip


def whistled(now: datetime) -> tuple[Meeting, Session]:
    meeting = ring(does(a_meeting(an_item(), an_item("D-2")), b.SECRETARY, a_whistle()).meeting, now).meeting
    return meeting, meeting.sessions["w-1"]


def test_a_whistle_says_who_was_missing_at_its_deadline_however_late_it_is_asked() -> None:
    meeting = does(a_meeting(), b.SECRETARY, a_whistle()).meeting
    meeting = does(meeting, b.LIAISONS["A"], Arrive(session="w-1", units=("A",)), NOW + HOUR).meeting
    assert next_bell(meeting) == NOW + 2 * HOUR
    mustered = ring(meeting, NOW + 5 * HOUR).meeting
    whistle = mustered.sessions["w-1"].whistle
    assert whistle is not None and (whistle.absent, whistle.mustered_at) == (("Z",), NOW + 2 * HOUR)
    stranger = b.an_actor("liaison-Z", Role.UNIT_LIAISON, unit="Z")  # of no member of this meeting
    after = does(mustered, stranger, Arrive(session="w-1", units=("Z",)), NOW + 6 * HOUR).meeting.sessions["w-1"]
    assert {one.unit: one.at for one in after.present} == {"A": NOW + HOUR, "Z": NOW + 6 * HOUR}
    assert after.whistle == whistle, "who came late stays on the list of the absent"


def test_a_whistle_decides_what_it_names_once_one_unit_is_there() -> None:
    meeting, _ = whistled(NOW + HOUR)
    meeting = does(meeting, b.CHAIR, Open(session="w-1", chair=CHAIR), NOW + HOUR).meeting
    assert refused_decision(meeting) == "no_quorum"
    assert code_of(meeting, b.SECRETARY, Arrive(session="w-1", units=("B",))) == "unknown_unit"
    assert code_of(meeting, b.SECRETARY, Attend(session="w-1", units=("A",))) == "validation_failed"
    meeting = does(meeting, b.LIAISONS["A"], Arrive(session="w-1", units=("A",)), NOW + HOUR).meeting
    assert refused_decision(meeting, "D-2") == "late_item"
    assert set(decides(meeting).agenda) == {"D-2"}
    closed = does(decides(meeting), b.CHAIR, Close(session="w-1"), NOW + 3 * HOUR)
    assert closed.sessions[0].rolled_over == ()


def test_a_whistle_ends_by_itself_after_its_deadline() -> None:
    meeting, session = whistled(NOW)
    assert session.lapses_at == NOW + 2 * HOUR + LAPSES_AFTER
    both = ring(meeting, NOW + 9 * DAY)
    last = {one.id: one for one in both.sessions}["w-1"]
    assert (last.state, last.whistle and last.whistle.absent) == (SessionState.CLOSED, ("A", "Z"))
    assert not both.meeting.sessions


def test_a_meeting_in_session_survives_storage() -> None:
    meeting = does(in_session(), b.SECRETARY, a_whistle()).meeting
    assert Meeting.model_validate_json(meeting.model_dump_json(exclude_defaults=True)) == meeting
