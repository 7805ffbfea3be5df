"""The resident's door over HTTP: what a link and a code open, what they do there, and when both end."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from domain.retention import LinkRules
from service.link_keeper import LinkKeeper
from store.reporter_keys import ReporterKeys
from tests.api.callers import Http, code_of
from tests.api.residents import (
    DOOR,
    EMAIL,
    GRID,
    NOT_SOLVED,
    SATISFIED,
    Visitor,
    by_telephone,
    handled,
    link,
    links_in,
    messages,
    with_code,
    with_link,
)
from tests.builders import INTEGRATOR, OPERATOR, SUPERVISOR, Product, resident
from tests.pictures import a_jpeg

RULES = LinkRules()
OTHERS = ("urge", "withdraw", "unmerge")


def fine(answer: httpx2.Response, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    said: dict[str, Any] = answer.json()
    return said


def refused(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, code_of(answer)) == (status, code), answer.text
    said: dict[str, Any] = answer.json()
    return said


@pytest.fixture(autouse=True)
async def _nobody_has_tried(product: Product) -> None:
    await product.pool.execute("truncate sign_in_try")


def later(http: Http, monkeypatch: pytest.MonkeyPatch, **time: float) -> None:
    desk = http.app.state.desk
    now = desk.now()
    monkeypatch.setattr(desk, "now", lambda: now + timedelta(**time))


# ---- who is told the code


async def test_who_submits_for_a_reporter_is_told_the_code_once_and_nothing_of_it_is_stored(
    http: Http, product: Product
) -> None:
    told = [await http.submit(by) for by in (OPERATOR, INTEGRATOR, "resident-0001")]
    assert all(product.desk.reporter_keys.fits(one["code"], one["number"], 0) for one in told)
    for one in told:
        assert "code" not in (await http.get(f"/api/v1/demands/{one['number']}", OPERATOR)).json()
        assert await found_in_database(product, one["code"]) == [] != await found_in_database(product, one["number"])


async def test_who_handles_it_is_not_told_the_code(http: Http, product: Product) -> None:
    worker = product.worker_of(GRID).id
    assert "code" not in await http.submit(worker, channel="patrol", location={"grid": GRID})


async def test_a_repetition_tells_the_same_code(http: Http) -> None:
    body = {"text": "楼道灯不亮", "location": {"grid": GRID}}
    first, again = [(await http.post("/api/v1/demands", body, OPERATOR, key="same-key-17")) for _ in range(2)]
    assert first.text == again.text and again.headers["Idempotency-Replayed"] == "true"


async def found_in_database(product: Product, text: str) -> list[str]:
    """Tables with a row in which it stands."""
    tables = await product.pool.fetch("select table_name from information_schema.tables where table_schema = 'public'")
    found = []
    for name in (row["table_name"] for row in tables):
        if await product.pool.fetchval(f"select 1 from {name} t where t::text like '%' || $1 || '%' limit 1", text):
            found.append(name)
    return found


# ---- with number and code


async def test_number_and_code_open_the_demand_for_half_an_hour(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await by_telephone(http)
    visitor = await with_code(http, told["number"], told["code"].lower())
    view = fine(await visitor.get())
    assert view["number"] == told["number"] and view["stage"]["code"] == "grid"
    assert view["texts"][0]["text"] == "楼下路灯坏了" and view["texts"][0]["by_you"]
    assert view["next"]["due_at"] and view["owner"]["name"] == product.desk.district.person(told["holder"]["id"]).name
    assert view["contact"] == {"phone": None, "email": f"{EMAIL[0]}***@example.cn"}
    assert view["history"][0]["en"] == "Your demand was received"
    assert set(view["permitted"]) == {"withdraw", "urge", "note", "attach"}
    later(http, monkeypatch, minutes=RULES.session_minutes, seconds=1)
    refused(await visitor.get(), 410, "link_over")


async def test_a_session_opens_one_demand_and_no_account(http: Http) -> None:
    one, other = await by_telephone(http), await by_telephone(http)
    visitor = await with_code(http, one["number"], one["code"])
    answer = await visitor.client.get(f"/api/v1/demands/{other['number']}")
    refused(answer, 401, "unauthenticated")
    assert fine(await visitor.get())["number"] == one["number"]


async def test_the_session_of_a_browser_is_a_cookie_that_ends_with_signing_out(http: Http) -> None:
    told = await by_telephone(http)
    browser = Visitor(http, {"Sec-Fetch-Site": "same-origin"})
    answer = await browser.sign_in(told["number"], told["code"])
    fine(answer, 201)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-linli-resident=") and answer.headers["cache-control"] == "no-store"
    assert all(
        word in cookie for word in ("HttpOnly", "Secure", "SameSite=lax", f"Max-Age={RULES.session_minutes * 60}")
    )
    fine(await browser.get())
    forged = await browser.post("/actions", {"type": "withdraw"}, **{"Sec-Fetch-Site": "cross-site"})
    refused(forged, 403, "cross_site")
    token = answer.json()["token"]
    fine(await browser.client.delete(f"{DOOR}/session"))
    refused(await Visitor(http, {"Authorization": f"Resident {token}"}).get(), 401, "unauthenticated")


async def test_a_code_of_before_a_rotation_opens_until_its_key_is_taken_away(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    desk = http.app.state.desk
    ring = desk.settings.key_ring()
    kept = desk.reporter_keys
    try:
        desk.reporter_keys = ReporterKeys({"k2": b"2" * 32, **ring})
        fine(await (await with_code(http, told["number"], told["code"])).get())
        fine(await (await with_code(http, told["number"], desk.reporter_keys.code(told["number"], 0))).get())
        desk.reporter_keys = ReporterKeys({"k2": b"2" * 32})
        refused(await Visitor(http).sign_in(told["number"], told["code"]), 401, "code_refused")
    finally:
        desk.reporter_keys = kept


# ---- by link


async def test_the_links_of_a_message_open_their_demand_as_its_reporter(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    number = told["number"]
    ((event, letter),) = await messages(product, number)
    assert event == "clock_started" and told["code"] in letter.body and len(links_in(letter)) == 1
    visitor = with_link(http, await link(product, number, "clock_started"))
    view = fine(await visitor.get())
    assert (view["number"], view["pass"]) == (number, {"kind": "follow", "expires_at": None})
    view = fine(await visitor.post("/actions", {"type": "urge", "note": "已经三天了"}))
    assert view["history"][-1]["en"] in ("It was urged", "You added something")
    urged = [entry for entry in await product.entries(number) if entry.type == "urged"]
    assert [entry.actor for entry in urged] == [f"reporter:{number}"]
    assert (await product.row(number)).opened_by == OPERATOR


async def test_the_same_message_has_the_same_link_however_often_it_is_sent(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    first = await link(product, told["number"], "clock_started")
    key = product.settings.data_keys.get_secret_value()
    rotated = "k2:" + "Q" * 43 + "=," + key
    assert (
        first
        == await link(product, told["number"], "clock_started")
        == await link(product, told["number"], "clock_started", data_keys=rotated)
    )
    assert await product.pool.fetchval("select count(*) from reporter_pass where number = $1", told["number"]) == 1
    assert await found_in_database(product, first) == []
    fine(await with_link(http, first).get())


async def test_staff_are_led_to_the_page_of_the_demand_and_never_through_the_door(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    await messages(product, told["number"])
    inbox = (await http.get("/api/v1/inbox", told["holder"]["id"])).json()
    assert told["code"] not in str(inbox) and "/f#" not in str(inbox)


async def test_an_answer_by_link_closes_it_and_spends_the_link(http: Http, product: Product) -> None:
    number = (await by_telephone(http))["number"]
    await handled(product, number)
    visitor = with_link(http, await link(product, number))
    view = fine(await visitor.get())
    assert (
        view["questions"] == {"open": True, "given": None} and view["stage"]["en"] == "Handled; please say how it was"
    )
    assert [(one["kind"], one["text"]) for one in view["texts"]][-1] == ("reply", "路灯已修好")
    view = fine(await visitor.post("/answer", SATISFIED | {"note": "谢谢"}, key="answer-1-of-one"))
    assert (view["outcome"], view["stage"]["code"]) == ("resolved", "closed") and view["reopen_until"]
    again = fine(await visitor.post("/answer", SATISFIED | {"note": "谢谢"}, key="answer-1-of-one"))
    assert again["outcome"] == "resolved", "the same request once more is the same answer"
    other = refused(await visitor.post("/answer", NOT_SOLVED), 409, "link_used")
    assert other["facts"]["answer"] == SATISFIED | {"at": view["questions"]["given"]["at"]}
    assert (await product.types(number)).count("feedback_given") == 1
    entry = next(e for e in await product.entries(number) if e.type == "feedback_given")
    assert (entry.actor, entry.data) == (f"reporter:{number}", SATISFIED)


async def test_after_a_redo_the_link_of_the_round_before_is_dead(http: Http, product: Product) -> None:
    number = (await by_telephone(http))["number"]
    await handled(product, number)
    first = with_link(http, await link(product, number))
    view = fine(await first.post("/answer", NOT_SOLVED))
    assert (view["stage"]["code"], view["questions"]["open"]) == ("grid", False)
    refused(await first.post("/answer", SATISFIED), 409, "link_used")
    await handled(product, number, times=2)
    refused(await first.get(), 410, "link_over")
    refused(await first.post("/answer", SATISFIED), 410, "link_over")
    second = with_link(http, await link(product, number))
    assert fine(await second.get())["questions"] == {"open": True, "given": None}
    assert fine(await second.post("/answer", SATISFIED))["outcome"] == "resolved"
    assert fine(await second.post("/actions", {"type": "reopen"}))["stage"]["code"] == "grid"


async def test_of_two_answers_at_once_one_counts(http: Http, product: Product) -> None:
    number = (await by_telephone(http))["number"]
    await handled(product, number)
    token = await link(product, number)
    answers = await asyncio.gather(
        *(
            with_link(http, token).post("/answer", body)
            for body in (SATISFIED, SATISFIED | {"satisfied": "basically_satisfied"})
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 409]
    assert (await product.types(number)).count("feedback_given") == 1


async def test_what_opens_links_to_look_at_them_spends_and_changes_nothing(http: Http, product: Product) -> None:
    number = (await by_telephone(http))["number"]
    d = await handled(product, number)
    visitor = with_link(http, await link(product, number))
    before = await product.pool.fetch("select * from reporter_pass order by token_hash")
    for _ in range(3):
        fine(await visitor.get())
        for path in ("/answer", "/actions", "/contact", "/session"):
            assert (await visitor.get(path)).status_code == 405
    assert await product.row(number) == d
    assert await product.pool.fetch("select * from reporter_pass order by token_hash") == before
    assert fine(await visitor.post("/answer", SATISFIED))["outcome"] == "resolved"


async def test_a_link_to_the_questions_opens_these_only(http: Http, product: Product) -> None:
    number = (await by_telephone(http))["number"]
    await handled(product, number)
    visitor = with_link(http, await link(product, number))
    view = fine(await visitor.get())
    assert set(view["permitted"]) == {"confirm", "note", "attach"} and view["contact"] is None
    for type in OTHERS:
        refused(await visitor.post("/actions", {"type": type}), 403, "not_permitted")
    refused(await visitor.patch("/contact", {"email": "else@example.cn"}), 403, "not_permitted")
    assert fine(await visitor.post("/actions", {"type": "note", "note": "还有一句"}))["texts"][-1]["text"] == "还有一句"


async def test_a_link_that_follows_a_demand_ends_some_time_after_closing(
    http: Http, product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await by_telephone(http)
    visitor = with_link(http, await link(product, told["number"], "clock_started"))
    view = fine(await visitor.post("/actions", {"type": "withdraw"}))
    assert (view["outcome"], view["permitted"], view["next"]) == ("withdrawn", [], None)
    later(http, monkeypatch, days=RULES.days_after_closing - 1)
    fine(await visitor.get())
    later(http, monkeypatch, days=2)
    refused(await visitor.get(), 410, "link_over")
    refused(await Visitor(http).sign_in(told["number"], told["code"]), 410, "link_over")


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"Authorization": "Link "}, {"Authorization": "Link " + "A" * 43}, {"Authorization": "Link " + "A" * 300},
        {"Authorization": "Bearer dev_x"}, {"Authorization": "Resident " + "A" * 43}, {"Cookie": "__Host-linli-resident=x"},
    ],
    ids=["nothing", "no token", "an unknown link", "a long one", "another door's", "an unknown session", "a cookie"],
)  # fmt: skip
async def test_without_a_good_link_or_session_the_door_is_shut(http: Http, headers: dict[str, str]) -> None:
    visitor = Visitor(http, headers)
    refused(await visitor.get(), 401, "unauthenticated")
    refused(await visitor.post("/answer", {"not": "even read"}), 401, "unauthenticated")


async def test_whoever_works_here_does_not_come_in_by_the_residents_door(http: Http) -> None:
    for by in (OPERATOR, SUPERVISOR, INTEGRATOR, "resident-0001"):
        refused(await http.get(f"{DOOR}/demand", by), 403, "not_permitted")
        refused(await http.post(f"{DOOR}/answer", SATISFIED, by), 403, "not_permitted")


async def test_a_link_is_no_session_and_a_session_no_link(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    token = await link(product, told["number"], "clock_started")
    session = (await Visitor(http).sign_in(told["number"], told["code"])).json()["token"]
    refused(await Visitor(http, {"Authorization": f"Resident {token}"}).get(), 401, "unauthenticated")
    refused(await with_link(http, session).get(), 401, "unauthenticated")


async def test_what_has_long_ended_is_removed_and_nothing_else(http: Http, product: Product) -> None:
    keeper, pool = LinkKeeper(product.desk.watch, product.pool), product.pool
    kept, gone = await by_telephone(http), await by_telephone(http)
    follows = with_link(http, await link(product, kept["number"], "clock_started"))
    ended = with_link(http, await link(product, gone["number"], "clock_started"))
    fine(await ended.post("/actions", {"type": "withdraw"}))
    await with_code(http, kept["number"], kept["code"])
    now = product.desk.now()
    passes = "select kind from reporter_pass where number = any($1) order by number, kind"
    numbers = [kept["number"], gone["number"]]
    await keeper.once(now + timedelta(days=RULES.days_after_closing))
    assert [row["kind"] for row in await pool.fetch(passes, numbers)] == ["follow", "follow"], "the session is gone"
    await keeper.once(now + timedelta(days=RULES.days_after_closing + 31))
    assert [row["kind"] for row in await pool.fetch(passes, numbers)] == ["follow"]
    fine(await follows.get())


async def test_erasing_a_demand_ends_its_links_and_sessions(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    visitor = with_link(http, await link(product, told["number"], "clock_started"))
    fine(await visitor.post("/actions", {"type": "withdraw"}))
    path = f"/api/v1/demands/{told['number']}/personal-data/deletion"
    assert fine(await http.post(path, {"confirm": True}, OPERATOR))["state"] == "done"
    refused(await visitor.get(), 401, "unauthenticated")
    view = fine(await (await with_code(http, told["number"], told["code"])).get())
    assert view["erased_at"] and "路灯" not in str(view["texts"]) and view["contact"] == {"phone": None, "email": None}


# ---- renewing


async def test_a_renewed_code_ends_the_one_before_its_sessions_and_its_links(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    number, path = told["number"], f"/api/v1/demands/{told['number']}/reporter-code"
    token = await link(product, number, "clock_started")
    session = await with_code(http, number, told["code"])
    for by, code in ((product.worker_of(GRID).id, "not_permitted"), (SUPERVISOR, "not_permitted")):
        refused(await http.post(path, None, by), 403, code)
    fresh = fine(await http.post(path, None, OPERATOR, key="renewal-1"), 201)
    assert fresh == (await http.post(path, None, OPERATOR, key="renewal-1")).json() and fresh["code"] != told["code"]
    for over in (session, with_link(http, token)):
        refused(await over.get(), 410, "link_over")
    refused(await Visitor(http).sign_in(number, told["code"]), 401, "code_refused")
    fine(await (await with_code(http, number, fresh["code"])).get())
    fine(await with_link(http, await link(product, number, "clock_started")).get())
    assert await found_in_database(product, fresh["code"]) == []
    reads = await product.pool.fetch("select actor, what from personal_read where subject = $1", number)
    assert (OPERATOR, "reporter_code") in {(row["actor"], row["what"]) for row in reads}


async def test_a_resident_with_an_account_renews_their_own_and_nobody_elses(http: Http) -> None:
    told = await http.submit("resident-0051")
    path = f"/api/v1/demands/{told['number']}/reporter-code"
    fine(await http.post(path, None, "resident-0051"), 201)
    assert (await http.post(path, None, "resident-0052")).status_code == 404


# ---- what else one does there


async def test_an_address_that_is_left_later_is_written_to(http: Http, product: Product) -> None:
    told = await by_telephone(http, reporter={"phone": "13900004321"})
    number = told["number"]
    visitor = await with_code(http, number, told["code"])
    assert await messages(product, number) == []
    view = fine(await visitor.patch("/contact", {"email": "new@example.cn", "phone": None}))
    assert view["contact"] == {"phone": None, "email": "n***@example.cn"}
    await handled(product, number)
    assert [event for event, _ in await messages(product, number)] == ["reporter_asked"]
    for wrong, code in (({}, "validation_failed"), ({"email": "n***@example.cn"}, "masked_value")):
        refused(await visitor.patch("/contact", wrong), 422, code)
    refused(await visitor.patch("/contact", {"name": "x"}), 422, "validation_failed")
    changed = await product.pool.fetch(
        "select actor, fields from personal_read where subject = $1 and what = 'reporter_corrected'", number
    )
    assert [(row["actor"], row["fields"]) for row in changed] == [(f"reporter:{number}", ["email", "phone"])]


async def test_a_photo_is_added_and_seen_by_whoever_handles_it_but_at_no_other_door(
    http: Http, product: Product
) -> None:
    one, other = await by_telephone(http), await by_telephone(http)
    visitor = await with_code(http, one["number"], one["code"])
    neighbour = await with_code(http, other["number"], other["code"])
    sent = await visitor.client.post(f"{DOOR}/files", files={"file": ("a.jpg", a_jpeg(), "image/jpeg")})
    id = fine(sent, 201)["id"]
    view = fine(await visitor.post("/actions", {"type": "attach", "file_ids": [id]}))
    assert [file["id"] for file in view["files"]] == [id] and view["history"][-1]["zh"] == "您补充了照片或文件"
    seen = await visitor.get(f"/files/{id}")
    assert (seen.status_code, seen.headers["content-type"]) == (200, "image/jpeg")
    assert (await visitor.get(f"/files/{id}/thumbnail")).status_code == 200
    assert (await http.get(f"/api/v1/files/{id}", one["holder"]["id"])).status_code == 200
    refused(await neighbour.get(f"/files/{id}"), 404, "not_found")
    refused(await neighbour.post("/actions", {"type": "attach", "file_ids": [id]}), 422, "unknown_file")


async def test_what_is_internal_stays_inside(http: Http, product: Product) -> None:
    told = await by_telephone(http)
    number, worker = told["number"], product.worker_of(GRID)
    await product.act(number, worker, "note", note="内部备注不可外传")
    await product.act(number, worker, "contact", note="电话里的情况")
    answer = await (await with_code(http, number, told["code"])).get()
    view = fine(answer)
    assert "内部备注" not in answer.text and "电话里" not in answer.text and worker.id not in answer.text
    assert "You were contacted" in [one["en"] for one in view["history"]]


async def test_the_account_and_the_link_of_one_reporter_see_the_same_demand(http: Http, product: Product) -> None:
    told = await http.submit("resident-0061", location={"grid": GRID}, reporter={"email": EMAIL})
    await product.act(told["number"], resident(61), "note", note="门口等您")
    view = fine(await with_link(http, await link(product, told["number"], "clock_started")).get())
    assert [one["text"] for one in view["texts"] if one["by_you"]] == ["楼下路灯坏了", "门口等您"]
