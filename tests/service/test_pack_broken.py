"""A broken pack is never half loaded: it says where, what, and what to do about it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from service.pack import SHOWN, load_pack
from tests.service.breaking import PACK, Break, a_copy, features, problems_of, remove_line, replace, rewrite

FAST = PACK.parent / "overlays" / "fast.toml"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return a_copy(tmp_path)


def ring(feature: dict[str, Any]) -> list[list[float]]:
    coordinates: list[list[float]] = feature["geometry"]["coordinates"][0]
    return coordinates


def swap_corners(feature: dict[str, Any]) -> None:
    corners = ring(feature)
    corners[2], corners[5] = corners[5], corners[2]


BROKEN: dict[str, tuple[Break, str, str, str]] = {
    # what: (how it is broken, file, part of the key, part of the remedy)
    "missing file": (lambda p: (p / "units.toml").unlink(), "units.toml", "whole file", "Add it"),
    "empty file": (rewrite("rotation.toml", b" \n"), "rotation.toml", "whole file", "Restore it"),
    "wrong encoding": (
        rewrite("communities.toml", "communities = ['胜利路']".encode("gbk")),
        "communities.toml",
        "whole file",
        "Save it as UTF-8",
    ),
    "bad TOML": (replace("sla.toml", "redo_limit = 2", "redo_limit 2"), "sla.toml", "line 11", "Correct the syntax"),
    "TOML cut off": (rewrite("routing.toml", b"[[rules"), "routing.toml", "end of document", "Correct the syntax"),
    "bad JSON": (rewrite("grids.geojson", b'{"type":\n]'), "grids.geojson", "line 2, column 1", "Correct the syntax"),
    "JSON of another kind": (rewrite("grids.geojson", b"[]"), "grids.geojson", "whole file", "FeatureCollection"),
    "JSON too deep": (rewrite("grids.geojson", b"[" * 100_000), "grids.geojson", "whole file", "plain"),
    "JSON with NaN": (rewrite("compounds.geojson", b'{"a": NaN}'), "compounds.geojson", "whole file", "plain numbers"),
    "no entries": (rewrite("units.toml", b"units = []"), "units.toml", "units", "at least 1"),
    "unknown key": (
        replace("district.toml", "timezone =", "time_zone ="),
        "district.toml",
        "time_zone",
        "Remove `time_zone`",
    ),
    "wrong type": (
        replace("people.toml", 'id = "p-0001"', "id = 1"),
        "people.toml",
        "people[0].id",
        "It should be a valid string",
    ),
    "text for a number": (
        replace("units.toml", "capacity = 12", 'capacity = "12"'),
        "units.toml",
        "capacity",
        "It should be a valid integer",
    ),
    "day that is a text": (
        replace("units.toml", "valid_from = 2026-01-01", 'valid_from = "2026-01-01"'),
        "units.toml",
        "units[u-power].resources[u-power-r1].valid_from",
        "It should be a valid date",
    ),
    "leaf without SLA class": (
        replace("categories.toml", 'sla_class = "ordinary"\n', ""),
        "categories.toml",
        "leaves[010101].sla_class",
        "Add `sla_class`",
    ),
    "unknown SLA class": (
        replace("categories.toml", 'sla_class = "ordinary"', 'sla_class = "normal"'),
        "categories.toml",
        "leaves[010101].sla_class",
        "'emergency', 'livelihood', 'ordinary' or 'complex'",
    ),
    "half a working day": (
        replace("sla.toml", "amount = 7, unit", "amount = 7.5, unit"),
        "sla.toml",
        "reopen_window",
        "Change the value",
    ),
    "no routing default": (
        replace("routing.toml", '[default]\nstage = "meeting"', ""),
        "routing.toml",
        "default",
        "Add `default`",
    ),
    "rule with two targets": (
        replace("routing.toml", '{ unit = "u-gas" }', '{ unit = "u-gas", kind = "department" }'),
        "routing.toml",
        "rules[gas-leak].to",
        "Change the value",
    ),
    "polygon with a hole": (
        features("grids.geojson", "wenqulu-01", lambda f: f["geometry"]["coordinates"].append(ring(f))),
        "grids.geojson",
        "features[wenqulu-01].geometry.coordinates",
        "holes",
    ),
    "coordinates the wrong way round": (
        features("compounds.geojson", "c-0007", lambda f: f["geometry"]["coordinates"].reverse()),
        "compounds.geojson",
        "features[c-0007].geometry.coordinates[1]",
        "less than or equal to 90",
    ),
    "polygon not closed": (
        features("grids.geojson", "wenqulu-01", lambda f: ring(f).pop()),
        "grids.geojson",
        "features[wenqulu-01].geometry",
        "Repeat the first position",
    ),
    "polygon that crosses itself": (
        features("grids.geojson", "wenqulu-01", swap_corners),
        "grids.geojson",
        "features[wenqulu-01].geometry",
        "without a loop",
    ),
    "compound outside its grid": (
        features("compounds.geojson", "c-0007", lambda f: f["properties"].update(grid="xuanhualu-09")),
        "compounds.geojson",
        "features[c-0007].geometry",
        "longitude first",
    ),
    "compound of another community": (
        features("compounds.geojson", "c-0007", lambda f: f["properties"].update(community="wenqulu")),
        "compounds.geojson",
        "features[c-0007].properties.community",
        "Write xuanhualu",
    ),
    "unknown community": (
        features("grids.geojson", "wenqulu-01", lambda f: f["properties"].update(community="wenqulo")),
        "grids.geojson",
        "features[wenqulu-01].properties.community",
        "Did you mean `wenqulu`?",
    ),
    "worker without the role": (
        features("grids.geojson", "wenqulu-01", lambda f: f["properties"].update(duty_worker="p-0001")),
        "grids.geojson",
        "duty_worker",
        'Grant { role = "grid_worker", community = "wenqulu", grid = "wenqulu-01" }',
    ),
    "substitute of another community": (
        features("grids.geojson", "wenqulu-01", lambda f: f["properties"].update(substitute="p-0022")),
        "grids.geojson",
        "substitute",
        "grid worker of the same community",
    ),
    "unknown property unit": (
        features("compounds.geojson", "c-0007", lambda f: f["properties"].update(property_unit="pm-999")),
        "compounds.geojson",
        "property_unit",
        "property-units.toml",
    ),
    "duplicate id": (
        features("compounds.geojson", "c-0007", lambda f: f.update(id="c-0008")),
        "compounds.geojson",
        "features[c-0008]",
        "Give each its own id",
    ),
    "duplicate name": (
        features("compounds.geojson", "c-0007", lambda f: f["properties"].update(name="渝西西段小区")),
        "compounds.geojson",
        "渝西西段小区",
        "Give each its own name",
    ),
    "a compound lost": (
        remove_line("compounds.geojson", '"c-0007"'),
        "district.toml",
        "counts.compounds",
        "compounds = 492",
    ),
    "resource for an unknown category": (
        replace("units.toml", '["040101"]', '["049999"]'),
        "units.toml",
        "units[u-water].resources[u-water-r1].categories",
        "categories.toml",
    ),
    "liaison without the role": (
        replace("people.toml", 'role = "unit_liaison", unit = "u-water"', 'role = "auditor"'),
        "units.toml",
        "units[u-water].liaison",
        'unit = "u-water"',
    ),
    "community without its station": (
        replace("units.toml", 'kind = "property_service_station"', 'kind = "department"'),
        "units.toml",
        "units",
        'kind = "property_service_station"',
    ),
    "grid without a steward": (
        remove_line("stewardships.toml", 'grid = "xuanhualu-01"'),
        "stewardships.toml",
        "stewardships[xuanhualu-01]",
        "Add a stewardship",
    ),
    "two stewards at a time": (
        replace("stewardships.toml", "from = 2027-07-01", "from = 2027-06-30"),
        "stewardships.toml",
        "stewardships[",
        "End the first before 2027-06-30",
    ),
    "unknown prefix in a rule": (
        replace("routing.toml", '"0601"', '"0699"'),
        "routing.toml",
        "rules[illegal-building].when.categories",
        "Did you mean",
    ),
    "rule to an unknown unit": (
        replace("routing.toml", '"dept-enforcement"', '"dept-enforcment"'),
        "routing.toml",
        "rules[illegal-building].to.unit",
        "Did you mean `dept-enforcement`?",
    ),
    "rule to a unit that does not serve all": (
        replace("routing.toml", '"dept-enforcement"', '"u-001"'),
        "routing.toml",
        "rules[illegal-building].to",
        "when.community",
    ),
    "orphaned category": (
        remove_line("categories.toml", 'code = "0101"'),
        "categories.toml",
        "leaves[010101]",
        "Add a group with code 0101",
    ),
    "group without leaves": (
        replace("categories.toml", "groups = [\n", 'groups = [\n  { code = "99", name = "空", name_en = "Empty" },\n'),
        "categories.toml",
        "groups[99]",
        "Add a leaf",
    ),
    "roster with a stranger": (
        replace("rotation.toml", 'roster = ["', 'roster = ["u-071", "'),
        "rotation.toml",
        "rotations[xuanhualu].roster",
        "`u-071`",
    ),
    "period from the middle of a month": (
        replace("rotation.toml", "2026-01-01", "2026-01-15"),
        "rotation.toml",
        "rotations[xuanhualu].starts_on",
        "first of a month",
    ),
    "cadence on no day of the week": (
        replace("meetings.toml", 'weekday = "wednesday"', 'weekday = "Wednesday"'),
        "meetings.toml",
        "meetings[xuanhualu].schedule.weekday",
        "Use one of",
    ),
    "cadence at no time of the day": (
        replace("meetings.toml", 'time = "14:30"', 'time = "24:30"'),
        "meetings.toml",
        "meetings[xuanhualu].schedule.time",
        "It must match",
    ),
    "agenda closed before the session before": (
        replace("meetings.toml", "agenda_cutoff_days = 3", "agenda_cutoff_days = 28"),
        "meetings.toml",
        "meetings[xuanhualu].agenda_cutoff_days",
        "Write 20 or less",
    ),
    "meeting without a body": (
        replace("meetings.toml", 'id = "wenqulu"', 'id = "wenqu"'),
        "meetings.toml",
        "meetings[wenqu].id",
        "Did you mean `wenqulu`?",
    ),
    "director who may not chair": (
        replace("meetings.toml", '"p-0001"', '"p-0002"'),
        "meetings.toml",
        "meetings[shengli-road].director",
        "Grant the role chair",
    ),
    "quorum beyond reach": (
        replace("meetings.toml", "quorum = 6", "quorum = 600"),
        "meetings.toml",
        "meetings[xuanhualu].quorum",
        "or less",
    ),
    "no dispatcher": (
        replace("people.toml", '{ role = "operator", community = "wenqulu" }', '{ role = "auditor" }'),
        "people.toml",
        "people",
        'community = "wenqulu"',
    ),
    "leave that ends before it begins": (
        replace("people.toml", "-19 }", "-01 }"),
        "people.toml",
        "leave[0].until",
        "later date",
    ),
    "one phrase in two rules": (
        replace("screening.toml", '"正在着火"', '"正在着火", "不服判决"'),
        "screening.toml",
        "phrases[不服判决]",
        "its own phrase",
    ),
    "a threshold beyond its scale": (
        replace("duplicates.toml", "least_text = 0.12", "least_text = 12"),
        "duplicates.toml",
        "least_text",
        "less than or equal to 1",
    ),
    "thresholds without a version": (
        remove_line("duplicates.toml", "version = "),
        "duplicates.toml",
        "version",
        "Add `version`",
    ),
    "weights that do not add up": (
        replace("rates.toml", "response = 0.30", "response = 0.40"),
        "rates.toml",
        "definitions[0].weights",
        "Change the value",
    ),
    "a definition in force that is not there": (
        replace("rates.toml", 'in_force = "2"', 'in_force = "3"'),
        "rates.toml",
        "(whole file)",
        "Change the value",
    ),
    "no such time zone": (
        replace("district.toml", "Asia/Shanghai", "Asia/Yongchuan"),
        "district.toml",
        "timezone",
        "Asia/Shanghai",
    ),
    "service of an unknown category": (
        replace("menu.toml", '"080102"', '"080199"'),
        "menu.toml",
        "services[canteen-lunch].category",
        "categories.toml",
    ),
    "service filed under a branch": (
        replace("menu.toml", '"080102"', '"0801"'),
        "menu.toml",
        "services[canteen-lunch].category",
        "categories.toml",
    ),
    "service that nobody provides": (
        replace("menu.toml", '[services.partners]\nxuanhualu = "u-004"', '[services.partner]\nxuanhualu = "u-004"'),
        "menu.toml",
        "services[clinic-day]",
        "Remove `partner`",
    ),
    "service without a provider in some community": (
        replace("menu.toml", 'to = { kind = "community_company" }', 'to = { unit = "xuanhualu-company" }'),
        "menu.toml",
        "services[canteen-delivery].to",
        "Name a partner for each of them",
    ),
    "partner of another community": (
        replace("menu.toml", 'xuanhualu = "u-004"', 'xuanhualu = "u-016"'),
        "menu.toml",
        "services[clinic-day].partners.xuanhualu",
        "xuanhualu among its communities",
    ),
    "partner that does not exist": (
        replace("menu.toml", 'xuanhualu = "u-004"', 'xuanhualu = "u-0004"'),
        "menu.toml",
        "services[clinic-day].partners.xuanhualu",
        "units.toml",
    ),
    "partner in an unknown community": (
        replace("menu.toml", 'xuanhualu = "u-004"', 'xuanhuaroad = "u-004"'),
        "menu.toml",
        "services[clinic-day].partners",
        "communities.toml",
    ),
    "price that is no amount": (
        replace("menu.toml", "price_fen = 1200", "price_fen = 12.5"),
        "menu.toml",
        "services[canteen-lunch].price_fen",
        "It should be a valid integer",
    ),
    "one service twice": (
        replace("menu.toml", 'id = "clinic-day"', 'id = "canteen-lunch"'),
        "menu.toml",
        "services[canteen-lunch]",
        "its own id",
    ),
    "one care group twice": (
        replace("care-groups.toml", 'id = "disabled"', 'id = "veterans"'),
        "care-groups.toml",
        "care_groups[veterans]",
        "its own id",
    ),
    "check-ins without a rhythm": (
        replace("care-groups.toml", "check_in_days = 3", "check_in_days = 0"),
        "care-groups.toml",
        "care_groups[elderly-alone].check_in_days",
        "greater than or equal to 1",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_pack_says_where_and_what_to_do(copy: Path, what: str) -> None:
    break_it, file, key, remedy = BROKEN[what]
    break_it(copy)
    error = problems_of(copy)
    named = [p for p in error.problems if p.file == f"pack/{file}" and key in p.key and remedy in p.remedy]
    assert named, str(error)
    assert f"pack/{file}" in str(error)


def test_an_unbroken_copy_loads(copy: Path) -> None:
    assert load_pack(copy) == load_pack(PACK)


def test_a_byte_order_mark_does_no_harm(copy: Path) -> None:
    (copy / "sla.toml").write_bytes(b"\xef\xbb\xbf" + (copy / "sla.toml").read_bytes())
    assert load_pack(copy).sla == load_pack(PACK).sla


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "nowhere: (whole file): is not a folder" in str(problems_of(tmp_path / "nowhere"))


def test_problems_of_several_files_are_told_at_once_and_the_first_twenty_shown(copy: Path) -> None:
    replace("units.toml", 'kind = "member_unit"', 'kind = "member"', count=60)(copy)
    replace("sla.toml", "redo_limit = 2", "redo_limit = -2")(copy)
    (copy / "meetings.toml").unlink()
    error = problems_of(copy)
    assert Counter(p.file for p in error.problems) == {
        "pack/units.toml": 60,
        "pack/sla.toml": 1,
        "pack/meetings.toml": 1,
    }
    shown = str(error).splitlines()
    assert len(shown) == 1 + SHOWN + 1
    assert shown[-1].strip() == "… and 42 more"


def test_a_wrong_value_of_the_pack_is_not_blamed_on_the_overlay(copy: Path) -> None:
    replace("sla.toml", "redo_limit = 2", 'redo_limit = "2"')(copy)
    assert problems_of(copy, FAST).file == "pack/sla.toml"
