"""The service menu over HTTP: what is on offer, asked for as a demand, at a price that is kept."""

from __future__ import annotations

from typing import Any

from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import OPERATOR, SUPERVISOR, Product, new_key

MENU = "/api/v1/menu"


async def ask(http: Http, service: str, grid: str | None = "xuanhualu-01", **more: Any) -> dict[str, Any]:
    location = {"grid": grid} if grid else None
    return await http.submit(text="想预约一下", category=None, service=service, location=location, **more)


async def test_the_menu_of_a_community_names_price_and_provider(http: Http) -> None:
    everything = {s["id"]: s for s in (await http.get(MENU)).json()}
    here = {s["id"]: s for s in (await http.get(MENU, community="yonggangcun")).json()}
    assert everything["home-care"]["providers"].keys() == set(everything["housekeeping"]["providers"]) - {"yonggangcun"}
    assert "home-care" not in here and everything.keys() - here.keys() == {"home-care"}
    assert here["housekeeping"] | {"when": ""} == {
        "id": "housekeeping", "name": "家政保洁", "name_en": "Housekeeping", "price": "35 元/小时", "price_fen": 3500,
        "category": {"code": "090102", "name": "家政与维修"}, "when": "",
        "provider": {"id": "yonggangcun-company", "name": "永钢村强社公司"},
    }  # fmt: skip
    assert everything["housekeeping"]["providers"]["wenqulu"]["id"] == "u-052"
    assert (everything["pipe-unblocking"]["price_fen"], everything["clinic-day"]["price_fen"]) == (None, 0)
    nowhere = await http.get(MENU, community="nowhere")
    assert (nowhere.status_code, code_of(nowhere)) == (422, "unknown_community")


async def test_a_service_goes_straight_to_its_provider_and_keeps_its_price(http: Http, product: Product) -> None:
    view = await ask(http, "housekeeping")
    assert (view["stage"], view["unit"]["id"], view["category"]["code"]) == ("unit", "xuanhualu-company", "090102")
    promised = {"id": "housekeeping", "name": "家政保洁", "price": "35 元/小时", "price_fen": 3500}
    assert view["service"] == promised
    assert view["holder"]["id"] == product.desk.district.unit("xuanhualu-company").liaison
    await product.started(view["number"])
    assert (await http.get(f"/api/v1/demands/{view['number']}")).json()["service"] == promised
    own = (await http.get(f"/api/v1/demands/{view['number']}/events")).json()
    assert own[0]["data"]["promise"] == {"service": promised}
    log = (await http.get(f"/api/v1/demands/{view['number']}/events", SUPERVISOR)).json()
    assert log[0]["data"]["promise"]["service"] == promised
    routing = next(e for e in log if e["type"] == "handed_off")["data"]["routing"]
    assert routing["rule"] == routing["candidates"][0]["reason"] == "menu:housekeeping"
    assert routing["candidates"][0]["unit"] == "xuanhualu-company"
    assert len({c["unit"] for c in routing["candidates"]}) == len(routing["candidates"])
    plain = await http.submit()
    assert plain["service"] is None
    first = (await http.get(f"/api/v1/demands/{plain['number']}/events", SUPERVISOR)).json()[0]
    assert "service" not in first["data"]["promise"], "what is not said is not stored: older events hash as they did"


async def test_a_grid_level_service_does_not_land_on_the_grid_worker(http: Http, product: Product) -> None:
    category = product.desk.district.service("home-care").category
    assert product.desk.district.category(category).handling_level == "grid", "else this says nothing"
    view = await ask(http, "home-care", "yupinglu-02")
    assert (view["stage"], view["unit"]["id"]) == ("unit", "u-020")
    plain = await http.submit(category=category, location={"grid": "yupinglu-02"})
    assert plain["stage"] == "grid"


async def test_a_service_without_a_place_is_routed_once_it_is_located(http: Http, product: Product) -> None:
    view = await ask(http, "housekeeping", None)
    assert (view["stage"], view["service"]["id"]) == ("intake", "housekeeping")
    answer = await http.act(view["number"], OPERATOR, "locate", location={"grid": "wenqulu-01"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["stage"], answer.json()["unit"]["id"]) == ("unit", "u-052")
    astray = await ask(http, "home-care", None)
    answer = await http.act(astray["number"], OPERATOR, "locate", location={"grid": "yonggangcun-01"})
    assert answer.status_code == 200, answer.text
    log = (await http.get(f"/api/v1/demands/{astray['number']}/events", SUPERVISOR)).json()
    routings = [e["data"]["routing"]["rule"] for e in log if e["type"] == "handed_off"]
    assert not any(rule.startswith("menu") for rule in routings), "nobody offers it there: routed like any other"


async def test_the_price_stays_when_the_menu_changes(http: Http, product: Product) -> None:
    """A refused service goes on to others by resource; another category is no service any more."""
    view = await ask(http, "housekeeping", "zhangjiapo-01")
    number, liaison = view["number"], product.desk.district.unit("zhangjiapo-company").liaison
    refused = await http.act(number, liaison, "refuse", basis="no_resources", note="排满了")
    assert refused.status_code == 200, refused.text
    assert refused.json()["service"]["price_fen"] == 3500 and refused.json()["unit"]["id"] != "zhangjiapo-company"
    moved = await http.act(number, SUPERVISOR, "reclassify", category="120101")
    assert (moved.status_code, moved.json()["service"]) == (200, None), moved.text


async def test_what_cannot_be_asked_for_is_refused(http: Http) -> None:
    body = {"text": "想预约一下", "location": {"grid": "yonggangcun-01"}}
    for more, code in (
        ({"service": "no-such"}, "unknown_service"),
        ({"service": "home-care"}, "service_not_offered"),
        ({"service": "housekeeping", "category": "120101"}, "validation_failed"),
        ({"service": ""}, "validation_failed"),
    ):
        answer = await http.post("/api/v1/demands", body | more)
        assert (answer.status_code, code_of(answer)) == (422, code), more
    matching = await http.post("/api/v1/demands", body | {"service": "housekeeping", "category": "090102"})
    assert matching.status_code == 201


async def test_the_same_request_again_gets_the_same_answer(http: Http) -> None:
    key, body = new_key(), {"text": "送餐", "service": "canteen-lunch", "location": {"grid": "shenglilu-01"}}
    first = await http.post("/api/v1/demands", body, RESIDENT, key=key)
    again = await http.post("/api/v1/demands", body, RESIDENT, key=key)
    assert (first.status_code, first.content) == (201, again.content)
    other = await http.post("/api/v1/demands", body | {"service": "canteen-delivery"}, RESIDENT, key=key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
