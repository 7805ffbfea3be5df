"""Joint meetings over HTTP."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import SUPERVISOR, Product, new_key


async def escalated(http: Http, product: Product, grid: str) -> str:
    number = (await http.submit(location={"grid": grid}))["number"]
    worker = product.desk.district.grid(grid)
    answer = await http.act(number, worker.duty_worker, "escalate", reason="several_units")
    assert answer.status_code == 200, answer.text
    await product.take_up(worker.community, number)
    return str(number)


async def decide(http: Http, meeting: str, by: str, number: str, kind: str, key: str = "", **more: Any) -> Any:
    body = {"number": number, "kind": kind, **more}
    return await http.post(f"/api/v1/meetings/{meeting}/decisions", body, by, key=key or new_key())


async def test_agenda_decision_and_minutes(http: Http, product: Product) -> None:
    number, secretary = await escalated(http, product, "wenqulu-01"), product.desk.district.secretary("wenqulu")
    meetings = {m["id"]: m for m in (await http.get("/api/v1/meetings", secretary)).json()}
    assert len(meetings) == 7 and meetings["wenqulu"]["open_items"] >= 1 and meetings["wenqulu"]["chair"]["name"]
    agenda = (await http.get("/api/v1/meetings/wenqulu/agenda", secretary)).json()
    assert [i["reason"] for i in agenda if i["number"] == number] == ["several_units"]
    key = new_key()
    due = (datetime.now(UTC) + timedelta(days=90)).replace(microsecond=0)
    first = await decide(
        http, "wenqulu", secretary, number, "assign", key, unit="u-roads", due_at=due.isoformat(), minute="由市政办理"
    )
    assert first.status_code == 200, first.text
    view = first.json()
    assert (view["stage"], view["unit"]["id"], view["clocks"]["resolve"]["due_at"]) == (
        "unit", "u-roads", due.isoformat().replace("+00:00", "Z")
    )  # fmt: skip
    again = await decide(
        http, "wenqulu", secretary, number, "assign", key, unit="u-roads", due_at=due.isoformat(), minute="由市政办理"
    )
    assert again.json()["seq"] == view["seq"]
    other = await decide(http, "wenqulu", secretary, number, "return_to_grid", key)
    assert (other.status_code, code_of(other)) == (422, "idempotency_key_reused")
    assert number not in [i["number"] for i in (await http.get("/api/v1/meetings/wenqulu/agenda", secretary)).json()]
    minutes = (await http.get("/api/v1/meetings/wenqulu/minutes", secretary)).json()
    line = next(m for m in minutes if m["number"] == number)
    assert (line["kind"], line["recorded_by"]["id"], line["turn"]) == ("assign", secretary, 1)
    session = (await http.get(f"/api/v1/meetings/wenqulu/sessions/{line['session']}", secretary)).json()
    assert line["chair"]["id"] == session["chair"]["id"] != secretary and session["decided"] >= 1


async def test_what_a_decision_still_needs_is_said(http: Http, product: Product) -> None:
    number, secretary = await escalated(http, product, "wenqulu-02"), product.desk.district.secretary("wenqulu")
    past = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    for by, kind, more, status, code in (
        (secretary, "assign", {}, 422, "unknown_unit"),
        (secretary, "assign", {"unit": "no-such"}, 422, "unknown_unit"),
        (secretary, "project", {}, 422, "unknown_unit"),
        (secretary, "shelve", {}, 422, "validation_failed"),
        (secretary, "shelve", {"review_at": past}, 422, "validation_failed"),
        (secretary, "shelve", {"review_at": "2027-06-01T09:00:00"}, 422, "validation_failed"),
        (secretary, "shelve", {"review_at": "9999-12-31T23:59:59-12:00"}, 422, "validation_failed"),
        (secretary, "assign", {"unit": "u-roads", "due_at": "2027-06-01T09:00:00"}, 422, "validation_failed"),
        (secretary, "final_reply", {}, 422, "reply_required"),
        (RESIDENT, "return_to_grid", {}, 403, "not_permitted"),
        (SUPERVISOR, "return_to_grid", {}, 403, "not_permitted"),
        (product.desk.district.secretary("xuanhualu"), "return_to_grid", {}, 403, "not_permitted"),
    ):
        answer = await decide(http, "wenqulu", by, number, kind, **more)
        assert (answer.status_code, code_of(answer)) == (status, code), (kind, more, answer.text)
    await product.sit("yonggangcun")
    for meeting, status, code in (("nowhere", 404, "unknown_meeting"), ("yonggangcun", 409, "not_on_agenda")):
        answer = await decide(http, meeting, product.desk.district.secretary("yonggangcun"), number, "return_to_grid")
        assert (answer.status_code, code_of(answer)) == (status, code)
    missing = await decide(http, "wenqulu", secretary, "20200101-000001", "return_to_grid")
    assert (missing.status_code, code_of(missing)) == (404, "not_found")
    assert (await http.act(number, RESIDENT, "urge")).status_code == 200


async def test_the_committee_decides_what_a_community_could_not(http: Http, product: Product) -> None:
    number, secretary = await escalated(http, product, "wenqulu-03"), product.desk.district.secretary("wenqulu")
    view = (await decide(http, "wenqulu", secretary, number, "escalate")).json()
    assert (view["stage"], view["meeting"]) == ("meeting", "shengli-road")
    await product.take_up("shengli-road", number)
    answer = await decide(http, "shengli-road", SUPERVISOR, number, "project", unit="u-roads")
    assert (answer.status_code, answer.json()["unit"]["id"]) == (200, "u-roads")


async def test_a_decision_that_is_faster_than_the_agenda_waits_for_it(http: Http, product: Product) -> None:
    secretary = product.desk.district.secretary("wenqulu")
    await product.sit("wenqulu")
    for grid in ("wenqulu-03", "wenqulu-04", "wenqulu-05"):
        number = (await http.submit(location={"grid": grid}))["number"]
        worker = product.desk.district.grid(grid).duty_worker
        assert (await http.act(number, worker, "escalate", reason="several_units")).status_code == 200
        at_once = await decide(http, "wenqulu", secretary, number, "return_to_grid")
        assert (at_once.status_code, code_of(at_once)) == (409, "late_item"), at_once.text  # it has waited to be there
        await product.take_up("wenqulu", number)
        assert (await decide(http, "wenqulu", secretary, number, "return_to_grid")).json()["stage"] == "grid"
