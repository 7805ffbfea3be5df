"""Two-way match and use of resources: the order, the reasons, and that every task takes exactly one place."""

from __future__ import annotations

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from domain.matching import About, matches, use_of
from domain.units import Resource, Unit

TODAY = date(2027, 3, 1)


def resource(id: str, *categories: str, capacity: int = 2, **validity: date) -> Resource:
    values: dict[str, Any] = {"valid_from": date(2026, 1, 1), **validity}
    return Resource(id=id, what=id, categories=categories, capacity=capacity, **values)


def unit(id: str, *resources: Resource) -> Unit:
    return Unit(id=id, name=id, kind="member_unit", communities=("c",), liaison=f"p-{id}", resources=resources)


def test_those_that_could_take_it_come_first_with_their_reasons() -> None:
    units = [
        unit("a-full", resource("r1", "0101", capacity=1)),
        unit("b-free", resource("r2", "01", capacity=4)),
        unit("c-freer", resource("r3", "010101", capacity=4)),
        unit("d-steward", resource("r4", "01", capacity=4)),
        unit("e-had-it", resource("r5", "01")),
        unit("f-leads-it", resource("r6", "01")),
        unit("g-expired", resource("r7", "01", valid_until=date(2027, 2, 28))),
        unit("h-not-yet", resource("r8", "01", valid_from=date(2027, 3, 2))),
        unit("i-other", resource("r9", "02")),
        unit("j-provider"),
    ]
    about = About("010101", TODAY, lead="f-leads-it", past=("e-had-it", "f-leads-it"), steward="d-steward",
                  provider="j-provider")  # fmt: skip
    found = matches(units, about, {"a-full": 1, "b-free": 2, "d-steward": 3})
    assert [(m.unit.id, m.fits, m.reasons) for m in found] == [
        ("j-provider", True, ("menu",)),
        ("d-steward", True, ("steward", "free")),
        ("c-freer", True, ("free",)),
        ("b-free", True, ("free",)),
        ("e-had-it", False, ("had_it_before", "free")),
        ("f-leads-it", False, ("leads_it", "free")),
        ("a-full", False, ("full",)),
        ("g-expired", False, ("expired",)),
        ("h-not-yet", False, ("not_yet",)),
    ]
    by_id = {m.unit.id: m for m in found}
    assert (by_id["b-free"].free, by_id["a-full"].free, by_id["g-expired"].capacity) == (2, 0, 0)


def test_the_choosiest_task_is_served_first_and_each_takes_the_emptiest() -> None:
    wide, narrow = resource("wide", "01", capacity=1), resource("narrow", "0101", capacity=3)
    use = use_of(unit("u", wide, narrow), ["010101", "010201", "0301"], TODAY)
    assert (dict(use.of), use.other) == ({"wide": 1, "narrow": 1}, 1)
    expired = resource("gone", "01", valid_until=date(2027, 2, 28))
    assert use_of(unit("u", expired), ["010101"], TODAY).other == 1


@given(st.lists(st.sampled_from(["010101", "010201", "020101", "030101"]), max_size=30), st.randoms())
def test_every_task_takes_one_place_or_none_in_whatever_order_they_come(categories: list[str], chance: Any) -> None:
    u = unit("u", resource("a", "01", capacity=3), resource("b", "0101", "02", capacity=2), resource("c", "02"))
    use = use_of(u, categories, TODAY)
    assert sum(use.of.values()) + use.other == len(categories)
    assert use.other == categories.count("030101")
    shuffled = [*categories]
    chance.shuffle(shuffled)
    assert use_of(u, shuffled, TODAY) == use
