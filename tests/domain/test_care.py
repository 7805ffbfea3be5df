"""The right to the individual-needs list: role by role, grant by grant."""

from __future__ import annotations

import pytest

from domain.actors import Actor, Grant
from domain.care import reach_of
from domain.vocabulary import Role

LOOKS_AFTER = {Role.GRID_WORKER, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR}


@pytest.mark.parametrize("role", [r for r in Role if r not in LOOKS_AFTER])
def test_no_other_role_reaches_anything_however_wide(role: Role) -> None:
    for scope in ({}, {"community": "c"}, {"community": "c", "grid": "c-01"}, {"unit": "u"}):
        actor = Actor(id="p", grants=(Grant(role=role, **scope),))
        assert reach_of(actor, frozenset({"c-01"})).none


def test_a_worker_reaches_the_own_grid_and_those_on_duty_for() -> None:
    worker = Actor(id="p", grants=(Grant(role=Role.GRID_WORKER, community="c", grid="c-01"),))
    reach = reach_of(worker, frozenset({"c-02"}))
    assert [reach.covers("c", f"c-0{n}") for n in (1, 2, 3)] == [True, True, False]


def test_a_secretary_reaches_the_own_community_and_a_supervisor_everything_or_a_community() -> None:
    secretary = Actor(id="p", grants=(Grant(role=Role.COMMUNITY_SECRETARY, community="c"),))
    assert [reach_of(secretary, frozenset()).covers(c, "x") for c in ("c", "d")] == [True, False]
    wide = Actor(id="p", grants=(Grant(role=Role.SUPERVISOR),))
    narrow = Actor(id="p", grants=(Grant(role=Role.SUPERVISOR, community="c"),))
    assert reach_of(wide, frozenset()).covers("d", "x")
    assert [reach_of(narrow, frozenset()).covers(c, "x") for c in ("c", "d")] == [True, False]


def test_a_second_role_gives_nothing_of_its_own() -> None:
    both = Actor(
        id="p", grants=(Grant(role=Role.GRID_WORKER, community="c", grid="c-01"), Grant(role=Role.AUDITOR))
    )  # fmt: skip
    assert [reach_of(both, frozenset()).covers("c", grid) for grid in ("c-01", "c-02")] == [True, False]
