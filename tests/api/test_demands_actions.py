"""Acting, reading and listing over HTTP, each caller inside their own scope."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from domain.ledger import Entry, replay
from service.starter import Starter
from tests.api.callers import RESIDENT, Http, code_of, http_for
from tests.builders import BLOCKED_DRAIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key, settings_for, until
from tests.lines import line_to


def duty(product: Product, grid: str) -> str:
    return product.desk.district.grid(grid).duty_worker


async def test_a_demand_lives_over_http(http: Http, product: Product) -> None:
    worker = duty(product, "xuanhualu-01")
    number = (await http.submit(category="120101"))["number"]
    seen = (await http.get(f"/api/v1/demands/{number}", worker)).json()
    assert "accept" in seen["permitted"]
    for by, type, more in (
        (worker, "accept", {}),
        (worker, "contact", {}),
        (worker, "note", {"note": "已到现场"}),
        (worker, "resolve", {"reply": "已修好", "note": "换了灯泡"}),
        (RESIDENT, "confirm", {"contacted": True, "solved": "yes", "satisfied": "satisfied"}),
    ):
        answer = await http.act(number, by, type, **more)
        assert answer.status_code == 200, answer.text
        eventual = (await http.get(f"/api/v1/demands/{number}", by)).json()
        strong = (await http.get(f"/api/v1/demands/{number}", by, consistency="strong")).json()
        assert answer.json() == eventual == strong
    assert (eventual["stage"], eventual["outcome"]) == ("closed", "resolved")
    assert "reopen" in eventual["permitted"]


async def test_the_log_over_http_proves_itself(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": "xuanhualu-02"}))["number"]
    worker = duty(product, "xuanhualu-02")
    await http.act(number, worker, "note", note="一", performed_at="2026-11-20T09:00:00+08:00")
    await http.act(number, worker, "hand_off")
    events: list[dict[str, Any]] = []
    path: str | None = f"/api/v1/demands/{number}/events?limit=3"
    while path:
        answer = await http.get(path, worker)
        assert answer.status_code == 200, answer.text
        events += answer.json()
        path = next_of(answer.headers.get("link"))
    demand = replay(number, [Entry.model_validate(e) for e in events])
    assert demand == await product.row(number)
    forged = [Entry.model_validate(e) for e in events]
    forged[2] = forged[2].model_copy(update={"actor": "p-0001"})
    with pytest.raises(ValueError, match="does not match its hash"):
        replay(number, forged)


def next_of(link: str | None) -> str | None:
    found = re.search(r'<([^>]+)>; rel="next"', link or "")
    return found[1] if found else None


async def test_a_refusal_says_the_rule_and_leaves_no_trace(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": "xuanhualu-03"}))["number"]
    await product.started(number)
    length = await product.history_length(number)
    colleague = duty(product, "xuanhualu-09")
    for by, type, more, status, code in (
        (colleague, "accept", {}, 403, "not_holder"),
        (RESIDENT, "accept", {}, 403, "not_permitted"),
        (SUPERVISOR, "verify", {"ok": True}, 409, "stage_forbids"),
        (duty(product, "xuanhualu-03"), "resume", {}, 409, "stage_forbids"),
        (duty(product, "xuanhualu-03"), "refuse", {"basis": "no_power"}, 422, "basis_required"),
        (SUPERVISOR, "reassign", {"person": "p-0001"}, 422, "unknown_person"),
        (SUPERVISOR, "reassign", {"person": "nobody"}, 422, "unknown_person"),
        (duty(product, "xuanhualu-03"), "hand_off", {"unit": "no-such"}, 422, "unknown_unit"),
    ):
        answer = await http.act(number, by, type, note="不该留下", **more)
        assert (answer.status_code, code_of(answer)) == (status, code), answer.text
        assert answer.json()["rule"] and answer.json()["detail"]
    assert await product.history_length(number) == length
    kinds = await product.pool.fetch("select kind from demand_text where number = $1", number)
    assert [r["kind"] for r in kinds] == ["demand"]


async def test_an_action_with_its_key_repeated_happens_once(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": "xuanhualu-04"}))["number"]
    key, worker = new_key(), duty(product, "xuanhualu-04")
    answers = await asyncio.gather(*(http.act(number, worker, "note", key=key, note="一次") for _ in range(8)))
    assert {a.status_code for a in answers} == {200}
    assert (await product.types(number)).count("note_added") == 1
    other = await http.act(number, worker, "note", key=key, note="两次")
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    texts = await product.pool.fetchval("select count(*) from demand_text where number = $1 and kind = 'note'", number)
    assert texts == 1


async def test_what_is_not_visible_is_not_there(http: Http, product: Product) -> None:
    number = (await http.submit("resident-0007", location={"grid": "wenqulu-01"}))["number"]
    await product.started(number)
    stranger = duty(product, "xuanhualu-01")
    for by in ("resident-0008", stranger, product.desk.district.unit("u-gas").liaison):
        for path in (
            f"/api/v1/demands/{number}",
            f"/api/v1/demands/{number}/events",
            "/api/v1/demands/20200101-000001",
        ):
            for consistency in ("eventual", "strong"):
                answer = await http.get(path, by, **({} if "events" in path else {"consistency": consistency}))
                assert (answer.status_code, code_of(answer)) == (404, "not_found")
        listed = (await http.get("/api/v1/demands", by, limit=100)).json()
        assert number not in [d["number"] for d in listed]


@pytest.mark.parametrize("type", ["note", "accept", "reopen", "hand_off"])
async def test_an_action_on_what_is_not_visible_does_not_give_it_away(http: Http, product: Product, type: str) -> None:
    number = (await http.submit("resident-0007", location={"grid": "wenqulu-02"}))["number"]
    await product.started(number)
    more = {"note": "窥探"} if type == "note" else {}
    answer = await http.act(number, "resident-0008", type, **more)
    missing = await http.act("20200101-000001", "resident-0008", type, **more)
    assert (missing.status_code, code_of(missing)) == (404, "not_found")
    assert (answer.status_code, code_of(answer)) == (404, "not_found"), answer.text


async def test_lists_stay_in_scope(http: Http, product: Product) -> None:
    d = product.desk.district
    mine = (await http.submit("resident-0021", location={"grid": "zhangjiapo-01"}))["number"]
    theirs = (await http.submit("resident-0022", location={"grid": "shenglilu-01"}))["number"]
    at_unit = await http.submit("resident-0022", category="040301", location={"grid": "shenglilu-02"})
    assert at_unit["unit"]["id"] == "u-gas"

    async def numbers(by: str, **filters: Any) -> set[str]:
        answer = await http.get("/api/v1/demands", by, limit=100, **filters)
        assert answer.status_code == 200, answer.text
        return {v["number"] for v in answer.json()}

    assert await numbers("resident-0021") == {mine}
    assert await numbers("resident-0022") == {theirs, at_unit["number"]}
    worker = await numbers(d.grid("zhangjiapo-01").duty_worker)
    assert mine in worker and not worker & {theirs, at_unit["number"]}
    assert await numbers(d.unit("u-gas").liaison) == {at_unit["number"]}
    for by in (SUPERVISOR, OPERATOR, INTEGRATOR, "p-0007"):
        assert {mine, theirs, at_unit["number"]} <= await numbers(by)
    assert await numbers(d.grid("zhangjiapo-01").duty_worker, community="shenglilu") == set()
    assert await numbers(SUPERVISOR, community="zhangjiapo", stage="grid", grid="zhangjiapo-01") == {mine}
    assert await numbers(SUPERVISOR, unit="u-gas") == {at_unit["number"]}
    assert at_unit["number"] in await numbers(SUPERVISOR, category="0403")
    assert await numbers(SUPERVISOR, category="04030") >= {at_unit["number"]}
    assert mine in await numbers(d.grid("zhangjiapo-01").duty_worker, holder="me")
    assert await numbers(SUPERVISOR, holder=d.unit("u-gas").liaison) == {at_unit["number"]}
    assert not await numbers(SUPERVISOR, breached="true")
    for bad in ({"stage": "nowhere"}, {"community": "a b"}, {"limit": 0}, {"limit": 101}, {"order": "x"}):
        answer = await http.get("/api/v1/demands", SUPERVISOR, **bad)
        assert (answer.status_code, code_of(answer)) == (422, "validation_failed")


@pytest.mark.parametrize("order", ["opened", "due"])
async def test_pages_show_every_row_once_while_others_are_added(http: Http, order: str) -> None:
    grid = {"opened": "yonggangcun-01", "due": "yonggangcun-02"}[order]
    who = {"opened": "resident-0031", "due": "resident-0032"}[order]
    # some without a place, some with other clocks, so that due dates differ and some are equal
    before = [(await http.submit(who, location={"grid": grid}, category=c))["number"] for c in ("120101", "010101") * 6]
    seen: list[str] = []
    path: str | None = f"/api/v1/demands?limit=5&order={order}"
    while path:
        answer = await http.get(path, who)
        assert answer.status_code == 200, answer.text
        seen += [d["number"] for d in answer.json()]
        path = next_of(answer.headers.get("link"))
        if path:
            await http.submit(who, location={"grid": grid}, category=BLOCKED_DRAIN)
    assert len(seen) == len(set(seen))
    assert set(before) <= set(seen)


async def test_a_cursor_is_good_for_its_list_only(http: Http) -> None:
    for _ in range(3):
        await http.submit("resident-0041", location={"grid": "xuanhualu-01"})
    first = await http.get("/api/v1/demands", "resident-0041", limit=1)
    path = next_of(first.headers["link"])
    assert path is not None
    for wrong in (path + "x", path.replace("limit=1", "limit=1&stage=grid"), path.replace("cursor=", "cursor=A")):
        answer = await http.get(wrong, "resident-0041")
        assert (answer.status_code, code_of(answer)) == (400, "invalid_cursor")


async def test_an_action_starts_what_nobody_has_started(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Starter, "soon", lambda *_: None)
    number = (await http.submit(location={"grid": "xuanhualu-05"}))["number"]
    answer = await http.act(number, duty(product, "xuanhualu-05"), "accept")
    assert answer.status_code == 200, answer.text
    assert (await product.state(number)).accepted

    async def tidied() -> bool | None:
        return None if await product.pool.fetchval("select 1 from outbox where number = $1", number) else True

    await until(tidied)


async def test_temporal_down_takes_demands_in_and_says_that_actions_wait(product: Product) -> None:
    closed_port = "127.0.0.1:1"
    settings = settings_for(product.settings.database_url, closed_port, product.task_queue)
    async with http_for(settings) as http:
        view = await http.submit(location={"grid": "xuanhualu-06"})
        assert await product.pool.fetchval("select 1 from outbox where number = $1", view["number"]) == 1
        for _ in range(2):
            answer = await http.act(view["number"], duty(product, "xuanhualu-06"), "accept")
            assert answer.status_code == 503, answer.text
            assert answer.headers["retry-after"].isdecimal()
        assert (await http.get(f"/api/v1/demands/{view['number']}")).status_code == 200
        strong = await http.get(f"/api/v1/demands/{view['number']}", consistency="strong")
        assert strong.status_code == 503, strong.text
        ready = await http.client.get("/readyz")
        assert (ready.status_code, ready.json()["checks"]["database"]) == (503, "ok")
        # More than its starters hold: none of them may have died of the first.
        for _ in range(8):
            await http.submit(location={"grid": "xuanhualu-06"})
        starter = http.app.state.desk.starter
        assert not [t for t in starter._tasks if t.done()]


async def test_database_down_is_said_so(product: Product, database: str) -> None:
    async with line_to(database) as (line, url):
        settings = settings_for(url, product.settings.temporal_address, product.task_queue)
        async with http_for(settings) as http:
            view = await http.submit()
            await line.cut()
            for answer in (
                await http.post("/api/v1/demands", {"text": "数据库不在"}),
                await http.get("/api/v1/demands"),
                await http.get(f"/api/v1/demands/{view['number']}"),
                await http.get(f"/api/v1/demands/{view['number']}/events"),
                await http.act(view["number"], RESIDENT, "urge", note="快一点"),
                await http.get("/api/v1/meetings"),
            ):
                assert (answer.status_code, code_of(answer)) == (503, "unavailable"), answer.text
                assert answer.headers["retry-after"]
            checks = (await http.client.get("/readyz")).json()["checks"]
            assert checks["temporal"] == "ok" != checks["database"]
            await line.mend()
            for path in ("/api/v1/demands", f"/api/v1/demands/{view['number']}/events"):
                assert (await http.get(path)).status_code == 200
            assert (await http.post("/api/v1/demands", {"text": "又在了"})).status_code == 201
