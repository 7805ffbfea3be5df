"""The reference pack is sound and complete, and overlays are laid over it safely."""

import math
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest
from shapely import Point, Polygon, unary_union

from domain.district import District
from domain.vocabulary import Role
from service.pack import PackError, load_pack

ROOT = Path(__file__).resolve().parents[2]
PACK = ROOT / "config" / "shengli-road"
FAST = ROOT / "config" / "overlays" / "fast.toml"


@pytest.fixture(scope="module")
def district() -> District:
    return load_pack(PACK)


def problems_of(pack: Path, overlay: Path | None = None) -> PackError:
    with pytest.raises(PackError) as refused:
        load_pack(pack, overlay)
    return refused.value


# The reference pack ---------------------------------------------------------------------------------------------------


def test_the_reference_district_has_what_its_source_counts(district: District) -> None:
    kinds = Counter(u.kind for u in district.units)
    assert (len(district.communities), len(district.compounds), len(district.property_units)) == (6, 493, 116)
    assert kinds["member_unit"] == 71
    assert kinds["property_service_station"] == kinds["community_company"] == kinds["self_governance_group"] == 6
    assert {p.grade for p in district.property_units} == {"leading", "improving", "mixed", "basic"}
    assert sum(c.property_unit is None for c in district.compounds) == 74
    assert {c.property_unit for c in district.compounds} - {None} == {p.id for p in district.property_units}


def test_names_of_the_source_are_there(district: District) -> None:
    assert [c.name for c in district.communities] == [
        "萱花路社区",
        "玉屏路社区",
        "张家坡社区",
        "胜利路社区",
        "文曲路社区",
        "永钢村社区",
    ]
    assert district.grid("xuanhualu-03").name == "萱花路社区第3网格"
    assert district.compound("渝西西段小区").grid == "xuanhualu-03"
    periods = {r.community: r.period for r in district.rotations}
    assert periods.pop("xuanhualu") == "quarter"
    assert set(periods.values()) == {"month"}


def test_the_grids_are_a_mesh_without_gap_or_overlap_of_the_right_size(district: District) -> None:
    shapes = [Polygon(g.ring) for g in district.grids]
    whole = unary_union(shapes)
    assert all(shape.is_valid for shape in shapes)
    assert whole.geom_type == "Polygon"
    assert len(whole.interiors) == 0
    assert sum(s.area for s in shapes) == pytest.approx(whole.area, rel=1e-12)
    square_km = whole.area * 111.19508**2 * math.cos(math.radians(29.35))
    assert square_km == pytest.approx(37.42, abs=0.02)
    assert whole.contains(Point(105.92, 29.35))


def test_grid_at_agrees_with_shapely(district: District) -> None:
    shapes = {g.id: Polygon(g.ring) for g in district.grids}
    for compound in district.compounds:
        found = district.grid_at(compound.lat, compound.lon)
        assert found is not None
        assert found.id == compound.grid
        assert shapes[compound.grid].contains(Point(compound.lon, compound.lat))


def test_ids_of_people_say_nothing_and_one_person_may_have_several_roles(district: District) -> None:
    assert all(re.fullmatch(r"p-\d{4}", p.id) for p in district.people)
    assert len({p.name for p in district.people}) == len(district.people)
    roles = [{g.role for g in p.grants} for p in district.people]
    assert {Role.UNIT_LIAISON, Role.CHAIR} in roles
    assert {Role.GRID_WORKER, Role.UNIT_LIAISON} in roles
    assert any(p.leave for p in district.people)


def test_every_grid_has_a_worker_and_a_steward_on_any_day_of_two_years(district: District) -> None:
    for day in (date(2026, 11, 23), date(2027, 6, 30), date(2027, 7, 1), date(2028, 11, 23)):
        for grid in district.grids:
            assert not district.person(district.duty_worker(grid.id, day)).away(day)
            assert district.steward_of(grid.id, day) is not None


def test_every_body_has_a_chair(district: District) -> None:
    for meeting in district.meetings:
        person = district.person(district.chair_person(meeting.id, date(2027, 5, 4)))
        assert Role.CHAIR in {g.role for g in person.grants}


def test_the_category_tree_is_wide_enough_and_promises_what_the_product_promises(district: District) -> None:
    assert 55 <= len(district.categories) <= 75
    assert {len(c.code) for c in district.categories} == {6}
    assert {c.handling_level for c in district.categories} == {"grid", "unit", "subdistrict"}
    resolve = {name: getattr(district.sla.classes, name).resolve for name in type(district.sla.classes).model_fields}
    assert {name: (budget.amount, budget.unit) for name, budget in resolve.items()} == {
        "emergency": (2, "hours"),
        "livelihood": (24, "hours"),
        "ordinary": (7, "working_days"),
        "complex": (15, "working_days"),
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("楼下垃圾桶满了三天没人清运", "010101"),
        ("3幢电梯困人，快来", "030301"),
        ("整栋楼停水，水压一直不够", "040101"),
        ("半夜路灯不亮看不见路", "030101"),
        ("楼上有人私搭违建", "060101"),
    ],
)
def test_ordinary_words_suggest_the_right_leaf_and_are_not_turned_away(
    district: District, text: str, code: str
) -> None:
    assert district.suggest_categories(text)[0].code == code
    assert district.screen(text) is None


@pytest.mark.parametrize(
    ("text", "kind", "number"),
    [
        ("三楼房子着火了快来人", "emergency", "119"),
        ("有人晕倒了", "emergency", "120"),
        ("小区门口有人持刀", "emergency", "110"),
        ("路口刚发生车祸", "emergency", "122"),
        ("我不服法院判决", "court", "12368"),
        ("信访事项复查怎么申请", "petition", "信访"),
        ("社区干部贪污", "discipline", "12388"),
    ],
)
def test_matters_for_others_are_told_where_to_go(district: District, text: str, kind: str, number: str) -> None:
    found = district.screen(text)
    assert found is not None
    assert found.kind == kind
    assert number in found.go_to


def test_the_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, "-B", "-m", "config.generate_district", "--seed", "7", "--out", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    written = sorted(p.name for p in tmp_path.iterdir())
    assert len(written) == 7
    for name in written:
        assert (tmp_path / name).read_bytes() == (PACK / name).read_bytes(), name


def test_loading_pulls_in_nothing_heavy() -> None:
    code = (
        "import sys, service.pack; service.pack.load_pack(sys.argv[1]);"
        "print({m.partition('.')[0] for m in sys.modules} & {'temporalio', 'sqlalchemy', 'fastapi', 'shapely', 'numpy'})"
    )
    run = subprocess.run([sys.executable, "-c", code, str(PACK)], cwd=ROOT, check=True, capture_output=True, text=True)
    assert run.stdout.strip() == "set()"


# Overlays -------------------------------------------------------------------------------------------------------------


def test_an_overlay_replaces_what_it_names_and_leaves_the_rest(district: District) -> None:
    fast = load_pack(PACK, FAST)
    assert fast.sla.reopen_window.amount * 3600 == pytest.approx(30, abs=0.1)
    assert fast.sla.refusal_window.amount * 3600 == pytest.approx(20, abs=0.1)
    assert fast.sla.call_back.attempts == district.sla.call_back.attempts
    assert fast.sla.redo_limit == 2
    assert fast.units == district.units
    for targets in dict(fast.sla.classes).values():
        for budget in (targets.accept, targets.contact, targets.resolve, targets.follow_up):
            assert budget.unit == "hours"
            assert budget.amount * 3600 >= 120


@pytest.mark.parametrize(
    ("text", "key", "problem"),
    [
        ('[classes.ordinary]\naccept = { amount = 0, unit = "hours" }', "classes.ordinary.accept.amount", "0"),
        ('[classes.ordinary]\naccept = { amount = 1, unit = "weeks" }', "classes.ordinary.accept.unit", "'weeks'"),
        ("[classes.usual]\n", "classes.usual", "is not a known key"),
        ("units = []", "units", "is not a known key"),
        ("redo_limit = ", "line 1", "is not TOML"),
    ],
)
def test_an_overlay_is_checked_like_the_pack_and_named_when_it_is_wrong(
    tmp_path: Path, text: str, key: str, problem: str
) -> None:
    overlay = tmp_path / "over.toml"
    overlay.write_text(text, "utf-8")
    error = problems_of(PACK, overlay)
    assert len(error.problems) == 1
    assert error.file.endswith("/over.toml")
    assert key in error.key
    assert problem in error.problem
