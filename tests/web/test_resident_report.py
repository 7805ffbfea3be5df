"""Reporting without an account, in both widths, as a thumb does it: few taps, nothing lost, and told what comes."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.pictures import a_jpeg
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch

LAMP = "3栋楼下路灯坏了三天，晚上看不清台阶"
FIRE = "快来人，家里着火了"


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(a_jpeg(1200, 900))
    return path


class Thumb:
    """Counts what it taps."""

    def __init__(self, page: Page) -> None:
        self.page, self.taps = page, 0

    async def tap(self, selector: str) -> None:
        self.taps += 1
        await self.page.locator(selector).first.click()


async def in_compound(thumb: Thumb, name: str) -> None:
    await thumb.tap("[data-way=list]")
    await thumb.page.locator("#compound").fill(name)
    await thumb.tap("#compounds button")


async def test_a_report_with_a_photo_takes_a_few_taps(
    either: Windows, town: Town, photo: Path, screenshot: Screenshot
) -> None:
    page = await either()
    await page.goto("/report")
    assert await axe(page) == []
    await screenshot(page, "report-empty")
    thumb = Thumb(page)
    thumb.taps += 2  # the camera's button, and its shutter
    await page.locator("#camera").set_input_files(photo)
    await expect(page.locator(".shot-sent")).to_have_count(1)
    await page.locator("#text").fill(LAMP)
    await expect(page.locator("#categories [aria-pressed=true]")).to_have_text("路灯不亮")
    await in_compound(thumb, town.district.compounds[40].name)
    await page.locator("#building").select_option("1")
    await page.locator("#phone").fill("13912345678")
    await expect(page.locator("#place-in")).not_to_be_empty()
    assert await axe(page) == []
    await screenshot(page, "report-filled")
    await thumb.tap("#send")
    await expect(page.locator("#number")).to_be_visible()
    assert thumb.taps <= 6, "two for the photo, three for the place, one to send"
    assert await axe(page) == []
    await screenshot(page, "report-sent")
    number = await page.inner_text("#number")
    view = await town.get(f"/demands/{number}", "supervisor")
    assert view["category"] == "030101" or view["category"]["code"] == "030101"
    await page.reload()
    await expect(page.locator("#number")).to_have_text(number)
    await page.locator("#follow-it").click()
    await expect(page.locator("#stage")).to_be_visible()
    assert "#" not in page.url and number not in page.url
    await expect(page.locator(".shot img")).to_have_count(1)


async def test_an_emergency_is_stopped_and_says_whom_to_call(either: Windows, screenshot: Screenshot) -> None:
    page = await either()
    await page.goto("/report")
    await page.locator("#text").fill(FIRE)
    await page.locator("#send").click()
    await expect(page.locator("#stop")).to_be_focused()
    await expect(page.locator("#stop a[href='tel:119']")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "report-emergency", full_page=False)
    await page.locator("#stop-edit").click()
    await page.locator("#text").fill("楼道里的灯坏了")
    await page.locator("#text").blur()
    await expect(page.locator("#stop")).to_be_hidden()


async def test_what_others_reported_is_offered_and_followed(
    either: Windows, town: Town, screenshot: Screenshot
) -> None:
    compound = town.district.compounds[120 if either._shape.get("is_mobile") else 121]
    first = await town.submit(
        "楼下路灯不亮，老人晚上摔跤", category="030101", location={"compound": compound.id, "building": "1"}
    )
    page = await either()
    for _ in range(40):  # until the likeness of the first one is known
        await page.goto("/report")
        await page.evaluate("localStorage.clear()")
        await page.goto("/report")
        await page.locator("#text").fill("楼下路灯坏了不亮，晚上太黑")
        await page.locator("#text").blur()
        await in_compound(Thumb(page), compound.name)
        await expect(page.locator("#place-in")).not_to_be_empty()
        await page.wait_for_load_state("networkidle")
        if await page.locator("#matters").is_visible():
            break
    await expect(page.locator("#matters")).to_contain_text("已有 1 人反映")
    assert await axe(page) == []
    await screenshot(page, "report-duplicate")
    await page.locator("#matters .btn-choice").first.click()
    await page.locator("#send").click()
    await expect(page.locator("#number")).to_be_visible()
    own = await page.inner_text("#number")
    assert own != first["number"]
    await expect(page.locator("#sent .notice-good")).to_be_visible()
    assert (await town.get(f"/demands/{own}", "supervisor"))["primary"] == first["number"]


async def test_the_map_is_ours_and_only_loaded_when_it_is_wanted(either: Windows, screenshot: Screenshot) -> None:
    page = await either()
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    await page.goto("/report")
    assert not [url for url in fetched if "leaflet" in url or "/grids" in url]
    await page.locator("[data-way=map]").click()
    await expect(page.locator(".leaflet-container")).to_be_visible()
    await expect(page.locator(".map-community").first).to_be_visible()
    await page.locator("#map").evaluate("box => box.scrollIntoView({block: 'center'})")
    await screenshot(page, "report-map-far", full_page=False)
    await page.locator("#map").click(position={"x": 150, "y": 160})
    await expect(page.locator(".map-community")).to_have_count(0)
    await expect(page.locator(".map-name").first).to_be_attached()
    assert await axe(page) == []
    await screenshot(page, "report-map", full_page=False)
    await page.locator("#text").fill("这里有个井盖松了")
    await page.locator("#map-here").click()
    await expect(page.locator("#place-in")).to_contain_text("位置在")


async def test_gps_is_asked_after_a_tap_and_a_refusal_is_said(phone: Windows, town: Town) -> None:
    middle = town.district.compounds[0]
    page = await phone(
        permissions=["geolocation"], geolocation={"latitude": middle.lat, "longitude": middle.lon, "accuracy": 12}
    )
    await page.goto("/report")
    await page.locator("#text").fill("门口路面塌了一块")
    await page.locator("[data-way=gps]").click()
    await expect(page.locator("#chosen strong")).to_contain_text("已定位")
    await expect(page.locator("#place-in")).to_contain_text("位置在")
    refused = await phone()
    await refused.goto("/report")
    await refused.locator("[data-way=gps]").click()
    await expect(refused.locator("#where-note")).not_to_be_empty()
    await expect(refused.locator("[data-way=list]")).to_be_visible()


async def test_nothing_is_lost_without_a_network_and_it_arrives_once(
    phone: Windows, town: Town, watch: Watch, photo: Path, screenshot: Screenshot
) -> None:
    watch.expect(r"ERR_INTERNET_DISCONNECTED|Failed to load resource")
    page = await phone()
    await page.goto("/report")
    await page.locator("[data-way=list]").click()
    await page.locator("#compound").fill(town.district.compounds[77].name)
    await page.locator("#compounds button").first.click()
    await page.context.set_offline(True)
    text = "垃圾堆了一个星期没人清运，没有网络时写的"
    await page.locator("#text").fill(text)
    await page.locator("#album").set_input_files(photo)
    await page.locator("#send").click()
    await expect(page.locator("#failed")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "report-offline", full_page=False)
    await page.context.set_offline(False)
    await expect(page.locator("#number")).to_be_visible()
    number = await page.inner_text("#number")
    code = (await page.inner_text("#code")).strip()
    again = await phone()
    await again.goto("/follow")
    await again.locator("#number").fill(number)
    await again.locator("#code").fill(code)
    await again.locator("#code-form button").click()
    await expect(again.locator(".shot img")).to_have_count(1)
    mine = [one for one in await town.get("/demands?limit=100&category=0101", "supervisor") if one["number"] >= number]
    assert [one["number"] for one in mine] == [number]


async def test_a_page_that_was_closed_has_the_draft_again(phone: Windows, photo: Path) -> None:
    page = await phone()
    await page.goto("/report")
    await page.locator("#text").fill("电梯又坏了，写到一半")
    await page.locator("#camera").set_input_files(photo)
    await expect(page.locator(".shot-sent")).to_have_count(1)
    await page.locator("#confidential").check()
    other = await page.context.new_page()
    await page.close()
    await other.goto("/report")
    await expect(other.locator("#text")).to_have_value("电梯又坏了，写到一半")
    await expect(other.locator(".shot-sent img")).to_have_count(1)
    await expect(other.locator("#confidential")).to_be_checked()
    await expect(other.locator("#back")).to_be_visible()
    await other.locator("#clear").click()
    await expect(other.locator("#text")).to_have_value("")


async def test_the_category_is_another_one_in_three_taps(either: Windows, screenshot: Screenshot) -> None:
    page = await either()
    await page.goto("/report")
    await page.locator("#text").fill("小区里的健身器材断了一根")
    await page.locator("#text").blur()
    thumb = Thumb(page)
    await thumb.tap("#other")
    await page.locator("#category-search").fill("井盖")
    assert await axe(page) == []
    await screenshot(page, "report-category")
    await thumb.tap("#category-list button")
    await expect(page.locator("#categories [aria-pressed=true]")).to_have_text("井盖缺失")
    assert thumb.taps == 2


async def test_what_is_missing_is_said_where_it_is_missing(phone: Windows) -> None:
    page = await phone()
    await page.goto("/report")
    await page.locator("#send").click()
    await expect(page.locator("#text")).to_be_focused()
    await expect(page.locator("#text-error")).to_be_visible()
    await page.locator("#text").fill("我的电话是13912345678，楼道太黑")
    await expect(page.locator("#private-found")).to_be_visible()
    await page.locator("#phone").fill("abc")
    await page.locator("#send").click()
    await expect(page.locator("#phone-error")).to_be_visible()
    await page.locator("#phone").fill("")
    await page.locator("#send").click()
    await expect(page.locator("#where-note")).to_contain_text("还没有选位置")
    assert await axe(page) == []


@pytest.mark.parametrize("path", ["/", "/report", "/follow"])
async def test_large_letters_dark_and_english(phone: Windows, path: str, screenshot: Screenshot) -> None:
    cookies = {"linli-size": "huge", "linli-language": "en", "linli-theme": "dark"}
    page = await phone(cookies=cookies)
    await page.goto(path)
    assert await axe(page) == []
    wide = await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    assert not wide, "nothing is cut off at the side"
    await screenshot(page, f"huge-dark{path.replace('/', '-')}")


async def test_the_size_of_the_letters_is_changed_on_the_page_and_kept(phone: Windows) -> None:
    page = await phone()
    await page.goto("/report")
    await page.locator("#text").fill("字太小")
    await page.locator("[data-letters]").click()
    assert await page.get_attribute("html", "data-size") == "large"
    await page.goto("/follow")
    assert await page.get_attribute("html", "data-size") == "large"


async def test_the_start_page(either: Windows, screenshot: Screenshot) -> None:
    page = await either()
    await page.goto("/")
    assert await axe(page) == []
    await screenshot(page, "home")
    await page.locator("a.door-first").click()
    await expect(page.locator("#report")).to_be_visible()
