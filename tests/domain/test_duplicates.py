"""Whether two demands are likely the same matter: every condition, every reason, the same both ways; and hot spots."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cells import ROW, cell_of, cells_within, offsets_within
from domain.duplicates import Case, DuplicateRules, Reason, Weights, score
from domain.geometry import haversine_m
from domain.hot_spots import heat, joined, most_of
from domain.similarity import gist, telling_of

RULES = DuplicateRules(version="t")
TELLING = telling_of(["路灯", "不亮"])
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
HERE = (105.9216, 29.3668)


def north(metres: float) -> tuple[float, float]:
    return HERE[0], HERE[1] + metres / 111_195


def case(text: str = "楼下路灯坏了晚上不亮", **more: Any) -> Case:
    given: dict[str, Any] = {
        "category": "030101",
        "at": AT,
        "grid": "g-1",
        "compound": "c-1",
        "building": "3",
        "point": HERE,
    }
    return Case(**{"gist": gist(text, TELLING), **given, **more})


LAMP = case()
SAME_LAMP = case("三栋路灯不亮好几天了", at=AT - timedelta(hours=3))


def codes(a: Case, b: Case, rules: DuplicateRules = RULES) -> list[str]:
    return [reason.code for reason in score(a, b, rules).reasons]


def test_the_same_lamp_is_told_with_its_reasons() -> None:
    likeness = score(LAMP, SAME_LAMP, RULES)
    assert likeness.score >= RULES.least
    assert [r.code for r in likeness.reasons] == ["same_building", "same_category", "apart", "words"]
    assert likeness.reasons[2] == Reason("apart", apart=timedelta(hours=3))
    assert set(likeness.reasons[3].words) == {"路灯", "不亮"}


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        ({"building": "4"}, "same_compound"),
        ({"building": None}, "same_compound"),
        ({"compound": "c-2", "point": north(249)}, "near"),
        ({"compound": None, "point": north(0)}, "near"),
        ({"compound": None, "point": None}, "same_grid"),
    ],
)
def test_a_place_is_the_same_in_several_ways(other: dict[str, Any], reason: str) -> None:
    assert codes(LAMP, replace(SAME_LAMP, **other))[0] == reason


def test_the_nearer_the_likelier() -> None:
    places: list[dict[str, Any]] = [
        {}, {"building": None}, {"building": "4"}, {"compound": "c-2", "point": north(200)},
        {"compound": None, "point": None},
    ]  # fmt: skip
    scores = [score(LAMP, replace(SAME_LAMP, **place), RULES).score for place in places]
    assert all(a > b for a, b in pairwise(scores[:3])) and scores[2] > scores[3] > scores[4] > 0


@pytest.mark.parametrize(
    "other",
    [
        {"category": "010101"},
        {"compound": "c-2", "point": north(251)},
        {"compound": "c-2", "point": None, "grid": "g-2"},
        {"compound": None, "point": None, "grid": None},
        {"at": AT - timedelta(days=31)},
        {"gist": gist("电梯停了老人下不了楼", TELLING)},
        {"gist": gist("", TELLING)},
    ],
)
def test_one_condition_that_does_not_hold_is_enough(other: dict[str, Any]) -> None:
    assert score(LAMP, replace(SAME_LAMP, **other), RULES) == score(replace(SAME_LAMP, **other), LAMP, RULES)
    assert score(LAMP, replace(SAME_LAMP, **other), RULES).score == 0.0


def test_a_nearer_category_counts_more() -> None:
    leaf, subgroup, group = (replace(SAME_LAMP, category=c) for c in ("030101", "030102", "030201"))
    found = [score(LAMP, other, RULES) for other in (leaf, subgroup, group)]
    assert [f.reasons[1].code for f in found] == ["same_category", "same_subgroup", "same_group"]
    assert found[0].score > found[1].score > found[2].score > 0


def test_the_thresholds_and_proportions_are_the_districts() -> None:
    far = replace(SAME_LAMP, compound="c-2", point=north(400))
    assert not codes(LAMP, far) and codes(LAMP, far, RULES.model_copy(update={"near_m": 500}))[0] == "near"
    only_text = RULES.model_copy(update={"weights": Weights(category=0, place=0, time=0, text=1)})
    assert score(LAMP, SAME_LAMP, only_text).score < score(LAMP, SAME_LAMP, RULES).score < 1.0
    strict = RULES.model_copy(update={"least_text": 0.9})
    assert not codes(LAMP, SAME_LAMP, strict) and codes(LAMP, LAMP, strict)


cases = st.builds(
    case,
    st.sampled_from(["路灯不亮", "楼下路灯坏了", "停水两天", "", "三栋路灯不亮好几天了"]),
    category=st.sampled_from(["030101", "030102", "030201", "010101"]),
    at=st.integers(-60 * 24, 0).map(lambda hours: AT + timedelta(hours=hours)),
    grid=st.sampled_from(["g-1", "g-2", None]),
    compound=st.sampled_from(["c-1", "c-2", None]),
    building=st.sampled_from(["3", "4", None]),
    point=st.one_of(st.none(), st.integers(0, 600).map(north)),
)


@given(cases, cases)
def test_it_is_bounded_the_same_both_ways_and_says_why_or_nothing(a: Case, b: Case) -> None:
    likeness = score(a, b, RULES)
    assert likeness == score(b, a, RULES)
    assert 0.0 <= likeness.score <= 1.0
    assert len(likeness.reasons) == (4 if likeness.score else 0)


# ---- cells


@given(st.floats(18, 53), st.floats(75, 134), st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([50, 250, 1_000]))
def test_whoever_is_near_is_in_a_cell_that_is_looked_at(
    lat: float, lon: float, up: float, right: float, metres: int
) -> None:
    other = (lon + right * metres / 60_000, lat + up * metres / 100_000)
    if haversine_m((lon, lat), other) > metres:
        return
    assert cell_of(other) in cells_within((lon, lat), metres)
    assert cell_of(other) - cell_of((lon, lat)) in offsets_within(lat, metres)


def test_a_look_around_stays_small() -> None:
    assert 4 <= len(cells_within(HERE, 250)) <= 16
    assert cell_of(HERE) // ROW == cell_of((HERE[0] + 0.5, HERE[1])) // ROW


# ---- hot spots


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from("abcdefgh"))), st.randoms())
def test_groups_do_not_depend_on_the_order_of_the_pairs(pairs: list[tuple[str, str]], chance: Any) -> None:
    groups = joined(pairs)
    mixed = [pair[::-1] if chance.random() < 0.5 else pair for pair in chance.sample(pairs, len(pairs))]
    assert joined(mixed) == groups
    assert sorted(one for group in groups for one in group) == sorted({one for pair in pairs for one in pair})
    assert all(any({a, b} <= set(group) for group in groups) for a, b in pairs)
    assert [len(g) for g in groups] == sorted((len(g) for g in groups), reverse=True)


def test_a_chain_of_likeness_is_one_group() -> None:
    assert joined([("a", "b"), ("x", "y"), ("c", "b"), ("d", "c")]) == [("a", "b", "c", "d"), ("x", "y")]


def test_heat_grows_with_reporters_broken_promises_and_days() -> None:
    assert heat(3, 0, 1) < heat(3, 1, 1) < heat(3, 1, 2) < heat(4, 1, 2)
    assert most_of({"b": 2, "a": 2, "c": 1}) == "a"
