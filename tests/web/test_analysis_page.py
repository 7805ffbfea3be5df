"""Analysis, wall screen and system page in real Chromium, in both widths: what they say, and that it equals the API."""

from __future__ import annotations

import asyncio
import os
import signal

import httpx2
from playwright.async_api import Page, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe, weigh
from tests.web.town import Town

WORKER_PATIENCE_MS = 90_000


async def _drawn(page: Page) -> None:
    """The charts are there, and the figures that come after the page."""
    await expect(page.locator("#trend canvas").first).to_be_visible(timeout=60_000)
    await expect(page.locator("#map canvas").first).to_be_visible()
    await expect(page.locator("#hours canvas").first).to_be_visible()


async def test_the_figures_are_those_of_the_api_with_definition_and_trace(
    either: Windows, town: Town, screenshot: Screenshot
) -> None:
    page = await either("supervisor")
    await page.goto("/analysis")
    await _drawn(page)
    month = await page.locator("#month").input_value()
    answer = await town.get(f"/rates?month={month}", "supervisor")
    response = answer["groups"][0]["figures"]["response"]
    card = page.locator('[data-figure="response"]')
    shown = "–" if response["value"] is None else f"{100 * response['value']:.1f}%"
    await expect(card.locator(".tile-value")).to_have_text(shown)
    assert answer["definition"] in await page.locator("#figures-title").inner_text()
    await card.locator("summary").click()
    await expect(card.locator("dl")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "analysis")


async def test_a_figure_leads_to_the_events_behind_it(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("supervisor")
    await page.goto("/analysis/trace?figure=on_time_resolve&side=denominator")
    await expect(page.get_by_role("heading", level=1)).to_contain_text("办结按时率")
    month = (await page.locator("h1 + p").inner_text())[:7]
    traced = await town.get(f"/rates/trace?month={month}&figure=on_time_resolve&side=denominator", "supervisor")
    assert traced, "the demo resolves demands"
    await expect(page.locator("tbody tr")).to_have_count(len(traced))
    await expect(page.locator("tbody th").first).to_have_text(traced[0]["number"])
    assert await axe(page) == []
    await screenshot(page, "analysis-trace", full_page=False)


async def test_the_board_bears_the_strip(desk: Windows, screenshot: Screenshot) -> None:
    page = await desk("supervisor")
    await page.goto("/board")
    await expect(page.locator("#system-strip")).to_be_visible()
    assert await axe(page, runOnly=["wcag2a", "wcag2aa"]) == []
    await screenshot(page, "board-strip", full_page=False)


async def test_the_map_counts_what_the_board_counts(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    await page.goto("/analysis")
    answer = await town.get("/analysis/grids", "supervisor")
    busiest = max(answer["grids"], key=lambda one: one["open"])
    await page.locator("section[aria-labelledby=map-title] summary").click()
    section = page.locator("section[aria-labelledby=map-title]")
    row = section.get_by_role("row").filter(has=page.get_by_role("link", name=busiest["name"], exact=True))
    await expect(row.locator("td").first).to_have_text(str(busiest["open"]))
    await row.get_by_role("link", name=busiest["name"], exact=True).click()
    await page.wait_for_url(f"**/board?grid={busiest['id']}")
    await expect(page.locator("#rows tr")).to_have_count(min(busiest["open"], 50))


async def test_the_address_holds_the_filters(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    community = town.district.communities[0]
    await page.goto("/analysis")
    await page.locator("#community").select_option(community.id)
    await page.locator("#figure").select_option("response")
    await page.get_by_role("button", name="查看").click()
    await page.wait_for_url(f"**/analysis?*community={community.id}*")
    await expect(page.locator("#league-title")).to_contain_text("响应率", timeout=60_000)
    assert await page.locator("#community").input_value() == community.id
    links = await page.locator(".league tbody th a").all()
    grids = {grid.name for grid in town.district.grids_of(community.id)}
    assert {await link.text_content() for link in links} <= grids


async def test_what_the_address_asks_wrongly_is_said(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
    async with httpx2.AsyncClient(base_url=town.url, cookies=cookies) as http:
        for query in ("month=2026-13", "community=nowhere", "figure=opened", "definition=0"):
            answer = await http.get(f"/analysis?{query}")
            assert answer.status_code in (400, 404, 422) and "<h1" in answer.text, query


async def test_a_worker_on_foot_has_no_business_with_figures(phone: Windows, watch: object) -> None:
    watch.expect(r"status of 403")  # type: ignore[attr-defined]
    page = await phone("grid_worker")
    answer = await page.goto("/analysis")
    assert answer is not None and answer.status == 403


async def test_dark_english_and_print(desk: Windows, screenshot: Screenshot) -> None:
    page = await desk("supervisor", color_scheme="dark", locale="en-GB")
    await page.goto("/analysis")
    await _drawn(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Analysis")
    assert await axe(page) == []
    await screenshot(page, "analysis-dark-en")


async def test_echarts_is_fetched_by_nobody_else(desk: Windows) -> None:
    page = await desk("supervisor")
    weight = await weigh(page, "/board")
    assert not [url for url, _ in weight.rows if "echarts" in url]
    assert len(weight.hosts) == 1


async def test_the_wall_turns_by_itself_and_by_keys(desk: Windows, screenshot: Screenshot) -> None:
    for width, height in ((1280, 800), (1920, 1080)):
        page = await desk("supervisor", viewport={"width": width, "height": height})
        await page.goto("/wall")
        await expect(page.locator("#worry-title")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "nothing scrolls"
        assert await axe(page) == []
        await screenshot(page, "wall-worry", full_page=False)
        await page.keyboard.press("Space")
        await expect(page.locator("#paused")).not_to_be_empty()
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#map canvas").first).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert await axe(page) == []
        await screenshot(page, "wall-map", full_page=False)
        await page.keyboard.press("ArrowRight")
        await expect(page.locator("#trend canvas").first).to_be_visible(timeout=60_000)
        assert await page.evaluate("document.documentElement.scrollHeight <= innerHeight")
        assert await axe(page) == []
        await screenshot(page, "wall-rates", full_page=False)


async def test_the_wall_shows_what_happens(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    await page.goto("/wall")
    opened = page.locator(".wall-tile strong").nth(2)
    before = int(await opened.inner_text())
    await town.submit()
    await expect(opened).to_have_text(str(before + 1), timeout=30_000)


async def test_a_supervisor_finds_the_administration_beside_the_system(either: Windows) -> None:
    page = await either("supervisor")
    await page.goto("/system")
    await page.locator("#system").get_by_role("link", name="管理", exact=False).first.click()
    await page.wait_for_url("**/admin")
    await expect(page.get_by_role("heading", level=1).or_(page.get_by_role("heading", level=2)).first).to_be_visible()


async def test_the_system_page_tells_of_a_worker_that_does_not_answer(
    either: Windows, town: Town, screenshot: Screenshot
) -> None:
    page = await either("supervisor")
    await page.goto("/system")
    workers = page.locator("section[aria-labelledby=workers] .card-head [data-state]")
    await expect(workers).to_have_attribute("data-state", "ok", timeout=WORKER_PATIENCE_MS)
    assert await axe(page) == []
    await screenshot(page, "system")
    pid = town.stack.pids["worker"]
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    try:
        await expect(workers).to_have_attribute("data-state", "down", timeout=WORKER_PATIENCE_MS)
        await expect(page.locator(".system-all [data-state]")).to_have_attribute("data-state", "down")
        assert await axe(page) == []
        await screenshot(page, "system-down")
    finally:
        os.kill(pid, signal.SIGCONT)
    await expect(workers).to_have_attribute("data-state", "ok", timeout=WORKER_PATIENCE_MS)
    await asyncio.sleep(0)
