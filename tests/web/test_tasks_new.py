"""What is found on patrol, the order of the day, and the visit after the work, over the real stack."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.tasks_world import PARKING, Beat, beat, photo
from tests.web.town import Town
from tests.web.watching import Watch


@pytest_asyncio.fixture(scope="module")
async def here(town: Town) -> Beat:
    return await beat(town, 28)


async def written(windows: Windows, here: Beat, text: str) -> Page:
    """The form with a category found by a word, a place of the list and a sentence."""
    page = await here.page(windows)
    await page.goto("/tasks/new")
    await page.locator("#category-q").fill("停车")
    await page.locator("#category-found .option", has_text="乱停车").first.click()
    await page.locator("#place").select_option(index=0)
    await page.locator("#building").fill("5")
    await page.locator("#text").fill(text)
    return page


async def newest(here: Beat, channel: str = "patrol") -> str:
    views = await here.town.get(f"/demands?channel={channel}&limit=1", "supervisor")
    return str(views[0]["number"])


async def test_found_and_fixed_in_one_go(either: Windows, here: Beat, screenshot: Screenshot, tmp_path: Path) -> None:
    before = await newest(here)
    page = await written(either, here, "巡查发现通道口停了一辆车，已劝离。")
    await page.locator("#new-files").set_input_files(photo(tmp_path))
    await expect(page.locator(".picked img")).to_have_count(1)
    assert await axe(page) == []
    await screenshot(page, "patrol")
    await page.get_by_role("button", name="已当场解决").click()
    likely, fixed = page.locator("#likely"), page.get_by_role("button", name="已当场解决")
    for _ in range(300):  # what may be the same is shown once, before anything is sent
        if page.url.endswith("/tasks"):
            break
        if await likely.is_visible() and await fixed.get_attribute("aria-busy") != "true":
            await fixed.click()
        await asyncio.sleep(0.2)
    await page.wait_for_url("**/tasks")
    number = await newest(here)
    assert number != before
    view = await here.until(number, "feedback")
    assert view["category"]["code"] == PARKING
    events = await here.events(number)
    assert "files_attached" in events and "resolved" in events
    assert events.count("demand_submitted") == 1


async def test_what_was_reported_already_is_shown_before_it_is_sent(
    phone: Windows, here: Beat, screenshot: Screenshot
) -> None:
    known = await here.demand("通道口停了两辆车，消防车进不去。", PARKING)
    before = await newest(here)
    for _ in range(300):  # until it has been compared
        draft = {
            "text": "通道口停了两辆车，消防车进不去。",
            "category": PARKING,
            "location": {"compound": here.compound},
        }
        if (await here.town.call("POST", "/demands/duplicates", here.worker, draft))["count"]:
            break
        await asyncio.sleep(0.2)
    page = await written(phone, here, "通道口停了两辆车，消防车进不去。")
    await page.get_by_role("button", name="上报").tap()
    await expect(page.locator("#likely")).to_be_visible()
    await expect(page.locator("#likely-items")).to_contain_text(known)
    assert await axe(page) == []
    await screenshot(page, "patrol-likely", full_page=False)
    assert await newest(here) == before
    await page.get_by_role("button", name="上报").tap()
    await page.wait_for_url("**/tasks/2*")
    assert await newest(here) != before


async def test_the_place_can_be_where_the_phone_is(phone: Windows, here: Beat) -> None:
    grid = here.town.district.grid(here.grid)
    lon = sum(corner[0] for corner in grid.ring[:-1]) / (len(grid.ring) - 1)
    lat = sum(corner[1] for corner in grid.ring[:-1]) / (len(grid.ring) - 1)
    position = {"longitude": lon, "latitude": lat, "accuracy": 12}
    page = await here.page(phone, geolocation=position, permissions=["geolocation"])
    await page.goto("/tasks/new")
    await page.locator("#text").fill("路边护栏松动。")
    await page.get_by_role("button", name="用当前位置").tap()
    await expect(page.locator("#gps-said")).to_contain_text("12")
    await expect(page.locator("#place")).to_be_disabled()
    await page.get_by_role("button", name="上报").tap()
    await page.wait_for_url("**/tasks/2*")
    assert (await here.view(page.url.rsplit("/", 1)[1]))["grid"] == here.grid
    await page.goto("/tasks")
    await page.get_by_role("button", name="距我多远").tap()
    await expect(page.locator("[data-away]").first).to_contain_text("距您约")


async def test_the_order_of_the_day(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    for compound in here.town.district.compounds_of(here.grid)[:3]:
        location = {"compound": compound.id, "building": "1"}
        await here.town.submit(f"{compound.name}门口地砖破损", "operator", category="100101", location=location)
    page = await here.page(either)
    await page.goto("/tasks/plan")
    await expect(page.locator(".stop").first).to_be_visible()
    turns = await page.locator(".stop-turn").all_inner_texts()
    assert turns == [str(n) for n in range(1, len(turns) + 1)]
    await expect(page.locator(".plan-map svg circle").first).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "plan")
    await page.emulate_media(media="print")
    await screenshot(page, "plan-print")


async def test_the_questions_are_asked_at_the_door(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    number = await here.demand("车位被占。", PARKING)
    await here.town.act(number, here.worker, "resolve", reply="已劝离。")
    await here.until(number, "feedback")
    page = await here.page(either)
    await page.goto(f"/tasks/{number}")
    await page.locator("#bar").get_by_role("button", name="上门回访").click()
    sheet = page.locator("#visit")
    await expect(sheet).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "task-visit", full_page=False)
    await sheet.get_by_text("家里没人").click()
    await sheet.get_by_role("button", name="记录一次").click()
    await here.until_told(number, "call_back_made")
    made = await here.town.get(f"/demands/{number}/events?limit=100", "supervisor")
    assert any(e["type"] == "call_back_made" and e["data"]["channel"] == "visit" for e in made)


async def test_nobody_without_work_here_sees_a_list(phone: Windows, watch: Watch) -> None:
    watch.expect(r"status of 403")
    page = await phone("auditor")
    answer = await page.goto("/tasks")
    assert answer is not None and answer.status == 403
    assert await axe(page) == []
