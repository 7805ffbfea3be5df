"""Rulings: when one counts, for what, and which of several."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.rulings import Ruling, fitting, in_force, ruling_id

AT = datetime(2027, 3, 1, 2, tzinfo=UTC)
A_DAY = timedelta(days=1)


def a_ruling(**changes: Any) -> Ruling:
    said: dict[str, Any] = {
        "id": "r", "meeting": "c1", "community": "c1", "category": "0102", "unit": "u", "valid_from": AT,
        "decided_at": AT, "number": "20270301-000001", "chair": "p",
    }  # fmt: skip
    return Ruling.model_validate(said | changes)


def test_it_counts_from_its_first_instant_until_just_before_its_last() -> None:
    ruling = a_ruling(valid_until=AT + A_DAY)
    moments = (AT - timedelta(microseconds=1), AT, AT + A_DAY - timedelta(microseconds=1), AT + A_DAY)
    assert [ruling.in_force(at) for at in moments] == [False, True, True, False]
    assert a_ruling().in_force(AT + 10_000 * A_DAY)


def test_it_speaks_of_its_branch_in_its_community() -> None:
    ruling = a_ruling()
    assert ruling.fits("010203", "c1") and ruling.fits("0102", "c1")
    assert not ruling.fits("010303", "c1") and not ruling.fits("01", "c1") and not ruling.fits("010203", "c2")
    assert a_ruling(community=None).fits("010203", "c2")


def test_those_in_force_stand_newest_first_whoever_made_them() -> None:
    ours = a_ruling(id="ours", decided_at=AT)
    committee = a_ruling(id="committee", meeting="d", community=None, decided_at=AT + A_DAY)
    over = a_ruling(id="over", decided_at=AT + 2 * A_DAY, valid_until=AT + A_DAY)
    to_come = a_ruling(id="to-come", valid_from=AT + 9 * A_DAY)
    found = in_force([ours, over, committee, to_come], AT + A_DAY)
    assert [r.id for r in found] == ["committee", "ours"]
    assert [r.id for r in fitting(found, "010203", "c2")] == ["committee"]


@given(st.permutations([a_ruling(id=id, decided_at=AT + n * A_DAY) for id, n in (("a", 0), ("b", 1), ("c", 1))]))
def test_the_order_does_not_depend_on_how_they_were_read(rulings: list[Ruling]) -> None:
    assert [r.id for r in in_force(rulings, AT + A_DAY)] == ["c", "b", "a"]


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError):
        a_ruling(valid_from=AT.replace(tzinfo=None))


def test_each_visit_to_an_agenda_can_make_one() -> None:
    assert ruling_id("c1", "20270301-000001", 1) == "c1.20270301-000001.1"
    assert ruling_id("c1", "20270301-000001", 2) != ruling_id("c1", "20270301-000001", 1)
