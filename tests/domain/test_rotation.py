"""The rotating chair: exactly one on every day, and a change moves what it says and nothing else."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import cycle, islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import DomainError
from domain.people import Span
from domain.policies import Rotation
from domain.rotation import Bench, Roster, days
from domain.rotation_admission import admit, check_revocable
from domain.rotation_changes import CHANGE, Change, Entry

TODAY = date(2026, 3, 10)
UNITS = ("u-1", "u-2", "u-3", "u-4", "u-5")
SECRETARY = "p-secretary"
few = settings(max_examples=60, deadline=None)


def roster(period: str = "month", starts_on: date = date(2026, 1, 1), units: tuple[str, ...] = UNITS) -> Roster:
    rotation = Rotation.model_validate(
        {"community": "east", "period": period, "starts_on": starts_on, "roster": units}, strict=False
    )
    return Roster(rotation, Bench({unit: f"p-{unit}" for unit in units}, SECRETARY))


def change(type: str, **said: object) -> Change:
    return CHANGE.validate_python({"type": type, **{k.removesuffix("_"): v for k, v in said.items()}})


def entered(r: Roster, *changes: Change, today: date = TODAY) -> Roster:
    for one in changes:
        admit(r, one, today)
        id = max((e.id for e in r.entries), default=0) + 1
        r = Roster(r.rotation, r.bench, (*r.entries, Entry(id=id, change=one)))
    return r


def revoked(r: Roster, id: int, on: date = TODAY) -> Roster:
    check_revocable(r, id, on)
    entries = tuple(e.model_copy(update={"revoked_on": on}) if e.id == id else e for e in r.entries)
    return Roster(r.rotation, r.bench, entries)


def units_of(r: Roster, year: int = 2026) -> list[str]:
    return [turn.unit for turn in r.calendar(year)]


def refused(r: Roster, one: Change, today: date = TODAY) -> str:
    with pytest.raises(DomainError) as error:
        admit(r, one, today)
    return error.value.code


def skip(unit: str, period: str) -> Change:
    return change("skip", unit=unit, period=period)


def swap(unit: str, period: str, with_unit: str, with_period: str) -> Change:
    return change("swap", unit=unit, period=period, with_unit=with_unit, with_period=with_period)


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    units = tuple(f"u-{n}" for n in range(1, draw(st.integers(2, 9)) + 1))
    starts = date(draw(st.integers(2024, 2026)), draw(st.integers(1, 12)), 1)
    return roster(draw(st.sampled_from(["month", "quarter"])), starts, units)


@st.composite
def changed(draw: st.DrawFn) -> tuple[Roster, date]:
    """A roster with up to eight skips, swaps and stand-ins that were admitted on the same day."""
    r = draw(rosters())
    today = draw(st.dates(date(2026, 1, 1), date(2027, 12, 31)))
    ahead = st.integers(1, 14).map(lambda n: r.periods.first_day(max(r.periods.number(today), 0) + n))
    units = st.sampled_from(r.rotation.roster)
    for _ in range(draw(st.integers(0, 8))):
        kind = draw(st.sampled_from(["skip", "swap", "substitute", "override"]))
        one, other = draw(ahead), draw(ahead)
        until = one + timedelta(days=draw(st.integers(0, 40)))
        said: dict[str, object] = {
            "skip": {"unit": r.whose(one), "period": one},
            "swap": {"unit": r.whose(one), "period": one, "with_unit": r.whose(other), "with_period": other},
            "substitute": {"unit": r.whose(one), "from": one, "until": until, "by_unit": draw(units)},
            "override": {
                "from": one,
                "until": until,
                "unit": draw(units),
                "person": draw(st.sampled_from(["p-9", None])),
            },
        }[kind]
        try:
            r = entered(r, CHANGE.validate_python({"type": kind, **said}), today=today)
        except DomainError:
            continue
    return r, today


@few
@given(rosters(), st.dates(date(2024, 1, 1), date(2032, 12, 31)))
def test_without_changes_it_is_the_order_of_the_roster(r: Roster, on: date) -> None:
    chair = r.chair_on(on)
    assert chair.unit == chair.whose == r.rotation.unit_on(on)
    assert (chair.how, chair.person, chair.change) == ("rotation", f"p-{chair.unit}", None)
    assert chair.period_from is not None and chair.period_until is not None
    assert chair.period_from <= on <= chair.period_until


@few
@given(changed(), st.integers(2026, 2030))
def test_every_day_of_a_year_has_exactly_one_chair(made: tuple[Roster, date], year: int) -> None:
    r, _ = made
    turns = r.calendar(year)
    assert turns[0].period_from <= max(date(year, 1, 1), r.periods.starts_on) <= turns[0].period_until
    assert turns[-1].period_from <= date(year, 12, 31) <= turns[-1].period_until
    assert all(b.period_from == a.period_until + timedelta(days=1) for a, b in pairwise(turns))
    for turn in turns:
        covered = [day for s in turn.stretches for day in days(s.starts_on, s.ends_on)]
        assert covered == list(days(turn.period_from, turn.period_until))
        for stretch in turn.stretches:
            assert {r.chair_on(day) for day in days(stretch.starts_on, stretch.ends_on)} == {stretch.chair}
            assert stretch.chair.whose == turn.unit
        assert all(a.chair != b.chair for a, b in pairwise(turn.stretches))


@few
@given(changed(), st.data())
def test_a_swap_changes_exactly_two_periods(made: tuple[Roster, date], data: st.DataObject) -> None:
    r, today = made
    now = max(r.periods.number(today), 0)
    one, other = (now + data.draw(st.integers(1, 20)) for _ in "ab")
    before = [r.order.slot(n).unit for n in range(now + 40)]
    if before[one] == before[other]:
        return
    first, second = r.periods.first_day(one), r.periods.last_day(other)
    after = entered(r, swap(before[one], str(first), before[other], str(second)), today=today)
    expected = list(before)
    expected[one], expected[other] = before[other], before[one]
    assert [after.order.slot(n).unit for n in range(now + 40)] == expected
    assert {after.order.slot(one).swap, after.order.slot(other).swap} == {after.entries[-1].id}


@few
@given(changed(), st.data())
def test_a_skip_moves_nobody_before_it_and_nobodys_swapped_turn(made: tuple[Roster, date], data: st.DataObject) -> None:
    r, today = made
    number = max(r.periods.number(today), 0) + data.draw(st.integers(1, 20))
    unit = r.order.slot(number).unit
    try:
        after = entered(r, skip(unit, str(r.periods.first_day(number))), today=today)
    except DomainError as nobody_left:
        assert nobody_left.code == "rotation_conflict"
        return
    before_slots = [r.order.slot(n) for n in range(number + 40)]
    after_slots = [after.order.slot(n) for n in range(number + 40)]
    assert after_slots[:number] == before_slots[:number]
    assert after_slots[number].unit != unit
    pinned = {n: s for n, s in enumerate(before_slots) if s.swap is not None and n != number}
    assert {n: after_slots[n] for n in pinned} == pinned
    # Of those that are free, the order stays: everybody behind moves up, nobody overtakes.
    free = [s.turn for s in before_slots if s.swap is None and s.turn != before_slots[number].turn]
    assert [s.turn for s in after_slots if s.swap is None][: len(free)] == free


@few
@given(changed())
def test_what_is_taken_back_last_first_leaves_the_order_as_it_was(made: tuple[Roster, date]) -> None:
    r, today = made
    for entry in sorted(r.entries, key=lambda e: -e.id):
        r = revoked(r, entry.id, today)
    plain = Roster(r.rotation, r.bench)
    assert r.calendar(2028) == plain.calendar(2028)
    assert not r.void


@few
@given(changed(), st.data())
def test_whatever_may_be_taken_back_leaves_the_others_standing(made: tuple[Roster, date], data: st.DataObject) -> None:
    r, today = made
    if not r.entries:
        return
    id = data.draw(st.sampled_from([e.id for e in r.entries]))
    try:
        after = revoked(r, id, today)
    except DomainError as needed:
        assert needed.code == "rotation_conflict" and min(needed.facts["changes"]) > id  # type: ignore[call-overload]
        return
    assert not after.void
    yesterday = today - timedelta(days=1)
    past = [yesterday - timedelta(days=n) for n in range(100)]
    assert [after.chair_on(day) for day in past] == [r.chair_on(day) for day in past]


def test_months_and_quarters_end_where_the_calendar_says() -> None:
    monthly, quarterly = roster(), roster("quarter", date(2026, 2, 1))
    assert [t.period_until for t in monthly.calendar(2028)][1] == date(2028, 2, 29)
    assert (monthly.whose(date(2028, 2, 29)), monthly.whose(date(2028, 3, 1))) == ("u-1", "u-2")
    ends = [(t.period_from, t.period_until, t.unit) for t in quarterly.calendar(2027)]
    assert ends == [
        (date(2026, 11, 1), date(2027, 1, 31), "u-4"),
        (date(2027, 2, 1), date(2027, 4, 30), "u-5"),
        (date(2027, 5, 1), date(2027, 7, 31), "u-1"),
        (date(2027, 8, 1), date(2027, 10, 31), "u-2"),
        (date(2027, 11, 1), date(2028, 1, 31), "u-3"),
    ]


def test_before_the_rotation_begins_the_unit_that_begins_it_chairs() -> None:
    r = roster("quarter", date(2026, 4, 1))
    chair = r.chair_on(date(2026, 3, 31))
    assert (chair.unit, chair.period_from, chair.period_until) == ("u-1", date(2026, 1, 1), date(2026, 3, 31))
    assert r.chair_on(date(2026, 4, 1)).unit == "u-1" and r.chair_on(date(2026, 7, 1)).unit == "u-2"
    assert r.calendar(2025) == () and len(r.calendar(2026)) == 3
    assert r.history(TODAY) == () and [t.unit for t in r.history(date(2026, 12, 31))] == ["u-1", "u-2"]
    assert refused(r, skip("u-1", "2026-03-01"), date(2025, 1, 1)) == "not_their_turn"


def test_a_skipped_unit_is_passed_over_for_one_period_and_comes_again_in_the_next_round() -> None:
    r = entered(roster(), skip("u-5", "2026-05-20"))
    assert units_of(r)[:10] == ["u-1", "u-2", "u-3", "u-4", "u-1", "u-2", "u-3", "u-4", "u-5", "u-1"]
    assert r.calendar(2026)[4].passed == (("u-5", 1),)
    again = entered(r, skip("u-1", "2026-05-01"))
    assert units_of(again)[4:9] == ["u-2", "u-3", "u-4", "u-5", "u-1"]
    assert again.calendar(2026)[4].passed == (("u-5", 1), ("u-1", 2))


def test_a_skip_moves_those_behind_it_past_a_swapped_turn() -> None:
    r = entered(roster(), swap("u-5", "2026-05-01", "u-2", "2026-07-01"), skip("u-4", "2026-04-01"))
    assert units_of(r)[:9] == ["u-1", "u-2", "u-3", "u-1", "u-2", "u-3", "u-5", "u-4", "u-5"]
    assert [t.swap for t in r.calendar(2026)[:8]] == [None] * 4 + [1, None, 1, None]


def test_a_swapped_turn_can_be_swapped_again_and_be_skipped() -> None:
    r = entered(
        roster(), swap("u-4", "2026-04-01", "u-5", "2026-05-01"), swap("u-4", "2026-05-01", "u-1", "2026-06-01")
    )
    assert units_of(r)[3:7] == ["u-5", "u-1", "u-4", "u-2"]
    r = entered(r, skip("u-1", "2026-05-01"))
    assert units_of(r)[3:8] == ["u-5", "u-2", "u-4", "u-3", "u-4"]


def test_when_nobody_is_left_for_a_period_an_override_is_asked_for() -> None:
    assert refused(roster(units=("u-1",)), skip("u-1", "2026-04-01")) == "rotation_conflict"
    two = entered(roster(units=("u-1", "u-2")), skip("u-2", "2026-04-01"))
    assert refused(two, skip("u-1", "2026-04-01")) == "rotation_conflict"


@pytest.mark.parametrize(
    ("one", "code"),
    [
        (skip("u-9", "2026-05-01"), "not_on_roster"),
        (skip("u-1", "2026-05-01"), "not_their_turn"),
        (skip("u-3", "2026-03-31"), "turn_over"),
        (skip("u-1", "2026-01-01"), "turn_over"),
        (swap("u-3", "2026-03-01", "u-5", "2026-05-01"), "turn_over"),
        (swap("u-4", "2026-04-01", "u-3", "2026-03-01"), "turn_over"),
        (swap("u-4", "2026-04-01", "u-9", "2026-05-01"), "not_on_roster"),
        (swap("u-4", "2026-04-01", "u-4", "2026-05-01"), "not_their_turn"),
        (swap("u-4", "2026-04-01", "u-4", "2026-09-01"), "validation_failed"),
        (change("substitute", unit="u-9", from_="2026-03-10", until="2026-03-12", by_unit="u-1"), "not_on_roster"),
        (change("substitute", unit="u-3", from_="2026-03-10", until="2026-03-12", by_unit="u-9"), "not_on_roster"),
        (change("substitute", unit="u-3", from_="2026-03-10", until="2026-03-12", by_unit="u-3"), "validation_failed"),
        (change("substitute", unit="u-1", from_="2026-03-10", until="2026-05-31", by_unit="u-2"), "not_their_turn"),
        (change("substitute", unit="u-3", from_="2026-03-09", until="2026-03-12", by_unit="u-1"), "turn_over"),
        (change("override", unit="u-9", from_="2026-03-10", until="2026-03-12"), "not_on_roster"),
        (change("override", unit="u-1", from_="2026-03-01", until="2026-03-12"), "turn_over"),
    ],
)
def test_what_cannot_be_entered_says_why(one: Change, code: str) -> None:
    assert refused(roster(), one) == code


@pytest.mark.parametrize(
    "said",
    [
        {"type": "substitute", "unit": "u-3", "from": "2026-03-12", "until": "2026-03-11", "by_unit": "u-1"},
        {"type": "substitute", "unit": "u-3", "from": "2026-03-12", "until": "2026-03-12"},
        {"type": "substitute", "unit": "u-3", "from": "2026-03-12", "until": "2026-03-12", "by_unit": "u-1", "by_person": "p-1"},
        {"type": "override", "from": "2026-03-12", "until": "2026-03-12"},
        {"type": "override", "unit": "u-1", "from": "2026-03-12", "until": "2027-03-13"},
        {"type": "skip", "unit": "u-3", "period": 1775000000},
        {"type": "skip", "unit": "u-3", "period": "2026-13-01"},
        {"type": "skip", "unit": "u-3", "period": "2200-01-01"},
        {"type": "skip", "unit": "u-3", "period": "2026-03-12", "more": 1},
        {"type": "vote", "unit": "u-3"},
    ],
)  # fmt: skip
def test_what_is_no_change_is_not_read_as_one(said: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        CHANGE.validate_python(said)


def test_a_substitute_sits_while_the_turn_stays_with_the_unit() -> None:
    away = change("substitute", unit="u-4", from_="2026-04-10", until="2026-05-05", by_unit="u-2")
    r = entered(
        roster(), away, change("substitute", unit="u-5", from_="2026-05-03", until="2026-05-03", by_person="p-7")
    )
    april, may = r.calendar(2026)[3:5]
    assert [(s.starts_on.day, s.ends_on.day, s.chair.unit, s.chair.how) for s in april.stretches] == [
        (1, 9, "u-4", "rotation"),
        (10, 30, "u-2", "substitute"),
    ]
    assert april.unit == april.stretches[1].chair.whose == "u-4" and april.stretches[1].chair.person == "p-u-2"
    # In May another unit has the turn: who stands in for u-4 has nothing to do with it.
    assert [(s.starts_on.day, s.chair.unit, s.chair.person) for s in may.stretches] == [
        (1, "u-5", "p-u-5"), (3, "u-5", "p-7"), (4, "u-5", "p-u-5"),
    ]  # fmt: skip


def test_who_stands_in_for_a_unit_follows_it_when_its_turn_is_exchanged() -> None:
    away = change("substitute", unit="u-4", from_="2026-04-10", until="2026-05-05", by_unit="u-2")
    r = entered(roster(), away, swap("u-4", "2026-04-01", "u-5", "2026-05-01"))
    april, may = r.calendar(2026)[3:5]
    assert [(s.chair.unit, s.chair.how) for s in april.stretches] == [("u-5", "swap")]
    assert [(s.ends_on.day, s.chair.unit, s.chair.how) for s in may.stretches] == [
        (5, "u-2", "substitute"), (31, "u-4", "swap"),
    ]  # fmt: skip


def test_an_override_stands_above_everything_and_moves_nobodys_turn() -> None:
    r = entered(
        roster(),
        change("substitute", unit="u-4", from_="2026-04-01", until="2026-04-30", by_unit="u-2"),
        change("override", unit="u-1", from_="2026-04-20", until="2026-05-10", person="p-9"),
    )
    assert units_of(r) == units_of(roster())
    seen = [(s.ends_on, s.chair.unit, s.chair.person, s.chair.how) for t in r.calendar(2026)[3:5] for s in t.stretches]
    assert seen == [
        (date(2026, 4, 19), "u-2", "p-u-2", "substitute"),
        (date(2026, 4, 30), "u-1", "p-9", "override"),
        (date(2026, 5, 10), "u-1", "p-9", "override"),
        (date(2026, 5, 31), "u-5", "p-u-5", "rotation"),
    ]
    person_only = entered(roster(), change("override", from_="2026-04-02", until="2026-04-02", person="p-9"))
    chair = person_only.chair_on(date(2026, 4, 2))
    assert (chair.unit, chair.person, chair.how) == ("u-4", "p-9", "override")


def test_two_entries_about_the_same_days_are_refused() -> None:
    away = change("substitute", unit="u-4", from_="2026-04-10", until="2026-04-12", by_unit="u-2")
    over = change("override", unit="u-1", from_="2026-04-10", until="2026-04-12")
    r = entered(roster(), away, over)
    assert (
        refused(r, change("substitute", unit="u-4", from_="2026-04-12", until="2026-04-14", by_unit="u-1"))
        == "rotation_conflict"
    )
    assert refused(r, change("override", unit="u-2", from_="2026-04-01", until="2026-04-10")) == "rotation_conflict"
    entered(r, change("override", unit="u-2", from_="2026-04-13", until="2026-04-13"))
    entered(revoked(r, 2), over)


def test_a_stand_in_that_is_taken_back_has_chaired_until_then() -> None:
    r = entered(roster(), change("override", unit="u-1", from_="2026-03-11", until="2026-03-20"))
    after = revoked(r, 1, date(2026, 3, 15))
    seen = [(s.ends_on.day, s.chair.unit) for s in after.calendar(2026)[2].stretches]
    assert seen == [(10, "u-3"), (14, "u-1"), (31, "u-3")]
    with pytest.raises(DomainError) as over:
        check_revocable(r, 1, date(2026, 3, 21))
    assert over.value.code == "turn_over"


def test_what_others_build_on_cannot_be_taken_back_nor_what_has_begun() -> None:
    r = entered(roster(), skip("u-4", "2026-04-01"), swap("u-5", "2026-04-01", "u-2", "2026-06-01"))
    with pytest.raises(DomainError) as needed:
        check_revocable(r, 1, TODAY)
    assert (needed.value.code, needed.value.facts) == ("rotation_conflict", {"changes": [2]})
    assert units_of(revoked(revoked(r, 2), 1)) == units_of(roster())
    for id in (1, 2):
        with pytest.raises(DomainError) as begun:
            check_revocable(r, id, date(2026, 4, 1))
        assert begun.value.code == "turn_over"


def test_a_liaison_on_leave_is_replaced_by_the_secretary_unless_somebody_was_named() -> None:
    plain = roster()
    leave = {"p-u-3": (Span.model_validate({"from": date(2026, 3, 12), "until": date(2026, 3, 13)}),)}
    r = Roster(plain.rotation, Bench(plain.bench.liaisons, SECRETARY, leave))
    seen = [(s.ends_on.day, s.chair.unit, s.chair.person, s.chair.how) for s in r.calendar(2026)[2].stretches]
    assert seen == [
        (11, "u-3", "p-u-3", "rotation"), (13, "u-3", SECRETARY, "substitute"), (31, "u-3", "p-u-3", "rotation"),
    ]  # fmt: skip
    named = entered(r, change("override", from_="2026-03-12", until="2026-03-12", person="p-9"))
    assert [named.chair_on(date(2026, 3, day)).person for day in (12, 13)] == ["p-9", SECRETARY]


def test_changes_that_the_roster_has_left_behind_are_told_and_harm_nobody() -> None:
    r = entered(roster(), swap("u-4", "2026-04-01", "u-5", "2026-05-01"), skip("u-1", "2026-06-01"),
                change("override", unit="u-5", from_="2026-03-20", until="2026-03-20"))  # fmt: skip
    smaller = roster(units=("u-1", "u-2", "u-3", "u-4"))
    after = Roster(smaller.rotation, smaller.bench, r.entries)
    assert set(after.void) == {1, 2} and all(after.void.values())
    assert [t.unit for t in after.calendar(2026)] == list(islice(cycle(smaller.rotation.roster), 12))
    chair = after.chair_on(date(2026, 3, 20))
    assert (chair.unit, chair.person) == ("u-5", SECRETARY)
