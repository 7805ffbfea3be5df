"""What a cookie authorises comes from a page of ours: the headers that browsers send, as a table."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.api.signing_in import HOST, browser, new_user
from tests.builders import SUPERVISOR, Product

OURS, THEIRS = f"https://{HOST}", "https://evil.example"
SITE, ORIGIN = "Sec-Fetch-Site", "Origin"
Headers = list[tuple[str, str]]

# Headers of an unsafe request with a good cookie, and whether it is carried out.
TABLE: list[tuple[Headers, bool]] = [
    ([(SITE, "same-origin")], True),
    ([(SITE, "none")], True),
    ([(SITE, "same-origin"), (ORIGIN, OURS)], True),
    ([(SITE, "same-site")], False),
    ([(SITE, "cross-site")], False),
    ([(SITE, "cross-site"), (ORIGIN, OURS)], False),
    ([(SITE, "Same-Origin")], False),
    ([(SITE, "")], False),
    ([(SITE, "same-origin"), (SITE, "cross-site")], False),
    ([(SITE, "cross-site"), (SITE, "same-origin")], False),
    ([(SITE, "same-origin, cross-site")], False),
    ([(ORIGIN, OURS)], True),
    ([(ORIGIN, OURS.upper())], True),
    ([(ORIGIN, f"http://{HOST}")], True),  # the host counts, unless LINLI_PUBLIC_URL says more
    ([(ORIGIN, THEIRS)], False),
    ([(ORIGIN, "null")], False),
    ([(ORIGIN, "")], False),
    ([(ORIGIN, HOST)], False),
    ([(ORIGIN, f"https://{HOST}.evil.example")], False),
    ([(ORIGIN, f"https://{HOST}:8443")], False),
    ([(ORIGIN, f"https://evil@{HOST}")], False),
    ([(ORIGIN, f"file://{HOST}")], False),
    ([(ORIGIN, "https://[broken")], False),
    ([(ORIGIN, OURS), (ORIGIN, OURS)], False),
    ([(ORIGIN, OURS), (ORIGIN, THEIRS)], False),
    ([], False),
    ([("Referer", f"{OURS}/")], False),
    ([("X-Requested-With", "XMLHttpRequest")], False),
]


@pytest.mark.parametrize(("headers", "carried_out"), TABLE, ids=lambda v: str(v)[:70])
async def test_the_table(product: Product, http: Http, headers: Headers, carried_out: bool) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        del one.client.headers[SITE]
        answer = await one.client.delete("/api/v1/session", headers=headers)
        if carried_out:
            assert answer.status_code == 200, answer.text
        else:
            assert code_of(answer) == "cross_site"
            assert (await one.client.get("/api/v1/session", headers=headers)).status_code == 200, "reading is safe"


async def test_the_commands_of_a_demand_are_guarded_too(product: Product, http: Http) -> None:
    """They are read by a route class of their own."""
    user = await new_user(product, SUPERVISOR)
    number = (await http.submit())["number"]
    async with browser(http) as one:
        await one.in_as(user)
        path, body = f"/api/v1/demands/{number}/actions", {"type": "urge"}
        for headers, wanted in (({SITE: "cross-site"}, 403), ({SITE: "same-origin"}, 200)):
            answer = await one.client.post(path, json=body, headers={**headers, "Idempotency-Key": f"k-{wanted}"})
            assert answer.status_code == wanted, answer.text


@pytest.fixture
def public_address(http: Http) -> Iterator[None]:
    before = http.app.state.settings
    http.app.state.settings = before.model_copy(update={"public_url": "https://linli.example.cn"})
    yield
    http.app.state.settings = before


@pytest.mark.usefixtures("public_address")
async def test_where_the_public_address_is_known_exactly_that_counts(product: Product, http: Http) -> None:
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        await one.in_as(user)
        del one.client.headers[SITE]
        for origin, wanted in ((OURS, 403), ("http://linli.example.cn", 403), ("https://linli.example.cn", 200)):
            answer = await one.client.delete("/api/v1/session", headers={ORIGIN: origin})
            assert answer.status_code == wanted, origin


async def test_nobody_is_signed_in_from_another_site(product: Product, http: Http) -> None:
    """Else a page could have somebody work under its own account. A program that sends neither header may sign in."""
    user = await new_user(product, SUPERVISOR)
    async with browser(http) as one:
        assert code_of(await one.sign_in(user, **{SITE: "cross-site"})) == "cross_site"
        del one.client.headers[SITE]
        assert code_of(await one.sign_in(user, Origin=THEIRS)) == "cross_site"
        assert (await one.sign_in(user)).status_code == 201


async def test_a_token_in_a_header_needs_no_such_guard(http: Http) -> None:
    """No page can make a browser send one to us."""
    answer = await http.client.post(
        "/api/v1/demands",
        json={"text": "楼下路灯坏了"},
        headers=bearer(RESIDENT) | {SITE: "cross-site", ORIGIN: THEIRS},
    )
    assert answer.status_code == 201
