"""What holds of figures whatever is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain import commands as c
from domain.kpi_words import COUNTS, figures_of
from domain.rates import DIMENSIONS, Dimension, Grouping, Period, Tally, cases_in, composite
from domain.vocabulary import Channel, Satisfied, Solved
from tests.domain import builders as b
from tests.domain.counting import APRIL, MARCH, SHANGHAI, SPRING, an_answer, the_definition


def in_other_grid(**changes: Any) -> b.Story:
    return b.Story(place=b.another_place(), category="020101", channel=Channel.HOTLINE, **changes)


def _worked(story: b.Story, *commands: c.Command) -> b.Story:
    for command in commands:
        holder = next(a for a in b.EVERYBODY if a.id == story.demand.holder)
        story.does(b.REPORTER if command.type in ("confirm", "withdraw") else holder, command)
    return story


@cache
def lives() -> tuple[b.Story, ...]:
    late = datetime(2027, 3, 29, 6, 0, tzinfo=UTC)
    partly = an_answer(Solved.PARTLY, Satisfied.BASICALLY)
    return (
        b.in_intake().lives(days=9), b.Story(screened="court"), b.in_closed().lives(days=9),
        _worked(b.in_grid(now=late), c.Accept(), c.Contact(), b.resolved(), partly).lives(days=9),
        _worked(b.in_unit("A", "B"), c.Refuse(basis="no_power"), c.Accept(), b.resolved()).lives(days=20),
        _worked(in_other_grid(now=late), c.Withdraw()), _worked(in_other_grid(), b.resolved(), b.not_solved()),
        b.shelved(days=20).lives(days=40), b.in_unit("A").lives(days=30), b.redone(in_other_grid(), 2).lives(days=3),
    )  # fmt: skip


WHICH = st.lists(st.integers(0, 9), max_size=12)
BY = st.lists(st.sampled_from(DIMENSIONS), max_size=3, unique=True)


def tally_of(which: list[int], by: tuple[Dimension, ...], period: Period = SPRING, level: int = 1) -> Tally:
    tally = Tally(the_definition())
    grouping = Grouping(by, SHANGHAI, grades=lambda compound: "basic" if compound else None, level=level)
    for index in which:
        for case in cases_in(b.NUMBER, lives()[index].entries, tally.definition, period, zone=SHANGHAI):
            tally.add(grouping.key(case), case)
    return tally


@given(WHICH, BY, st.integers(1, 3))
def test_the_parts_add_up_to_the_whole(which: list[int], by: list[Dimension], level: int) -> None:
    whole, parts = tally_of(which, ()).groups.get(()), tally_of(which, tuple(by), level=level).groups.values()
    for id in figures_of(the_definition()):
        if whole is None or id == "composite":
            continue
        assert sum((part[id].numerator for part in parts), Decimal(0)) == whole[id].numerator
        assert sum(part[id].denominator or 0 for part in parts) == (whole[id].denominator or 0)
        assert sum(part[id].excluded.total() for part in parts) == whole[id].excluded.total()


@given(WHICH, st.randoms(use_true_random=False), BY)
def test_the_order_of_demands_does_not_matter(which: list[int], chance: Any, by: list[Dimension]) -> None:
    shuffled = list(which)
    chance.shuffle(shuffled)
    assert tally_of(which, tuple(by)).groups == tally_of(shuffled, tuple(by)).groups


@given(WHICH, BY, st.sampled_from([MARCH, APRIL, SPRING]))
def test_no_share_is_below_nought_or_above_one(which: list[int], by: list[Dimension], period: Period) -> None:
    for sums in tally_of(which, tuple(by), period).groups.values():
        for id, figure in sums.items():
            if id in COUNTS:
                assert figure.denominator is None and figure.value == figure.numerator >= 0
            else:
                assert figure.denominator is not None
                assert 0 <= figure.numerator <= figure.denominator
                assert (figure.value is None) == (figure.denominator == 0)
        score = composite(sums, the_definition())
        assert score is None or 0 <= score <= 1


@given(st.integers(0, 9), st.sampled_from([MARCH, APRIL]))
def test_every_case_names_events_of_its_log(which: int, period: Period) -> None:
    story = lives()[which]
    for case in cases_in(b.NUMBER, story.entries, the_definition(), period, zone=SHANGHAI):
        assert all(1 <= seq <= len(story.entries) for seq in (*case.denominator, *case.numerator))
        assert bool(case.denominator) == (case.figure not in COUNTS)
        assert bool(case.value) <= bool(case.numerator)


def test_the_lives_touch_every_figure() -> None:
    """So that the properties above speak of something."""
    groups = tally_of(list(range(10)), ())
    silent = [id for id, figure in groups.groups[()].items() if not figure.numerator and not figure.denominator]
    assert silent == ["on_time_co_window", "on_time_co_due"]


def test_the_composite_weighs_the_three_rates() -> None:
    sums = tally_of([3], ()).groups[()]  # in time, partly solved, basically satisfied
    assert composite(sums, the_definition()) == Decimal("0.30") + Decimal("0.5") * Decimal("0.35") + Decimal("0.35")
    assert composite(tally_of([0], ()).groups[()], the_definition()) is None
