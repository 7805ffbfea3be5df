"""The rotating chair over HTTP: who chairs, the calendar of a year, and changes that are entered and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from contracts.rotation import TurnTaken
from domain.rotation import Turn, roster_of
from service import desk as desks
from service.rotation import chair_now, chair_of
from store import rosters
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import ADMIN, OPERATOR, SUPERVISOR, Product, new_key, until
from tests.workflows.test_rotation import handed_over

HOME, OTHER = "yupinglu", "xuanhualu"
URL = f"/api/v1/rotation/{HOME}"


@pytest_asyncio.fixture(autouse=True)
async def clean(product: Product, http: Http) -> AsyncIterator[None]:
    for table in ("chair_turn", "roster_change"):
        await product.pool.execute(f"delete from {table}")
    await product.desk.look_at_rosters()
    await http.app.state.desk.look_at_rosters()
    yield


def today(p: Product) -> date:
    return p.desk.now().astimezone(ZoneInfo("Asia/Shanghai")).date()


def ahead(p: Product, community: str = HOME) -> tuple[Turn, ...]:
    """The turns after the present one, as the roster of the pack has them."""
    return roster_of(p.desk.district, community).turns(today(p), today(p) + timedelta(days=400))[1:]


def secretary(p: Product, community: str = HOME) -> str:
    return p.desk.district.secretary(community)


def skip(turn: Turn, **more: Any) -> dict[str, Any]:
    return {"type": "skip", "unit": turn.unit, "period": str(turn.period_from), "reason": "单位改制", **more}


def swap(one: Turn, other: Turn) -> dict[str, Any]:
    return {
        "type": "swap", "unit": one.unit, "period": str(one.period_until), "with_unit": other.unit,
        "with_period": str(other.period_from), "reason": "两家协商",
    }  # fmt: skip


def absent(turn: Turn, first: int, last: int, **who: str) -> dict[str, Any]:
    days = {
        "from": str(turn.period_from + timedelta(days=first)),
        "until": str(turn.period_from + timedelta(days=last)),
    }
    return {"type": "substitute", "unit": turn.unit, **days, "reason": "出差", **who}


async def entered(http: Http, body: dict[str, Any], by: str, *, key: str | None = None) -> dict[str, Any]:
    answer = await http.post(f"{URL}/changes", body, by, key=key)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def turns(http: Http, *years: int) -> dict[str, dict[str, Any]]:
    """By first day."""
    found = [(await http.get(URL, SUPERVISOR, year=year)).json()["turns"] for year in years]
    return {turn["from"]: turn for year in found for turn in year}


async def test_everybody_sees_who_chairs_until_when_and_who_is_next(product: Product, http: Http) -> None:
    listed = (await http.get("/api/v1/rotation", RESIDENT)).json()
    assert [one["community"] for one in listed] == [c.id for c in product.desk.district.communities]
    for one in listed:
        roster = roster_of(product.desk.district, one["community"])
        now = roster.chair_on(today(product))
        following = ahead(product, one["community"])[0]
        assert (one["chair"]["unit"]["id"], one["chair"]["id"], one["chair"]["how"]) == (
            now.unit,
            now.person,
            "rotation",
        )
        assert (one["chair"]["from"], one["chair"]["until"]) == (str(now.period_from), str(now.period_until))
        assert (one["next"]["unit"]["id"], one["next"]["from"]) == (following.unit, str(following.period_from))
        assert one["period"] == roster.rotation.period
    assert {one["period"] for one in listed} == {"month", "quarter"}


async def test_the_calendar_of_a_year_marks_what_was_changed(product: Product, http: Http) -> None:
    first, second, third, fourth, fifth = ahead(product)[:5]
    by = secretary(product)
    away = absent(fourth, 3, 5, by_unit=first.unit)
    made = [await entered(http, body, by) for body in (swap(first, third), away, skip(second))]
    years = {first.period_from.year, fifth.period_until.year}
    seen = await turns(http, *years)
    assert [seen[str(t.period_from)]["marks"] for t in (first, second, third, fourth)] == [
        ["swap"], ["skip"], ["swap"], [],
    ]  # fmt: skip
    assert seen[str(first.period_from)]["unit"]["id"] == third.unit
    assert seen[str(third.period_from)]["unit"]["id"] == first.unit
    # The skip moved everybody behind it up, except those who had exchanged.
    assert seen[str(second.period_from)]["unit"]["id"] == fourth.unit
    assert seen[str(second.period_from)]["skipped"] == [
        {"unit": {"id": second.unit, "name": product.desk.district.unit(second.unit).name}, "change": made[2]["id"]}
    ]
    assert seen[str(fourth.period_from)]["unit"]["id"] == fifth.unit
    assert seen[str(first.period_from)]["swap"] == seen[str(third.period_from)]["swap"] == made[0]["id"]
    # Each turn is tiled by the days of its chairs.
    for turn in seen.values():
        days = [(date.fromisoformat(c["from"]), date.fromisoformat(c["until"])) for c in turn["chairs"]]
        assert (str(days[0][0]), str(days[-1][1])) == (turn["from"], turn["until"])
        assert all(b[0] - a[1] == timedelta(days=1) for a, b in pairwise(days))


async def test_a_substitute_chairs_for_some_days_and_the_answer_says_who_moves(product: Product, http: Http) -> None:
    turn, other = ahead(product)[:2]
    made = await entered(http, absent(turn, 9, 11, by_person=secretary(product)), secretary(product))
    (move,) = made["moves"]
    assert (move["from"], move["until"]) == (
        str(turn.period_from + timedelta(9)),
        str(turn.period_from + timedelta(11)),
    )
    assert (move["id"], move["how"], move["unit"]["id"]) == (secretary(product), "substitute", turn.unit)
    assert move["before"]["id"] == product.desk.district.unit(turn.unit).liaison
    at = datetime.combine(turn.period_from + timedelta(days=9), datetime.min.time(), ZoneInfo("Asia/Shanghai"))
    assert (await chair_of(product.desk, HOME, at)).person == secretary(product)
    assert (await chair_of(product.desk, HOME, at - timedelta(seconds=1))).person == move["before"]["id"]
    seen = (await turns(http, turn.period_from.year))[str(turn.period_from)]
    assert seen["marks"] == ["substitute"] and [c["how"] for c in seen["chairs"]] == [
        "rotation",
        "substitute",
        "rotation",
    ]
    assert other.unit != turn.unit


async def test_an_override_of_today_counts_at_once_also_where_chairs_are_shown(product: Product, http: Http) -> None:
    other = ahead(product)[1]
    days = {"from": str(today(product)), "until": str(today(product))}
    await entered(http, {"type": "override", "unit": other.unit, **days, "reason": "临时指定"}, SUPERVISOR)
    listed = {one["community"]: one for one in (await http.get("/api/v1/rotation")).json()}
    chair = listed[HOME]["chair"]
    assert (chair["unit"]["id"], chair["how"], chair["until"]) == (other.unit, "override", str(today(product)))
    assert chair_now(http.app.state.desk, HOME, http.app.state.desk.now()).unit == other.unit
    assert (await chair_of(product.desk, HOME, product.desk.now())).unit == other.unit


async def test_another_process_hears_of_a_change_soon(
    product: Product, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desks, "LOADS_EVERY", timedelta(milliseconds=50))
    made = await entered(http, skip(ahead(product)[0]), SUPERVISOR)

    async def heard() -> bool | None:
        known = product.desk.rosters.get(HOME, ())
        return True if [c.entry.id for c in known] == [made["id"]] else None

    await until(heard)


async def test_what_is_taken_back_leaves_its_trace(product: Product, http: Http) -> None:
    turn = ahead(product)[0]
    before = await turns(http, turn.period_from.year)
    made = await entered(http, skip(turn), secretary(product))
    assert (await turns(http, turn.period_from.year)) != before
    url = f"{URL}/changes/{made['id']}/revoke"
    answer = await http.client.post(url, headers=_as(SUPERVISOR))
    assert answer.status_code == 200, answer.text
    gone = answer.json()
    assert (gone["revoked_by"]["id"], gone["made_by"]["id"]) == (SUPERVISOR, secretary(product))
    assert gone["revoked_at"] and next(m["unit"]["id"] for m in gone["moves"]) == turn.unit
    assert await turns(http, turn.period_from.year) == before
    again = (await http.client.post(url, headers=_as(ADMIN))).json()
    assert {**gone, "moves": []} == again
    view = (await http.get(URL, SUPERVISOR)).json()
    assert [(c["id"], c["type"], c["reason"], c["void"]) for c in view["changes"]] == [
        (made["id"], "skip", "单位改制", None)
    ]


def _as(person: str) -> dict[str, str]:
    return bearer(person) | {"Idempotency-Key": new_key()}


async def test_what_others_build_on_is_taken_back_last(product: Product, http: Http) -> None:
    first, second, third = ahead(product)[:3]
    skipped = await entered(http, skip(first), SUPERVISOR)
    # After the skip the second unit has the first period.
    body = swap(first, third) | {"unit": second.unit, "with_unit": ahead(product)[3].unit}
    swapped = await entered(http, body, SUPERVISOR)
    refused = await http.client.post(f"{URL}/changes/{skipped['id']}/revoke", headers=_as(SUPERVISOR))
    assert (refused.status_code, code_of(refused)) == (409, "rotation_conflict")
    assert refused.json()["facts"]["changes"] == [swapped["id"]]
    for id in (swapped["id"], skipped["id"]):
        assert (await http.client.post(f"{URL}/changes/{id}/revoke", headers=_as(SUPERVISOR))).status_code == 200


async def test_the_same_key_enters_once(product: Product, http: Http) -> None:
    turn, key = ahead(product)[0], new_key()
    first = await http.post(f"{URL}/changes", skip(turn), SUPERVISOR, key=key)
    again = await http.post(f"{URL}/changes", skip(turn), SUPERVISOR, key=key)
    assert (first.status_code, again.status_code, first.text) == (201, 201, again.text)
    assert "idempotency-replayed" not in first.headers and again.headers["idempotency-replayed"] == "true"
    other = await http.post(f"{URL}/changes", skip(turn, reason="别的"), SUPERVISOR, key=key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert await product.pool.fetchval("select count(*) from roster_change") == 1


async def test_entered_by_several_at_once_it_stands_once(product: Product, http: Http) -> None:
    turn, key = ahead(product)[0], new_key()
    same = await asyncio.gather(*(http.post(f"{URL}/changes", skip(turn), SUPERVISOR, key=key) for _ in range(5)))
    assert {a.status_code for a in same} == {201} and len({a.text for a in same}) == 1
    body = absent(ahead(product)[1], 1, 3, by_person=secretary(product))
    body["unit"] = (await turns(http, ahead(product)[1].period_from.year))[str(ahead(product)[1].period_from)]["unit"][
        "id"
    ]
    different = await asyncio.gather(*(http.post(f"{URL}/changes", body, SUPERVISOR) for _ in range(5)))
    assert sorted(a.status_code for a in different) == [201, 409, 409, 409, 409]
    assert await product.pool.fetchval("select count(*) from roster_change") == 2


async def test_who_may_change_the_rotation(product: Product, http: Http) -> None:
    turn = ahead(product)[0]
    for by in (secretary(product), SUPERVISOR, ADMIN):
        made = await entered(http, skip(turn), by)
        assert (await http.client.post(f"{URL}/changes/{made['id']}/revoke", headers=_as(by))).status_code == 200
    liaison = product.desk.district.unit(turn.unit).liaison
    for by, code in ((liaison, "not_permitted"), (OPERATOR, "not_permitted"), (RESIDENT, "not_permitted"),
                     (secretary(product, OTHER), "outside_scope")):  # fmt: skip
        refused = await http.post(f"{URL}/changes", skip(turn), by)
        assert (refused.status_code, code_of(refused)) == (403, code)
        refused = await http.client.post(f"{URL}/changes/{made['id']}/revoke", headers=_as(by))
        assert (refused.status_code, code_of(refused)) == (403, code)
    assert (await http.get(URL, secretary(product))).json()["may_change"] is True
    assert (await http.get(URL, liaison)).json()["may_change"] is False


async def test_residents_see_the_calendar_without_reasons_and_numbers(product: Product, http: Http) -> None:
    await entered(http, skip(ahead(product)[0], reason="联络员住院"), SUPERVISOR)
    began = today(product).replace(day=1)
    await rosters.take_turn(
        product.pool,
        TurnTaken(
            community=HOME, unit="u-015", person="p-0001", how="rotation", period_from=began, period_until=began,
            handed_over_at=datetime(2026, 11, 1, tzinfo=UTC), agenda=("20261031-000001",), projects=("prj-000001",),
        ),
    )  # fmt: skip
    shown = await http.get(URL, RESIDENT)
    assert shown.status_code == 200 and shown.json()["turns"][0]["unit"]
    assert not [word for word in ("住院", "20261031-000001", "prj-000001", "made_by") if word in shown.text]
    assert shown.json()["past"][0]["open_items"] == 2
    inside = (await http.get(URL, OPERATOR)).json()
    assert (inside["past"][0]["agenda"], inside["past"][0]["projects"]) == (["20261031-000001"], ["prj-000001"])
    assert inside["changes"][0]["reason"] == "联络员住院"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"type": "skip", "unit": "u-071", "period": "2099-01-01"}, 422, "not_on_roster"),
        ({"type": "skip", "unit": "u-015", "period": "2026-01-01"}, 409, "turn_over"),
        ({"type": "skip", "unit": "u-015"}, 422, "validation_failed"),
        ({"type": "skip", "unit": "u-015", "period": "01.02.2099"}, 422, "validation_failed"),
        ({"type": "skip", "unit": "u-015", "period": 20990101}, 422, "validation_failed"),
        ({"type": "vote"}, 422, "validation_failed"),
        ({"type": "override", "from": "2099-01-02", "until": "2099-01-01", "unit": "u-015"}, 422, "validation_failed"),
        ({"type": "override", "from": "2099-01-02", "until": "2099-01-02"}, 422, "validation_failed"),
        ({"type": "override", "from": "2099-01-02", "until": "2099-01-02", "person": "p-9999"}, 422, "unknown_person"),
        ({"type": "override", "from": "2099-01-02", "until": "2099-01-02", "person": OPERATOR}, 422, "may_not_chair"),
        ({"type": "override", "from": "2026-01-02", "until": "2099-01-02", "unit": "u-015"}, 422, "validation_failed"),
        ({"type": "override", "from": "2026-01-02", "until": "2026-01-02", "unit": "u-015"}, 409, "turn_over"),
        ({"type": "override", "starts_on": "2099-01-02", "ends_on": "2099-01-02", "unit": "u-015"}, 422, "validation_failed"),
    ],
)  # fmt: skip
async def test_what_cannot_be_entered_is_refused_with_a_reason(
    http: Http, body: dict[str, Any], status: int, code: str
) -> None:
    refused = await http.post(f"{URL}/changes", {"reason": "试", **body}, SUPERVISOR)
    assert (refused.status_code, code_of(refused)) == (status, code), refused.text
    assert refused.json()["detail"]


async def test_a_change_needs_a_reason_and_a_period_its_unit(product: Product, http: Http) -> None:
    first, second = ahead(product)[:2]
    for reason in ("", "   ", "长" * 201, None):
        refused = await http.post(f"{URL}/changes", skip(first, reason=reason), SUPERVISOR)
        assert (refused.status_code, code_of(refused)) == (422, "validation_failed")
    wrong = await http.post(f"{URL}/changes", skip(first, unit=second.unit), SUPERVISOR)
    assert (wrong.status_code, code_of(wrong)) == (409, "not_their_turn")
    assert wrong.json()["facts"]["chairs"] == first.unit


async def test_what_is_not_there(product: Product, http: Http) -> None:
    assert (await http.get("/api/v1/rotation/nowhere")).status_code == 404
    committee = product.desk.district.id
    assert code_of(await http.get(f"/api/v1/rotation/{committee}")) == "not_found"
    assert (await http.post("/api/v1/rotation/nowhere/changes", skip(ahead(product)[0]), SUPERVISOR)).status_code == 404
    made = await entered(http, skip(ahead(product)[0]), SUPERVISOR)
    elsewhere = f"/api/v1/rotation/{OTHER}/changes/{made['id']}/revoke"
    assert (await http.client.post(elsewhere, headers=_as(SUPERVISOR))).status_code == 404
    for id in ("0", "-1", "x", str(2**63)):
        answer = await http.client.post(f"{URL}/changes/{id}/revoke", headers=_as(SUPERVISOR))
        assert answer.status_code in (404, 422)
    for year in (1999, 2200, "x"):
        assert (await http.get(URL, year=year)).status_code == 422
    assert (await http.get(URL, year=2199)).status_code == 200


async def test_a_turn_that_was_handed_over_stands_in_the_past(product: Product, http: Http) -> None:
    (turn,) = (await handed_over(product, HOME)).turns
    (past,) = (await http.get(URL)).json()["past"]
    assert (past["from"], past["until"]) == (str(turn.period_from), str(turn.period_until))
    assert (past["unit"]["id"], past["chair"]["id"], past["how"]) == (turn.unit, turn.person, "rotation")
