"""The way in, in both widths, and the harness itself: that it sees what it must see."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe, weigh
from tests.web.town import Town
from tests.web.tracing import trace_tti
from tests.web.watching import Watch


async def test_somebody_signs_in_and_is_at_work(either: Windows, town: Town, screenshot: Screenshot) -> None:
    worker = town.who("grid_worker")
    await town.session(worker)  # which makes the account
    page = await either()
    await page.goto("/me")
    assert page.url.endswith("/sign-in?next=%2Fme")
    assert await axe(page) == []
    await screenshot(page, "sign-in")
    await page.locator("#user").fill(worker.id)
    await page.locator("#password").fill(town.password)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url("**/me")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert worker.name in await page.inner_text("body")
    assert await axe(page) == []
    await screenshot(page, "me")


async def test_a_wrong_password_is_said_on_the_page(phone: Windows, watch: Watch) -> None:
    watch.expect(r"status of 401")
    page = await phone()
    await page.goto("/sign-in")
    await page.locator("#user").fill("nobody-of-that-name")
    await page.locator("#password").fill("wrong")
    await page.get_by_role("button", name="登录").click()
    await expect(page.get_by_role("alert")).not_to_be_empty()


async def test_a_session_of_the_harness_is_signed_in(desk: Windows, town: Town) -> None:
    supervisor = town.who("supervisor")
    page = await desk(supervisor)
    await page.goto("/me")
    assert supervisor.name in await page.inner_text("main")


async def test_the_first_load_of_the_way_in_is_light(phone: Windows) -> None:
    weight = await weigh(await phone(), "/sign-in")
    print(weight)
    assert weight.total_bytes < 105 * 1024
    assert len(weight.hosts) == 1


async def test_the_way_in_comes_to_rest_on_a_slow_processor(phone: Windows) -> None:
    measured = await trace_tti(await phone(), "/sign-in")
    print(measured)
    assert 0 < measured.first_contentful_paint <= measured.time_to_interactive


# ---- what the harness itself must see


@pytest.fixture
async def provoked(desk: Windows, watch: Watch) -> Page:
    """A page on which a test does wrong; its complaints are told here and then forgotten."""
    page = await desk()
    await page.goto("/sign-in")
    assert watch.problems == []
    return page


async def test_a_script_that_throws_is_seen(provoked: Page, watch: Watch) -> None:
    await provoked.evaluate("() => { setTimeout(() => { throw new Error('of the test') }, 0) }")
    await provoked.wait_for_timeout(100)
    assert ["page error" in one and "of the test" in one for one in watch.problems] == [True]
    watch.expect("of the test")


async def test_an_inline_script_is_refused_and_seen(provoked: Page, watch: Watch) -> None:
    await provoked.evaluate(
        """() => { const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s) }"""
    )
    assert await provoked.evaluate("window.ran") is None
    await provoked.wait_for_timeout(100)
    assert watch.problems and all("Content Security Policy" in one for one in watch.problems)
    watch.expect("Content Security Policy")


async def test_a_request_to_another_host_is_seen_and_gets_nowhere(provoked: Page, watch: Watch) -> None:
    await provoked.goto("/healthz")  # which sets no policy that would stop it first
    reached = await provoked.evaluate("() => fetch('http://elsewhere.invalid/').then(() => true, () => false)")
    assert reached is False
    assert "request to another host: http://elsewhere.invalid/" in watch.problems
    watch.expect("elsewhere|ERR_NAME_NOT_RESOLVED|favicon")


async def test_what_cannot_be_read_by_everybody_is_found(provoked: Page) -> None:
    await provoked.evaluate("() => document.querySelector('main').append(document.createElement('input'))")
    assert [one.split(" ")[0] for one in await axe(provoked)] == ["label"]
