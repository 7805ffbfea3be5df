"""One demand, travelling through the pages: resident → grid worker → unit → joint meeting → unit → the resident's rating."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import Page, expect

from tests.pictures import a_jpeg
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.meeting_town import PLACE, decided, secretary, session
from tests.web.tasks_world import Beat
from tests.web.town import Town

SAID = "3栋楼道的杂物越堆越多，老人下楼差点摔倒，物业和社区都说不归自己管"
REPLY = "已会同物业清走楼道杂物，并与住户约定不再堆放，每周巡查一次。"


async def reported(page: Page, town: Town, photo: Path, screenshot: Screenshot) -> tuple[str, str]:
    """As the resident does it; the number, and the address of the page to follow it by."""
    grid = next(g for g in town.district.grids_of(PLACE) if town.district.compounds_of(g.id))
    await page.goto("/report")
    await page.locator("#camera").set_input_files(photo)
    await expect(page.locator(".shot-sent")).to_have_count(1)
    await page.locator("#text").fill(SAID)
    await page.locator("[data-way=list]").click()
    await page.locator("#compound").fill(town.district.compounds_of(grid.id)[0].name)
    await page.locator("#compounds button").first.click()
    await screenshot(page, "travel-1-report")
    await page.locator("#send").click()
    await expect(page.locator("#number")).to_be_visible()
    await screenshot(page, "travel-2-sent")
    number = await page.inner_text("#number")
    await page.locator("#follow-it").click()
    await expect(page.locator("#stage")).to_be_visible()
    return number, page.url


async def handed_off(page: Page, beat: Beat, number: str, unit: str, screenshot: Screenshot) -> None:
    await page.goto(f"/tasks/{number}")
    bar = page.locator("#bar")
    await screenshot(page, "travel-3-task")
    await bar.get_by_role("button", name="签收").click()
    await expect(bar.get_by_role("button", name="到场")).to_be_visible()
    await bar.get_by_role("button", name="更多").click()
    await page.locator("#more").get_by_role("button", name="转成员单位").click()
    await page.locator("#other-unit").select_option(unit)
    await screenshot(page, "travel-4-hand-off", full_page=False)
    await page.locator("#hand_off").get_by_role("button", name="移交").click()
    await beat.until(number, "unit")


async def brought_to_the_meeting(page: Page, beat: Beat, number: str, screenshot: Screenshot) -> None:
    await page.goto("/desk")
    card = page.locator(f'[data-number="{number}"]')
    await card.get_by_role("button", name="受理").click()
    await expect(card.get_by_role("button", name="办结")).to_be_visible()
    await screenshot(page, "travel-5-desk")
    await page.goto(f"/demands/{number}")
    escalate = page.locator('[data-open="do-escalate"]')
    if not await escalate.is_visible():
        await page.locator(".acts-more summary").click()
    await screenshot(page, "travel-6-case")
    await escalate.click()
    sheet = page.locator("#do-escalate")
    await sheet.locator("label.btn-choice").first.click()
    await sheet.locator("button.btn-lg").click()
    await beat.until(number, "meeting")


async def assigned(page: Page, town: Town, number: str, unit: str, screenshot: Screenshot) -> None:
    found = await session(town)
    await page.goto(f"/meetings/{PLACE}/room/{found['id']}?item={number}")
    await expect(page.locator("#item")).to_have_attribute("data-number", number)
    await screenshot(page, "travel-7-room", full_page=False)
    await page.keyboard.press("1")
    await expect(page.locator("dialog[open]")).to_be_visible()
    await page.keyboard.type(town.district.unit(unit).name)
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    assert (await decided(town, number))["kind"] == "assign"


async def resolved(page: Page, beat: Beat, number: str, screenshot: Screenshot) -> None:
    await page.goto("/desk")
    card = page.locator(f'[data-number="{number}"]')
    accept = card.get_by_role("button", name="受理")
    await expect(card).to_be_visible()
    if await accept.count():
        await accept.click()
    await card.get_by_role("button", name="办结").click()
    sheet = page.get_by_role("dialog")
    await sheet.get_by_label("给居民的答复").fill(REPLY)
    await screenshot(page, "travel-8-resolve", full_page=False)
    await sheet.get_by_role("button", name="提交办结").click()
    await beat.until(number, "feedback")


async def rated(page: Page, address: str, screenshot: Screenshot) -> None:
    await page.goto(address)
    await expect(page.locator("#questions")).to_be_visible()
    await expect(page.locator("#demand")).to_contain_text("每周巡查一次")
    await screenshot(page, "travel-9-questions")
    for answer in ("contacted-yes", "solved-yes", "satisfied-satisfied"):
        await page.locator(f"label[for={answer}]").click()
    await page.locator("#answer").click()
    await expect(page.locator("#stage")).to_contain_text("已结案")
    await screenshot(page, "travel-10-closed")


async def test_a_demand_travels_from_the_resident_and_back(
    either: Windows, town: Town, screenshot: Screenshot, tmp_path: Path
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(a_jpeg(1200, 900))
    resident = await either()
    number, address = await reported(resident, town, photo, screenshot)
    worker = await town.holder(number)
    beat = Beat(town, "", "", worker)
    view = await beat.until(number, "grid")
    unit = next(u for u in town.district.units_of(view["community"]) if u.liaison != worker.id)
    liaison = await either(unit.liaison)
    await handed_off(await either(worker), beat, number, unit.id, screenshot)
    await brought_to_the_meeting(liaison, beat, number, screenshot)
    await assigned(await either(secretary(town)), town, number, unit.id, screenshot)
    view = await beat.until(number, "unit")
    assert view["unit"]["id"] == unit.id
    await resolved(liaison, beat, number, screenshot)
    await rated(resident, address, screenshot)
    view = await beat.view(number)
    assert (view["stage"], view["outcome"]) == ("closed", "resolved")
