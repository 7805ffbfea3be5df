"""Which ladder a demand gets, and what is no ladder at all."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from domain.ladder import Ladder, LadderWhen, Step, ladder_for
from domain.policies import Sla
from tests.domain import builders as b
from tests.domain.year_2026 import SLA, promised_by_the_district


def test_the_tests_know_the_ladder_of_the_reference_district() -> None:
    assert ladder_for(SLA.ladders, category="010101", level="grid", sla_class="ordinary") == b.a_ladder()
    assert promised_by_the_district("ordinary") == b.a_promise()


# ---- which ladder


def a_ladder(id: str, **when: Any) -> Ladder:
    steps = ({"do": "remind", "percent": len(id)},)
    return Ladder.model_validate({"id": id, "steps": steps} | ({"when": when} if when else {}))


LADDERS = (
    a_ladder("a", categories=["0101", "02"], levels=["unit"]),
    a_ladder("bb", categories=["0101"]),
    a_ladder("ccc", levels=["subdistrict"]),
    a_ladder("dddd", classes=["complex", "emergency"]),
    a_ladder("eeeee"),
)


@pytest.mark.parametrize(
    ("category", "level", "sla_class", "chosen"),
    [
        ("010101", "unit", "ordinary", "a"),
        ("020202", "unit", "complex", "a"),
        ("010101", "grid", "complex", "bb"),
        ("010201", "subdistrict", "complex", "ccc"),
        ("030101", "grid", "emergency", "dddd"),
        ("030101", "unit", "livelihood", "eeeee"),
        ("0301", "grid", "ordinary", "eeeee"),
    ],
)
def test_the_first_ladder_that_takes_a_demand_counts(category: str, level: str, sla_class: str, chosen: str) -> None:
    steps = ladder_for(LADDERS, category=category, level=level, sla_class=sla_class)
    assert [step.percent for step in steps] == [len(chosen)]


def test_a_district_without_ladders_has_none() -> None:
    assert ladder_for((), category="010101", level="grid", sla_class="ordinary") == ()


def test_an_emergency_climbs_faster_in_the_reference_district() -> None:
    fast = promised_by_the_district("emergency").ladder
    slow = promised_by_the_district("complex").ladder
    notice = {ladder: next(s.after for s in ladder if s.do == "notice") for ladder in (fast, slow)}
    assert notice == {fast: b.a_budget(1, "hours"), slow: b.a_budget(1, "working_days")}
    assert slow == promised_by_the_district("livelihood").ladder == b.a_ladder()


# ---- what is not a ladder


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ({"do": "remind"}, "a `percent` of the clock or `after` its due instant"),
        ({"do": "remind", "percent": 50, "after": {"amount": 1, "unit": "hours"}}, "one of the two"),
        ({"do": "breach", "percent": 90}, "`breach` at 100 percent"),
        ({"do": "breach", "after": {"amount": 1, "unit": "hours"}}, "`breach` at 100 percent"),
        ({"do": "notice", "percent": 100}, "nothing else stands there"),
        ({"do": "remind", "percent": 120}, "before the due instant"),
        ({"do": "remind", "after": {"amount": 1, "unit": "hours"}}, "before the due instant"),
        ({"do": "agenda", "percent": 80}, "before the due instant"),
        ({"do": "far_breach", "percent": 0}, "greater than or equal to 1"),
        ({"do": "far_breach", "percent": 1001}, "less than or equal to 1000"),
        ({"do": "remind", "percent": 49.5}, "valid integer"),
        ({"do": "notice", "after": {"amount": 0, "unit": "hours"}}, "greater than 0"),
        ({"do": "notice", "after": {"amount": 1.5, "unit": "working_days"}}, "counted whole"),
        ({"do": "shout", "percent": 50}, "'remind', 'breach', 'notice', 'agenda' or 'far_breach'"),
        ({"do": "remind", "percent": 50, "tell": ["mayor"]}, "'holder', 'supervisor'"),
        ({"do": "remind", "percent": 50, "clocks": ["resolv"]}, "'resolve'"),
        ({"do": "remind", "percent": 50, "clocks": ["reopen", "resolve"]}, "nobody promises reopen"),
        ({"do": "remind", "percent": 50, "colour": "red"}, "Extra inputs"),
    ],
)
def test_a_step_that_makes_no_sense_is_refused_with_the_reason(step: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Step.model_validate(step)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "steps",
    [
        [{"do": "remind", "percent": 50}, {"do": "remind", "percent": 50, "tell": ["supervisor"]}],
        [{"do": "remind", "percent": 50}, {"do": "remind", "percent": 50, "clocks": ["resolve"]}],
        [{"do": d, "after": {"amount": 1, "unit": "working_days"}} for d in ("notice", "agenda")],
    ],
)
def test_two_steps_at_the_same_place_are_refused(steps: list[dict[str, Any]]) -> None:
    with pytest.raises(ValidationError, match="two steps stand at the same place for the same clock"):
        Ladder.model_validate({"id": "x", "steps": steps})


def test_steps_at_the_same_place_of_different_clocks_are_two_steps() -> None:
    places: list[dict[str, Any]] = [{"do": "remind", "percent": 50, "clocks": [name]} for name in ("resolve", "accept")]
    assert len(Ladder.model_validate({"id": "x", "steps": places}).steps) == 2


@pytest.mark.parametrize(
    ("ladders", "words"),
    [
        ((LADDERS[0], LADDERS[0], LADDERS[4]), "two ladders have the same id"),
        ((LADDERS[4], LADDERS[0]), "it must be the last one"),
        (LADDERS[:2], "the last ladder has no `when`"),
    ],
)
def test_ladders_that_leave_a_demand_out_or_to_chance_are_refused(ladders: tuple[Ladder, ...], words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        Sla.model_validate(SLA.model_dump() | {"ladders": [ladder.model_dump() for ladder in ladders]})


def test_a_condition_that_says_nothing_is_refused() -> None:
    with pytest.raises(ValidationError, match="takes every demand"):
        LadderWhen()
