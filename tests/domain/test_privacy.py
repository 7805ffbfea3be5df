"""Who may see what of a person; masks; and how long it is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.actors import Actor, Grant
from domain.commands import Place
from domain.demand import Demand
from domain.masking import STRUCK, digits_of, is_masked, mask_email, mask_name, mask_phone, strike
from domain.privacy import ALL, PERSON, RULES, Field, Sight, sight, text_field, text_sight
from domain.retention import Retention, RetentionRules
from domain.routing import Candidate
from domain.tasks import CoTask
from domain.vocabulary import Role, Stage

NONE, MASKED, FULL = Sight.NONE, Sight.MASKED, Sight.FULL
PLACE = Place(community="c1", grid="c1-01", worker="w1", substitute="w2", secretary="s1")
LEAD = Candidate(unit="u-lead", liaison="l1", reason="steward")


def demand(**more: Any) -> Demand:
    values: dict[str, Any] = {
        "number": "20261123-000001", "stage": Stage.UNIT, "opened_by": "resident-0001", "place": PLACE, "worker": "w1",
        "lead": LEAD, "holder": "l1", "past_units": ("u-past",),
        "co_tasks": (CoTask(unit="u-co", liaison="l2", required=True, state="bound"),), **more,
    }  # fmt: skip
    return Demand(**values)


def who(id: str, role: Role, **scope: str) -> Actor:
    return Actor(id=id, grants=(Grant(role=role, **scope),))


PEOPLE = {
    "reporter": who("resident-0001", Role.RESIDENT),
    "other resident": who("resident-0002", Role.RESIDENT),
    "operator": who("o1", Role.OPERATOR),
    "operator elsewhere": who("o2", Role.OPERATOR, community="c2"),
    "secretary": who("s1", Role.COMMUNITY_SECRETARY, community="c1"),
    "secretary elsewhere": who("s2", Role.COMMUNITY_SECRETARY, community="c2"),
    "supervisor": who("v1", Role.SUPERVISOR),
    "contact worker": who("w1", Role.GRID_WORKER, community="c1"),
    "colleague": who("w3", Role.GRID_WORKER, community="c1"),
    "lead unit": who("l1", Role.UNIT_LIAISON, unit="u-lead"),
    "co-unit": who("l2", Role.UNIT_LIAISON, unit="u-co"),
    "past unit": who("l3", Role.UNIT_LIAISON, unit="u-past"),
    "other unit": who("l4", Role.UNIT_LIAISON, unit="u-other"),
    "chair": who("h1", Role.CHAIR, community="c1"),
    "auditor": who("a1", Role.AUDITOR),
    "integrator": who("i1", Role.INTEGRATOR),
    "admin": who("d1", Role.ADMIN),
    "system": who("system", Role.SYSTEM),
}
# name and phone, room, public texts, internal texts: of a plain demand, and of a confidential one
SEES = {
    "reporter": (FULL, FULL, FULL, NONE, FULL, FULL, FULL, NONE),
    "other resident": (NONE,) * 8,
    "operator": (FULL,) * 8,
    "operator elsewhere": (NONE,) * 8,
    "secretary": (FULL,) * 8,
    "secretary elsewhere": (NONE,) * 8,
    "supervisor": (FULL,) * 8,
    "contact worker": (FULL,) * 8,
    "colleague": (MASKED, MASKED, FULL, FULL, NONE, NONE, MASKED, MASKED),
    "lead unit": (FULL, FULL, FULL, FULL, NONE, NONE, MASKED, MASKED),
    "co-unit": (MASKED, FULL, FULL, FULL, NONE, NONE, MASKED, MASKED),
    "past unit": (NONE, NONE, MASKED, MASKED, NONE, NONE, MASKED, MASKED),
    "other unit": (NONE,) * 8,
    "chair": (MASKED, MASKED, FULL, FULL, NONE, NONE, MASKED, MASKED),
    "auditor": (MASKED, NONE, NONE, NONE, NONE, NONE, NONE, NONE),
    "integrator": (NONE,) * 8,
    "admin": (NONE,) * 8,
    "system": (NONE,) * 8,
}


@pytest.mark.parametrize("name", PEOPLE)
def test_every_role_and_tie(name: str) -> None:
    fields = (Field.PHONE, Field.ROOM, Field.PUBLIC_TEXT, Field.INTERNAL_TEXT)
    found = [sight(demand(confidential=flag), PEOPLE[name], field) for flag in (False, True) for field in fields]
    assert tuple(found) == SEES[name]
    for flag in (False, True):
        of_person = {sight(demand(confidential=flag), PEOPLE[name], field) for field in PERSON}
        assert len(of_person) == 1, "name, phone and e-mail are treated alike"


def test_the_flag_only_ever_takes_away() -> None:
    assert all(rule.confidential is None or rule.confidential < rule.sight for rule in RULES)


def test_every_field_is_in_some_rule_and_no_rule_stands_there_twice() -> None:
    assert {field for rule in RULES for field in rule.fields} == set(ALL) == set(Field)
    lines = [(rule.role, rule.tie, field) for rule in RULES for field in rule.fields]
    assert len(set(lines)) == len(lines)


def test_a_system_that_opened_a_demand_reads_what_is_public_of_it() -> None:
    integrator = PEOPLE["integrator"]
    own = demand(opened_by="i1")
    assert text_sight(own, integrator, "reply", "l1") is FULL
    assert text_sight(own, integrator, "note", "l1") is NONE
    assert sight(own, integrator, Field.PHONE) is MASKED


def test_with_several_roles_the_best_counts() -> None:
    both = Actor(id="l1", grants=(*PEOPLE["lead unit"].grants, *PEOPLE["secretary"].grants))
    assert sight(demand(confidential=True), both, Field.PHONE) is FULL


def test_who_wrote_a_text_may_read_it_but_an_auditor_reads_none() -> None:
    assert text_sight(demand(), PEOPLE["reporter"], "note", "resident-0001") is FULL
    assert text_sight(demand(), PEOPLE["auditor"], "note", "a1") is NONE
    assert text_field("minute") is text_field("something new") is Field.INTERNAL_TEXT


@pytest.mark.parametrize(
    ("said", "shown"),
    [("13812341234", "138****1234"), ("+86 138-1234-1234", "138****1234"), ("023-49812345", "023****2345"), ("49812345", "****45")],
)  # fmt: skip
def test_masked_phones(said: str, shown: str) -> None:
    assert mask_phone(said) == shown and is_masked(shown)


@pytest.mark.parametrize(("said", "shown"), [("李小龙", "李**"), ("王五", "王**"), ("欧阳娜娜", "欧**")])
def test_masked_names_do_not_tell_their_length(said: str, shown: str) -> None:
    assert mask_name(said) == shown and is_masked(shown) and not is_masked(said)


def test_masked_addresses() -> None:
    assert mask_email("someone@example.com") == "s***@example.com"
    assert is_masked("138＊＊＊＊1234") and is_masked("138xxxx1234") and not is_masked("Alexx Maxx")


@pytest.mark.parametrize(
    "spelled", ["13812341234", "+86 138 1234 1234", "008613812341234", "１３８１２３４１２３４", "138-1234-1234"]
)
def test_a_phone_is_the_same_however_it_is_written(spelled: str) -> None:
    assert digits_of(spelled) == "13812341234"
    assert strike(f"请打{spelled}找我", {"phone": "13812341234"}) == f"请打{STRUCK}找我"
    assert strike("请打13812341234找我", {"phone": spelled}) == f"请打{STRUCK}找我"


def test_a_text_without_its_reporter() -> None:
    person = {
        "name": "李小龙",
        "phone": "13812341234",
        "room": "902",
        "email": "Li@Example.com",
        "building": "3",
        "lat": 29.3,
    }
    said = "我是李小龙，住3栋902室（不是9021），li@example.com，电话138 1234 1234，别打13912341234"
    assert strike(said, person) == f"我是{STRUCK}，住3栋{STRUCK}室（不是9021），{STRUCK}，电话{STRUCK}，别打13912341234"
    assert strike(said, {}) == said and strike(said, {"phone": "--", "name": " "}) == said


def test_the_longest_beginning_of_a_code_says_how_long() -> None:
    now = datetime(2026, 11, 23, tzinfo=UTC)
    rules = RetentionRules(
        version="1",
        days=1000,
        rules=(Retention(categories=("12",), days=500), Retention(categories=("1201",), days=30)),
    )
    assert [rules.days_for(code) for code in ("010101", "120301", "120101")] == [1000, 500, 30]
    assert rules.shortest == 30
    assert rules.is_over("120101", now - timedelta(days=30), now) and not rules.is_over(
        "120101", now - timedelta(days=29), now
    )
    never = RetentionRules(version="1")
    assert never.shortest is None and not never.is_over("010101", now - timedelta(days=9999), now)
