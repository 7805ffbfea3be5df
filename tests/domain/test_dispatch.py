"""Which unit is asked first, and why: the order of reasons, capacity, and who is left out."""

from __future__ import annotations

from datetime import date
from typing import Any

from domain.categories import Category
from domain.decide import submit
from domain.dispatch import MOST_CANDIDATES, route
from domain.district import District
from domain.routing import Candidate, Routing
from domain.vocabulary import Stage
from tests.domain import builders as b
from tests.domain.test_district import a_unit, an_sla

ON = date(2027, 3, 8)
C = b.COMMUNITY
PIPES = Category.model_validate(
    {"code": "010101", "name": "水管", "name_en": "Pipes", "handling_level": "unit", "sla_class": "ordinary",
     "verification": "none"}
)  # fmt: skip
LIFTS = PIPES.model_copy(update={"code": "020101", "property_matter": True})


def a_resource(capacity: int, *categories: str, **changes: Any) -> dict[str, Any]:
    covers = {"categories": categories or ("01",), "capacity": capacity, "valid_from": date(2027, 1, 1)}
    return {"id": "r1", "what": "维修", **covers, **changes}


def a_member(
    id: str, *resources: dict[str, Any], kind: str = "member_unit", communities: tuple[str, ...] = (C,)
) -> Any:
    return a_unit(id, *communities, kind=kind) | {"resources": resources}


def a_district(*units: dict[str, Any], **changes: Any) -> District:
    community = {"id": C, "name": "社区", "name_en": "Community"}
    ring = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0), (0.0, 0.0))
    grid = {"id": "g1", "name": "一", "community": C, "duty_worker": "worker", "substitute": "substitute", "ring": ring}
    compound = {"community": C, "grid": "g1", "lat": 0.5, "lon": 0.5, "property_grade": "basic", "buildings": 3}
    compounds = (
        {"id": "managed", "name": "甲苑", "property_unit": "firm", **compound},
        {"id": "unmanaged", "name": "乙苑", **compound},
    )
    said: dict[str, Any] = {
        "id": b.COMMITTEE, "name": "街道", "name_en": "District", "county": "区", "county_en": "County",
        "timezone": "Asia/Shanghai", "version": "1", "communities": (community,), "grids": (grid,),
        "compounds": compounds, "property_units": ({"id": "firm", "name": "物业", "grade": "basic"},), "units": units,
        "stewardships": (), "people": (), "categories_version": "1", "category_groups": (), "categories": (PIPES, LIFTS),
        "sla": an_sla(), "routing": {"version": "r7", "rules": (), "default": {"stage": "meeting"}}, "rotations": (),
        "meetings": (), "screening": (),
    }  # fmt: skip
    return District.model_validate(said | changes)


def rules(*to: dict[str, str], **when: Any) -> dict[str, Any]:
    made = tuple(
        {"id": f"rule-{n}", "when": {"categories": ("01", "02"), **when}, "to": target} for n, target in enumerate(to, 1)
    )  # fmt: skip
    return {"version": "r7", "rules": made, "default": {"stage": "meeting"}}


def stewardship(unit: str) -> dict[str, Any]:
    return {"unit": unit, "grid": "g1", "from": date(2027, 1, 1)}


def routed(district: District, category: Category = PIPES, **changes: Any) -> Routing:
    asked: dict[str, Any] = {"place": b.a_place(), "category": category, "on": ON, "loads": {}}
    return route(district, **(asked | changes))


def who(routing: Routing) -> list[tuple[str, str]]:
    return [(candidate.unit, candidate.reason) for candidate in routing.candidates]


def everyone() -> District:
    return a_district(
        a_member("idle", a_resource(10)), a_member("steward", a_resource(1)), a_member("ruled"),
        a_member("station", kind="property_service_station"),
        routing=rules({"unit": "ruled"}), stewardships=(stewardship("steward"),),
    )  # fmt: skip


def test_the_reasons_are_asked_in_the_order_of_the_product() -> None:
    matter = PIPES.model_copy(update={"property_matter": True})
    found = routed(everyone(), matter, place=b.a_place(compound="unmanaged"))
    assert [reason for _, reason in who(found)] == ["rule:rule-1", "steward", "resource", "station"]
    assert [unit for unit, _ in who(found)] == ["ruled", "steward", "idle", "station"]
    assert (found.rule, found.version) == ("rule:rule-1", "r7")


def test_a_unit_stands_once_with_its_first_reason() -> None:
    found = routed(everyone(), loads={})
    assert len({unit for unit, _ in who(found)}) == len(found.candidates)
    assert ("steward", "steward") in who(found)


def test_units_that_had_it_before_are_left_out() -> None:
    found = routed(everyone(), without=("ruled", "steward"))
    assert who(found) == [("idle", "resource")] and found.rule == "resource"


def test_the_first_rule_that_matches_wins() -> None:
    district = a_district(a_member("one"), a_member("two"), routing=rules({"unit": "two"}, {"unit": "one"}))
    assert who(routed(district)) == [("two", "rule:rule-1")]


def test_a_rule_for_another_place_does_not_match() -> None:
    district = a_district(a_member("one"), routing=rules({"unit": "one"}, has_property_unit=True))
    assert who(routed(district, place=b.a_place(compound="unmanaged"))) == []
    assert who(routed(district, place=b.a_place(compound="managed"))) == [("one", "rule:rule-1")]


def test_a_rule_by_kind_means_the_communitys_own_unit() -> None:
    district = a_district(
        a_member("ours", kind="community_company"), routing=rules({"kind": "community_company"})
    )  # fmt: skip
    assert who(routed(district)) == [("ours", "rule:rule-1")]


def test_a_steward_without_the_resource_is_not_asked() -> None:
    district = a_district(a_member("steward", a_resource(5, "99")), stewardships=(stewardship("steward"),))
    assert who(routed(district)) == []


def test_a_resource_that_has_run_out_of_time_does_not_count() -> None:
    old = a_resource(5, valid_until=date(2027, 3, 7))
    assert who(routed(a_district(a_member("late", old)))) == []
    assert who(routed(a_district(a_member("late", old)), on=date(2027, 3, 7))) == [("late", "resource")]


def test_the_freest_unit_is_asked_first_and_a_full_one_not_at_all() -> None:
    district = a_district(*(a_member(id, a_resource(4)) for id in ("busy", "free", "full")))
    found = routed(district, loads={"busy": 3, "full": 4})
    assert [(x.unit, x.score) for x in found.candidates] == [("free", 1.0), ("busy", 0.25)]


def test_equal_units_are_asked_in_a_fixed_order() -> None:
    district = a_district(*(a_member(id, a_resource(4)) for id in ("c", "a", "b")))
    assert [unit for unit, _ in who(routed(district))] == ["a", "b", "c"]


def test_units_of_other_communities_are_not_asked() -> None:
    other = {"id": "c2", "name": "别的", "name_en": "Other"}
    community = {"id": C, "name": "社区", "name_en": "Community"}
    district = a_district(
        a_member("theirs", a_resource(9), communities=("c2",)), communities=(community, other)
    )  # fmt: skip
    assert who(routed(district)) == []


def test_the_station_takes_property_matters_where_nobody_manages_the_compound() -> None:
    district = a_district(a_member("station", kind="property_service_station"))
    assert who(routed(district, LIFTS, place=b.a_place(compound="unmanaged"))) == [("station", "station")]
    assert who(routed(district, LIFTS, place=b.a_place(compound="managed"))) == []
    assert who(routed(district, PIPES, place=b.a_place(compound="unmanaged"))) == []


def test_nobody_means_the_default_and_the_default_means_the_meeting() -> None:
    found = routed(a_district())
    assert found == Routing(version="r7", rule="default", candidates=())
    turn = submit(
        b.a_submission(), b.NUMBER, b.MONDAY_NINE, b.CALENDAR, place=b.a_place(), routing=found, screened=None,
        actor=b.REPORTER,
    )  # fmt: skip
    assert turn.demand.stage is Stage.MEETING


def test_the_list_of_candidates_stays_short_and_names_their_liaisons() -> None:
    district = a_district(*(a_member(f"u{n}", a_resource(1)) for n in range(9)))
    found = routed(district)
    assert len(found.candidates) == MOST_CANDIDATES
    assert all(isinstance(x, Candidate) and x.liaison == f"p-{x.unit}" for x in found.candidates)
