"""Personal data over HTTP: masked, opened for a reason, hidden from units, corrected, searched, copied, erased; all on record."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.case_check import check
from domain.case_file import read
from domain.masking import ERASED, STRUCK
from domain.vocabulary import Role
from service.first_lines import first_lines
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import ADMIN, BLOCKED_DRAIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key

GRID, COMMUNITY = "xuanhualu-01", "xuanhualu"
NAME, PHONE, EMAIL, ROOM = "李小龙", "13812341234", "xiaolong@example.com", "902"
TEXT = f"我是{NAME}，住{ROOM}室，电话138-1234-1234，下水道堵了"


@pytest.fixture(autouse=True)
async def _fresh(product: Product) -> None:
    await product.pool.execute("delete from personal_read; delete from erasure")


@pytest.fixture
def auditor(product: Product) -> str:
    return product.desk.district.people_with(Role.AUDITOR)[0].id


async def a_demand(http: Http, product: Product, *, phone: str = PHONE, by: str = RESIDENT, **more: Any) -> str:
    compound = next(c for c in product.desk.district.compounds if c.grid == GRID)
    place = {"compound": compound.id, "building": "3栋", "room": ROOM}
    view = await http.submit(
        by, text=TEXT, location=place, reporter={"name": NAME, "phone": phone, "email": EMAIL}, **more
    )  # fmt: skip
    return str(view["number"])


async def at_a_unit(http: Http, product: Product, **more: Any) -> tuple[str, str]:
    """A demand, and the liaison of the unit that leads it."""
    number = await a_demand(http, product, category=BLOCKED_DRAIN, **more)
    row = await product.started(number)
    assert row.unit is not None
    return number, product.liaison_of(row.unit).id


async def reporter(http: Http, number: str, by: str, **params: Any) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/demands/{number}/reporter", by, **params)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    view: dict[str, Any] = answer.json()
    return view


async def revealed(http: Http, number: str, by: str, reason: str = "handling") -> dict[str, Any]:
    return await reporter(http, number, by, reveal="true", reason=reason)


async def texts(http: Http, number: str, by: str) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/demands/{number}/texts", by)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def patch(http: Http, number: str, body: Any, by: str = OPERATOR) -> Any:
    return await http.client.patch(f"/api/v1/demands/{number}/reporter", json=body, headers=bearer(by))


async def record(product: Product) -> list[tuple[str, str, str | None, str]]:
    rows = await product.pool.fetch("select actor, what, subject, reason from personal_read order by id")
    return [tuple(row) for row in rows]


async def test_a_list_that_comes_anew_with_every_event_is_one_reading_an_hour(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    demand = await product.row(await a_demand(http, product))
    desk, start = product.desk, product.desk.now()
    for minutes, actor in (
        (0, product.supervisor),
        (59, product.supervisor),
        (59, product.operator),
        (61, product.supervisor),
    ):
        monkeypatch.setitem(desk.__dict__, "now", lambda at=start + timedelta(minutes=minutes): at)
        assert (await first_lines(desk, actor, [demand]))[demand.number].startswith("我是")
    assert await record(product) == [
        (who, "texts", demand.number, "handling") for who in (SUPERVISOR, OPERATOR, SUPERVISOR)
    ]  # fmt: skip


# ---- the reporter


async def test_masked_unless_opened_for_a_reason_and_only_that_leaves_a_trace(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    view = await reporter(http, number, OPERATOR)
    assert (view["name"], view["phone"], view["email"]) == ("李**", "138****1234", "x***@example.com")
    assert (
        view["address"]["building"] == "3栋"
        and view["address"]["room"] == "***"
        and view["address"]["compound"]["name"]
    )
    assert view["masked"] is True and "phone" in view["may_reveal"] and await record(product) == []
    refused = await http.get(f"/api/v1/demands/{number}/reporter", OPERATOR, reveal="true")
    assert (refused.status_code, code_of(refused)) == (422, "reason_required")
    assert await record(product) == []
    view = await revealed(http, number, OPERATOR, "call_back")
    assert (view["name"], view["phone"], view["address"]["room"], view["masked"]) == (NAME, PHONE, ROOM, False)
    assert await record(product) == [(OPERATOR, "reporter", number, "call_back")]
    row = await product.pool.fetchrow("select * from personal_read")
    assert row is not None and set(row["fields"]) >= {"name", "phone", "room"} and row["request_id"]
    assert not [mark for mark in (NAME, PHONE, EMAIL, TEXT) if mark in str(dict(row))]


async def test_who_may_open_it_and_who_sees_it_masked(http: Http, product: Product, auditor: str) -> None:
    number, liaison = await at_a_unit(http, product)
    for by in (OPERATOR, SUPERVISOR, RESIDENT, liaison, product.secretary_of(COMMUNITY).id):
        assert (await revealed(http, number, by))["phone"] == PHONE
    for by, shown in ((auditor, "138****1234"), (ADMIN, None), (INTEGRATOR, None)):
        assert (await reporter(http, number, by))["phone"] == shown
        answer = await http.get(f"/api/v1/demands/{number}/reporter", by, reveal="true", reason="handling")
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    for by in ("resident-0999", product.worker_of("wenqulu-01").id):
        answer = await http.get(f"/api/v1/demands/{number}/reporter", by)
        assert (answer.status_code, code_of(answer)) == (404, "not_found")


async def test_a_confidential_reporter_is_hidden_from_the_unit_also_in_texts(http: Http, product: Product) -> None:
    number, liaison = await at_a_unit(http, product, confidential=True)
    await http.act(number, OPERATOR, "note", note=f"已回电 {PHONE}，{NAME}在家")
    view = await reporter(http, number, liaison)
    assert (view["name"], view["phone"], view["email"], view["address"]["room"]) == (None,) * 4
    assert view["hidden"] is True and view["address"]["building"] == "3栋"
    answer = await http.get(f"/api/v1/demands/{number}/reporter", liaison, reveal="true", reason="handling")
    opened = answer.json()
    assert answer.status_code == 200 and opened["phone"] is None and opened["name"] is None
    read_by_unit = await texts(http, number, liaison)
    words = [one["text"] for one in read_by_unit["texts"]]
    assert words == [f"我是{STRUCK}，住{STRUCK}室，电话{STRUCK}，下水道堵了", f"已回电 {STRUCK}，{STRUCK}在家"]
    office = await texts(http, number, SUPERVISOR)
    assert next(one["text"] for one in office["texts"]) == TEXT
    case = await http.get(f"/api/v1/demands/{number}/case-file", liaison)
    assert (
        not [mark for mark in (NAME, PHONE, "138-1234-1234") if mark in case.text] and check(read(case.content)) == []
    )


# ---- texts


async def test_public_and_internal_texts_are_kept_apart(http: Http, product: Product, auditor: str) -> None:
    number = await a_demand(http, product)
    worker = product.worker_of(GRID).id
    await http.act(number, worker, "note", note="内部备注")
    await http.act(number, RESIDENT, "note", note="我补充一点")
    staff = await texts(http, number, worker)
    assert [(one["kind"], one["audience"]) for one in staff["texts"]] == [
        ("demand", "public"), ("note", "internal"), ("note", "internal"),
    ]  # fmt: skip
    own = await texts(http, number, RESIDENT)
    assert [one["text"] for one in own["texts"]] == [TEXT, "我补充一点"]
    assert [one["kind"] for one in own["withheld"]] == ["note"]
    assert await record(product) == [
        (worker, "texts", number, "handling"), (RESIDENT, "texts", number, "handling"),
    ]  # fmt: skip
    for by in (auditor, ADMIN, INTEGRATOR):
        view = await texts(http, number, by)
        assert view["texts"] == [] and len(view["withheld"]) == 3
    assert len(await record(product)) == 2  # nothing was read, so nothing is on record


async def test_the_reason_of_a_reading_is_one_of_a_list(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    await http.get(f"/api/v1/demands/{number}/texts", SUPERVISOR, reason="complaint_review")
    answer = await http.get(f"/api/v1/demands/{number}/texts", SUPERVISOR, reason="curiosity")
    assert (answer.status_code, code_of(answer)) == (422, "validation_failed")
    assert await record(product) == [(SUPERVISOR, "texts", number, "complaint_review")]


async def test_minutes_of_a_confidential_demand_are_read_without_its_reporter(http: Http, product: Product) -> None:
    number, liaison = await at_a_unit(http, product, confidential=True)
    await http.act(number, liaison, "escalate", reason="several_units")
    secretary = product.secretary_of(COMMUNITY)
    minute = f"经联系{NAME}（{PHONE}），由原单位办理"
    due_at = datetime.now(UTC) + timedelta(days=60)
    await product.decide(COMMUNITY, secretary, number, "assign", unit="u-gas", due_at=due_at, minute=minute)
    member = product.liaison_of("u-gas").id
    sessions = (await http.get(f"/api/v1/meetings/{COMMUNITY}/sessions", secretary.id)).json()
    path = f"/api/v1/meetings/{COMMUNITY}/sessions/{sessions[0]['id']}/minutes"
    whole, struck = await http.get(path, secretary.id), await http.get(path, member)
    assert minute in whole.text
    assert struck.status_code == 200 and f"经联系{STRUCK}（{STRUCK}），由原单位办理" in struck.text
    assert [(a, w, n) for a, w, n, _ in await record(product)][-2:] == [
        (secretary.id, "minutes", number), (member, "minutes", number),
    ]  # fmt: skip


# ---- correcting


async def test_an_operator_corrects_and_what_a_mask_made_is_refused(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    masked = await reporter(http, number, OPERATOR)
    for field in ("name", "phone", "email"):
        answer = await patch(http, number, {field: masked[field]})
        assert (answer.status_code, code_of(answer)) == (422, "masked_value")
        assert masked[field] not in answer.text
    answer = await patch(http, number, {"room": masked["address"]["room"]})
    assert code_of(answer) == "masked_value"
    assert (await revealed(http, number, OPERATOR))["phone"] == PHONE
    answer = await patch(http, number, {"phone": "13900000001"})
    assert answer.status_code == 200 and answer.json()["phone"] == "139****0001"
    after = await revealed(http, number, OPERATOR)
    assert (after["name"], after["phone"], after["address"]["room"]) == (NAME, "13900000001", ROOM)
    assert (OPERATOR, "reporter_corrected", number, "correction") in await record(product)


async def test_what_cannot_be_a_phone_is_refused_without_repeating_it(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    for body in ({"phone": "李四的电话"}, {"email": "nothing"}, {}, {"phone": "1" * 200}, {"id": "x"}):
        answer = await patch(http, number, body)
        assert (answer.status_code, code_of(answer)) == (422, "validation_failed"), body
        assert "李四的电话" not in answer.text and "nothing" not in answer.text
    for by in (SUPERVISOR, RESIDENT, product.worker_of(GRID).id):
        answer = await patch(http, number, {"name": "王五"}, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")


async def test_a_demand_that_nobody_left_a_name_with_gets_one(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": GRID}))["number"]
    assert (await reporter(http, number, OPERATOR))["name"] is None
    assert (await patch(http, number, {"name": "王五", "phone": "13700000007"})).status_code == 200
    assert (await revealed(http, number, OPERATOR))["name"] == "王五"


# ---- searching


async def search(http: Http, phone: str, by: str = OPERATOR) -> Any:
    return await http.post("/api/v1/demands/search", {"phone": phone}, by)


async def test_demands_are_found_by_the_phone_however_it_is_written(http: Http, product: Product) -> None:
    first = await a_demand(http, product, phone="+86 15512340001")
    second = await a_demand(http, product, phone="155-1234-0001")
    await a_demand(http, product, phone="15512340002")
    answer = await search(http, "155 1234 0001")
    assert answer.status_code == 200 and answer.json()["complete"] is True
    assert [one["number"] for one in answer.json()["demands"]] == [second, first]
    assert await record(product) == [(OPERATOR, "phone_search", one, "handling") for one in (second, first)]
    nobody = await search(http, "15500000000")
    assert nobody.json()["demands"] == [] and (await record(product))[-1] == (
        OPERATOR,
        "phone_search",
        None,
        "handling",
    )
    kept = await product.pool.fetch("select row_to_json(i)::text j from reporter_index i")
    assert kept and not [row for row in kept if "1551234" in row["j"]]
    await patch(http, first, {"phone": "15512340003"})
    assert [one["number"] for one in (await search(http, "15512340003")).json()["demands"]] == [first]
    assert [one["number"] for one in (await search(http, "15512340001")).json()["demands"]] == [second]


async def test_searching_is_for_the_office_within_its_scope(http: Http, product: Product, auditor: str) -> None:
    number = await a_demand(http, product, phone="15512340011")
    for by in (RESIDENT, auditor, ADMIN, INTEGRATOR, product.worker_of(GRID).id):
        answer = await search(http, "15512340011", by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    own, other = product.secretary_of(COMMUNITY).id, product.secretary_of("wenqulu").id
    assert [one["number"] for one in (await search(http, "15512340011", own)).json()["demands"]] == [number]
    assert (await search(http, "15512340011", other)).json()["demands"] == []


# ---- the record


async def test_auditors_and_supervisors_read_who_read(http: Http, product: Product, auditor: str) -> None:
    number, other = await a_demand(http, product), await a_demand(http, product)
    await revealed(http, number, OPERATOR)
    await texts(http, number, SUPERVISOR)
    await texts(http, other, OPERATOR)
    answer = await http.get("/api/v1/personal-reads", auditor, number=number)
    assert [(one["by"]["id"], one["what"], one["number"]) for one in answer.json()] == [
        (SUPERVISOR, "texts", number), (OPERATOR, "reporter", number),
    ]  # fmt: skip
    assert not [mark for mark in (NAME, PHONE, TEXT) if mark in answer.text]
    answer = await http.get("/api/v1/personal-reads", SUPERVISOR, person=OPERATOR, limit=1)
    assert [one["number"] for one in answer.json()] == [other] and 'rel="next"' in answer.headers["link"]
    following = answer.headers["link"].partition("<")[2].partition(">")[0]
    answer = await http.client.get(following, headers=bearer(SUPERVISOR))
    assert [one["number"] for one in answer.json()] == [number]
    for by in (OPERATOR, ADMIN, RESIDENT, INTEGRATOR, product.secretary_of(COMMUNITY).id):
        refused = await http.get("/api/v1/personal-reads", by)
        assert (refused.status_code, code_of(refused)) == (403, "not_permitted")


# ---- a copy, and being forgotten


async def export(http: Http, number: str, by: str, **body: Any) -> Any:
    return await http.post(f"/api/v1/demands/{number}/personal-data/export", body, by)


async def forget(http: Http, number: str, by: str = RESIDENT, *, key: str | None = None) -> Any:
    return await http.post(f"/api/v1/demands/{number}/personal-data/deletion", {"confirm": True}, by, key=key)


async def test_a_copy_of_everything_for_the_reporter(http: Http, product: Product) -> None:
    by = "resident-0501"
    number = await a_demand(
        http, product, phone="15512340021", by=by, external_refs=[{"system": "x", "number": new_key()}]
    )
    second = await a_demand(http, product, phone="15512340022", by=by)
    await http.act(number, product.worker_of(GRID).id, "note", note="内部备注")
    answer = await export(http, number, by)
    (one,) = answer.json()["demands"]
    assert one["reporter"] == {"name": NAME, "phone": "15512340021", "email": EMAIL, "building": "3栋", "room": ROOM}
    assert [text["text"] for text in one["texts"]] == [TEXT] and len(one["internal_texts"]) == 1
    assert one["external_refs"] and "内部备注" not in answer.text
    both = (await export(http, number, by, scope="reporter")).json()["demands"]
    assert [one["number"] for one in both] == sorted((number, second))
    assert (by, "export", second, "own_data") in await record(product)
    stored = await product.pool.fetch("select answer from idempotency where principal = $1", by)
    assert not [row for row in stored if "15512340021" in row["answer"]]


async def test_an_operator_asks_on_their_behalf_and_nobody_else(http: Http, product: Product, auditor: str) -> None:
    number = await a_demand(http, product, phone="15512340031", by="resident-0502")
    same_phone = await a_demand(http, product, phone="15512340031", by="resident-0503")
    both = (await export(http, number, OPERATOR, scope="reporter")).json()["demands"]
    assert [one["number"] for one in both] == sorted((number, same_phone))
    own = (await export(http, number, "resident-0502", scope="reporter")).json()["demands"]
    assert [one["number"] for one in own] == [number]  # a phone may be a household's
    for by in (SUPERVISOR, auditor, ADMIN, INTEGRATOR, product.worker_of(GRID).id):
        for answer in (await export(http, number, by), await forget(http, number, by)):
            assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    assert (await export(http, number, RESIDENT)).status_code == 404


async def test_what_is_closed_for_good_is_erased_at_once_and_the_log_stays(http: Http, product: Product) -> None:
    number = await a_demand(http, product, phone="15512340041")
    await http.act(number, product.worker_of(GRID).id, "note", note=f"{NAME}不在家")
    await search(http, "15512340041")  # indexed
    await http.act(number, RESIDENT, "withdraw")
    before = await product.entries(number)
    answer = await forget(http, number, key="forget-" + (key := new_key()))
    assert answer.status_code == 200 and answer.json()["state"] == "done" and answer.json()["erased_at"]
    again = await forget(http, number, key=f"forget-{key}")
    assert again.json() == answer.json() and again.headers["idempotency-replayed"] == "true"
    view = await reporter(http, number, OPERATOR)
    assert view["name"] is None and view["erased_at"] == answer.json()["erased_at"]
    assert [one["text"] for one in (await texts(http, number, SUPERVISOR))["texts"]] == [ERASED, ERASED]
    assert (await search(http, "15512340041")).json()["demands"] == []
    assert await product.entries(number) == before
    raw = (await http.get(f"/api/v1/demands/{number}/case-file", SUPERVISOR)).content
    case = read(raw)
    assert check(case) == [] and [one.kind for one in case.erased] == ["demand", "note"] and case.texts == ()
    refused = await patch(http, number, {"name": "王五"})
    assert (refused.status_code, code_of(refused)) == (410, "personal_data_erased")
    assert (RESIDENT, "deletion_asked", number, "own_data") in await record(product)


async def test_a_text_that_is_simply_gone_is_still_found(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    await http.act(number, product.worker_of(GRID).id, "note", note="备注")
    await product.pool.execute("delete from demand_text where number = $1 and kind = 'note'", number)
    case = read((await http.get(f"/api/v1/demands/{number}/case-file", SUPERVISOR)).content)
    assert [finding.code for finding in check(case)] == ["reference"]


async def test_what_is_still_open_is_erased_at_its_end_and_the_instant_is_named(http: Http, product: Product) -> None:
    number = await a_demand(http, product, phone="15512340051")
    answer = (await forget(http, number)).json()
    assert answer["state"] == "scheduled" and answer["exact"] is False
    assert datetime.fromisoformat(answer["expected_at"]) > datetime.now(UTC)
    assert (await revealed(http, number, OPERATOR))["phone"] == "15512340051"
    worker = product.worker_of(GRID).id
    for by, type, more in (
        (worker, "accept", {}), (worker, "resolve", {"reply": "好了"}),
        (RESIDENT, "confirm", {"contacted": True, "solved": "yes", "satisfied": "satisfied"}),
    ):  # fmt: skip
        done = await http.act(number, by, type, **more)
        assert done.status_code == 200, done.text
    row = await product.row(number)
    assert row.stage == "closed" and not row.sealed
    answer = (await forget(http, number)).json()
    assert answer["state"] == "scheduled" and answer["exact"] is True
    assert datetime.fromisoformat(answer["expected_at"]) == row.clocks["reopen"].due_at


async def test_deleting_must_be_confirmed(http: Http, product: Product) -> None:
    number = await a_demand(http, product)
    for body in ({}, {"confirm": False}, {"confirm": "yes"}):
        answer = await http.post(f"/api/v1/demands/{number}/personal-data/deletion", body)
        assert (answer.status_code, code_of(answer)) == (422, "validation_failed")
    assert json.loads((await http.get(f"/api/v1/demands/{number}/reporter", OPERATOR)).text)["erased_at"] is None
