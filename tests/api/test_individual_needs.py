"""The individual-needs list over HTTP: private, sealed, every reading of a person on record."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from domain.district import District
from domain.vocabulary import Role
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import SUPERVISOR, Product, new_key

LIST = "/api/v1/individual-needs"
GRID, COMMUNITY = "xuanhualu-01", "xuanhualu"
PERSON = {
    "name": "钟桂芳",
    "phone": "13900001234",
    "address": "渝西西段小区3幢2-1",
    "remarks": "听力不好，敲门要久一点",
}
BODY = {"grid": GRID, "group": "elderly-alone", "person": PERSON, "needs": ["canteen-delivery", "home-care"]}


@pytest_asyncio.fixture(autouse=True)
async def clean(product: Product) -> AsyncIterator[None]:
    yield
    await product.pool.execute("delete from care_entry; delete from care_event; delete from personal_read")


def worker(product: Product, grid: str = GRID) -> str:
    return product.desk.district.grid(grid).duty_worker


def secretary(product: Product, community: str = COMMUNITY) -> str:
    return product.desk.district.secretary(community)


def outsiders(product: Product) -> dict[str, str]:
    """One of every role that the list is not for, and those of the right role in the wrong place."""
    d = product.desk.district
    wrong = {"worker elsewhere": worker(product, "xuanhualu-07"), "secretary elsewhere": secretary(product, "wenqulu")}
    alone = {"unit_liaison": d.unit("u-004").liaison, "provider": d.unit("xuanhualu-company").liaison}
    roles = {r: d.people_with(r)[0].id for r in (Role.AUDITOR, Role.INTEGRATOR, Role.ADMIN, Role.OPERATOR, Role.CHAIR)}
    dispatcher = {"dispatcher": d.dispatcher(COMMUNITY)}
    return wrong | alone | {str(k): v for k, v in roles.items()} | dispatcher | {"resident": RESIDENT}


async def added(http: Http, by: str, **more: Any) -> dict[str, Any]:
    answer = await http.post(LIST, BODY | more, by)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def patch(http: Http, id: str, by: str, body: dict[str, Any], key: str | None = None) -> httpx2.Response:
    headers = bearer(by) | {"Idempotency-Key": key or new_key()}
    return await http.client.patch(f"{LIST}/{id}", json=body, headers=headers)


async def audit(product: Product) -> list[tuple[str, str, str]]:
    rows = await product.pool.fetch("select actor, what, subject from personal_read order by id")
    return [tuple(row) for row in rows]


def no_person(text: str) -> bool:
    return not any(word in text for word in PERSON.values())


async def test_the_person_is_sealed_and_only_reading_one_entry_opens_it(http: Http, product: Product) -> None:
    by = worker(product)
    answer = await http.post(LIST, BODY, by)
    view, id = answer.json(), answer.json()["id"]
    assert answer.headers["location"] == f"{LIST}/{id}" and no_person(answer.text)
    assert (view["group"]["name"], view["check_in_days"], view["responsible"]["id"]) == ("独居老人", 3, by)
    assert [n["name"] for n in view["needs"]] == ["助餐上门", "居家照护"]
    page = await http.get(LIST, by)
    assert [e["id"] for e in page.json()] == [id] and no_person(page.text) and "person" not in page.json()[0]
    assert await audit(product) == [], "nothing personal has been read so far"
    read = await http.get(f"{LIST}/{id}", by)
    assert (read.status_code, read.json()["person"], read.headers["cache-control"]) == (200, PERSON, "no-store")
    assert await audit(product) == [(by, "care_person", id)]
    await http.get(f"{LIST}/{id}", SUPERVISOR)
    assert [a for a, _, _ in await audit(product)] == [by, SUPERVISOR]
    dump = await product.pool.fetch("select e::text from care_entry e union all select c::text from care_event c")
    assert len(dump) == 2 and all(no_person(row[0]) for row in dump)
    stored = await product.pool.fetch("select answer from idempotency where number = $1", id)
    assert len(stored) == 1 and no_person(stored[0][0])
    sealed = await product.pool.fetchval("select sealed from care_entry")
    assert not any(word.encode() in sealed for word in PERSON.values())
    assert json.loads(product.desk.sealer.open(sealed, id)) == PERSON


@pytest.mark.parametrize("way", ["list", "read", "add", "change", "end", "check in", "events", "readings"])
async def test_nobody_else_learns_that_an_entry_exists(http: Http, product: Product, way: str) -> None:
    id = (await added(http, worker(product)))["id"]
    for who, by in outsiders(product).items():
        elsewhere = who.endswith("elsewhere")
        expected = (404, "not_found") if elsewhere else (403, "not_permitted")
        match way:
            case "list":
                answer = await http.get(LIST, by)
                if elsewhere:
                    assert answer.json() == [], who
                    continue
            case "add":
                answer = await http.post(LIST, BODY, by)
            case "read":
                answer = await http.get(f"{LIST}/{id}", by)
            case "change":
                answer = await patch(http, id, by, {"check_in_days": 9})
            case "end":
                answer = await http.client.delete(f"{LIST}/{id}", headers=bearer(by))
            case "check in":
                answer = await http.post(f"{LIST}/{id}/check-ins", {"result": "well"}, by)
            case _:
                answer = await http.get(f"{LIST}/{id}/{way}", by)
                if way == "readings" and who.startswith("worker"):  # who looked is for no grid worker at all
                    expected = (403, "not_permitted")
        assert (answer.status_code, code_of(answer)) == expected, who
        assert no_person(answer.text), who
    assert await audit(product) == []
    assert [await product.pool.fetchval(f"select count(*) from {t}") for t in ("care_entry", "care_event")] == [1, 1]


async def test_the_worker_who_stands_in_today_reaches_the_grid(http: Http, product: Product) -> None:
    d = product.desk.district
    away = next(p for p in d.people if p.leave and any(g.role is Role.GRID_WORKER for g in p.grants))
    grid = next(g for g in d.grids if g.duty_worker == away.id)
    id = (await added(http, away.id, grid=grid.id, needs=[], group="disabled"))["id"]
    assert (await http.get(f"{LIST}/{id}", grid.substitute)).status_code == 404
    today = d.person(away.id).leave[0].model_copy(update={"starts_on": product.desk.now().date().replace(day=1)})
    people = tuple(p.model_copy(update={"leave": (today,)}) if p.id == away.id else p for p in d.people)
    desk = http.app.state.desk
    before, desk.district = (
        desk.district,
        District(**{name: getattr(d, name) for name in District.model_fields} | {"people": people}),
    )
    try:
        assert (await http.get(f"{LIST}/{id}", grid.substitute)).status_code == 200
    finally:
        desk.district = before
    assert [a for a, _, _ in await audit(product)] == [grid.substitute]


async def test_who_may_see_it_may_change_it_and_every_change_is_on_record(http: Http, product: Product) -> None:
    id = (await added(http, worker(product)))["id"]
    moved = PERSON | {"phone": "13900005678"}
    answer = await patch(
        http, id, secretary(product), {"person": moved, "needs": ["canteen-lunch"], "check_in_days": 1}
    )
    assert (answer.status_code, answer.json()["check_in_days"], answer.json()["seq"]) == (200, 1, 2), answer.text
    assert "1390000" not in answer.text
    assert (await http.get(f"{LIST}/{id}", worker(product))).json()["person"] == moved
    other = await patch(http, id, secretary(product), {"grid": "xuanhualu-07"})
    assert (other.json()["grid"], other.json()["responsible"]["id"]) == (
        "xuanhualu-07",
        worker(product, "xuanhualu-07"),
    )
    assert (await http.get(f"{LIST}/{id}", worker(product))).status_code == 404, "it is another worker's now"
    log = (await http.get(f"{LIST}/{id}/events", SUPERVISOR)).json()
    assert [(e["type"], e["by"]["id"]) for e in log] == [
        ("added", worker(product)), ("changed", secretary(product)), ("changed", secretary(product))
    ]  # fmt: skip
    assert log[1]["data"] == {"person": "changed", "needs": ["canteen-lunch"], "check_in_days": 1}
    out = await patch(http, id, secretary(product), {"grid": "wenqulu-01"})
    assert (out.status_code, code_of(out)) == (404, "not_found"), "not out of the own reach either"


async def test_what_an_entry_says_must_exist_there(http: Http, product: Product) -> None:
    by = secretary(product)
    for more, status, code in (
        ({"grid": "nowhere-01"}, 422, "unknown_grid"),
        ({"grid": "wenqulu-01"}, 404, "not_found"),
        ({"group": "rich"}, 422, "unknown_care_group"),
        ({"needs": ["no-such"]}, 422, "unknown_service"),
        ({"check_in_days": 0}, 422, "validation_failed"),
        ({"check_in_days": "3"}, 422, "validation_failed"),
        ({"responsible": "p-9999"}, 422, "unknown_person"),
        ({"responsible": worker(product, "xuanhualu-07")}, 422, "unknown_person"),
        ({"person": {"phone": "123456"}}, 422, "validation_failed"),
        ({"person": PERSON | {"id_card": "5003"}}, 422, "validation_failed"),
    ):
        answer = await http.post(LIST, BODY | more, by)
        assert (answer.status_code, code_of(answer)) == (status, code), (more, answer.text)
        assert no_person(answer.text)
    village = await http.post(LIST, BODY | {"grid": "yonggangcun-01"}, SUPERVISOR)
    assert (village.status_code, code_of(village)) == (422, "service_not_offered")
    id = (await added(http, by))["id"]
    nothing = await patch(http, id, by, {})
    assert (nothing.status_code, code_of(nothing)) == (422, "validation_failed")


async def test_check_ins_move_the_next_day_and_overdue_ones_are_found(http: Http, product: Product) -> None:
    by = worker(product)
    first, second = [(await added(http, by))["id"] for _ in range(2)]
    assert (await http.get(LIST, by, overdue="true")).json() == []
    await product.pool.execute("update care_entry set created_at = created_at - interval '5 days'")
    assert {e["id"] for e in (await http.get(LIST, by, overdue="true")).json()} == {first, second}
    done = await http.post(f"{LIST}/{first}/check-ins", {"result": "well"}, by)
    assert (done.json()["last_result"], done.json()["overdue"]) == ("well", False)
    assert [e["id"] for e in (await http.get(LIST, by, overdue="true", responsible="me")).json()] == [second]
    assert [e["id"] for e in (await http.get(LIST, by, overdue="false")).json()] == [first]
    wrong = await http.post(f"{LIST}/{second}/check-ins", {"result": "fine"}, by)
    assert (wrong.status_code, code_of(wrong)) == (422, "validation_failed")


async def test_ending_erases_the_person_and_keeps_the_history(http: Http, product: Product) -> None:
    by = worker(product)
    id = (await added(http, by))["id"]
    await http.get(f"{LIST}/{id}", by)
    ended = await http.client.delete(f"{LIST}/{id}", headers=bearer(by))
    assert (ended.status_code, bool(ended.json()["ended_at"])) == (200, True)
    assert await product.pool.fetchval("select sealed from care_entry where id = $1", id) is None
    for answer in (
        await http.get(f"{LIST}/{id}", by), await patch(http, id, by, {"check_in_days": 2}),
        await http.post(f"{LIST}/{id}/check-ins", {"result": "well"}, by),
        await http.client.delete(f"{LIST}/{id}", headers=bearer(by)),
    ):  # fmt: skip
        assert (answer.status_code, code_of(answer)) == (404, "not_found")
    assert (await http.get(LIST, by)).json() == []
    assert [e["type"] for e in (await http.get(f"{LIST}/{id}/events", by)).json()] == ["added", "ended"]
    assert len((await http.get(f"{LIST}/{id}/readings", SUPERVISOR)).json()) == 1


async def test_who_read_it_is_for_those_who_oversee(http: Http, product: Product) -> None:
    by = worker(product)
    id = (await added(http, by))["id"]
    for reader in (by, SUPERVISOR, by):
        await http.get(f"{LIST}/{id}", reader)
    page = await http.get(f"{LIST}/{id}/readings", secretary(product), limit=2)
    rest = await http.get(page.headers["link"].partition(">")[0][1:], secretary(product))
    assert [r["by"]["id"] for r in (*page.json(), *rest.json())] == [by, SUPERVISOR, by]
    mine = await http.get(f"{LIST}/{id}/readings", by)
    assert (mine.status_code, code_of(mine)) == (403, "not_permitted")


async def test_the_list_is_filtered_and_paged_and_repetitions_happen_once(http: Http, product: Product) -> None:
    key, by = new_key(), secretary(product)
    first = await http.post(LIST, BODY, by, key=key)
    again = await http.post(LIST, BODY, by, key=key)
    assert first.content == again.content and again.headers["idempotency-replayed"] == "true"
    other = await http.post(LIST, BODY | {"group": "disabled"}, by, key=key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    ids = [first.json()["id"]] + [
        (await added(http, by, grid=f"xuanhualu-0{n}", group="disabled"))["id"] for n in (2, 3)
    ]
    page = await http.get(LIST, by, limit=2)
    rest = await http.get(page.headers["link"].partition(">")[0][1:], by)
    assert [e["id"] for e in (*page.json(), *rest.json())] == ids
    assert [e["id"] for e in (await http.get(LIST, by, group="disabled", grid="xuanhualu-03")).json()] == ids[2:]
    assert (await http.get(LIST, SUPERVISOR, community="wenqulu")).json() == []
    assert [e["id"] for e in (await http.get(LIST, worker(product, "xuanhualu-02"))).json()] == ids[1:2]
    once = new_key()
    twins = [await http.post(f"{LIST}/{ids[0]}/check-ins", {"result": "well"}, by, key=once) for _ in range(2)]
    assert twins[0].content == twins[1].content and twins[1].json()["seq"] == 2


async def test_the_groups_are_data_of_the_pack(http: Http, product: Product) -> None:
    groups = (await http.get("/api/v1/care-groups", worker(product))).json()
    assert [g["id"] for g in groups] == [g.id for g in product.desk.district.care_groups]
    assert {"elderly-alone", "disabled"} <= {g["id"] for g in groups}
