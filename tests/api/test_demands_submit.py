"""Submitting over HTTP: where a demand goes, and that the same request never makes two."""

from __future__ import annotations

import asyncio
from collections import Counter

from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import BLOCKED_DRAIN, INTEGRATOR, OPERATOR, WASTE, Product, new_key

TIMES = 1000


async def test_every_kind_of_location(http: Http, product: Product) -> None:
    d = product.desk.district
    compound = d.compounds[0]
    for location, grid in (
        ({"grid": "yupinglu-03"}, "yupinglu-03"),
        ({"compound": compound.id}, compound.grid),
        ({"compound": compound.name, "building": "3栋", "room": "1201"}, compound.grid),
        ({"lat": compound.lat, "lon": compound.lon}, compound.grid),
    ):
        view = await http.submit(location=location)
        assert (view["stage"], view["grid"]) == ("grid", grid), location
        assert view["holder"]["id"] == d.grid(grid).duty_worker
        assert view["due_at"] and view["clocks"]["accept"]["due_at"] and view["seq"] > 1


async def test_outside_the_district_or_nowhere_goes_to_a_dispatcher_with_a_clock(http: Http) -> None:
    for location in ({"lat": 31.0, "lon": 121.0}, None):
        view = await http.submit(location=location)
        assert (view["stage"], view["grid"], view["holder"]["id"]) == ("intake", None, OPERATOR)
        assert view["clocks"]["locate"]["due_at"]


async def test_a_matter_above_the_grid_starts_at_a_unit(http: Http) -> None:
    view = await http.submit(category=BLOCKED_DRAIN)
    assert view["stage"] == "unit" and view["unit"]["name"] and view["clocks"]["refusal_window"]["due_at"]


async def test_a_matter_for_somebody_else_is_closed_at_once_and_never_started(http: Http, product: Product) -> None:
    view = await http.submit(text="快来人，家里着火了", category=None)
    assert (view["stage"], view["outcome"], view["permitted"]) == ("closed", "out_of_scope", [])
    answer = await http.act(view["number"], RESIDENT, "note", note="还在吗")
    assert (answer.status_code, code_of(answer)) == (409, "closed")
    assert (
        await product.pool.fetchval("select count(*) from demand_event where number = $1", view["number"])
        == view["seq"]
    )


async def test_the_text_suggests_a_category_and_says_so(http: Http) -> None:
    view = await http.submit(text="垃圾堆了三天没人清运", category=None)
    assert view["category"]["code"] == WASTE
    events = (await http.get(f"/api/v1/demands/{view['number']}/events")).json()
    assert events[0]["data"]["category_by"] == "suggestion"
    nothing = await http.submit(text="嗯嗯", category=None)
    first = (await http.get(f"/api/v1/demands/{nothing['number']}/events")).json()[0]
    assert first["data"]["category_by"] == "default"


async def test_unknown_things_are_named(http: Http) -> None:
    for body, code in (
        ({"category": "999999"}, "unknown_category"),
        ({"category": "0101"}, "unknown_category"),
        ({"location": {"grid": "no-such"}}, "unknown_place"),
        ({"location": {"compound": "没有的小区"}}, "unknown_place"),
    ):
        answer = await http.post("/api/v1/demands", {"text": "灯坏了", **body})
        assert (answer.status_code, code_of(answer)) == (422, code)
        assert "没有的小区" not in answer.text


async def test_a_thousand_equal_posts_make_one_demand(http: Http, product: Product) -> None:
    key, body = new_key(), {"text": "同一个诉求", "category": "120101", "location": {"grid": "wenqulu-02"}}
    before = await product.pool.fetchval("select count(*) from demand")
    answers = await asyncio.gather(*(http.post("/api/v1/demands", body, key=key) for _ in range(TIMES)))
    assert Counter(a.status_code for a in answers) == {201: TIMES}
    assert len({a.content for a in answers}) == 1
    assert sum("idempotency-replayed" not in a.headers for a in answers) == 1
    number = answers[0].json()["number"]
    assert {a.headers["location"] for a in answers} == {f"/api/v1/demands/{number}"}
    assert await product.pool.fetchval("select count(*) from demand") == before + 1
    assert (await product.started(number)).number == number
    found = [w.id async for w in product.environment.client.list_workflows(f"WorkflowId = '{number}'")]
    assert len(found) <= 1  # visibility may lag; the id itself is unique


async def test_the_same_key_with_another_body_is_refused(http: Http, product: Product) -> None:
    key, body = new_key(), {"text": "第一个", "category": "120101"}
    first = await http.post("/api/v1/demands", body, key=key)
    count = await product.pool.fetchval("select count(*) from demand")
    again = await http.post("/api/v1/demands", body | {"text": "第二个"}, key=key)
    assert (again.status_code, code_of(again)) == (422, "idempotency_key_reused")
    assert (await http.post("/api/v1/demands", body, key=key)).content == first.content
    other = await http.post("/api/v1/demands", body | {"text": "第二个"}, "resident-0002", key=key)
    assert other.status_code == 201 and other.json()["number"] != first.json()["number"]
    assert await product.pool.fetchval("select count(*) from demand") == count + 1


async def test_an_external_number_stands_for_one_demand(http: Http, product: Product) -> None:
    refs = [{"system": "12345", "number": "HX-1"}]
    key, body = new_key(), {"text": "热线转来", "channel": "hotline", "external_refs": refs}
    first = await http.post("/api/v1/demands", body, INTEGRATOR, key=key)
    number = first.json()["number"]
    taken = await http.post("/api/v1/demands", body, INTEGRATOR)
    assert (taken.status_code, code_of(taken), taken.json()["facts"]["number"]) == (409, "external_ref_taken", number)
    again = await http.post("/api/v1/demands", body, INTEGRATOR, key=key)
    assert (again.status_code, again.json()["number"]) == (201, number)
    together = await asyncio.gather(
        *(
            http.post(
                "/api/v1/demands",
                {"text": f"并发{n}", "external_refs": [{"system": "12345", "number": "HX-2"}]},
                INTEGRATOR,
            )
            for n in range(20)
        )
    )
    assert Counter(a.status_code for a in together) == {201: 1, 409: 19}


async def test_an_external_number_given_twice_in_one_body_is_not_blamed_on_another_demand(http: Http) -> None:
    refs = [{"system": "城管", "number": "7"}, {"system": "城管", "number": "7"}]
    answer = await http.post("/api/v1/demands", {"text": "重复编号", "external_refs": refs}, INTEGRATOR)
    assert answer.status_code in (201, 422), answer.text


async def test_without_a_token_nobody_gets_in(http: Http) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer dev_p-0002_aaaaaaaaaaaaaaaaaaaaaaaaaa"},
        {"Authorization": "Basic x"},
    ):
        answer = await http.client.post("/api/v1/demands", json={"text": "x"}, headers=headers)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")
    answer = await http.client.get("/api/v1/demands", headers=bearer("resident-0001"))
    assert answer.status_code == 200
