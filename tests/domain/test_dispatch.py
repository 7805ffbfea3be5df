"""Which unit is asked first, and why: the order of reasons, capacity, and who is left out."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import Any

from domain.categories import Category
from domain.decide import submit
from domain.dispatch import MOST_CANDIDATES, MOST_PASSED_OVER, capacity_of, route
from domain.district import District
from domain.events import HandedOff
from domain.routing import Candidate, PassedOver, Routing
from domain.rulings import Ruling
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
        "meetings": (), "screening": (), "rates": b.RATES,
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
    assert (found.version, found.rule, found.candidates) == ("r7", "default", ())
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


# ---- rulings


def a_ruling(unit: str, **changes: Any) -> Ruling:
    at = datetime(2027, 3, 1, tzinfo=UTC)
    said: dict[str, Any] = {
        "id": f"ruling-{unit}", "meeting": C, "community": C, "category": "01", "unit": unit, "valid_from": at,
        "decided_at": at, "number": b.NUMBER, "chair": "chair",
    }  # fmt: skip
    return Ruling.model_validate(said | changes)


def test_a_ruling_comes_before_the_rules_and_names_itself() -> None:
    found = routed(everyone(), rulings=[a_ruling("idle")])
    assert found.rule == "ruling:ruling-idle"
    assert who(found)[:3] == [("idle", "ruling:ruling-idle"), ("ruled", "rule:rule-1"), ("steward", "steward")]


def test_the_first_ruling_that_fits_wins_and_the_next_is_not_asked_for_that() -> None:
    elsewhere = a_ruling("steward", community="c2")
    other_matter = a_ruling("steward", category="0102")
    found = routed(everyone(), rulings=[elsewhere, other_matter, a_ruling("idle"), a_ruling("station")])
    assert found.candidates[0].unit == "idle" and "ruling:ruling-station" not in [x.reason for x in found.candidates]
    assert routed(everyone(), rulings=[a_ruling("idle", community=None)]).rule == "ruling:ruling-idle"


def test_a_ruling_for_a_unit_that_does_not_work_here_is_passed_over_and_says_so() -> None:
    communities = ({"id": C, "name": "社区", "name_en": "C"}, {"id": "c2", "name": "别的", "name_en": "Other"})
    district = a_district(a_member("there", communities=("c2",)), a_member("here"), communities=communities)
    found = routed(district, rulings=[a_ruling("gone"), a_ruling("there"), a_ruling("here")])
    assert who(found) == [("here", "ruling:ruling-here")]
    assert [(x.unit, x.why) for x in found.passed_over] == [("gone", "no_such_unit"), ("there", "not_in_community")]


def test_a_ruling_binds_a_unit_that_has_much_to_do() -> None:
    district = a_district(a_member("full", a_resource(2)), a_member("free", a_resource(2)))
    found = routed(district, loads={"full": 2}, rulings=[a_ruling("full")])
    assert found.candidates[0] == Candidate(
        unit="full", liaison="p-full", reason="ruling:ruling-full", score=1.0, load=2, capacity=2
    )


# ---- what is recorded


def passed(found: Routing) -> list[tuple[str, str, str]]:
    return [(x.unit, x.reason, x.why) for x in found.passed_over]


def test_the_inputs_are_recorded() -> None:
    found = routed(everyone(), place=b.a_place(compound="managed"))
    assert found.on == ON and found.inputs is not None
    said = found.inputs
    assert (said.category, said.community, said.grid, said.compound) == ("010101", C, "g1", "managed")
    assert (said.property_grade, said.has_property_unit, said.steward) == ("basic", True, "steward")
    nowhere = routed(everyone()).inputs
    assert nowhere is not None and (nowhere.property_grade, nowhere.has_property_unit) == (None, None)


def test_load_and_capacity_stand_with_every_candidate() -> None:
    found = routed(everyone(), loads={"idle": 3, "ruled": 7})
    assert [(x.unit, x.load, x.capacity) for x in found.candidates] == [
        ("ruled", 7, None), ("steward", 0, 1), ("idle", 3, 10),
    ]  # fmt: skip


def test_each_alternative_that_was_not_taken_says_why() -> None:
    district = a_district(
        a_member("expired", a_resource(5, valid_until=date(2027, 3, 7))),
        a_member("coming", a_resource(5, valid_from=date(2027, 3, 9))),
        a_member("full", a_resource(2)), a_member("tried", a_resource(5)), a_member("free", a_resource(5)),
        a_member("steward", a_resource(5, "99")), stewardships=(stewardship("steward"),),
    )  # fmt: skip
    found = routed(district, loads={"full": 3}, without=("tried",))
    assert who(found) == [("free", "resource")]
    assert passed(found) == [
        ("steward", "steward", "no_resource"), ("tried", "resource", "had_it_before"),
        ("full", "resource", "no_capacity"), ("expired", "resource", "resource_expired"),
        ("coming", "resource", "resource_not_yet"),
    ]  # fmt: skip
    full = next(x for x in found.passed_over if x.unit == "full")
    assert (full.load, full.capacity) == (3, 2)


def test_a_steward_whose_resource_has_expired_is_passed_over_for_that() -> None:
    old = a_member("steward", a_resource(5, valid_until=date(2027, 3, 7)))
    found = routed(a_district(old, stewardships=(stewardship("steward"),)))
    assert passed(found) == [("steward", "steward", "resource_expired")]


def test_a_unit_that_is_a_candidate_for_one_reason_is_not_passed_over_for_another() -> None:
    steward = a_member("steward", a_resource(1))
    found = routed(a_district(steward, stewardships=(stewardship("steward"),)), loads={"steward": 4})
    assert who(found) == [("steward", "steward")] and found.passed_over == ()
    assert (found.candidates[0].load, found.candidates[0].capacity) == (4, 1)  # responsible all the same


def test_what_is_passed_over_is_listed_up_to_a_number_and_counted_beyond() -> None:
    district = a_district(*(a_member(f"u{n:02}", a_resource(1)) for n in range(30)))
    found = routed(district, loads={f"u{n:02}": 1 for n in range(10, 30)})
    assert len(found.candidates) == MOST_CANDIDATES and len(found.passed_over) == MOST_PASSED_OVER
    assert found.more == 30 - MOST_CANDIDATES - MOST_PASSED_OVER
    assert {x.why for x in found.passed_over[:5]} == {"enough_candidates"}


def test_one_over_capacity_gets_none_until_a_task_is_given_back() -> None:
    district = a_district(a_member("small", a_resource(2)))
    asked = [bool(routed(district, loads={"small": n}).candidates) for n in range(5)]
    assert asked == [True, True, False, False, False]


def test_a_stewardship_that_ends_moves_what_comes_after_and_not_what_is_there() -> None:
    ends = {**stewardship("steward"), "until": ON}
    units = (a_member("steward", a_resource(5)), a_member("other", a_resource(50)))
    district = a_district(*units, stewardships=(ends, {**stewardship("other"), "from": date(2027, 3, 9)}))
    first = routed(district)
    assert first.candidates[0] == Candidate(
        unit="steward", liaison="p-steward", reason="steward", score=1.0, load=0, capacity=5
    )
    turn = submit(
        b.a_submission(), b.NUMBER, b.MONDAY_NINE, b.CALENDAR, place=b.a_place(), routing=first, screened=None,
        actor=b.REPORTER,
    )  # fmt: skip
    later = routed(district, on=date(2027, 3, 9))
    assert later.candidates[0].unit == "other" and later.candidates[0].reason == "steward"
    assert later.inputs is not None and later.inputs.steward == "other"
    assert turn.demand.unit == "steward"  # its task goes on: nothing in the demand looks the stewardship up again


def test_the_same_question_is_answered_alike_after_many_others() -> None:
    """Coverage is remembered by community, category and date; dates beyond what is kept push older ones out."""
    district = a_district(a_member("one", a_resource(3, valid_until=date(2027, 6, 1))))
    asked = [date.fromordinal(ON.toordinal() + n) for n in range(-60, 5_000)]
    first = [who(routed(district, on=on)) for on in asked]
    assert [who(routed(district, on=on)) for on in asked] == first
    assert first[0] == [("one", "resource")] and first[-1] == []


def test_the_capacity_of_a_unit_for_a_category() -> None:
    own = (a_resource(3), {**a_resource(4, "0101"), "id": "r2"}, {**a_resource(9, "02"), "id": "r3"})
    unit = a_district(a_member("one", *own)).unit("one")
    assert [capacity_of(unit, code, ON) for code in ("010101", "020101", "030101")] == [7, 9, None]


# ---- the stored form

OLD = '{"version":"1","rule":"resource","candidates":[{"unit":"u","liaison":"p","reason":"resource","score":0.5}]}'


def test_a_decision_of_the_first_release_is_stored_as_it_was() -> None:
    routing = Routing.model_validate_json(OLD)
    assert routing.model_dump_json() == OLD
    assert json.dumps(HandedOff(routing=routing).model_dump(mode="json")["routing"], separators=(",", ":")) == OLD


def test_a_decision_survives_being_stored() -> None:
    full = a_district(a_member("idle", a_resource(10)), a_member("ruled"), routing=rules({"unit": "ruled"}))
    found = routed(full, loads={"idle": 10}, place=b.a_place(compound="managed"))
    assert found.passed_over == (PassedOver(unit="idle", reason="resource", why="no_capacity", load=10, capacity=10),)
    assert Routing.model_validate_json(found.model_dump_json()) == found
    assert '"load":0' in found.model_dump_json()  # none at all is something to say
