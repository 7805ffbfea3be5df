"""A district of two communities and three grids, small enough to be read at a glance."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.district import District
from domain.errors import DomainError
from domain.units import Resource
from domain.vocabulary import Role
from tests.domain.builders import RATES

SPRING = date(2027, 3, 10)


def a_square(west: float, south: float) -> tuple[tuple[float, float], ...]:
    east, north = west + 1, south + 1
    return ((west, south), (east, south), (east, north), (west, north), (west, south))


def a_person(id: str, *grants: dict[str, str], leave: tuple[dict[str, date], ...] = ()) -> dict[str, Any]:
    return {"id": id, "name": "某某", "grants": grants, "leave": leave}


def a_unit(id: str, *communities: str, kind: str = "member_unit") -> dict[str, Any]:
    return {"id": id, "name": id, "kind": kind, "communities": communities, "liaison": f"p-{id}"}


def a_budget(amount: float) -> dict[str, Any]:
    return {"amount": amount, "unit": "hours"}


def an_sla() -> dict[str, Any]:
    targets = {name: a_budget(1) for name in ("accept", "contact", "resolve", "follow_up")}
    classes = dict.fromkeys(("emergency", "livelihood", "ordinary", "complex"), targets)
    classes["emergency"] = targets | {"unit_due": a_budget(2)}
    windows = ("unit_due", "refusal_window", "reopen_window", "meeting_decide", "locate", "pause_limit")
    limits = {"call_back": {"attempts": 3, "interval": a_budget(1)}, "redo_limit": 2, "refusal_limit": 3}
    return {"version": "1", "classes": classes, **{name: a_budget(5) for name in windows}, **limits}


def a_grid(id: str, west: float, worker: str, substitute: str) -> dict[str, Any]:
    ring = a_square(west, 0)
    community = id.split("-")[0]
    return {
        "id": id,
        "name": id,
        "community": community,
        "duty_worker": worker,
        "substitute": substitute,
        "ring": ring,
    }


def a_meeting(id: str, chair_source: str, director: str | None = None) -> dict[str, Any]:
    names = {"id": id, "name": id, "name_en": id, "cadence": "每月"}
    return names | {"agenda_cutoff_days": 3, "quorum": 1, "chair_source": chair_source, "director": director}


def a_leaf(code: str, name: str, *keywords: str) -> dict[str, Any]:
    handling = {"handling_level": "grid", "sla_class": "ordinary", "verification": "none"}
    return {"code": code, "name": name, "name_en": name, "keywords": keywords, **handling}


def a_district(**changes: Any) -> District:
    march = {"from": date(2027, 3, 8), "until": date(2027, 3, 12)}
    parts: dict[str, Any] = {
        "id": "town",
        "name": "某街道",
        "name_en": "Town",
        "county": "某区",
        "county_en": "County",
        "timezone": "Asia/Shanghai",
        "version": "1",
        "communities": [{"id": id, "name": id, "name_en": id} for id in ("east", "west")],
        "grids": [
            a_grid("east-01", 0, "p-1", "p-2"),
            a_grid("east-02", 1, "p-2", "p-1"),
            a_grid("west-01", 2, "p-3", "p-4"),
        ],
        "compounds": [
            {
                "id": "c-1",
                "name": "红旗小区",
                "community": "east",
                "grid": "east-01",
                "lat": 0.5,
                "lon": 0.5,
                "property_grade": "basic",
                "buildings": 3,
            },
        ],
        "property_units": [{"id": "pm-1", "name": "物业", "grade": "leading"}],
        "units": [
            a_unit("school", "east"),
            a_unit("bank", "east"),
            a_unit("clinic", "east"),
            a_unit("mill", "west"),
            a_unit("east-station", "east", kind="property_service_station"),
        ],
        "stewardships": [
            {"unit": "school", "grid": "east-01", "from": date(2026, 1, 1), "until": date(2027, 6, 30)},
            {"unit": "bank", "grid": "east-01", "from": date(2027, 7, 1)},
        ],
        "people": [
            a_person("p-1", {"role": "grid_worker", "community": "east", "grid": "east-01"}, leave=(march,)),
            a_person("p-2", {"role": "grid_worker", "community": "east", "grid": "east-02"}),
            a_person("p-3", {"role": "grid_worker", "community": "west", "grid": "west-01"}, leave=(march,)),
            a_person("p-4", {"role": "grid_worker", "community": "west"}, leave=(march,)),
            a_person("p-5", {"role": "operator", "community": "east"}),
            a_person("p-6", {"role": "community_secretary", "community": "west"}),
            a_person("p-7", {"role": "chair"}, {"role": "supervisor"}),
        ],
        "categories_version": "1",
        "category_groups": [
            {"code": "01", "name": "环境", "name_en": "Environment"},
            {"code": "0101", "name": "垃圾", "name_en": "Waste"},
        ],
        "categories": [
            a_leaf("010101", "垃圾未清运", "垃圾", "垃圾桶", "清运"),
            a_leaf("010102", "大件垃圾", "旧家具", "垃圾"),
        ],
        "sla": an_sla(),
        "routing": {"version": "1", "rules": [], "default": {"stage": "meeting"}},
        "rotations": [
            {
                "community": "east",
                "period": "quarter",
                "starts_on": date(2026, 1, 1),
                "roster": ["school", "bank", "clinic"],
            },
            {"community": "west", "period": "month", "starts_on": date(2026, 1, 1), "roster": ["mill"]},
        ],
        "meetings": [
            a_meeting("east", "rotation"),
            a_meeting("west", "secretary"),
            a_meeting("town", "director", "p-7"),
        ],
        "screening": [
            {
                "id": "fire",
                "kind": "emergency",
                "go_to": "119",
                "go_to_en": "119",
                "phrases": ["房子着火了", "on fire"],
            },
            {"id": "court", "kind": "court", "go_to": "法院", "go_to_en": "Court", "phrases": ["不服判决"]},
        ],
        "rates": RATES,
    }
    return District.model_validate(parts | changes)


def test_a_district_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        a_district().name = "别处"


def test_the_look_ups_do_not_change_what_a_district_equals() -> None:
    asked, fresh = a_district(), a_district()
    asked.community("east")
    assert asked == fresh
    assert asked.model_dump() == fresh.model_dump()


@pytest.mark.parametrize(
    ("lat", "lon", "grid"),
    [(0.5, 0.5, "east-01"), (0.5, 1.5, "east-02"), (0.5, 1.0, "east-02"), (0.5, 2.5, "west-01")],
)
def test_a_point_lies_in_one_grid(lat: float, lon: float, grid: str) -> None:
    found = a_district().grid_at(lat, lon)
    assert found is not None
    assert found.id == grid


def test_a_point_outside_lies_in_no_grid() -> None:
    assert a_district().grid_at(9, 9) is None
    assert a_district().grid_at(float("nan"), 0.5) is None


def test_a_compound_is_found_by_id_and_by_name() -> None:
    district = a_district()
    assert district.compound("c-1") is district.compound("红旗小区")
    assert district.compounds_of("east-01") == (district.compound("c-1"),)
    assert district.compounds_of("east-02") == ()


@pytest.mark.parametrize(
    "what", ["community", "grid", "compound", "unit", "person", "category", "meeting", "property_unit"]
)
def test_an_unknown_id_is_refused_without_repeating_it(what: str) -> None:
    with pytest.raises(DomainError) as refused:
        getattr(a_district(), what)("张三 13800000000")
    assert refused.value.code == f"unknown_{what}"
    assert "张三" not in str(refused.value) + str(refused.value.facts)


def test_a_branch_is_no_category() -> None:
    with pytest.raises(DomainError):
        a_district().category("0101")


def test_the_path_of_a_category_runs_from_the_top_to_the_leaf() -> None:
    assert [c.code for c in a_district().category_path("010102")] == ["01", "0101", "010102"]


def test_the_substitute_is_on_duty_while_the_worker_is_on_leave() -> None:
    district = a_district()
    assert district.duty_worker("east-01", date(2027, 3, 7)) == "p-1"
    assert district.duty_worker("east-01", date(2027, 3, 8)) == "p-2"
    assert district.duty_worker("east-01", date(2027, 3, 12)) == "p-2"
    assert district.duty_worker("east-01", date(2027, 3, 13)) == "p-1"


def test_a_colleague_is_on_duty_when_worker_and_substitute_are_away() -> None:
    grids = [a_grid("west-01", 0, "p-3", "p-4"), a_grid("west-02", 1, "p-2", "p-3")]
    assert a_district(grids=grids).duty_worker("west-01", SPRING) == "p-2"


def test_somebody_is_on_duty_even_when_all_are_away() -> None:
    assert a_district().duty_worker("west-01", SPRING) == "p-4"


def test_the_steward_changes_on_the_day_the_next_one_begins() -> None:
    district = a_district()
    days = {day: district.steward_of("east-01", day) for day in (date(2027, 6, 30), date(2027, 7, 1))}
    assert [unit.id for unit in days.values() if unit] == ["school", "bank"]
    assert district.steward_of("east-01", date(2025, 12, 31)) is None
    assert district.steward_of("east-02", SPRING) is None


@pytest.mark.parametrize(
    ("on", "unit"),
    [
        (date(2025, 12, 31), "school"),
        (date(2026, 1, 1), "school"),
        (date(2026, 3, 31), "school"),
        (date(2026, 4, 1), "bank"),
        (date(2026, 9, 30), "clinic"),
        (date(2026, 10, 1), "school"),
        (date(2027, 5, 1), "clinic"),
    ],
)
def test_the_chair_turns_every_quarter(on: date, unit: str) -> None:
    assert a_district().chair_unit("east", on).id == unit


def test_the_chair_is_a_liaison_a_secretary_or_a_director() -> None:
    district = a_district()
    assert district.chair_person("east", date(2026, 4, 1)) == "p-bank"
    assert district.chair_person("west", SPRING) == "p-6"
    assert district.chair_person("town", SPRING) == "p-7"


def test_people_are_found_by_role_and_exact_scope() -> None:
    district = a_district()
    assert district.dispatcher("east") == "p-5"
    assert district.secretary("west") == "p-6"
    assert [p.id for p in district.people_with(Role.SUPERVISOR)] == ["p-7"]
    assert district.people_with(Role.OPERATOR) == ()


def test_units_are_found_by_community_and_kind() -> None:
    district = a_district()
    assert [u.id for u in district.units_of("east", "property_service_station")] == ["east-station"]
    assert len(district.units_of("east")) == 4
    assert [g.id for g in district.grids_of("west")] == ["west-01"]


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("快来，房子着火了！", "fire"),
        ("My house is ON FIRE", "fire"),
        ("不服判决，房子着火了", "fire"),
        ("我不服判决", "court"),
        ("楼道里有人抽烟，怕着火", None),
        ("an upon firewall", None),
        ("", None),
    ],
)
def test_only_strict_phrases_are_screened(text: str, rule: str | None) -> None:
    found = a_district().screen(text)
    assert (found.rule if found else None) == rule


def test_the_leaf_with_the_most_telling_words_is_suggested_first() -> None:
    first, second = a_district().suggest_categories("门口垃圾桶满了，垃圾没人清运")
    assert (first.code, first.keywords, first.score) == ("010101", ("垃圾桶", "清运"), 5)
    assert second.code == "010102"
    assert len(a_district().suggest_categories("垃圾", limit=1)) == 1
    assert a_district().suggest_categories("你好") == ()


def test_a_resource_covers_prefixes_while_it_is_valid() -> None:
    resource = Resource(
        id="r",
        what="清运车",
        categories=("0101", "020304"),
        capacity=1,
        valid_from=date(2026, 1, 1),
        valid_until=date(2026, 12, 31),
    )
    assert resource.covers("010109", date(2026, 12, 31))
    assert not resource.covers("010109", date(2027, 1, 1))
    assert not resource.covers("010209", date(2026, 6, 1))


def test_a_class_without_its_own_unit_due_takes_the_district_s() -> None:
    sla = a_district().sla
    assert sla.unit_due_for("emergency").amount == 2
    assert sla.unit_due_for("ordinary") == sla.unit_due


def test_a_rule_holds_when_all_that_it_says_holds() -> None:
    when = {"categories": ["0101"], "community": "east", "property_grade": "basic", "has_property_unit": False}
    rule = {"id": "r", "when": when, "to": {"unit": "school"}}
    routing = {"version": "1", "rules": [rule], "default": {"stage": "meeting"}}
    condition = a_district(routing=routing).routing.rules[0].when
    facts: dict[str, Any] = {
        "category": "010101",
        "community": "east",
        "property_grade": "basic",
        "has_property_unit": False,
    }
    assert condition.holds(**facts)
    for name, other in [
        ("category", "020101"),
        ("community", "west"),
        ("property_grade", None),
        ("has_property_unit", True),
        ("has_property_unit", None),
    ]:
        assert not condition.holds(**facts | {name: other})
