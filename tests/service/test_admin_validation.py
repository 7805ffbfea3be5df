"""Changes of the district without a database: what lies over what, what is sound, what may still be changed."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel

from domain.actors import Grant
from domain.district import District
from domain.errors import ConfigError, DomainError
from domain.policies import Rotation
from domain.units import Resource, Retirement, Unit
from domain.vocabulary import Role
from service.admin_diff import differences
from service.admin_forms import RosterForm, UnitForm
from service.admin_hand_over import successor_of
from service.admin_plans import begins, stewarded, with_resource
from service.calendars import read_years
from service.pack import load_pack
from service.pack_checks import check_district
from service.publish_district import Leave, Turn, Turns, turns_of
from service.publish_in_force import Base, InForce, in_force
from store.publications import Publication

CONFIG = Path(__file__).parents[2] / "config"
YEARS = tuple(y for y in read_years(CONFIG / "calendar") if 2024 <= y.year <= 2027)
NOW = datetime(2026, 11, 23, 2, tzinfo=UTC)
TODAY = date(2026, 11, 23)
SHANGHAI = ZoneInfo("Asia/Shanghai")
A_DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def base() -> Base:
    return Base(YEARS, load_pack(CONFIG / "shengli-road"))


def published(
    id: int,
    kind: str,
    key: str,
    body: BaseModel | dict[str, Any],
    *,
    at: datetime = NOW,
    effective_at: datetime | None = None,
) -> Publication:
    said = body if isinstance(body, dict) else body.model_dump(mode="json", by_alias=True)
    return Publication(id, kind, key, "v", said, {"queued": 0}, "p-0008", at, effective_at or at)


def day(text: str) -> date:
    return date.fromisoformat(text)


def turn(unit: str, first: str, last: str | None = None) -> Turn:
    return Turn.model_validate({"unit": unit, "starts_on": day(first), "ends_on": day(last) if last else None})


def test_files_alone_are_the_district_itself(base: Base) -> None:
    found = in_force(base, [], NOW)
    assert found.district == base.district and check_district(found.district) == []


def test_a_unit_counts_from_its_instant_on_and_not_before(base: Base) -> None:
    before = base.district.unit("u-001")
    after = before.model_copy(update={"name": "换了名字"})
    one = published(1, "unit", "u-001", after, effective_at=NOW + A_DAY)
    early, late = in_force(base, [one], NOW), in_force(base, [one], NOW + A_DAY)
    assert (early.district.unit("u-001").name, late.district.unit("u-001").name) == (before.name, "换了名字")
    assert (early.state(one), late.state(one)) == ("scheduled", "in_force")
    assert [p.id for p in early.ahead()] == [1] and late.ahead() == []
    assert early.standing == () and late.standing == (one,)
    assert late.district.units_of(before.communities[0]) != base.district.units_of(before.communities[0])
    assert base.district.unit("u-001") == before


def test_what_counts_at_once_does_so_where_the_clock_is_behind(base: Base) -> None:
    one = published(1, "unit", "u-001", base.district.unit("u-001"), at=NOW + timedelta(seconds=3))
    assert in_force(base, [one], NOW).state(one) == "in_force"


def test_a_cancelled_change_never_counts(base: Base) -> None:
    after = base.district.unit("u-001").model_copy(update={"name": "换了名字"})
    one = published(1, "unit", "u-001", after, effective_at=NOW + A_DAY)
    gone = published(2, "cancellation", "1", {"reason": "a mistake"})
    found = in_force(base, [one, gone], NOW + 2 * A_DAY)
    assert found.district.unit("u-001") == base.district.unit("u-001")
    assert found.state(one) == "cancelled" and found.line("unit", "u-001") == [] and found.as_of == 2


def test_the_order_is_that_of_taking_effect(base: Base) -> None:
    unit = base.district.unit("u-001")
    names = [unit.model_copy(update={"name": name}) for name in ("乙", "甲")]
    later = published(1, "unit", "u-001", names[0], effective_at=NOW + 2 * A_DAY)
    sooner = published(2, "unit", "u-001", names[1], effective_at=NOW + A_DAY)
    states = [in_force(base, [later, sooner], NOW + n * A_DAY).district.unit("u-001").name for n in range(3)]
    assert states == [unit.name, "甲", "乙"]


def test_rights_follow_the_liaison_and_the_roster(base: Base) -> None:
    d = base.district
    unit, newcomer = d.unit("u-002"), d.duty_worker("xuanhualu-01", TODAY)
    former = d.person(unit.liaison)
    speaks, chairs = Grant(role=Role.UNIT_LIAISON, unit="u-002"), Grant(role=Role.CHAIR, community="xuanhualu")
    assert {speaks, chairs} <= set(former.grants)
    found = in_force(base, [published(1, "unit", "u-002", unit.model_copy(update={"liaison": newcomer}))], NOW).district
    assert {speaks, chairs} <= set(found.person(newcomer).grants)
    assert not {speaks, chairs} & set(found.person(former.id).grants)
    assert set(d.person(newcomer).grants) < set(found.person(newcomer).grants)
    assert check_district(found) == []


def test_a_unit_that_joins_the_roster_may_chair_and_one_that_leaves_it_may_not(base: Base) -> None:
    d = base.district
    chairs = Grant(role=Role.CHAIR, community="xuanhualu")
    rotation = d.directory.rotations["xuanhualu"]
    outside = next(u for u in d.units_of("xuanhualu", "member_unit") if u.id not in rotation.roster)
    leaving = d.unit(rotation.roster[0])
    after = rotation.model_copy(update={"roster": (*rotation.roster[1:], outside.id)})
    found = in_force(base, [published(1, "roster", "xuanhualu", after)], NOW).district
    assert chairs in found.person(outside.liaison).grants and chairs not in found.person(leaving.liaison).grants
    assert check_district(found) == []


def with_unit(base: Base, unit: Unit) -> list[ConfigError]:
    return check_district(in_force(base, [published(1, "unit", unit.id, unit)], NOW).district)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"liaison": "p-9999"}, "units[u-001].liaison"),
        ({"communities": ("nowhere",)}, "units[u-001].communities"),
        ({"communities": ("yupinglu",)}, "rotations[xuanhualu].roster"),
        ({"retired": Retirement(on=TODAY, reason="r")}, "stewardships[xuanhualu-02]"),
        ({"retired": Retirement(on=TODAY, reason="r", hand_over_to="u-001")}, "units[u-001].retired.hand_over_to"),
        ({"retired": Retirement(on=TODAY, reason="r", hand_over_to="u-013")}, "units[u-001].retired.hand_over_to"),
        ({"retired": Retirement(on=TODAY, reason="r", hand_over_to="u-9999")}, "units[u-001].retired.hand_over_to"),
        ({"resources": (Resource(id="u-002-r1", what="x", categories=("01",), capacity=1, valid_from=TODAY),)},
         "resources[u-002-r1]"),
        ({"resources": (Resource(id="n", what="x", categories=("9999",), capacity=1, valid_from=TODAY),)},
         "units[u-001].resources[n].categories"),
        ({"resources": (Resource(id="n", what="x", categories=("01",), capacity=1, valid_from=TODAY,
                                 valid_until=TODAY - A_DAY),)}, "units[u-001].resources[n].valid_until"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_with_its_remedy(base: Base, change: dict[str, Any], key: str) -> None:
    problems = with_unit(base, base.district.unit("u-001").model_copy(update=change))
    assert key in [p.key for p in problems] and all(p.remedy for p in problems), [str(p) for p in problems]


def test_a_retired_unit_is_known_but_nobody_asks_it(base: Base) -> None:
    d = base.district
    rotation = d.directory.rotations["xuanhualu"]
    roster = rotation.model_copy(update={"roster": tuple(u for u in rotation.roster if u != "u-001")})
    grids = {s.grid for s in d.stewardships if s.unit == "u-001"}
    gone = d.unit("u-001").model_copy(update={"retired": Retirement(on=TODAY, reason="并入")})
    changes = [published(1, "unit", "u-001", gone), published(2, "roster", "xuanhualu", roster)]
    changes += [
        published(3 + n, "stewardship", grid, stewarded(turns_of(d, grid), turn("u-002", "2026-11-23"), TODAY))
        for n, grid in enumerate(sorted(grids))
    ]
    found = in_force(base, changes, NOW).district
    partners = {s.id for s in d.menu if "u-001" in s.partners.values()}
    assert [p.key for p in check_district(found)] == [f"services[{id}]" for id in sorted(partners)]
    assert found.unit("u-001").name == d.unit("u-001").name
    assert "u-001" not in {u.id for u in found.units_of("xuanhualu")}
    assert found.steward_of("xuanhualu-02", TODAY) == found.unit("u-002")
    with pytest.raises(DomainError, match="unknown_unit"):
        found.serving_unit("u-001")


# ---- stewardships


def test_a_new_steward_begins_where_the_one_before_ends() -> None:
    before = Turns(turns=(turn("a", "2026-01-01", "2027-06-30"), turn("b", "2027-07-01")))
    after = stewarded(before, turn("c", "2027-01-01"), TODAY)
    assert after.turns == (turn("a", "2026-01-01", "2026-12-31"), turn("c", "2027-01-01"))


def test_only_the_last_day_of_a_running_stewardship_can_move() -> None:
    before = Turns(turns=(turn("a", "2026-01-01"),))
    assert stewarded(before, turn("a", "2026-01-01", "2026-11-30"), TODAY).turns == (
        turn("a", "2026-01-01", "2026-11-30"),
    )
    assert stewarded(before, turn("a", "2026-01-01", "2026-11-22"), TODAY).turns[0].ends_on == day("2026-11-22")


@pytest.mark.parametrize(
    "new",
    [turn("b", "2026-11-22"), turn("a", "2026-02-01"), turn("a", "2025-12-31"), turn("a", "2026-01-01", "2026-11-21")],
)
def test_days_that_have_passed_keep_their_steward(new: Turn) -> None:
    with pytest.raises(DomainError, match="days_over"):
        stewarded(Turns(turns=(turn("a", "2026-01-01"),)), new, TODAY)


# ---- rosters

QUARTERS = Rotation(community="c", period="quarter", starts_on=day("2026-01-01"), roster=("a", "b"))


def roster_from(first: str) -> RosterForm:
    return RosterForm(period="month", starts_on=day(first), roster=("b", "a"))


def test_a_roster_begins_at_midnight_of_a_period_to_come() -> None:
    at = begins(QUARTERS, roster_from("2027-04-01"), NOW, SHANGHAI)
    assert at == datetime(2027, 3, 31, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("first", "code"),
    [("2026-10-01", "turn_over"), ("2026-11-23", "turn_over"), ("2026-12-01", "validation_failed"),
     ("2027-01-02", "validation_failed"), ("2035-01-01", "validation_failed")],
)  # fmt: skip
def test_no_running_period_is_cut(first: str, code: str) -> None:
    with pytest.raises(DomainError) as refused:
        begins(QUARTERS, roster_from(first), NOW, SHANGHAI)
    assert (refused.value.code, refused.value.facts["next_period"]) == (code, "2027-01-01")


# ---- leave, resources, differences


def test_leave_takes_the_place_of_the_files(base: Base) -> None:
    worker = base.district.grid("xuanhualu-01").duty_worker
    leave = Leave.model_validate_json('{"leave": [{"from": "2026-11-24", "until": "2026-11-25"}]}')
    found = in_force(base, [published(1, "person_leave", worker, leave)], NOW).district
    assert found.duty_worker("xuanhualu-01", TODAY) == worker
    assert found.duty_worker("xuanhualu-01", TODAY + A_DAY) == base.district.grid("xuanhualu-01").substitute
    endless = Leave.model_validate_json('{"leave": [{"from": "2026-11-24"}]}')
    problems = check_district(in_force(base, [published(1, "person_leave", worker, endless)], NOW).district)
    assert [p.key for p in problems] == [f"people[{worker}].leave[0].until"]


def test_a_resource_is_replaced_in_its_place_or_added(base: Base) -> None:
    unit = base.district.unit("u-023")
    more = unit.resources[0].model_copy(update={"capacity": 9})
    assert [r.capacity for r in with_resource(unit, more).resources] == [9, *(r.capacity for r in unit.resources[1:])]
    new = more.model_copy(update={"id": "new"})
    assert with_resource(unit, new).resources == (*unit.resources, new)


def test_a_publication_that_cannot_be_read_is_named(base: Base) -> None:
    with pytest.raises(ConfigError) as refused:
        in_force(base, [published(7, "unit", "u-001", {"id": "u-001"})], NOW)
    assert (refused.value.file, refused.value.key) == ("publication 7", "name")


def test_differences_are_told_field_by_field(base: Base) -> None:
    unit = base.district.unit("u-023")
    after = with_resource(unit, unit.resources[0].model_copy(update={"capacity": 9}))
    said = [one.model_dump(mode="json") for one in (unit, after)]
    assert differences(*said) == [
        {"field": "resources[u-023-r1].capacity", "before": unit.resources[0].capacity, "after": 9}
    ]
    assert differences(said[0], said[0]) == []
    assert differences(None, {"a": 1}) == [{"field": "", "before": None, "after": {"a": 1}}]
    assert differences({"l": [1, 2]}, {"l": [2]}) == [{"field": "l", "before": [1, 2], "after": [2]}]
    assert differences({"a": None}, {}) == []
    turned = {"resources": list(reversed(said[0]["resources"]))}
    (order,) = differences({"resources": said[0]["resources"]}, turned)
    assert order["field"] == "resources (order)" and order["after"] == [r["id"] for r in turned["resources"]]
    added = differences({"t": [{"from": "2026-01-01"}]}, {"t": [{"from": "2026-01-01"}, {"from": "2027-01-01"}]})
    assert added == [{"field": "t[2027-01-01]", "before": None, "after": {"from": "2027-01-01"}}]


def test_a_form_becomes_the_unit_of_the_address(base: Base) -> None:
    unit = base.district.unit("u-023")
    form = UnitForm.model_validate(unit.model_dump(exclude={"id", "retired"}))
    assert form.unit("u-023") == unit


def test_what_is_in_force_knows_its_own_line(base: Base) -> None:
    unit = base.district.unit("u-001")
    ones = [published(n, "unit", "u-001", unit, effective_at=NOW + n * A_DAY) for n in (1, 2)]
    found: InForce = in_force(base, ones, NOW + A_DAY)
    assert found.line("unit", "u-001") == ones and found.ahead() == ones[1:]
    assert [found.state(one) for one in ones] == ["in_force", "scheduled"]
    assert in_force(base, ones, NOW + 2 * A_DAY).state(ones[0]) == "superseded"


def test_the_successor_of_a_successor_takes_over(base: Base) -> None:
    def gone(id: str, to: str | None) -> Unit:
        return base.district.unit(id).model_copy(update={"retired": Retirement(on=TODAY, reason="r", hand_over_to=to)})

    def after(*units: Unit) -> District:
        ones = [published(n, "unit", unit.id, unit) for n, unit in enumerate(units, 1)]
        return in_force(base, ones, NOW).district

    a, b = gone("u-bus", "u-roads"), gone("u-roads", "u-green")
    assert successor_of(after(a), a) == base.district.unit("u-roads")
    assert successor_of(after(a, b), a) == base.district.unit("u-green")
    assert successor_of(after(gone("u-bus", None)), gone("u-bus", None)) is None
    assert successor_of(after(a, gone("u-roads", None)), a) is None
    assert successor_of(after(a, gone("u-roads", "u-bus")), a) is None
    assert successor_of(base.district, base.district.unit("u-bus")) is None
