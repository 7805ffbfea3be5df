"""Signing in by an identity provider that really answers, and all the ways in which its answer must not be believed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
import pytest_asyncio

from service import user_accounts
from tests.api import identity_provider as wrong
from tests.api.callers import Http, code_of, http_for
from tests.api.identity_provider import CLIENT, SECRET, IdentityProvider, Mischief, changed
from tests.api.signing_in import HOST, Browser, browser, new_user
from tests.builders import SUPERVISOR, Product

PATH = "/api/v1/session/oidc"
FUTURE, PAST = 4_000_000_000, 1_000_000_000


@pytest.fixture(scope="module")
def only_provider() -> Iterator[IdentityProvider]:
    one = IdentityProvider()
    yield one
    one.close()


@asynccontextmanager
async def with_provider(product: Product, provider: IdentityProvider, **more: Any) -> AsyncIterator[Http]:
    values = {
        **product.settings.model_dump(), "public_url": f"https://{HOST}", "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT, "oidc_client_secret": SECRET, **more,
    }  # fmt: skip
    settings = type(product.settings).model_validate(values)
    async with http_for(settings) as http:
        yield http


@pytest_asyncio.fixture(scope="module")
async def only_city(product: Product, only_provider: IdentityProvider) -> AsyncIterator[Http]:
    async with with_provider(product, only_provider) as http:
        yield http


@pytest.fixture
def provider(only_provider: IdentityProvider) -> IdentityProvider:
    """As good as new."""
    only_provider.mischief = None
    only_provider.asked.clear()
    return only_provider


@pytest.fixture
async def city(product: Product, only_city: Http, provider: IdentityProvider) -> Http:
    """That knows nothing of the provider yet, and whom nobody has tried to enter."""
    await product.pool.execute("truncate sign_in_try")
    only_city.app.state.identity_provider = None
    return only_city


async def known(product: Product, provider: IdentityProvider, sub: str = "subject-1", **claims: Any) -> str:
    user = await new_user(product, SUPERVISOR, password=None)
    provider.who = {"sub": sub, "preferred_username": user, **claims}
    return user


async def to_the_provider(one: Browser, to: str | None = None) -> str:
    """As far as the provider's answer: where it sends the browser back to."""
    begun = await one.client.get(PATH, params=None if to is None else {"to": to})
    assert begun.status_code == 303, begun.text
    async with httpx2.AsyncClient() as http:
        answer = await http.get(begun.headers["location"])
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


async def back(one: Browser, url: str) -> httpx2.Response:
    """From a page of the provider, as a browser says."""
    return await one.client.get(url, headers={"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"})


async def there_and_back(one: Browser, to: str | None = None) -> httpx2.Response:
    return await back(one, await to_the_provider(one, to))


@pytest.mark.parametrize("kind", ["EC", "RSA"])
async def test_who_the_provider_knows_and_the_district_too_is_signed_in(product: Product, kind: str) -> None:
    provider = IdentityProvider(kind=kind)
    try:
        async with with_provider(product, provider) as http, browser(http) as one:
            user = await known(product, provider)
            answer = await there_and_back(one, "/desk?tab=1")
            assert (answer.status_code, answer.headers["location"]) == (303, "/desk?tab=1")
            me = (await one.me()).json()
            assert (me["user"], me["person"]["id"], me["session"]["how"]) == (user, SUPERVISOR, "oidc")
            left = [cookie.name for cookie in one.client.cookies.jar]
            assert left == ["__Host-linli"], "what was carried along is taken back"
    finally:
        provider.close()


async def test_what_is_asked_of_the_provider(city: Http, provider: IdentityProvider) -> None:
    async with browser(city) as one:
        begun = await one.client.get(PATH)
    asked = {k: v[0] for k, v in parse_qs(urlsplit(begun.headers["location"]).query).items()}
    assert begun.headers["location"].startswith(f"{provider.issuer}/authorize?")
    assert (asked["response_type"], asked["client_id"], asked["code_challenge_method"]) == ("code", CLIENT, "S256")
    assert asked["redirect_uri"] == f"https://{HOST}/api/v1/session/oidc/callback"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 43
    (cookie,) = begun.headers.get_list("set-cookie")
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert (
        cookie.startswith("__Host-linli-oidc=")
        and {"secure", "httponly", "samesite=lax", "path=/", "max-age=600"} == flags
    )
    assert asked["state"] not in cookie and asked["nonce"] not in cookie, "sealed"


async def test_a_provider_that_signs_with_a_new_key_is_believed(
    product: Product, city: Http, provider: IdentityProvider
) -> None:
    await known(product, provider)
    async with browser(city) as one:
        for _ in range(2):
            assert (await there_and_back(one)).status_code == 303
        assert (provider.asked["/jwks"], provider.asked["/.well-known/openid-configuration"]) == (1, 1)
        provider.rotate()
        assert (await there_and_back(one)).status_code == 303
        assert provider.asked["/jwks"] == 2


HOSTILE: dict[str, Mischief] = {
    "another nonce": changed(nonce="another"), "no nonce": changed(nonce=None), "a list as nonce": changed(nonce=["x"]),
    "another audience": changed(aud="another"), "no audience": changed(aud=None), "empty audience": changed(aud=[]),
    "several audiences, nobody authorised": changed(aud=[CLIENT, "another"]),
    "for another client": changed(azp="another"), "expired": changed(exp=PAST), "never expires": changed(exp=None),
    "expiry is a word": changed(exp="tomorrow"), "from the future": changed(iat=FUTURE, exp=FUTURE + 9),
    "not yet": changed(nbf=FUTURE), "another issuer": changed(iss="https://evil.example"), "no issuer": changed(iss=None),
    "no subject": changed(sub=None), "unsigned": wrong.unsigned,
    "client secret": wrong.signed_with_the_client_secret, "public key": wrong.signed_with_the_public_key_as_secret,
    "strange key": wrong.signed_with_a_strange_key, "own key": wrong.signed_with_a_key_of_its_own_header,
    "cut off": wrong.cut_off, "swapped": wrong.swapped, "nonsense": wrong.nonsense,
    "a person in no list": changed(preferred_username="stranger"), "name is a list": changed(preferred_username=["x"]),
    "no name": changed(preferred_username=None), "a long name": changed(preferred_username="x" * 5_000),
}  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
async def test_an_answer_that_does_not_hold_lets_nobody_in(
    product: Product, city: Http, provider: IdentityProvider, case: str
) -> None:
    await known(product, provider)
    provider.mischief = HOSTILE[case]
    async with browser(city) as one:
        answer = await there_and_back(one)
        assert code_of(answer) == "unauthenticated", case
        assert "__Host-linli" not in one.client.cookies
        provider.mischief = None
        assert (await there_and_back(one)).status_code == 303, "and this was why"


async def test_a_code_is_good_for_once(product: Product, city: Http, provider: IdentityProvider) -> None:
    await known(product, provider)
    async with browser(city) as one:
        url = await to_the_provider(one)
        kept = one.client.cookies["__Host-linli-oidc"]
        assert (await back(one, url)).status_code == 303
        assert code_of(await back(one, url)) == "unauthenticated", "without what was carried along"
        one.client.cookies.set("__Host-linli-oidc", kept, domain=HOST)
        assert code_of(await back(one, url)) == "unauthenticated", "and with it"


async def test_what_was_begun_in_one_browser_ends_in_no_other(
    product: Product, city: Http, provider: IdentityProvider
) -> None:
    """Else somebody could have others work under an account that is not theirs."""
    await known(product, provider)
    async with browser(city) as mine, browser(city) as theirs:
        my_way, their_way = await to_the_provider(mine), await to_the_provider(theirs)
        assert code_of(await back(theirs, my_way)) == "unauthenticated"
        my_code = parse_qs(urlsplit(my_way).query)["code"][0]
        injected = httpx2.URL(their_way).copy_set_param("code", my_code)
        assert code_of(await back(theirs, str(injected))) == "unauthenticated", "PKCE"
        assert "__Host-linli" not in theirs.client.cookies


@pytest.mark.parametrize(
    "change",
    [
        {"state": "x"}, {"state": None}, {"code": None}, {"code": "x"}, {"iss": "https://evil.example"},
        {"error": "access_denied"}, {"state": "x" * 2_001}, {"code": "x" * 2_001},
    ],
)  # fmt: skip
async def test_another_way_back_is_none(
    product: Product, city: Http, provider: IdentityProvider, change: dict[str, str | None]
) -> None:
    await known(product, provider)
    async with browser(city) as one:
        url = httpx2.URL(await to_the_provider(one))
        for name, value in change.items():
            url = url.copy_remove_param(name) if value is None else url.copy_set_param(name, value)
        assert code_of(await back(one, str(url))) in ("unauthenticated", "validation_failed")
        assert "__Host-linli" not in one.client.cookies


@pytest.mark.parametrize("value", ["", "x", "A" * 400, "%%%", "AAAA=AAAA"])
async def test_what_was_carried_along_must_be_ours(city: Http, provider: IdentityProvider, value: str) -> None:
    async with browser(city) as one:
        url = await to_the_provider(one)
        one.client.cookies.set("__Host-linli-oidc", value, domain=HOST)
        assert code_of(await back(one, url)) == "unauthenticated"


@pytest.mark.parametrize(
    ("to", "led_to"),
    [
        ("/desk", "/desk"), ("//evil.example", "/"), ("https://evil.example", "/"), ("/\\evil.example", "/"), ("", "/"),
        ("/a\r\nSet-Cookie: x=y", "/"), ("javascript:alert(1)", "/"), ("/\t/evil.example", "/"), ("desk", "/"),
    ],
)  # fmt: skip
async def test_one_is_led_to_a_page_of_ours_only(
    product: Product, city: Http, provider: IdentityProvider, to: str, led_to: str
) -> None:
    await known(product, provider)
    async with browser(city) as one:
        assert (await there_and_back(one, to)).headers["location"] == led_to


async def test_a_name_that_the_provider_gives_to_somebody_else_opens_nothing(
    product: Product, city: Http, provider: IdentityProvider
) -> None:
    user = await known(product, provider, sub="first")
    async with browser(city) as one, browser(city) as other:
        assert (await there_and_back(one)).status_code == 303
        provider.who["sub"] = "second"
        assert code_of(await there_and_back(other)) == "unauthenticated"
        account = await user_accounts.must_exist(product.pool, user)
        await user_accounts.unlink(product.pool, account, by="system", now=product.desk.now())
        assert (await there_and_back(other)).status_code == 303


async def test_a_disabled_user_is_not_let_in(product: Product, city: Http, provider: IdentityProvider) -> None:
    account = await user_accounts.must_exist(product.pool, await known(product, provider))
    await user_accounts.disable(product.pool, account, by="system", now=product.desk.now())
    async with browser(city) as one:
        assert code_of(await there_and_back(one)) == "unauthenticated"


async def test_signing_out_tells_where_to_sign_out_at_the_provider(
    product: Product, city: Http, provider: IdentityProvider
) -> None:
    await known(product, provider)
    async with browser(city) as one:
        await there_and_back(one)
        answer = await one.client.delete("/api/v1/session")
        assert answer.json()["end_session_url"] == f"{provider.issuer}/logout?client_id={CLIENT}"
        assert code_of(await one.me()) == "unauthenticated"


async def test_people_may_be_known_by_their_id_and_need_no_account_before(
    product: Product, provider: IdentityProvider
) -> None:
    await product.pool.execute("delete from account where person in ($1, 'p-0006')", SUPERVISOR)
    provider.who = {"sub": "staff-6", "employee": "p-0006"}
    async with (
        with_provider(product, provider, oidc_claim="employee", oidc_matches="person") as http,
        browser(http) as one,
    ):
        assert (await there_and_back(one)).status_code == 303
        assert (await one.me()).json()["person"]["id"] == "p-0006"
        provider.who = {"sub": "staff-7", "employee": "p-7777"}
        assert code_of(await there_and_back(one)) == "unauthenticated"
    assert await product.pool.fetchval("select password_hash from account where person = 'p-0006'") is None


async def test_an_address_counts_only_where_the_provider_has_verified_it(
    product: Product, provider: IdentityProvider
) -> None:
    user = await new_user(product, SUPERVISOR, password=None)
    async with with_provider(product, provider, oidc_claim="email") as http, browser(http) as one:
        provider.who = {"sub": "mail", "email": user, "email_verified": False}
        assert code_of(await there_and_back(one)) == "unauthenticated"
        provider.who = {"sub": "mail", "email": user, "email_verified": True}
        assert (await there_and_back(one)).status_code == 303


async def test_a_provider_that_is_away_or_another_one_is_said_so(product: Product) -> None:
    provider = IdentityProvider()
    provider.named_issuer = "https://evil.example"
    async with with_provider(product, provider) as http, browser(http) as one:
        assert code_of(await one.client.get(PATH)) == "unavailable"
        provider.named_issuer = provider.issuer
        url = await to_the_provider(one)
        provider.close()
        assert code_of(await back(one, url)) == "unavailable"


async def test_without_a_provider_there_is_no_such_way(product: Product, http: Http) -> None:
    for path in (PATH, f"{PATH}/callback"):
        assert code_of(await http.client.get(path)) == "not_found"
