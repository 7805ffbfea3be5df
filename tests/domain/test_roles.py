"""Who may do what, and how far: the table by itself."""

from __future__ import annotations

import pytest

from domain import roles
from domain.actors import Actor, Grant
from domain.errors import DomainError
from domain.lifecycle import RULES as COMMANDS
from domain.lifecycle import Who
from domain.needs import Need
from domain.roles import OF_NEED, ROLES, WITHOUT_ROLE, Within
from domain.scopes import KEYS
from domain.vocabulary import Role

NOBODY = Actor(id="x")


def who(role: Role, **scope: str) -> Actor:
    return Actor(id="x", grants=(Grant(role=role, **scope),))


def test_every_need_is_somebodys() -> None:
    """`by_link` no role opens: a link does."""
    assert {need for need in Need if not OF_NEED[need]} == {*WITHOUT_ROLE, Need.BY_LINK}
    assert not [need for need in WITHOUT_ROLE if OF_NEED[need]]


def test_no_rule_says_twice_what_a_role_may_and_none_speaks_of_the_product_itself() -> None:
    lines = [(rule.need, role, rule.within) for rule in roles.RULES for role in rule.roles]
    assert len(set(lines)) == len(lines)
    assert Role.SYSTEM not in {role for _, role, _ in lines}


def test_what_needs_a_role_nobody_without_one_holds() -> None:
    held = {need for need in Need if roles.holds(NOBODY, need)}
    assert held == WITHOUT_ROLE
    assert not [need for need in Need if roles.may(NOBODY, need, community="a", unit="u", owner="x")]


def test_no_key_opens_what_is_personal_or_gives_power_over_others() -> None:
    closed = {
        Need.REVEAL_REPORTER, Need.CORRECT_REPORTER, Need.SEARCH_BY_PHONE, Need.OWN_DATA, Need.EXPORT_PERSONAL, Need.CARE,
        Need.SEE_PERSONAL_READS, Need.MANAGE_KEYS, Need.MANAGE_PEOPLE, Need.MANAGE_SESSIONS, Need.RENEW_CODE,
        Need.PUBLISH_ROUTING, Need.EXPORT_CASE_FILE, Need.SEE_WHOLE_LOG, Need.BY_LINK,
    }  # fmt: skip
    assert not closed & KEYS.keys()
    assert all(scopes for scopes in KEYS.values())


@pytest.mark.parametrize(
    ("scope", "covers"),
    [
        ({}, {"a": True, "b": True, None: True}),
        ({"community": "a"}, {"a": True, "b": False, None: False}),
        ({"unit": "u"}, {"a": False, "b": False, None: False}),
    ],
)
def test_a_community_is_covered_by_its_grants_and_by_those_without_a_place(
    scope: dict[str, str], covers: dict[str | None, bool]
) -> None:
    actor = who(Role.SUPERVISOR, **scope)
    assert {c: roles.may(actor, Need.CHANGE_ROTATION, community=c) for c in covers} == covers
    reach = roles.reach(actor, Need.CHANGE_ROTATION)
    assert (reach.everywhere, "a" in reach.communities) == (scope == {}, scope == {"community": "a"})


def test_the_district_is_for_grants_without_any_scope() -> None:
    assert roles.may(who(Role.ADMIN), Need.MANAGE_UNITS)
    for scope in ({"community": "a"}, {"grid": "g"}, {"unit": "u"}):
        assert not roles.may(who(Role.ADMIN, **scope), Need.MANAGE_UNITS)


def test_a_unit_is_its_own_liaisons_and_own_is_ones_own() -> None:
    liaison = who(Role.UNIT_LIAISON, unit="u")
    assert roles.may(liaison, Need.MANAGE_RESOURCES, unit="u")
    assert not roles.may(liaison, Need.MANAGE_RESOURCES, unit="v") and not roles.may(liaison, Need.MANAGE_RESOURCES)
    assert roles.reach(liaison, Need.SEE_RATES).units == {"u"} and not roles.reach(liaison, Need.SEE_RATES).everywhere
    keys = who(Role.INTEGRATOR)
    assert roles.may(keys, Need.MANAGE_KEYS, owner="x") and not roles.may(keys, Need.MANAGE_KEYS, owner="y")
    assert not roles.may(keys, Need.MANAGE_KEYS), "nothing that has no owner is one's own"


@pytest.mark.parametrize(
    ("actor", "need", "code"),
    [
        (who(Role.RESIDENT), Need.SEE_RATES, "not_permitted"),
        (NOBODY, Need.SEE_DEMANDS, "not_permitted"),
        (who(Role.COMMUNITY_SECRETARY, community="b"), Need.CHANGE_ROTATION, "outside_scope"),
        (who(Role.ADMIN, community="a"), Need.MANAGE_UNITS, "not_permitted"),
        (who(Role.INTEGRATOR), Need.MANAGE_KEYS, "not_permitted"),
    ],
)
def test_a_refusal_tells_another_role_from_another_place(actor: Actor, need: Need, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        roles.must(actor, need, community="a", owner="somebody")
    assert (refused.value.code, refused.value.facts["need"]) == (code, need)
    assert refused.value.facts["allowed"] == roles.allowed(need) and need.words in refused.value.rule


def test_whoever_has_a_command_in_the_lifecycle_may_try_one() -> None:
    """The routes let in every role that a rule of the lifecycle can mean; they never decide instead of it."""
    meant = {
        Who.SECRETARY: Role.COMMUNITY_SECRETARY, Who.SUPERVISOR: Role.SUPERVISOR, Who.OPERATOR: Role.OPERATOR,
        Who.LEAD_UNIT: Role.UNIT_LIAISON, Who.CO_UNIT: Role.UNIT_LIAISON, Who.CONTACT_WORKER: Role.GRID_WORKER,
        Who.SUBSTITUTE: Role.GRID_WORKER, Who.DISPATCHER: Role.OPERATOR, Who.REPORTER: Role.RESIDENT,
    }  # fmt: skip
    named = {meant[one] for rule in COMMANDS for one in rule.who if one in meant}
    assert named <= ROLES[Need.ACT_ON_DEMAND] and Role.AUDITOR not in ROLES[Need.ACT_ON_DEMAND]


def test_each_scope_is_said_of_something_and_explained() -> None:
    assert {rule.within for rule in roles.RULES} == set(Within) == set(roles.MEANINGS)
