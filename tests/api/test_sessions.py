"""Sessions of joint meetings over HTTP: convened, opened, attended, closed; agendas in pages; minutes to read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2

from domain.bodies import rules_of
from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import SUPERVISOR, Product, new_key

AUDITOR = "p-0007"


async def act(http: Http, meeting: str, session: str, by: str, type: str, *, key: str = "", **more: Any) -> Any:
    path = f"/api/v1/meetings/{meeting}/sessions/{session}/actions"
    return await http.post(path, {"type": type, **more}, by, key=key or new_key())


async def convene(http: Http, meeting: str, by: str, **form: Any) -> httpx2.Response:
    return await http.post(f"/api/v1/meetings/{meeting}/sessions", {"kind": "extra", **form}, by)


async def waiting(http: Http, product: Product, grid: str, **more: Any) -> str:
    number = str((await http.submit(location={"grid": grid}, **more))["number"])
    worker = product.desk.district.grid(grid)
    assert (await http.act(number, worker.duty_worker, "escalate", reason="several_units")).status_code == 200
    await product.until_agenda(worker.community, number)
    return number


async def test_from_calling_to_the_minutes(http: Http, product: Product) -> None:
    meeting, d = "wenqulu", product.desk.district
    secretary = d.secretary(meeting)
    first, second = [await waiting(http, product, f"wenqulu-{n:02d}") for n in (1, 2)]
    called = await convene(http, meeting, secretary)
    assert (called.status_code, called.json()["state"], called.json()["chair"]) == (201, "called", None)
    id = called.json()["id"]
    shown = (await http.get(f"/api/v1/meetings/{meeting}", secretary)).json()
    assert shown["next_session"]["id"] == id and shown["schedule"]["weekday"] == "wednesday"
    opened = (await act(http, meeting, id, secretary, "open")).json()
    chair = opened["chair"]
    assert (opened["state"], chair["how"], chair["id"]) == ("open", "rotation", shown["chair"]["id"])
    units = list(rules_of(d, meeting).members)[: opened["quorum"]]
    for unit in units:
        attended = await act(http, meeting, id, d.unit(unit).liaison, "attend", units=[unit])
        assert attended.status_code == 200, attended.text
    assert attended.json()["has_quorum"] and [one["unit"]["id"] for one in attended.json()["present"]] == units

    due, until = datetime.now(UTC) + timedelta(days=30), datetime.now(UTC) + timedelta(days=365)
    body = {
        "number": first, "kind": "assign", "unit": "u-roads", "due_at": due.isoformat(), "minute": "由市政<b>办理</b>|",
        "ruling": {"category": "0301", "until": until.isoformat()}, "co_units": [{"unit": "u-gas", "required": False}],
    }  # fmt: skip
    decided = await http.post(f"/api/v1/meetings/{meeting}/decisions", body, secretary)
    assert decided.status_code == 200, decided.text
    path = f"/api/v1/meetings/{meeting}/sessions/{id}"
    closed = (await act(http, meeting, id, chair["id"], "close")).json()
    assert (closed["state"], closed["decided"], second in closed["rolled_over"]) == ("closed", 1, True)
    again = await act(http, meeting, id, chair["id"], "close")
    assert (again.status_code, code_of(again)) == (409, "no_session")
    assert (await http.get(path, secretary)).json() == closed

    taken = (await http.get(f"{path}/minutes", secretary)).json()
    (line,) = taken["decisions"]
    assert (line["number"], line["lead"]["id"], line["minute"]) == (first, "u-roads", "由市政<b>办理</b>|")
    assert line["ruling"]["category"] == "0301"
    page = await http.get(f"{path}/minutes", secretary, format="markdown")
    assert page.headers["content-type"] == "text/markdown; charset=utf-8"
    text = page.text
    for said in (
        d.meeting(meeting).name + "会议纪要", chair["name"], "轮值", f"法定 {opened['quorum']} 家，已达到", d.unit(units[0]).name,
        first, "交办", f"主办：{d.unit('u-roads').name}", f"协办：{d.unit('u-gas').name}", r"由市政\<b\>办理\</b\>\|", "## 常设决定", "（0301）", "## 顺延事项", second,
    ):  # fmt: skip
        assert said in text, (said, text)
    hidden = (await http.get(f"{path}/minutes", AUDITOR)).json()
    assert hidden["decisions"][0]["minute"] is None and "由市政" not in str(hidden)

    rulings = await product.pool.fetch("select unit, community, chair from ruling where meeting = $1", meeting)
    assert [tuple(r) for r in rulings] == [("u-roads", meeting, chair["id"])]


async def test_a_ruling_is_the_first_reason_of_the_next_routing(http: Http, product: Product) -> None:
    meeting, d = "zhangjiapo", product.desk.district
    number = await waiting(http, product, "zhangjiapo-01")
    await product.take_up(meeting, number)
    body = {"number": number, "kind": "assign", "unit": "u-gas", "ruling": {"category": "0401"}}
    assert (await http.post(f"/api/v1/meetings/{meeting}/decisions", body, d.secretary(meeting))).status_code == 200
    view = await http.submit(category="040102", location={"grid": "zhangjiapo-02"})
    assert (view["stage"], view["unit"]["id"]) == ("unit", "u-gas")
    elsewhere = await http.submit(category="040102", location={"grid": "xuanhualu-02"})
    assert elsewhere["unit"]["id"] != "u-gas"


async def test_what_is_refused_and_why(http: Http, product: Product) -> None:
    meeting, d = "shenglilu", product.desk.district
    secretary, stranger = d.secretary(meeting), d.secretary("wenqulu")
    ahead, past = datetime.now(UTC) + timedelta(days=3), datetime.now(UTC) - timedelta(days=3)
    for by, form, status, code in (
        (RESIDENT, {}, 403, "not_permitted"),
        (stranger, {}, 403, "not_permitted"),
        (secretary, {"starts_at": past.isoformat()}, 422, "validation_failed"),
        (secretary, {"starts_at": "2027-06-01T09:00:00"}, 422, "validation_failed"),
        (secretary, {"kind": "regular"}, 422, "validation_failed"),
        (secretary, {"kind": "whistle", "about": "emergency", "units": [], "deadline_at": ahead.isoformat()}, 422,
         "validation_failed"),
        (secretary, {"kind": "whistle", "about": "emergency", "units": ["no-such"], "deadline_at": ahead.isoformat()},
         422, "unknown_unit"),
        (secretary, {"kind": "whistle", "about": "party", "units": ["u-gas"], "deadline_at": ahead.isoformat()}, 422,
         "validation_failed"),
    ):  # fmt: skip
        answer = await convene(http, meeting, by, **form)
        assert (answer.status_code, code_of(answer)) == (status, code), (form, answer.text)
    later = (await convene(http, meeting, SUPERVISOR, starts_at=ahead.isoformat())).json()
    now = (await convene(http, meeting, secretary)).json()
    liaison = d.unit("u-gas").liaison
    for session, by, form, status, code in (
        (later["id"], secretary, {"type": "open"}, 409, "no_session"),
        ("no-such", secretary, {"type": "open"}, 409, "no_session"),
        (now["id"], liaison, {"type": "open"}, 403, "not_permitted"),
        (now["id"], secretary, {"type": "consent", "number": "x"}, 409, "no_session"),
        (now["id"], secretary, {"type": "attend", "units": ["no-such"]}, 422, "unknown_unit"),
        (now["id"], secretary, {"type": "arrive", "units": ["u-gas"]}, 422, "validation_failed"),
        (now["id"], liaison, {"type": "close"}, 403, "not_permitted"),
        (now["id"], secretary, {"type": "dance"}, 422, "validation_failed"),
    ):
        answer = await http.post(f"/api/v1/meetings/{meeting}/sessions/{session}/actions", form, by)
        assert (answer.status_code, code_of(answer)) == (status, code), (form, answer.text)
    assert (await act(http, meeting, now["id"], secretary, "open")).status_code == 200
    other = (await convene(http, meeting, secretary)).json()
    answer = await act(http, meeting, other["id"], secretary, "open")
    assert (answer.status_code, code_of(answer)) == (409, "session_open")
    for path, status, code in (
        (f"/api/v1/meetings/{meeting}/sessions/no-such", 404, "not_found"),
        (f"/api/v1/meetings/{meeting}/sessions/no-such/minutes", 404, "not_found"),
        ("/api/v1/meetings/nowhere", 404, "unknown_meeting"),
        ("/api/v1/meetings/nowhere/sessions", 404, "unknown_meeting"),
    ):
        assert ((await http.get(path, secretary)).status_code, code_of(await http.get(path, secretary))) == (
            status,
            code,
        )
    residents = await http.get(f"/api/v1/meetings/{meeting}/sessions/{now['id']}", RESIDENT)
    assert (residents.status_code, code_of(residents)) == (403, "not_permitted")
    for one in (later, now, other):
        assert (await act(http, meeting, one["id"], secretary, "close")).status_code == 200


async def test_the_same_key_acts_once_and_another_body_under_it_is_refused(http: Http, product: Product) -> None:
    meeting, secretary = "shenglilu", product.desk.district.secretary("shenglilu")
    key, path = new_key(), f"/api/v1/meetings/{meeting}/sessions"
    one, other = [(await http.post(path, {"kind": "extra"}, secretary, key=key)).json() for _ in range(2)]
    assert one == other
    ahead = (datetime.now(UTC) + timedelta(days=3)).isoformat()
    reused = await http.post(path, {"kind": "extra", "starts_at": ahead}, secretary, key=key)
    assert (reused.status_code, code_of(reused)) == (422, "idempotency_key_reused")
    opening = new_key()
    first = await act(http, meeting, one["id"], secretary, "open", key=opening)
    again = await act(http, meeting, one["id"], secretary, "open", key=opening)
    assert first.json() == again.json()
    assert (await act(http, meeting, one["id"], secretary, "close")).status_code == 200


async def test_the_agenda_comes_in_pages_by_heat(http: Http, product: Product) -> None:
    meeting, secretary = "yupinglu", product.desk.district.secretary("yupinglu")
    numbers = [await waiting(http, product, f"yupinglu-{n:02d}") for n in range(1, 6)]
    hot = numbers[3]  # it has waited for its due instant for nine days
    late = datetime.now(UTC) - timedelta(days=9, hours=1)
    await product.pool.execute("update meeting_item set due_at = $1, breached = 2 where number = $2", late, hot)
    path: str | None = f"/api/v1/meetings/{meeting}/agenda?limit=2"
    seen: list[dict[str, Any]] = []
    while path:
        page = await http.get(path, secretary)
        assert len(page.json()) <= 2
        seen += page.json()
        path = page.links["next"]["url"] if "next" in page.links else None
    assert [one["number"] for one in seen] == [hot, *(n for n in numbers if n != hot)]
    assert [one["heat"] for one in seen] == [12, 1, 1, 1, 1]


async def test_sessions_come_in_pages_newest_first(http: Http, product: Product) -> None:
    meeting, secretary = "yonggangcun", product.desk.district.secretary("yonggangcun")
    called = [(await convene(http, meeting, secretary)).json()["id"] for _ in range(3)]
    first = await http.get(f"/api/v1/meetings/{meeting}/sessions", secretary, limit=2)
    second = await http.get(first.links["next"]["url"], secretary)
    assert [one["id"] for one in (*first.json(), *second.json())] == called[::-1]
    for id in called:
        await act(http, meeting, id, secretary, "close")


async def test_a_whistle_names_units_that_arrive(http: Http, product: Product) -> None:
    meeting, d = "xuanhualu", product.desk.district
    deadline = (datetime.now(UTC) + timedelta(hours=2)).replace(microsecond=0)
    form = {
        "kind": "whistle", "about": "joint_enforcement", "units": ["u-gas", "u-roads"], "deadline_at": deadline.isoformat(),
    }  # fmt: skip
    whistle = (await http.post(f"/api/v1/meetings/{meeting}/sessions", form, d.secretary(meeting))).json()
    listed = (await http.get(f"/api/v1/meetings/{meeting}", SUPERVISOR)).json()
    assert whistle["id"] in listed["whistles"] and listed["next_session"] is None
    arrived = await act(http, meeting, whistle["id"], d.unit("u-gas").liaison, "arrive", units=["u-gas"])
    units = {one["id"]: one for one in arrived.json()["whistle"]["units"]}
    assert units["u-gas"]["arrived_at"] and not units["u-roads"]["arrived_at"] and not units["u-roads"]["absent_at"]
    other = await act(http, meeting, whistle["id"], d.unit("u-gas").liaison, "arrive", units=["u-roads"])
    assert (other.status_code, code_of(other)) == (403, "not_permitted")
    assert (await act(http, meeting, whistle["id"], d.secretary(meeting), "close")).status_code == 200
