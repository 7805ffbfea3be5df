"""Sessions: opened by name and password, carried by a cookie, ended by their owner, by an administrator, or by time."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from http.cookies import SimpleCookie
from typing import Any

import pytest

from api.auth import REMEMBERED_SECONDS
from service import user_accounts
from service.identity_marks import Marks
from tests.api.callers import Http, bearer, code_of
from tests.api.signing_in import COOKIE, HOST, PASSWORD, browser, new_user, token_alone
from tests.builders import ADMIN, OPERATOR, SUPERVISOR, Product

UNKNOWN_SESSION = "0123456789abcdef"


async def test_signing_in_says_who_one_is_and_what_one_may(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        view = await one.in_as(user)
        assert (view["person"]["id"], view["user"]) == (SUPERVISOR, user)
        assert view["roles"] == [{"role": "supervisor", "community": None, "grid": None, "unit": None}]
        assert (view["scopes"], view["key"], view["session"]["device"]) == (None, None, "Firefox · Windows")
        assert (await one.me()).json() == view
        assert (await one.client.get("/api/v1/demands?limit=1")).status_code == 200


async def test_a_user_name_is_the_same_in_any_case_and_width(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        assert (await one.sign_in(user.upper().replace("U", "Ｕ"))).status_code == 201


async def test_the_cookie_has_every_guard(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        answer = await one.sign_in(user)
    (header,) = answer.headers.get_list("set-cookie")
    name, value = header.split(";")[0].split("=", 1)
    flags = {part.strip().lower() for part in header.split(";")[1:]}
    assert name == "__Host-linli" and len(value) == 43
    assert {"secure", "httponly", "samesite=lax", "path=/", f"max-age={30 * 86_400}"} == flags
    assert answer.headers["cache-control"] == "no-store"
    assert value not in answer.text


async def test_only_hashes_are_kept(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        token = one.token
    kept = await product.pool.fetchval(
        "select count(*) from account_session where token_hash = $1", hashlib.sha256(token.encode()).digest()
    )
    assert kept == 1
    hash = await product.pool.fetchval("select password_hash from account where person = $1", SUPERVISOR)
    assert hash.startswith("$argon2id$") and PASSWORD not in hash
    everything = await product.pool.fetch(
        "select s::text from account_session s union all select e::text from identity_event e"
    )
    assert everything and not [row for row in everything if token in row[0] or user in row[0]]


async def test_a_session_brought_along_is_never_taken_and_the_former_one_ends(product: Product, http: Http) -> None:
    """Fixation: whoever planted a token in the browser knows nothing afterwards."""
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        planted = "A" * 43
        one.client.cookies.set(COOKIE, planted, domain=HOST)
        await one.in_as(user)
        first = one.token
        assert first != planted and await token_alone(http, planted) == 401
        await one.in_as(user)
        assert one.token != first
        assert (await token_alone(http, first), await token_alone(http, one.token)) == (401, 200)


async def test_signing_out_ends_the_session_and_takes_the_cookie_back(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        token = one.token
        answer = await one.client.delete("/api/v1/session")
        assert answer.json() == {"signed_out": True, "end_session_url": None}
        assert SimpleCookie(answer.headers["set-cookie"])[COOKIE]["max-age"] == "0"
        assert COOKIE not in one.client.cookies
        assert await token_alone(http, token) == 401
        assert code_of(await one.client.delete("/api/v1/session")) == "unauthenticated"


async def test_a_token_is_no_session_to_sign_out_of(http: Http) -> None:
    assert code_of(await http.client.delete("/api/v1/session", headers=bearer(ADMIN))) == "forbidden"


async def test_own_sessions_are_listed_and_revoked_others_are_not_found(product: Product, http: Http) -> None:
    user, other = await new_user(product, SUPERVISOR), await new_user(product, OPERATOR)
    async with (
        browser(http) as desk,
        browser(http, agent="Linux; Android 15 Chrome/140") as phone,
        browser(http) as them,
    ):
        await desk.in_as(user)
        await phone.in_as(user)
        await them.in_as(other)
        listed = (await desk.client.get("/api/v1/sessions")).json()
        mine = {one["device"]: one for one in listed if not one["current"]}
        lost = mine["Chrome · Android"]
        assert code_of(await them.client.delete(f"/api/v1/sessions/{lost['id']}")) == "not_found"
        assert code_of(await desk.client.delete(f"/api/v1/sessions/{UNKNOWN_SESSION}")) == "not_found"
        assert (await desk.client.delete(f"/api/v1/sessions/{lost['id']}")).json() == {"revoked": True}
        assert code_of(await phone.me()) == "unauthenticated"
        assert code_of(await desk.client.delete(f"/api/v1/sessions/{lost['id']}")) == "not_found"


async def test_an_administrator_signs_somebody_out_everywhere(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    path = f"/api/v1/people/{SUPERVISOR}/sessions"
    async with browser(http) as one, browser(http) as two:
        await one.in_as(user)
        await two.in_as(user)
        listed = (await http.get(path, ADMIN)).json()
        assert len(listed) >= 2
        for method in ("get", "delete"):
            refused = await http.client.request(method, path, headers=bearer(OPERATOR))
            assert refused.status_code == 403
        ended = (await http.client.delete(path, headers=bearer(ADMIN))).json()["sessions_ended"]
        assert ended == len(listed)
        assert [code_of(await b.me()) for b in (one, two)] == ["unauthenticated"] * 2


async def test_what_another_process_revokes_is_refused_within_five_seconds(product: Product, http: Http) -> None:
    """The memory of this process lasts so long and no longer: its clock is moved, nothing is waited for."""
    assert REMEMBERED_SECONDS < 5
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        assert (await one.me()).status_code == 200
        await product.pool.execute("update account_session set revoked_at = now() where person = $1", SUPERVISOR)
        remembered = http.app.state.principals._looked_up
        assert (await one.me()).status_code == 200, "it is remembered"
        for mark, known in list(remembered.items()):
            remembered[mark] = known._replace(until=known.until - REMEMBERED_SECONDS)
        assert code_of(await one.me()) == "unauthenticated"


@pytest.mark.parametrize(
    "made_old",
    [
        "expires_at = now() - interval '1 second'",
        "last_seen_at = now() - interval '169 hours'",
    ],
)
async def test_a_session_ends_by_time_and_by_lying_idle(product: Product, http: Http, made_old: str) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        await product.pool.execute(f"update account_session set {made_old} where person = $1", SUPERVISOR)
        http.app.state.principals.forget()
        assert code_of(await one.me()) == "unauthenticated"


async def test_use_keeps_a_session_alive_and_is_noted_coarsely(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        view = await one.in_as(user)
        id = view["session"]["id"]
        await product.pool.execute(
            "update account_session set last_seen_at = now() - interval '100 hours' where id = $1", id
        )
        http.app.state.principals.forget()
        await one.me()
        seen = "select last_seen_at from account_session where id = $1"
        first = await product.pool.fetchval(seen, id)
        assert product.desk.now() - first < timedelta(hours=1)
        http.app.state.principals.forget()
        await one.me()
        assert await product.pool.fetchval(seen, id) == first


async def test_a_disabled_user_is_out_at_once_and_stays_out(product: Product, http: Http) -> None:
    user, now = await new_user(product, SUPERVISOR), product.desk.now()
    account = await user_accounts.must_exist(product.pool, user)
    async with browser(http) as one:
        await one.in_as(user)
        await user_accounts.disable(product.pool, account, by="system", now=now)
        http.app.state.principals.forget()
        assert code_of(await one.me()) == "unauthenticated"
        assert code_of(await one.sign_in(user)) == "unauthenticated"
        await user_accounts.enable(product.pool, account, by="system", now=now)
        assert code_of(await one.me()) == "unauthenticated", "what was ended stays so"
        assert (await one.sign_in(user)).status_code == 201


async def test_who_has_left_the_district_is_not_let_in(product: Product, http: Http) -> None:
    user = await new_user(product, "p-9998")
    async with browser(http) as one:
        assert code_of(await one.sign_in(user)) == "unauthenticated"


# ---- one's own password


async def test_a_changed_password_ends_all_other_sessions(product: Product, http: Http) -> None:
    user, new = await new_user(product, SUPERVISOR), "another kettle 5 又一个"
    async with browser(http) as desk, browser(http) as phone:
        await desk.in_as(user)
        await phone.in_as(user)
        answer = await desk.client.post("/api/v1/session/password", json={"old": PASSWORD, "new": new})
        assert answer.status_code == 200 and answer.json()["sessions_ended"] >= 1
        assert (await desk.me()).status_code == 200
        assert code_of(await phone.me()) == "unauthenticated"
        assert code_of(await phone.sign_in(user)) == "unauthenticated"
        assert (await phone.sign_in(user, new)).status_code == 201


async def test_a_password_is_changed_only_with_the_old_one_and_by_a_session(product: Product, http: Http) -> None:
    user, path = await new_user(product, SUPERVISOR), "/api/v1/session/password"
    body = {"old": "not the old one 1", "new": "another kettle 5 又一个"}
    async with browser(http) as one:
        await one.in_as(user)
        assert code_of(await one.client.post(path, json=body)) == "unauthenticated"
        assert (await one.me()).status_code == 200
        assert (await one.client.post(path, json={**body, "old": PASSWORD, "new": f"my {user} 2026!"})).json()[
            "code"
        ] == "password_refused"
    assert code_of(await http.post(path, body, ADMIN)) == "forbidden"


# ---- hostile input


@pytest.mark.parametrize(
    "body",
    [
        {"user": "a\x00b", "password": "x" * 12},
        {"user": "admin", "password": "x\x00" * 6},
        {"user": "admin"},
        {"user": "", "password": ""},
        {"user": "a" * 65, "password": "x" * 12},
        {"user": "admin", "password": "x" * 257},
        {"user": ["admin"], "password": {"$ne": ""}},
        {"user": "admin", "password": "x" * 12, "role": "admin"},
        {"user": "admin\ud800", "password": "x" * 12},
        {"user": "' or '1'='1", "password": "' or '1'='1"},
        {"user": "admin'--", "password": "{{7*7}}"},
    ],
)
async def test_hostile_names_and_passwords_are_refused_and_nothing_is_repeated(
    http: Http, body: dict[str, Any]
) -> None:
    import json

    raw = json.dumps(body).encode()
    answer = await http.client.post("/api/v1/session", content=raw, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 401, 422), answer.text
    assert "set-cookie" not in answer.headers
    if isinstance(body.get("user"), str) and len(body["user"]) > 10:
        assert body["user"] not in answer.text


@pytest.mark.parametrize(
    "cookie",
    [
        "__Host-linli=", "__Host-linli=x", "__Host-linli=" + "A" * 43, "__Host-linli=" + "A" * 10_000,
        "__Host-linli=\x80\xff", "linli={}", "__host-linli={}", "__Host-linli={}; __Host-linli=" + "A" * 43,
        "__Host-linli=" + "A" * 43 + "; __Host-linli={}", '__Host-linli="{}"', "__Host-linli={}%00",
    ],
)  # fmt: skip
async def test_no_other_cookie_is_a_session(product: Product, http: Http, cookie: str) -> None:
    """Two of the name are none: a neighbour may have planted one of them."""
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        sent = cookie.replace("{}", one.token).encode("latin-1")
        assert await token_alone(http, one.token) == 200
    answer = await http.client.get("/api/v1/session", headers={b"Cookie": sent})
    assert code_of(answer) == "unauthenticated"


async def test_an_authorization_header_alone_counts(product: Product, http: Http) -> None:
    """Nothing falls back to the cookie, and two headers are none."""
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        bad = await one.client.get("/api/v1/session", headers={"Authorization": "Bearer nonsense"})
        assert code_of(bad) == "unauthenticated"
        as_admin = await one.client.get("/api/v1/session", headers=bearer(ADMIN))
        assert as_admin.json()["person"]["id"] == ADMIN
        twice = [
            ("Authorization", bearer(ADMIN)["Authorization"]),
            ("Authorization", bearer(OPERATOR)["Authorization"]),
        ]
        assert code_of(await one.client.get("/api/v1/session", headers=twice)) == "unauthenticated"
        as_token = await one.client.get("/api/v1/session", headers={"Authorization": f"Bearer {one.token}"})
        assert code_of(as_token) == "unauthenticated", "a session's token is no bearer token"


async def test_what_was_done_is_told_to_those_who_may_know(product: Product, http: Http) -> None:
    user = await new_user(product, OPERATOR)
    async with browser(http) as one:
        await one.sign_in(user, "wrong wrong wrong 1")
        await one.in_as(user)
        await one.client.delete("/api/v1/session")
    path = "/api/v1/identity-events"
    found = (await http.get(path, ADMIN, person=OPERATOR, limit="4")).json()
    assert [event["kind"] for event in found] == ["signed_out", "signed_in", "sign_in_refused", "account_added"]
    assert found[2]["by"] is None and found[1]["by"]["id"] == OPERATOR
    own = await http.get(path, OPERATOR, person=OPERATOR)
    assert own.status_code == 200 and {event["person"]["id"] for event in own.json()} == {OPERATOR}
    assert code_of(await http.get(path, OPERATOR)) == "not_permitted"
    assert code_of(await http.get(path, ADMIN, kind="nonsense")) == "invalid_filter"
    first = await http.client.get(f"{path}?limit=1", headers=bearer(ADMIN))
    following = await http.client.get(first.links["next"]["url"], headers=bearer(ADMIN))
    assert following.json()[0]["id"] < first.json()[0]["id"]


def test_a_network_of_ipv6_counts_as_one_address(product: Product) -> None:
    marks = Marks(product.settings.key_ring())
    assert marks.address("2001:db8:1:2::1") == marks.address("2001:db8:1:2:ffff::9")
    assert marks.address("2001:db8:1:2::1") != marks.address("2001:db8:1:3::1")
    assert marks.address("::ffff:192.0.2.1") == marks.address("192.0.2.1") != marks.address("192.0.2.2")
    assert marks.address("nonsense") == marks.address("")


def test_a_browser_is_named_by_coarse_words() -> None:
    from service.sign_in import Device

    assert Device("", "Mozilla/5.0 (iPhone) MicroMessenger/8.0").word == "WeChat · iPhone"
    assert Device("", "<script>").word == "unknown"
