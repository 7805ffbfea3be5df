"""The worker's list and one task after the other, at both widths, over the real stack."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Page, Route, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe, weigh
from tests.web.tasks_world import PARKING, Beat, beat, photo
from tests.web.town import Town
from tests.web.watching import Watch


@pytest_asyncio.fixture(scope="module")
async def here(town: Town) -> Beat:
    return await beat(town, 20)


async def opened(windows: Windows, here: Beat, number: str, **options: object) -> Page:
    page = await here.page(windows, **options)
    await page.goto(f"/tasks/{number}")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    return page


async def test_the_list_says_what_is_owed_and_one_tap_accepts(
    either: Windows, here: Beat, screenshot: Screenshot
) -> None:
    number = await here.demand("三单元楼道里堆满旧家具和纸箱，上下楼都困难，希望尽快清理。")
    page = await here.page(either)
    await page.goto("/tasks")
    row = page.locator(f"#task-{number}")
    await expect(row).to_contain_text("三单元楼道里堆满")
    assert await axe(page) == []
    await screenshot(page, "tasks")
    await row.get_by_role("button", name="签收").click()
    await expect(row.get_by_role("button", name="签收")).to_have_count(0)
    await here.until_told(number, "accepted")
    await page.goto("/tasks?show=accept")
    await expect(page.locator(f"#task-{number}")).to_have_count(0)
    await page.goto("/tasks?show=visit")
    assert await axe(page) == []
    await screenshot(page, "tasks-none")


async def test_from_accepting_to_done_with_a_photo_in_three_taps(
    phone: Windows, here: Beat, screenshot: Screenshot, tmp_path: Path
) -> None:
    number = await here.demand("小区大门口有车乱停，挡住了出口。", PARKING)
    page = await opened(phone, here, number)
    bar = page.locator("#bar")
    assert await axe(page) == []
    await screenshot(page, "task-accept", full_page=False)
    await bar.get_by_role("button", name="签收").tap()
    await bar.get_by_role("button", name="到场").tap()
    await expect(bar.get_by_role("button", name="到场")).to_have_count(0)
    await bar.get_by_role("button", name="已联系").tap()
    await expect(bar.get_by_role("button", name="已联系")).to_have_count(0)
    await screenshot(page, "task")

    async with page.expect_file_chooser() as camera:
        await bar.get_by_role("button", name="办结").tap()  # one: the sheet, with the camera over it
    await (await camera.value).set_files(photo(tmp_path))
    sheet = page.locator("#resolve")
    await expect(sheet.locator(".picked img")).to_have_count(1)
    assert await axe(page) == []
    await sheet.get_by_role("button", name="已处理完毕").tap()  # two
    await screenshot(page, "task-resolve", full_page=False)
    await sheet.get_by_role("button", name="提交办结").tap()  # three
    await here.until(number, "feedback")
    events = await here.events(number)
    assert [one for one in events if one in ("accepted", "note_added", "reporter_contacted", "resolved")] == [
        "accepted", "note_added", "reporter_contacted", "resolved",
    ]  # fmt: skip
    assert "files_attached" in events
    await expect(sheet).to_be_hidden()
    await expect(page.locator("#task")).to_contain_text("已办结")
    assert await axe(page) == []
    await screenshot(page, "task-done")


async def test_one_task_says_everything_at_both_widths(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    await here.demand("楼道又堆满了纸箱。")
    number = await here.demand("三单元楼道里的旧家具和纸箱还没有清走。")
    page = await opened(either, here, number)
    await expect(page.get_by_role("link", name="地图导航")).to_have_attribute(
        "href", re.compile(r"^https://uri\.amap\.com/marker\?position=105\.\d+,29\.\d+&name=.+&coordinate=gaode$")
    )
    await expect(page.locator("#task")).to_contain_text("138****1234")
    await expect(page.locator("#task")).not_to_contain_text("13800001234")
    await page.locator("details.why").first.locator("summary").click()
    assert await axe(page) == []
    await screenshot(page, "task-whole")


async def test_calling_opens_the_number_and_offers_to_keep_it(phone: Windows, here: Beat, watch: Watch) -> None:
    watch.expect(r"another host: tel:")  # the call itself, handed to the phone
    number = await here.demand("电动车从窗户拉线充电。")
    await here.town.act(number, here.worker, "accept")
    page = await opened(phone, here, number)
    await page.get_by_role("button", name="拨打").tap()
    await expect(page.locator("#number a")).to_have_attribute("href", "tel:13800001234")
    await page.locator("#called").get_by_role("button", name="已联系").tap()
    await here.until_told(number, "reporter_contacted")
    reads = await here.town.get(f"/personal-reads?subject={number}", "auditor")
    assert any(one["what"] == "reporter" and "phone" in one["fields"] for one in reads)


async def sheet_of(page: Page, name: str, id: str) -> None:
    await page.locator("#bar").get_by_role("button", name="更多").click()
    await page.locator("#more").get_by_role("button", name=name).click()
    await expect(page.locator(f"#{id}")).to_be_visible()


async def test_handing_off_with_the_units_that_fit(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    number = await here.demand("楼道堆物太多，网格清不动。")
    await here.town.act(number, here.worker, "accept")
    page = await opened(either, here, number)
    await page.locator("#bar").get_by_role("button", name="更多").click()
    assert await axe(page) == []
    await screenshot(page, "task-more", full_page=False)
    await page.locator("#more").get_by_role("button", name="转成员单位").click()
    sheet = page.locator("#hand_off")
    await expect(sheet).to_be_visible()
    await expect(page.locator("#more")).to_be_hidden()
    assert await axe(page) == []
    await screenshot(page, "task-hand-off", full_page=False)
    units = await here.town.get(f"/units?community={(await here.view(number))['community']}", here.worker)
    chosen = await sheet.locator("#other-unit option").nth(1).get_attribute("value")
    assert chosen in [unit["id"] for unit in units]
    await sheet.locator("#other-unit").select_option(chosen)
    await sheet.get_by_role("button", name="移交").click()
    await here.until(number, "unit")
    assert (await here.view(number))["unit"]["id"] == chosen
    await expect(page.locator("#task")).to_contain_text("正在承办")
    assert await axe(page) == []
    await screenshot(page, "task-unit")


async def test_pausing_says_what_it_does_and_resuming_is_one_tap(
    either: Windows, here: Beat, screenshot: Screenshot
) -> None:
    number = await here.demand("楼上漏水到楼道。")
    await here.town.act(number, here.worker, "accept")
    page = await opened(either, here, number)
    await sheet_of(page, "暂停计时", "pause")
    assert await axe(page) == []
    await screenshot(page, "task-pause", full_page=False)
    await page.locator("#pause").get_by_text("等待材料配件").click()
    await page.locator("#pause").get_by_role("button", name="暂停计时").click()
    await expect(page.locator("#bar").get_by_role("button", name="恢复办理")).to_be_visible()
    assert (await here.view(number))["paused"] == "awaiting_material"
    assert await axe(page) == []
    await screenshot(page, "task-paused", full_page=False)
    await page.locator("#bar").get_by_role("button", name="恢复办理").click()
    await here.until_told(number, "info_received")


async def test_refusing_names_the_right_compound(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    other = next(one for one in here.town.district.compounds if one.grid != here.grid)
    number = await here.demand("说是在隔壁小区的事。")
    page = await opened(either, here, number)
    await sheet_of(page, "退单", "refuse")
    await page.locator("#place-q").fill(other.name)
    await expect(page.locator("#places .option").first).to_contain_text(other.name)
    assert await axe(page) == []
    await screenshot(page, "task-refuse", full_page=False)
    await page.locator("#refuse").get_by_role("button", name="退单").click()
    await here.until_told(number, "worker_refused")
    assert (await here.view(number))["grid"] == other.grid
    await page.wait_for_url("**/tasks")


async def test_more_time_a_meeting_a_note_and_a_photo(phone: Windows, here: Beat, tmp_path: Path) -> None:
    number = await here.demand("健身器材螺丝松了，老人用着危险。")
    await here.town.act(number, here.worker, "accept")
    page = await opened(phone, here, number)
    await sheet_of(page, "写备注", "note")
    await page.locator("#note-note").fill("物业说配件下周到。")
    await page.locator("#note").get_by_role("button", name="保存").tap()
    await expect(page.locator("#task")).to_contain_text("物业说配件下周到。")
    await sheet_of(page, "加照片", "attach")
    await page.locator("#attach-files").set_input_files(photo(tmp_path))
    await page.locator("#attach").get_by_role("button", name="保存").tap()
    await expect(page.locator("ul.photos img")).to_have_count(1)
    await sheet_of(page, "申请延期", "extend")
    assert await axe(page) == []
    await page.locator("#extend").get_by_role("button", name="提交申请").tap()
    await here.until_told(number, "extension_requested")
    await expect(page.locator("#extend")).to_be_hidden()
    await sheet_of(page, "提请联席会议", "escalate")
    assert await axe(page) == []
    await page.locator("#escalate").get_by_role("button", name="提请会议").tap()
    await here.until(number, "meeting")


async def test_what_was_on_its_way_does_not_close_the_sheet_that_opened_meanwhile(phone: Windows, here: Beat) -> None:
    page = await here.page(phone)
    number = await here.demand("楼道灯闪个不停。")
    await here.town.act(number, here.worker, "accept")
    await page.goto(f"/tasks/{number}")
    asked, go_on = asyncio.Event(), asyncio.Event()

    async def late(route: Route) -> None:
        asked.set()
        await go_on.wait()
        await route.continue_()

    await page.route(f"**/tasks/{number}", late)
    await page.evaluate("document.body.dispatchEvent(new CustomEvent('linli:changed'))")
    await asyncio.wait_for(asked.wait(), 20)
    await page.locator("#bar").get_by_role("button", name="更多").click()
    async with page.expect_response(f"**/tasks/{number}") as arriving:
        go_on.set()
    await (await arriving.value).finished()
    await page.wait_for_timeout(500)
    await expect(page.locator("#more")).to_be_visible()
    async with page.expect_response(f"**/tasks/{number}"):
        await page.keyboard.press("Escape")


async def test_what_came_back_says_what_the_resident_said(either: Windows, here: Beat, screenshot: Screenshot) -> None:
    number = await here.demand("大门口又有车乱停。", PARKING)
    await here.town.act(number, here.worker, "resolve", reply="已劝离。")
    await here.until(number, "feedback")
    await here.town.act(number, "operator", "confirm", contacted=True, solved="no", satisfied="dissatisfied")
    await here.until(number, "grid")
    page = await opened(either, here, number)
    await expect(page.locator("#task")).to_contain_text("第 1 次重办")
    await expect(page.locator("#task")).to_contain_text("没有解决")
    assert await axe(page) == []
    await screenshot(page, "task-redo", full_page=False)


async def test_dark_and_large(phone: Windows, here: Beat, screenshot: Screenshot) -> None:
    number = await here.demand("晚上广场舞音响声音太大，孩子没法写作业。")
    cookies = {"linli-theme": "dark", "linli-size": "huge"}
    page = await opened(phone, here, number, cookies=cookies)
    assert await axe(page) == []
    await screenshot(page, "task-dark-huge", full_page=False)
    await page.goto("/tasks")
    assert await axe(page) == []
    await screenshot(page, "tasks-dark-huge", full_page=False)
    wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0


async def test_the_first_load_is_light(phone: Windows, here: Beat) -> None:
    page = await here.page(phone)
    weight = await weigh(page, "/tasks")
    print(weight)
    assert weight.total_bytes < 105 * 1024
    assert len(weight.hosts) == 1
