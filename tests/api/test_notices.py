"""Inbox, contacts and the timeline of notices: each sees what is theirs, and nobody an address that is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.notice_plans import Planner
from service.notifying import Notifying
from store.contacts import bound_to
from tests.api.callers import Http, bearer, code_of
from tests.builders import ADMIN, OPERATOR, SUPERVISOR, Product, settings_for

WORKER, COLLEAGUE = "p-0022", "p-0023"
CONTACTS = "/api/v1/people/me/contacts"
MAIL = {"smtp_url": "smtp://127.0.0.1:2525", "mail_from": "linli@example.cn"}


async def plan(product: Product) -> None:
    """As the worker's keeper does, in an installation that can send e-mail."""
    settings = settings_for(product.settings.database_url, "127.0.0.1:7233", "q", **MAIL)
    await Notifying(Planner(settings, product.desk.watch), product.pool).once()


async def put(http: Http, body: Any, by: str = WORKER) -> Any:
    return await http.client.put(CONTACTS, json=body, headers=bearer(by))


async def inbox(http: Http, by: str, **params: Any) -> list[dict[str, Any]]:
    answer = await http.get("/api/v1/inbox", by, **params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


@pytest.fixture(autouse=True)
async def _start_empty(product: Product) -> None:
    await plan(product)
    await product.pool.execute("truncate notice, delivery, contact, contact_wish")


async def test_an_assignment_is_in_the_inbox_of_the_one_who_owes_it_and_of_nobody_else(
    http: Http, product: Product
) -> None:
    view = await http.submit()
    await plan(product)
    (notice,) = await inbox(http, WORKER)
    assert (notice["number"], notice["event"], notice["read_at"]) == (view["number"], "worker_assigned", None)
    assert view["number"] in notice["subject"] and "{" not in notice["body"]
    assert await inbox(http, COLLEAGUE) == await inbox(http, SUPERVISOR) == []


async def test_a_resident_with_an_account_has_an_inbox_too(http: Http, product: Product) -> None:
    view = await http.submit("resident-0042")
    await plan(product)
    (notice,) = await inbox(http, "resident-0042")
    assert (notice["number"], notice["event"]) == (view["number"], "clock_started")
    assert await inbox(http, "resident-0043") == []


async def test_the_unread_come_first_and_are_counted(http: Http, product: Product) -> None:
    for _ in range(5):
        await http.submit()
    await plan(product)
    newest_first = [one["id"] for one in await inbox(http, WORKER)]
    assert newest_first == sorted(newest_first, reverse=True) and len(newest_first) == 5
    read = await http.post("/api/v1/inbox/read", {"ids": newest_first[:2]}, WORKER)
    assert read.json() == {"read": 2, "unread": 3}
    again = await http.post("/api/v1/inbox/read", {"ids": newest_first[:2]}, WORKER)
    assert again.json() == {"read": 0, "unread": 3}
    assert [one["id"] for one in await inbox(http, WORKER)] == newest_first[2:] + newest_first[:2]
    answer = await http.get("/api/v1/inbox", WORKER, limit=2)
    assert answer.headers["Unread-Count"] == "3"
    assert (await http.get("/api/v1/inbox/count", WORKER)).json() == {"unread": 3}


async def test_the_inbox_is_paged_over_both_shelves(http: Http, product: Product) -> None:
    for _ in range(5):
        await http.submit()
    await plan(product)
    ids = [one["id"] for one in await inbox(http, WORKER)]
    await http.post("/api/v1/inbox/read", {"ids": [ids[0], ids[3]]}, WORKER)
    expected, seen = [ids[1], ids[2], ids[4], ids[0], ids[3]], list[int]()
    answer = await http.get("/api/v1/inbox", WORKER, limit=2)
    while True:
        seen += [one["id"] for one in answer.json()]
        if "Link" not in answer.headers:
            break
        answer = await http.get(answer.headers["Link"].split(">")[0][1:], WORKER)
    assert seen == expected


async def test_all_can_be_read_at_once_but_what_came_since_stays_unread(http: Http, product: Product) -> None:
    for _ in range(3):
        await http.submit()
    await plan(product)
    newest, middle, _ = [one["id"] for one in await inbox(http, WORKER)]
    done = await http.post("/api/v1/inbox/read", {"all": True, "upto": middle}, WORKER)
    assert done.json() == {"read": 2, "unread": 1}
    assert (await inbox(http, WORKER))[0]["id"] == newest
    assert (await http.post("/api/v1/inbox/read", {"all": True}, WORKER)).json()["unread"] == 0


async def test_nobody_marks_what_is_not_theirs(http: Http, product: Product) -> None:
    await http.submit()
    await plan(product)
    (notice,) = await inbox(http, WORKER)
    stolen = await http.post("/api/v1/inbox/read", {"ids": [notice["id"]]}, COLLEAGUE)
    assert stolen.json() == {"read": 0, "unread": 0}
    assert (await inbox(http, WORKER))[0]["read_at"] is None


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": [1], "all": True}, {"ids": [0]}, {"ids": [1], "upto": 3}, {"all": False}]
)
async def test_reading_says_what(http: Http, body: Any) -> None:
    answer = await http.post("/api/v1/inbox/read", body, WORKER)
    assert (answer.status_code, code_of(answer)) == (422, "validation_failed")


# ---- contacts


async def test_contacts_are_kept_sealed_and_told_to_their_owner_only(http: Http, product: Product) -> None:
    said = {
        "channels": {"email": "wu.jing@example.cn", "sms": "13900001234"}, "language": "en",
        "quiet": {"from": "22:00", "until": "06:30"}, "digest": True,
    }  # fmt: skip
    answer = await put(http, said)
    assert answer.status_code == 200, answer.text
    assert {key: answer.json()[key] for key in said} == said
    mine = await http.get(CONTACTS, WORKER)
    assert mine.json() == answer.json() and mine.headers["Cache-Control"] == "no-store"
    assert (await http.get(CONTACTS, COLLEAGUE)).json()["channels"] == {}
    rows = await product.pool.fetch("select person, channel, sealed from contact order by channel")
    assert [(row["person"], row["channel"]) for row in rows] == [(WORKER, "email"), (WORKER, "sms")]
    assert b"wu.jing" not in rows[0]["sealed"]
    assert product.desk.sealer.open(rows[0]["sealed"], bound_to(WORKER, "email")) == "wu.jing@example.cn"


async def test_what_is_left_out_is_forgotten(http: Http, product: Product) -> None:
    await put(
        http,
        {"channels": {"email": "wu.jing@example.cn"}, "digest": False, "quiet": {"from": "01:00", "until": "02:00"}},
    )
    answer = await put(http, {"channels": {"sms": "13900001234"}})
    assert (answer.json()["channels"], answer.json()["digest"], answer.json()["quiet"]) == (
        {"sms": "13900001234"},
        None,
        None,
    )
    assert await product.pool.fetchval("select count(*) from contact") == 1
    assert (await http.get(CONTACTS, WORKER)).json()["district"]["language"] == "zh"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"channels": {"email": "no mailbox"}}, "contact_invalid"),
        ({"channels": {"sms": "call me"}}, "contact_invalid"),
        ({"channels": {"fax": "12345"}}, "validation_failed"),
        ({"channels": {"email": ""}}, "validation_failed"),
        ({"quiet": {"from": "25:00", "until": "07:00"}}, "validation_failed"),
        ({"quiet": {"from": "21:00"}}, "validation_failed"),
        ({"language": "fr"}, "validation_failed"),
        ({"digest": "yes"}, "validation_failed"),
        ({"address": "x"}, "validation_failed"),
    ],
)
async def test_contacts_that_cannot_be_are_refused_without_repeating_them(http: Http, body: Any, code: str) -> None:
    answer = await put(http, body)
    assert code_of(answer) == code
    assert not [said for said in ("no mailbox", "call me") if said in answer.text]


async def test_residents_leave_theirs_with_a_demand(http: Http) -> None:
    assert code_of(await http.get(CONTACTS, "resident-0001")) == "not_permitted"
    assert code_of(await put(http, {}, "resident-0001")) == "not_permitted"


# ---- the timeline


async def test_the_timeline_says_who_was_told_how_and_never_where(http: Http, product: Product) -> None:
    await put(http, {"channels": {"email": "wu.jing@example.cn"}})
    reporter = {"name": "张三", "phone": "13900001234", "email": "zhang@example.cn"}
    number = (await http.submit(OPERATOR, reporter=reporter))["number"]
    await plan(product)
    await product.pool.execute(
        "update delivery set state = 'failed', attempts = 2, last_error = 'busy' where lane = $1", WORKER
    )
    answer = await http.get(f"/api/v1/demands/{number}/notices", SUPERVISOR)
    assert answer.status_code == 200, answer.text
    by_event = {one["event"]: one for one in answer.json()}
    assert set(by_event) == {"clock_started", "worker_assigned"}
    told = by_event["worker_assigned"]
    assert (told["to"]["id"], told["audience"], told["state"]) == (WORKER, "holder", "outgoing")
    (sent,) = told["deliveries"]
    assert (sent["channel"], sent["state"], sent["attempts"], sent["last_error"]) == ("email", "failed", 2, "busy")
    assert (by_event["clock_started"]["to"], by_event["clock_started"]["audience"]) == (None, "reporter")
    assert not [word for word in ("张三", "1390000", "zhang@", "wu.jing") if word in answer.text]


async def test_a_reporter_sees_what_was_told_to_the_reporter(http: Http, product: Product) -> None:
    number = (await http.submit("resident-0001", reporter={"phone": "13900001234"}))["number"]
    await plan(product)
    mine = (await http.get(f"/api/v1/demands/{number}/notices", "resident-0001")).json()
    assert [one["audience"] for one in mine] == ["reporter"]
    assert len((await http.get(f"/api/v1/demands/{number}/notices", ADMIN)).json()) == 2


async def test_the_timeline_is_for_whoever_sees_the_demand(http: Http, product: Product) -> None:
    number = (await http.submit())["number"]
    await plan(product)
    for stranger in ("resident-0002", "p-0034"):  # another resident, a grid worker of another community
        assert code_of(await http.get(f"/api/v1/demands/{number}/notices", stranger)) == "not_found"
    assert code_of(await http.get("/api/v1/demands/20260101-999999/notices", SUPERVISOR)) == "not_found"


async def test_the_timeline_is_paged(http: Http, product: Product) -> None:
    number = (await http.submit())["number"]
    for _ in range(3):
        await http.act(number, SUPERVISOR, "urge")
    await plan(product)
    path, seen = f"/api/v1/demands/{number}/notices?limit=2", list[str]()
    while path:
        answer = await http.get(path, SUPERVISOR)
        seen += [one["event"] for one in answer.json()]
        path = answer.headers["Link"].split(">")[0][1:] if "Link" in answer.headers else ""
    assert seen.count("urged") == 3 and len(seen) == 5


async def test_a_collection_shows_with_each_of_its_notices(http: Http, product: Product) -> None:
    await put(http, {"channels": {"email": "wu.jing@example.cn"}, "digest": True})
    number = (await http.submit(SUPERVISOR))["number"]
    await plan(product)
    (told,) = (await http.get(f"/api/v1/demands/{number}/notices", SUPERVISOR)).json()
    assert (told["digest"], told["state"]) == (True, "collected")
    assert [one["channel"] for one in told["deliveries"]] == ["email"]
    assert json.dumps(await inbox(http, WORKER)).count(number) >= 1
