"""Suggestions and hot spots over HTTP, on the real stack: what is alike, why, for whom; and nothing personal is kept."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from service.desk import Desk
from tests.api.administration import AUDITOR
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import OPERATOR, SUPERVISOR, Product, until

LAMP = "030101"
HERE, THERE = "c-0002", "c-0004"  # some 80 m apart, in one grid
OTHER_SIDE = "yupinglu"
NAME = "欧阳霁月"
TEXTS = (
    f"3栋门口的路灯坏了，晚上不亮，{NAME}摔了一跤",
    "三号楼旁边路灯不亮好几天了，老人晚上出行不便",
    "小区里路灯坏了没人修，一到晚上漆黑一片，路灯不亮",
)
DRAFT = {"text": "楼下路灯不亮了，晚上看不见路", "category": LAMP, "location": {"compound": HERE}}


def residents() -> list[str]:
    return [f"resident-{7001 + n}" for n in range(3)]


def desk_of(http: Http) -> Desk:
    desk: Desk = http.app.state.desk
    return desk


async def marked(product: Product, *numbers: str) -> None:
    """The background has got to them."""

    async def look() -> bool | None:
        done = await product.pool.fetchval(
            "select count(*) from demand_likeness where number = any($1::text[])", list(numbers)
        )
        return True if done == len(numbers) else None

    await until(look)


async def post(http: Http, body: dict[str, Any], by: str) -> dict[str, Any]:
    answer = await http.post("/api/v1/demands/duplicates", body, by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def of(http: Http, number: str, by: str) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/demands/{number}/duplicates", by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def numbers(found: dict[str, Any]) -> list[str]:
    return [one["number"] for one in found["suggestions"]]


@pytest_asyncio.fixture(scope="module")
async def lamps(http: Http, product: Product) -> list[str]:
    """The same lamp, reported by three: from a building, from the compound, from a point nearby."""
    here = product.desk.district.compound(HERE)
    places: list[dict[str, Any]] = [
        {"compound": HERE, "building": "3栋"}, {"compound": HERE, "building": "三号楼"},
        {"lat": here.lat + 0.0005, "lon": here.lon},
    ]  # fmt: skip
    taken = [
        (await http.submit(by, text=text, category=LAMP, location=place))["number"]
        for by, text, place in zip(residents(), TEXTS, places, strict=True)
    ]
    await marked(product, *taken)
    return taken


async def test_the_same_lamp_is_suggested_with_its_reasons(http: Http, lamps: list[str]) -> None:
    found = await of(http, lamps[0], SUPERVISOR)
    assert set(numbers(found)) == set(lamps[1:]) and found["count"] == 2
    scores = [one["score"] for one in found["suggestions"]]
    assert scores == sorted(scores, reverse=True) and 0.55 <= scores[-1] <= scores[0] < 1
    by_number = {one["number"]: one for one in found["suggestions"]}
    same, near = by_number[lamps[1]], by_number[lamps[2]]
    assert [r["code"] for r in same["reasons"]] == ["same_building", "same_category", "apart", "words"]
    assert {"路灯", "不亮"} <= set(same["reasons"][3]["words"])
    assert same["said_zh"].startswith("同一楼栋、同类、同一时间、都提到“")
    assert same["said_en"].startswith("same building, same category, at the same time, both mention ")
    assert near["reasons"][0]["code"] == "near" and 40 <= near["reasons"][0]["metres"] <= 70
    assert found["rules"] == desk_of(http).district.duplicates.version


async def test_a_draft_finds_them_and_leaves_nothing(http: Http, product: Product, lamps: list[str]) -> None:
    before = await product.pool.fetchval("select count(*) from demand")
    found = await post(http, DRAFT, OPERATOR)
    assert set(numbers(found)) >= set(lamps) and found["number"] is None
    said = {one["number"]: one["said_zh"] for one in found["suggestions"]}
    assert said[lamps[0]].startswith("同一小区、同类、") and "都提到“" in said[lamps[0]]
    assert await product.pool.fetchval("select count(*) from demand") == before
    guessed = await post(http, {k: v for k, v in DRAFT.items() if k != "category"}, OPERATOR)
    assert set(numbers(guessed)) >= set(lamps)  # the text itself tells the category


@pytest.mark.parametrize(
    "change",
    [
        {"location": {"compound": "c-0010"}},
        {"location": None},
        {"category": "010101"},
        {"text": "电梯停运了老人下不了楼"},
    ],
)
async def test_elsewhere_or_of_something_else_it_is_not(http: Http, lamps: list[str], change: dict[str, Any]) -> None:
    body = {k: v for k, v in (DRAFT | change).items() if v is not None}
    assert not set(numbers(await post(http, body, SUPERVISOR))) & set(lamps)


async def test_another_compound_within_250_metres_counts_and_says_how_far(http: Http, lamps: list[str]) -> None:
    found = await post(http, DRAFT | {"location": {"compound": THERE}}, SUPERVISOR)
    reasons = {one["number"]: one["reasons"][0] for one in found["suggestions"]}
    assert reasons[lamps[0]]["code"] == "near" and 50 < reasons[lamps[0]]["metres"] < 250
    assert "相距 " in reasons[lamps[0]]["zh"] and "m away" in reasons[lamps[0]]["en"]


async def test_a_resident_sees_that_there_are_some_and_nothing_of_whom(http: Http, lamps: list[str]) -> None:
    found = await post(http, DRAFT, RESIDENT)
    assert found["count"] == len(found["suggestions"]) == 3
    for one in found["suggestions"]:
        assert set(one) == {"number", "stage", "category", "opened_on", "said_zh", "said_en"}
        assert one["number"] is None and "都提到" not in one["said_zh"]
    whole = str(found)
    assert not any(secret in whole for secret in (*lamps, *residents(), NAME, "楼栋", "score"))
    own = await of(http, lamps[0], residents()[0])
    assert numbers(own) == [None, None]
    assert set(numbers(await post(http, DRAFT, residents()[1]))) == {None, lamps[1]}


async def test_a_resident_cannot_find_out_by_trying_what_others_wrote(http: Http, lamps: list[str]) -> None:
    trying = DRAFT | {"text": f"{NAME}摔了一跤"}
    assert (await post(http, trying, RESIDENT))["count"] == 0
    assert (await post(http, trying, AUDITOR))["count"] == 0
    assert numbers(await post(http, trying, SUPERVISOR)) == [lamps[0]]
    shown = await of(http, lamps[1], AUDITOR)
    assert lamps[0] in numbers(shown) and NAME not in str(shown)


async def test_a_confidential_demand_is_no_hint_for_residents(http: Http, product: Product) -> None:
    place = {"compound": "c-0018"}
    one = await http.submit(text="路灯不亮", category=LAMP, location=place, confidential=True)
    await marked(product, one["number"])
    draft = DRAFT | {"location": place}
    assert (await post(http, draft, "resident-7100"))["count"] == 0
    assert numbers(await post(http, draft, SUPERVISOR)) == [one["number"]]


async def test_staff_find_only_what_lies_in_their_scope(http: Http, product: Product, lamps: list[str]) -> None:
    secretary, stranger = (product.secretary_of(c).id for c in ("xuanhualu", OTHER_SIDE))
    assert set(numbers(await post(http, DRAFT, secretary))) >= set(lamps)
    assert numbers(await post(http, DRAFT, stranger)) == []
    assert code_of(await http.get(f"/api/v1/demands/{lamps[0]}/duplicates", stranger)) == "not_found"
    assert code_of(await http.get("/api/v1/demands/20200101-000001/duplicates", SUPERVISOR)) == "not_found"


async def test_a_demand_that_moved_or_was_filed_anew_is_found_where_it_is_now(
    http: Http, product: Product, lamps: list[str]
) -> None:
    moving = await http.submit(
        "resident-7200", text="路灯不亮，晚上很黑", category="010101", location={"compound": HERE}
    )
    number = moving["number"]
    await marked(product, number)
    assert number not in numbers(await post(http, DRAFT, SUPERVISOR))
    done = await http.act(number, SUPERVISOR, "reclassify", category=LAMP)
    assert done.status_code == 200, done.text
    while await desk_of(http).likenesses.catch_up():
        pass
    assert number in numbers(await post(http, DRAFT, SUPERVISOR))
    assert (await http.act(number, "resident-7200", "withdraw")).status_code == 200
    assert number not in numbers(await post(http, DRAFT, SUPERVISOR))


async def test_what_an_earlier_release_left_without_marks_is_caught_up(
    http: Http, product: Product, lamps: list[str]
) -> None:
    await product.pool.execute("delete from demand_likeness")
    assert (await post(http, DRAFT, SUPERVISOR))["count"] == 0
    while await desk_of(http).likenesses.catch_up():
        pass
    demands = await product.pool.fetchval("select count(*) from demand")
    assert await product.pool.fetchval("select count(*) from demand_likeness") == demands
    assert set(numbers(await post(http, DRAFT, SUPERVISOR))) >= set(lamps)


async def test_nothing_personal_stands_in_the_table(product: Product, lamps: list[str]) -> None:
    here = product.desk.district.compound(HERE)
    rows = await product.pool.fetch("select l::text as whole from demand_likeness l where number = any($1)", lamps)
    whole = " ".join(r["whole"] for r in rows)
    assert len(rows) == 3
    told = (NAME, "路灯", "摔", "3栋", *residents(), f"{here.lat + 0.0005:.4f}"[:7], NAME.encode().hex())
    assert not [word for word in told if word in whole]


async def test_drafts_are_checked_like_demands(http: Http) -> None:
    assert code_of(await http.post("/api/v1/demands/duplicates", {"text": " "})) == "validation_failed"
    wrong = DRAFT | {"location": {"compound": "nowhere"}}
    assert code_of(await http.post("/api/v1/demands/duplicates", wrong)) == "unknown_place"
    wrong = DRAFT | {"category": "999999"}
    assert code_of(await http.post("/api/v1/demands/duplicates", wrong)) == "unknown_category"
    outside = DRAFT | {"location": {"lat": 1.0, "lon": 1.0}}
    assert (await post(http, outside, SUPERVISOR))["count"] == 0


# ---- hot spots


async def spots(http: Http, by: str, **asked: Any) -> list[dict[str, Any]]:
    answer = await http.get("/api/v1/hot-spots", by, **asked)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


async def test_what_several_report_at_one_place_is_a_hot_spot(http: Http, product: Product, lamps: list[str]) -> None:
    chair = next(p.id for p in product.desk.district.people if any(g.role == "chair" and g.community for g in p.grants))
    for by in (SUPERVISOR, product.secretary_of("xuanhualu").id, chair):
        (spot,) = [s for s in await spots(http, by, community="xuanhualu") if set(lamps) <= set(s["demands"])]
        assert spot["size"] >= 3 and spot["open"] == spot["size"] and spot["reporters"] >= 3 and spot["days"] == 1
        assert (spot["category"]["code"], spot["compound"], spot["grid"]) == (LAMP, HERE, "xuanhualu-03")
        assert "路灯不亮" in spot["words"] and NAME not in str(spot)
        assert spot["heat"] == spot["reporters"] + spot["breached"] + spot["days"]
        assert spot["first_at"] < spot["last_at"] and spot["on_agenda"] == []


async def test_two_are_no_hot_spot_and_the_hottest_comes_first(http: Http, product: Product) -> None:
    def report(n: int, text: str, place: str) -> Any:
        return http.submit(f"resident-{7300 + n}", text=text, category="040102", location={"compound": place})

    for n in range(5):
        await report(n, f"下水管道堵塞，污水倒灌到厨房，第{n}次了", "c-0010")
    pair = [(await report(n, "下水管道堵塞，污水倒灌", "c-0026"))["number"] for n in range(2)]
    while await desk_of(http).likenesses.catch_up():
        pass
    found = await spots(http, SUPERVISOR)
    assert [s["heat"] for s in found] == sorted((s["heat"] for s in found), reverse=True)
    assert (found[0]["size"], found[0]["category"]["code"]) == (5, "040102")
    assert not [s for s in found if set(pair) & set(s["demands"])]


async def test_hot_spots_are_for_those_who_set_the_agenda(http: Http, product: Product) -> None:
    secretary = product.secretary_of(OTHER_SIDE).id
    for by in (RESIDENT, product.worker_of("xuanhualu-01").id, AUDITOR):
        assert code_of(await http.get("/api/v1/hot-spots", by)) == "not_permitted"
    assert code_of(await http.get("/api/v1/hot-spots", secretary, community="xuanhualu")) == "outside_scope"
    assert await spots(http, secretary) == []
    assert code_of(await http.get("/api/v1/hot-spots", SUPERVISOR, community="nowhere")) == "unknown_community"
