"""Webhooks over HTTP: by whom, to where, what is shown once, what comes of a test, of a rotation and of a replay."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks import Webhook as Verifier

from service.publish_watch import open_watch
from service.webhook_keeper import WebhookKeeper, open_webhook_keeper
from tests.api.callers import RESIDENT, Http, bearer, code_of, http_for
from tests.builders import ADMIN, INTEGRATOR, OPERATOR, SUPERVISOR, Product, new_key, until
from tests.gateways.receivers import Receiver, receiving

HOOKS = "/api/v1/webhooks"


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings.model_copy(update={"webhook_allow": "127.0.0.0/8"})) as client:
        yield client


@pytest_asyncio.fixture
async def keeper(product: Product) -> AsyncIterator[WebhookKeeper]:
    """The worker's part, moved by hand."""
    settings = product.settings.model_copy(update={"webhook_allow": "127.0.0.0/8"})
    one = open_webhook_keeper(settings, product.pool, open_watch(settings, product.pool))
    await one.plan()
    yield one
    await one._sending.close()
    await product.pool.execute("delete from webhook")


async def created(http: Http, url: str, by: str = INTEGRATOR, **more: Any) -> dict[str, Any]:
    answer = await http.post(HOOKS, {"url": url, **more}, by)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == f"{HOOKS}/{answer.json()['id']}"
    view: dict[str, Any] = answer.json()
    return view


async def act(http: Http, id: str, type: str, by: str = INTEGRATOR, *, key: str | None = None, **more: Any) -> Any:
    return await http.post(f"{HOOKS}/{id}/actions", {"type": type, **more}, by, key=key)


async def delivered(http: Http, id: str, count: int) -> list[dict[str, Any]]:
    async def look() -> list[dict[str, Any]] | None:
        found: list[dict[str, Any]] = (await http.get(f"{HOOKS}/{id}/deliveries", INTEGRATOR, state="delivered")).json()
        return found if len(found) >= count else None

    return await until(look)


async def arrived(receiver: Receiver, count: int) -> None:
    async def look() -> bool | None:
        return len(receiver.got) >= count or None

    await until(look)


async def test_a_demand_in_one_call_and_what_becomes_of_it_at_the_door(
    http: Http, product: Product, keeper: WebhookKeeper
) -> None:
    async with receiving() as receiver:
        hook = await created(http, receiver.url, types=["linli.demand.*"], description="公安 110")
        demand = await http.submit(INTEGRATOR, text="李某某家门口有人打架 13912345678", reporter={"name": "李某某"})
        await product.started(demand["number"])
        await http.act(demand["number"], OPERATOR, "urge")
        await product.until_type(demand["number"], "urged")
        await keeper.plan()
        log = await delivered(http, hook["id"], 4)
    events = [Verifier(hook["secret"]).verify(r.body, r.headers) for r in receiver.got]
    assert events[0]["type"] == "linli.demand.submitted"
    assert "linli.demand.urged" in [e["type"] for e in events]
    assert {e["subject"] for e in events} == {demand["number"]}
    assert [e["sequence"] for e in events] == sorted(e["sequence"] for e in events)
    sent = b"".join(r.body for r in receiver.got).decode()
    assert not [word for word in ("李某某", "13912345678", "打架", INTEGRATOR, "p-0") if word in sent]
    one = (await http.get(f"{HOOKS}/{hook['id']}/deliveries/{log[0]['id']}", INTEGRATOR)).json()
    assert one["body"] in events
    assert [t["status"] for t in one["tries"]] == [204]


async def test_the_secret_is_shown_once(http: Http, product: Product, keeper: WebhookKeeper) -> None:
    key, form = new_key(), {"url": "https://127.0.0.1/x"}
    first = await http.post(HOOKS, form, INTEGRATOR, key=key)
    again = await http.post(HOOKS, form, INTEGRATOR, key=key)
    assert first.json()["secret"].startswith("whsec_")
    assert again.headers["idempotency-replayed"] == "true"
    assert again.json() == {**first.json(), "secret": None}
    id = first.json()["id"]
    rotated = await act(http, id, "rotate", key=key + "r")
    assert rotated.json()["done"]["secret"] not in (None, first.json()["secret"])
    assert (await act(http, id, "rotate", key=key + "r")).json()["done"]["secret"] is None
    for path in (HOOKS, f"{HOOKS}/{id}", f"{HOOKS}/{id}/deliveries"):
        assert "whsec_" not in (await http.get(path, INTEGRATOR)).text
    for table in ("webhook", "webhook_change", "idempotency", "webhook_delivery"):
        rows = await product.pool.fetch(f"select t::text as t from {table} t")
        assert "whsec_" not in "".join(r["t"] for r in rows), table
        for secret in (first.json()["secret"], rotated.json()["done"]["secret"]):
            assert secret.removeprefix("whsec_") not in "".join(r["t"] for r in rows)


async def test_a_test_ping_goes_out_signed_by_both_secrets_also_while_disabled(
    http: Http, keeper: WebhookKeeper
) -> None:
    async with receiving() as receiver:
        hook = await created(http, receiver.url)
        rotated = (await act(http, hook["id"], "rotate", overlap_hours=1)).json()
        assert rotated["old_secret_until"] is not None
        assert (await act(http, hook["id"], "disable")).json()["state"] == "disabled"
        assert (await act(http, hook["id"], "ping")).status_code == 200
        await keeper.plan()
        await arrived(receiver, 1)
        await delivered(http, hook["id"], 1)
    for secret in (hook["secret"], rotated["done"]["secret"]):
        said = Verifier(secret).verify(receiver.got[0].body, receiver.got[0].headers)
        assert (said["type"], said["data"]) == ("linli.webhook.ping", {"webhook": hook["id"]})


async def test_what_happened_while_it_was_off_is_sent_when_it_is_on_again(
    http: Http, product: Product, keeper: WebhookKeeper
) -> None:
    async with receiving() as receiver:
        hook = await created(http, receiver.url, types=["linli.demand.submitted"])
        await act(http, hook["id"], "disable")
        demand = await http.submit()
        await keeper.plan()
        assert receiver.got == []
        on = (await act(http, hook["id"], "enable")).json()
        assert on["state"] == "enabled"
        await keeper.plan()
        await arrived(receiver, 1)
        await delivered(http, hook["id"], 1)
        assert json.loads(receiver.got[0].body)["subject"] == demand["number"]
        changes = (await http.get(f"{HOOKS}/{hook['id']}", INTEGRATOR)).json()["changes"]
        assert [c["what"] for c in changes] == ["enable", "disable", "created"]
        assert {c["by"] for c in changes} == {INTEGRATOR}


async def test_one_delivery_and_a_span_are_sent_again(http: Http, keeper: WebhookKeeper) -> None:
    async with receiving() as receiver:
        hook = await created(http, receiver.url, types=["linli.demand.submitted"])
        await http.submit()
        await http.submit()
        await keeper.plan()
        log = await delivered(http, hook["id"], 2)
        resent = await act(http, hook["id"], "resend", delivery=log[0]["id"])
        assert resent.json()["done"] == {"resent": 1}
        await keeper.plan()
        await arrived(receiver, 3)
        await delivered(http, hook["id"], 2)
        now = datetime.now(UTC)
        span = {"from_at": (now - timedelta(hours=1)).isoformat(), "until_at": now.isoformat()}
        assert (await act(http, hook["id"], "replay", **span)).status_code == 200
        await keeper.plan()
        await arrived(receiver, 5)
        await keeper._sending.idle()
        [replay] = (await http.get(f"{HOOKS}/{hook['id']}", INTEGRATOR)).json()["replays"]
        assert replay["planned"] == len(receiver.got) - 3
        assert replay["finished_at"] is not None
        ids = [r.headers["webhook-id"] for r in receiver.got]
        assert len(set(ids[:2])) == 2
        assert set(ids[2:]) <= set(ids)
        assert (await act(http, hook["id"], "resend", delivery=10**12)).status_code == 404
        backwards = {"from_at": span["until_at"], "until_at": span["from_at"]}
        assert (await act(http, hook["id"], "replay", **backwards)).status_code == 422


async def test_its_url_and_choice_change_and_it_is_deleted(http: Http, product: Product, keeper: WebhookKeeper) -> None:
    hook = await created(http, "https://127.0.0.1/a")
    body = {"url": "https://127.0.0.1/b", "communities": ["wenqulu"], "categories": ["04"], "types": []}
    changed = await http.client.put(f"{HOOKS}/{hook['id']}", json=body, headers=bearer(INTEGRATOR))
    assert changed.status_code == 200, changed.text
    assert (changed.json()["url"], changed.json()["communities"]) == (body["url"], ["wenqulu"])
    gone = await http.client.delete(f"{HOOKS}/{hook['id']}", headers=bearer(INTEGRATOR))
    assert gone.status_code == 204
    assert code_of(await http.get(f"{HOOKS}/{hook['id']}", INTEGRATOR)) == "not_found"


@pytest.mark.parametrize(
    ("form", "code", "reason"),
    [
        ({"url": "http://10.0.0.1/x"}, "webhook_url_refused", "address_refused"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "webhook_url_refused", "address_refused"),
        ({"url": "https://[::1]/x"}, "webhook_url_refused", "address_refused"),
        ({"url": "https://192.168.1.1/x"}, "webhook_url_refused", "address_refused"),
        ({"url": "http://1.1.1.1/x"}, "webhook_url_refused", "not_encrypted"),
        ({"url": "ftp://1.1.1.1/x"}, "webhook_url_refused", "not_http"),
        ({"url": "https://u:p@1.1.1.1/x"}, "webhook_url_refused", "has_user"),
        ({"url": "https://127.0.0.1/x", "types": ["linli.demand.born"]}, "unknown_event_type", None),
        ({"url": "https://127.0.0.1/x", "types": ["*"]}, "unknown_event_type", None),
        ({"url": "https://127.0.0.1/x", "communities": ["atlantis"]}, "unknown_community", None),
        ({"url": "https://127.0.0.1/x", "categories": ["99"]}, "unknown_category", None),
        ({"url": "https://127.0.0.1/x", "secret": "mine"}, "validation_failed", None),
    ],
)
async def test_what_cannot_be_a_webhook_is_refused(
    http: Http, form: dict[str, Any], code: str, reason: str | None
) -> None:
    answer = await http.post(HOOKS, form, INTEGRATOR)
    assert code_of(answer) == code
    assert answer.json().get("facts", {}).get("reason") == reason


async def test_they_belong_to_who_made_them(http: Http, product: Product, keeper: WebhookKeeper) -> None:
    for nobody in (RESIDENT, OPERATOR, SUPERVISOR, "p-0007"):
        assert code_of(await http.post(HOOKS, {"url": "https://127.0.0.1/x"}, nobody)) == "not_permitted"
        assert code_of(await http.get(HOOKS, nobody)) == "not_permitted"
    own = await created(http, "https://127.0.0.1/i")
    admins = await created(http, "https://127.0.0.1/a", ADMIN)
    assert [h["id"] for h in (await http.get(HOOKS, INTEGRATOR)).json()] == [own["id"]]
    assert [h["id"] for h in (await http.get(HOOKS, ADMIN)).json()] == [own["id"], admins["id"]]
    path = f"{HOOKS}/{admins['id']}"
    for answer in (
        await http.get(path, INTEGRATOR),
        await http.get(f"{path}/deliveries", INTEGRATOR),
        await http.get(f"{path}/deliveries/1", INTEGRATOR),
        await act(http, admins["id"], "disable"),
        await act(http, admins["id"], "rotate"),
        await http.client.put(path, json={"url": "https://127.0.0.1/b"}, headers=bearer(INTEGRATOR)),
        await http.client.delete(path, headers=bearer(INTEGRATOR)),
    ):
        assert code_of(answer) == "not_found"
    assert (await act(http, own["id"], "disable", ADMIN)).json()["disabled"]["by"] == ADMIN


async def test_there_is_a_limit(http: Http, keeper: WebhookKeeper) -> None:
    for n in range(20):
        await created(http, f"https://127.0.0.1/{n}")
    assert code_of(await http.post(HOOKS, {"url": "https://127.0.0.1/21"}, INTEGRATOR)) == "webhook_limit"


async def test_the_log_is_read_page_by_page(http: Http, keeper: WebhookKeeper) -> None:
    async with receiving() as receiver:
        hook = await created(http, receiver.url)
        demand = await http.submit()
        await keeper.plan()
        path = f"{HOOKS}/{hook['id']}/deliveries"
        whole = (await http.get(path, INTEGRATOR, subject=demand["number"])).json()
        assert len(whole) > 3
        pages: list[dict[str, Any]] = []
        answer = await http.get(path, INTEGRATOR, subject=demand["number"], limit=2)
        while True:
            pages += answer.json()
            if "next" not in answer.links:
                break
            answer = await http.client.get(answer.links["next"]["url"], headers=bearer(INTEGRATOR))
        assert [d["id"] for d in pages] == [d["id"] for d in whole]
        assert (await http.get(path, INTEGRATOR, subject="20200101-000001")).json() == []
