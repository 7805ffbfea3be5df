"""Deliveries over HTTP: who sees what is stuck, the replay buttons, the health of the channels, and a whole way through."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from service.delivering import Delivering, open_delivering
from service.notifying import open_notifying
from service.publish_watch import open_watch
from store.contacts import bound_to
from tests.api.callers import RESIDENT, Http, code_of, http_for
from tests.builders import ADMIN, SUPERVISOR, Product, new_key
from tests.gateways.mail_server import MailServer, mail_server
from tests.service.delivery_ground import NOON, Clock, KnowsAll, delivering, email_to, plan

AUDITOR = "p-0007"


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[MailServer]:
    async with mail_server() as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product, server: MailServer) -> AsyncIterator[Http]:
    """The application with e-mail set up."""
    email = {"smtp_url": SecretStr(f"smtp://127.0.0.1:{server.port}"), "mail_from": "邻里 <noreply@linli.test>"}
    product.settings = product.settings.model_copy(update=email)
    async with http_for(product.settings) as client:
        yield client


@pytest_asyncio.fixture(autouse=True)
async def clean(product: Product, server: MailServer) -> AsyncIterator[None]:
    await product.pool.execute("truncate notice, delivery, delivery_attempt, channel_state, contact")
    server.received.clear()
    yield


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest_asyncio.fixture
async def post(product: Product, clock: Clock, server: MailServer) -> AsyncIterator[Delivering]:
    made = delivering(product.pool, KnowsAll(product.pool), clock, {"email": email_to(server)})
    yield made
    await made.close()


async def address_of(product: Product, person: str, mailbox: str, channel: str = "email") -> None:
    sealed = product.desk.sealer.seal(mailbox, bound_to(person, channel))
    await product.pool.execute(
        "insert into contact (person, channel, sealed, updated_at) values ($1, $2, $3, now())", person, channel, sealed
    )


async def refused(server: MailServer, post: Delivering, ids: list[int]) -> None:
    async def nobody(recipient: str, _: Any) -> str | None:
        return "550 5.1.1 no such user"

    usual, server.say_recipient = server.say_recipient, nobody
    assert await post.once() == len(ids)
    server.say_recipient = usual


async def test_only_those_who_look_after_them_see_deliveries(http: Http, product: Product) -> None:
    worker = product.desk.district.grid("xuanhualu-01").duty_worker
    for path in ("/api/v1/deliveries", "/api/v1/deliveries/summary", "/api/v1/channels", "/api/v1/deliveries/1"):
        for by in (RESIDENT, worker):
            assert code_of(await http.get(path, by)) == "not_permitted"
        for by in (SUPERVISOR, ADMIN, AUDITOR):
            assert (await http.get(path, by)).status_code == (404 if path.endswith("/1") else 200)
    span = {"from": "2026-11-16T00:00:00Z", "until": "2026-11-17T00:00:00Z"}
    for path, body in (("deliveries/replay", span), ("notices/1/replay", {}), ("channels/email/test", {})):
        assert code_of(await http.post(f"/api/v1/{path}", body, AUDITOR)) == "not_permitted"


async def test_what_is_stuck_is_listed_counted_and_explained(
    http: Http, product: Product, post: Delivering, server: MailServer, clock: Clock
) -> None:
    ids = await plan(product.pool, clock(), SUPERVISOR, "p-0004", "p-0005")
    await refused(server, post, ids)
    waiting = await plan(product.pool, clock() + timedelta(minutes=1), SUPERVISOR, SUPERVISOR)
    answer = await http.get("/api/v1/deliveries", SUPERVISOR, state="dead", limit=2)
    first = answer.json()[0]
    assert [one["id"] for one in answer.json()] == ids[:2]
    assert (first["reason"], first["state"], first["attempts"]) == ("refused_recipient", "dead", 1)
    assert first["recipient"] == {"id": SUPERVISOR, "name": "范雨桐"} and first["planned_at"] == "2026-11-16T04:00:00Z"
    next_page = answer.headers["link"].partition("<")[2].partition(">")[0]
    assert [one["id"] for one in (await http.get(next_page, SUPERVISOR)).json()] == ids[2:]
    mine = await http.get("/api/v1/deliveries", SUPERVISOR, person=SUPERVISOR, channel="email")
    assert [one["id"] for one in mine.json()] == waiting, "without a state, what is on its way"
    assert (await http.get("/api/v1/deliveries", SUPERVISOR, state="dead", reason="busy")).json() == []
    one = (await http.get(f"/api/v1/deliveries/{ids[0]}", AUDITOR)).json()
    at = "2026-11-16T04:00:00Z"
    assert one["tried"] == [{"started_at": at, "ended_at": at, "outcome": "refused", "reason": "refused_recipient"}]
    counted = (await http.get("/api/v1/deliveries/summary", AUDITOR)).json()
    email = counted["channels"]["email"]
    assert (counted["dead"], email["dead"], email["failed"], email["sending"]) == (3, 3, 0, 0)
    text = answer.text + mine.text
    assert "@" not in text, "an address is shown to nobody"


async def test_a_notice_is_sent_anew_by_a_button_once(
    http: Http, product: Product, post: Delivering, server: MailServer, clock: Clock
) -> None:
    ids = await plan(product.pool, clock(), "a", "a")
    await refused(server, post, ids)
    notice = await product.pool.fetchval("select notice from delivery where id = $1", ids[0])
    key = new_key()
    answer = await http.post(f"/api/v1/notices/{notice}/replay", {}, SUPERVISOR, key=key)
    assert answer.json() == {"notice": notice, "replayed": 1, "deliveries": [ids[0]]}
    again = await http.post(f"/api/v1/notices/{notice}/replay", {}, SUPERVISOR, key=key)
    assert again.json() == answer.json() and again.headers["idempotency-replayed"] == "true"
    clock.at = await product.pool.fetchval("select next_at from delivery where id = $1", ids[0])
    assert await post.once() == 1 and [int(letter.text) for letter in server.received] == [ids[0]]
    nothing = await http.post(f"/api/v1/notices/{notice}/replay", {}, SUPERVISOR)
    assert (nothing.status_code, code_of(nothing)) == (409, "nothing_to_replay")
    assert code_of(await http.post("/api/v1/notices/999999/replay", {}, SUPERVISOR)) == "not_found"


async def test_a_span_is_sent_anew_in_the_order_in_which_it_was_planned(
    http: Http, product: Product, post: Delivering, server: MailServer, clock: Clock
) -> None:
    ids = await plan(product.pool, NOON, "a", "b", "a")
    clock.on(hours=2)
    outside = await plan(product.pool, clock(), "a")
    await refused(server, post, [*ids, *outside])
    span = {"from": "2026-11-16T03:00:00Z", "until": "2026-11-16T05:00:00Z"}
    none = await http.post("/api/v1/deliveries/replay", span | {"channel": "sms"}, SUPERVISOR)
    assert none.json() == {"replayed": 0, "more": False}
    asked = span | {"channel": "email", "reason": "refused_recipient"}
    assert (await http.post("/api/v1/deliveries/replay", asked, ADMIN)).json() == {"replayed": 3, "more": False}
    clock.at = await product.pool.fetchval("select max(next_at) from delivery")
    await post.once()
    sent = [int(letter.text) for letter in server.received]
    assert sorted(sent) == ids and sent.index(ids[0]) < sent.index(ids[2])
    backwards = {"from": span["until"], "until": span["from"]}
    assert code_of(await http.post("/api/v1/deliveries/replay", backwards, ADMIN)) == "validation_failed"


async def test_channels_tell_how_they_do(
    http: Http, product: Product, post: Delivering, server: MailServer, clock: Clock
) -> None:
    async def channel(name: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = (await http.get("/api/v1/channels", SUPERVISOR)).json()
        return next(one for one in found if one["name"] == name)

    sms = await channel("sms")
    assert (sms["configured"], sms["works"]) == (False, None)
    assert (await channel("email"))["works"] is None
    await plan(product.pool, clock(), "a")
    await post.once()
    email = await channel("email")
    assert (email["configured"], email["works"], email["last_success_at"]) == (True, True, "2026-11-16T04:00:00Z")
    await server.down()
    await plan(product.pool, clock(), "a", "b")
    await post.once()
    await server.up()
    email = await channel("email")
    assert (email["works"], email["last_failure"], email["down_since"]) == (
        False,
        "unreachable",
        "2026-11-16T04:00:00Z",
    )
    assert email["waiting"] + email["failed"] == 2 and email["oldest_open_at"].startswith("2026-11-16T04:00:00")
    await address_of(product, SUPERVISOR, "fan@example.cn")
    tested = await http.post("/api/v1/channels/email/test", {}, SUPERVISOR)
    assert (tested.json()["outcome"], tested.json()["reason"]) == ("delivered", None)
    assert server.to[-1] == "fan@example.cn" and "测试消息" in str(server.received[-1].mail["Subject"])
    assert (await channel("email"))["works"] is True, "whoever has mended it need not wait for a probe"
    await post.once()
    assert len(server.received) == 4


async def test_a_test_message_goes_to_oneself_and_says_what_is_wrong(
    http: Http, product: Product, server: MailServer
) -> None:
    async def test(name: str, by: str = SUPERVISOR) -> Any:
        return await http.post(f"/api/v1/channels/{name}/test", {}, by)

    assert code_of(await test("email")) == "no_contact"
    assert code_of(await test("sms")) == "channel_not_configured"
    assert code_of(await test("pigeon")) == "not_found"
    await address_of(product, ADMIN, "boss@example.cn")

    async def no(recipient: str, _: Any) -> str | None:
        return "550 5.1.1 <boss@example.cn> is unknown"

    usual, server.say_recipient = server.say_recipient, no
    answer = await test("email", ADMIN)
    server.say_recipient = usual
    assert (answer.json()["outcome"], answer.json()["reason"]) == ("refused", "refused_recipient")
    assert "boss" not in answer.text


async def test_a_demand_ends_in_the_mailbox_of_whoever_has_to_see_to_it(
    http: Http, product: Product, server: MailServer
) -> None:
    view = await http.submit(text="门口的窨井盖松了，老人差点摔倒")
    holder = view["holder"]["id"]
    await address_of(product, holder, "worker@example.cn")
    watch = open_watch(product.settings, product.pool)
    await watch.take_over()
    planning = open_notifying(product.settings, product.pool, watch)
    await planning.once()
    assert await product.pool.fetchval("select count(*) from delivery where number = $1", view["number"]) == 1
    await product.pool.execute("update delivery set next_at = now() - interval '1 second'")  # whatever hour it is
    post = open_delivering(product.settings, product.pool, watch)
    assert await post.once() == 1 and await post.once() == 0
    await post.close()
    (letter,) = server.received
    assert letter.recipient == "worker@example.cn" and view["number"] in letter.text
    assert "窨井盖" not in letter.text, "what the resident wrote stays in the product"
