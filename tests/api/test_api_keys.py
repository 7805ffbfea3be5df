"""Keys of integrators: told once, narrowed to their scopes, rotated with an overlap, revoked."""

from __future__ import annotations

import hashlib
from typing import Any

import httpx2
import pytest

from api.authorisation_table import product_routes
from api.needs import declared_by
from domain.scopes import Scope
from service import user_accounts
from tests.api.callers import Http, bearer, code_of
from tests.api.signing_in import new_user
from tests.builders import ADMIN, INTEGRATOR, SUPERVISOR, Product, new_key

PATH = "/api/v1/api-keys"
AUDITOR = "p-0007"


async def made(http: Http, *words: str, by: str = INTEGRATOR, **more: Any) -> dict[str, Any]:
    answer = await http.post(PATH, {"name": "12345", "scopes": list(words or ("demands:read",)), **more}, by)
    assert answer.status_code == 201, answer.text
    view: dict[str, Any] = answer.json()
    return view


async def ask(
    http: Http, secret: str, method: str = "GET", path: str = "/api/v1/demands?limit=1", **more: Any
) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {secret}", "Idempotency-Key": new_key()}
    return await http.client.request(method, path, headers=headers, **more)


def code(answer: httpx2.Response) -> str:
    return "fine" if answer.status_code < 400 else code_of(answer)


async def test_a_key_is_told_once_and_kept_as_a_hash(product: Product, http: Http) -> None:
    key = await made(http)
    assert key["secret"].startswith(f"linli_{key['id']}_") and len(key["secret"]) == 6 + 12 + 1 + 52
    kept = await product.pool.fetchval("select hash from api_key where id = $1", key["id"])
    assert kept == hashlib.sha256(key["secret"].encode()).digest()
    listed = (await http.get(PATH, INTEGRATOR)).json()
    assert key["id"] in [one["id"] for one in listed] and all("secret" not in one for one in listed)
    for table in ("api_key", "identity_event", "idempotency"):
        rows = await product.pool.fetch(f"select t::text as row from {table} t")
        assert not [row for row in rows if key["secret"][20:] in row["row"]], table


async def test_a_repetition_gets_the_same_key_without_its_secret(http: Http) -> None:
    body, key = {"name": "12345", "scopes": ["rates:read"]}, new_key()
    first = await http.post(PATH, body, INTEGRATOR, key=key)
    again = await http.post(PATH, body, INTEGRATOR, key=key)
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")
    assert again.json() == {**first.json(), "secret": None}
    other = await http.post(PATH, {**body, "name": "another"}, INTEGRATOR, key=key)
    assert code_of(other) == "idempotency_key_reused"


async def test_a_key_acts_as_its_owner(http: Http) -> None:
    key = await made(http, "demands:read", "demands:write")
    me = (await ask(http, key["secret"], path="/api/v1/session")).json()
    assert (me["person"]["id"], me["key"], me["scopes"]) == (INTEGRATOR, key["id"], ["demands:read", "demands:write"])
    opened = await ask(http, key["secret"], "POST", "/api/v1/demands", json={"text": "路灯坏了", "category": "120101"})
    assert opened.status_code == 201
    last = [one for one in (await http.get(PATH, INTEGRATOR)).json() if one["id"] == key["id"]]
    assert last[0]["last_used_at"] is not None


# Routes, and the scope that opens them; None for what no key opens.
OPENED: list[tuple[str, Scope | None]] = [
    ("list_demands", Scope.DEMANDS_READ),
    ("read_demand", Scope.DEMANDS_READ),
    ("submit_demand", Scope.DEMANDS_WRITE),
    ("act_on_demand", Scope.DEMANDS_WRITE),
    ("pull_events", Scope.EVENTS_READ),
    ("create_webhook", Scope.WEBHOOKS_MANAGE),
    ("delete_webhook", Scope.WEBHOOKS_MANAGE),
    ("read_rates", Scope.RATES_READ),
    ("open311_create_request", Scope.OPEN311_WRITE),
    ("read_person", None),
    ("put_unit", None),
    ("make_api_key", None),
    ("list_api_keys", None),
    ("sign_out", None),
    ("list_own_sessions", None),
    ("list_identity_events", None),
    ("list_individual_needs", None),
    ("correct_reporter", None),
    ("search_demands_by_phone", None),
    ("export_personal_data", None),
    ("delete_personal_data", None),
    ("read_demand_routing", None),
]


@pytest.mark.parametrize(("name", "wanted"), OPENED)
def test_each_route_is_opened_by_its_scope_and_by_no_other(name: str, wanted: Scope | None) -> None:
    (declared,) = (declared_by(route.endpoint) for route in product_routes() if route.name == name)
    assert declared is not None and declared.scopes == (frozenset({wanted}) if wanted else frozenset())


async def test_an_address_that_is_nearly_a_route_is_none(http: Http) -> None:
    key = await made(http, "demands:read", "demands:write")
    for method, path in (("GET", "/api/v1/demandsx"), ("GET", "//api/v1/demands"), ("PROPFIND", "/api/v1/demands")):
        assert (await ask(http, key["secret"], method, path)).status_code in (404, 405)


async def test_what_the_key_lacks_is_refused_by_name_although_its_owner_may(http: Http) -> None:
    """The owner is an administrator here; the key still only reads rates."""
    key = await made(http, "rates:read", by=ADMIN)
    answers = [
        await ask(http, key["secret"]),
        await ask(http, key["secret"], "POST", "/api/v1/demands", json={"text": "路灯坏了"}),
        await ask(http, key["secret"], path="/api/v1/changes"),
        await ask(http, key["secret"], "POST", PATH, json={"name": "more", "scopes": ["demands:write"]}),
    ]
    assert [code_of(one) for one in answers] == ["scope_required"] * 4
    facts = [one.json()["facts"]["scope"] for one in answers]
    assert facts == ["demands:read", "demands:write", None, None]


async def test_a_scope_gives_nothing_that_the_owner_may_not(http: Http) -> None:
    key = await made(http, "demands:write", by=ADMIN, owner=AUDITOR)
    refused = await ask(http, key["secret"], "POST", "/api/v1/demands", json={"text": "路灯坏了"})
    own = await http.post("/api/v1/demands", {"text": "路灯坏了"}, AUDITOR)
    assert refused.status_code == own.status_code and refused.status_code != 401


async def test_a_rotated_key_goes_on_for_the_overlap_and_ends_then(product: Product, http: Http) -> None:
    old = await made(http)
    answer = await http.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": 24}, INTEGRATOR)
    new = answer.json()
    assert (answer.status_code, new["rotated_from"], new["scopes"]) == (201, old["id"], old["scopes"])
    assert [code(await ask(http, one["secret"])) for one in (old, new)] == ["fine", "fine"]
    await product.pool.execute(
        "update api_key set expires_at = expires_at - interval '24 hours' where id = $1", old["id"]
    )
    http.app.state.principals.forget()
    assert [code(await ask(http, one["secret"])) for one in (old, new)] == ["unauthenticated", "fine"]
    over = await http.post(f"{PATH}/{old['id']}/rotate", {"overlap_hours": 1}, INTEGRATOR)
    assert code_of(over) == "key_over"


async def test_a_rotation_sent_twice_is_one_also_without_an_overlap(http: Http) -> None:
    old, key = await made(http), new_key()
    path, body = f"{PATH}/{old['id']}/rotate", {"overlap_hours": 0}
    first, again = [await http.post(path, body, INTEGRATOR, key=key) for _ in range(2)]
    assert (first.json()["id"], again.json()["secret"]) == (again.json()["id"], None)
    assert code(await ask(http, old["secret"])) == "unauthenticated"


async def test_a_revoked_key_opens_nothing(http: Http) -> None:
    key = await made(http)
    assert code(await ask(http, key["secret"])) == "fine"
    ended = await http.client.delete(f"{PATH}/{key['id']}", headers=bearer(INTEGRATOR))
    assert ended.json()["state"] == "revoked"
    assert code(await ask(http, key["secret"])) == "unauthenticated"
    again = await http.client.delete(f"{PATH}/{key['id']}", headers=bearer(INTEGRATOR))
    assert again.json() == ended.json()


async def test_a_key_of_somebody_disabled_opens_nothing(product: Product, http: Http) -> None:
    key, user = await made(http), await new_user(product, INTEGRATOR)
    account = await user_accounts.must_exist(product.pool, user)
    await user_accounts.disable(product.pool, account, by="system", now=product.desk.now())
    assert code(await ask(http, key["secret"])) == "unauthenticated"
    await user_accounts.enable(product.pool, account, by="system", now=product.desk.now())
    assert code(await ask(http, key["secret"])) == "fine"


async def test_integrators_have_keys_of_their_own_only(http: Http) -> None:
    theirs = await made(http, by=ADMIN, owner=AUDITOR)
    assert code_of(await http.client.delete(f"{PATH}/{theirs['id']}", headers=bearer(INTEGRATOR))) == "not_found"
    rotated = await http.post(f"{PATH}/{theirs['id']}/rotate", {}, INTEGRATOR)
    assert code_of(rotated) == "not_found"
    assert code_of(await http.get(PATH, INTEGRATOR, owner=AUDITOR)) == "not_permitted"
    assert theirs["id"] not in [one["id"] for one in (await http.get(PATH, INTEGRATOR, limit="100")).json()]
    form = {"name": "x", "scopes": ["demands:read"]}
    assert code_of(await http.post(PATH, {**form, "owner": AUDITOR}, INTEGRATOR)) == "not_permitted"
    for who in (SUPERVISOR, AUDITOR, "resident-0001"):
        assert code_of(await http.post(PATH, form, who)) == "not_permitted"
        assert code_of(await http.get(PATH, who)) == "not_permitted"
    assert code_of(await http.post(PATH, {**form, "owner": "p-7777"}, ADMIN)) == "unknown_person"


@pytest.mark.parametrize(
    "body",
    [
        {"name": "x", "scopes": []}, {"name": "x", "scopes": ["demands:everything"]}, {"name": "", "scopes": ["rates:read"]},
        {"name": "x", "scopes": ["rates:read"], "days": 0}, {"name": "x", "scopes": ["rates:read"], "days": 10_000},
        {"name": "x", "scopes": ["rates:read"], "secret": "mine"}, {"name": "x\x00", "scopes": ["rates:read"]},
    ],
)  # fmt: skip
async def test_other_forms_are_refused(http: Http, body: dict[str, Any]) -> None:
    assert code_of(await http.post(PATH, body, ADMIN)) in ("validation_failed", "nul_character")


async def test_what_is_not_the_key_is_not_valid(http: Http) -> None:
    secret = (await made(http))["secret"]
    wrong = [
        secret[:-1], secret + "a", secret.upper(), secret[:-1] + ("a" if secret[-1] != "a" else "b"),
        secret.replace("linli_", "linli__"), secret[:18] + "_" + "a" * 52, "linli_" + "a" * 12 + secret[18:],
        "linli_" + "a" * 12 + "_" + "a" * 52, "linli_" * 5_000, f"{secret} {secret}", f"{secret},{secret}", f"{secret}%00",
    ]  # fmt: skip
    assert {code(await ask(http, one)) for one in wrong} == {"unauthenticated"}
    assert code(await ask(http, secret)) == "fine"
    in_query = await http.client.get(f"/api/v1/demands?api_key={secret}")
    assert code_of(in_query) == "unauthenticated"


async def test_keys_are_listed_a_page_at_a_time(http: Http) -> None:
    ids = {(await made(http))["id"] for _ in range(5)}
    found: list[str] = []
    url: str | None = f"{PATH}?limit=2"
    while url:
        answer = await http.client.get(url, headers=bearer(INTEGRATOR))
        found += [one["id"] for one in answer.json()]
        url = answer.links["next"]["url"] if "next" in answer.links else None
    assert ids <= set(found) and len(found) == len(set(found))


async def test_one_look_up_serves_all_who_wait_for_it(
    product: Product, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    import asyncio

    from store import api_keys

    key, asked, real = await made(http), 0, api_keys.to_check

    async def counted(*given: Any) -> Any:
        nonlocal asked
        asked += 1
        return await real(*given)

    monkeypatch.setattr(api_keys, "to_check", counted)
    answers = await asyncio.gather(*(ask(http, key["secret"]) for _ in range(20)))
    assert {code(one) for one in answers} == {"fine"} and asked == 1


async def test_a_key_in_the_cookie_of_a_session_opens_nothing(http: Http) -> None:
    """Also while it is remembered that it is a key."""
    secret = (await made(http))["secret"]
    assert code(await ask(http, secret)) == "fine"
    for name in ("__Host-linli", "linli"):
        answer = await http.client.get("/api/v1/demands?limit=1", headers={"Cookie": f"{name}={secret}"})
        assert code_of(answer) == "unauthenticated"
