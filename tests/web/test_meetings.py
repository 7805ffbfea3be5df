"""The meeting room: a session decided by keyboard alone, what it refuses, and its minutes on paper."""

from __future__ import annotations

import re

from playwright.async_api import Page, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.meeting_town import PLACE, decided, item, secretary, session
from tests.web.town import Town
from tests.web.watching import Watch


def _room(found: dict[str, object], number: str = "") -> str:
    return f"/meetings/{PLACE}/room/{found['id']}" + (f"?item={number}" if number else "")


async def _at(page: Page) -> str:
    return str(await page.locator("#item").get_attribute("data-number"))


async def _confirmed(page: Page, key: str, *typed: str) -> str:
    """Decide what stands on the screen: press `key`, type, Enter. Gives the item's number."""
    await page.keyboard.press(key)
    await expect(page.locator("dialog[open]")).to_be_visible()
    number = await page.locator("dialog[open] [data-number]").inner_text()
    for text in typed:
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    return number


async def test_the_meetings_and_an_agenda(either: Windows, town: Town, screenshot: Screenshot) -> None:
    number = await item(town)
    page = await either(secretary(town))
    await page.goto("/meetings")
    await expect(page.locator(".meeting")).to_have_count(7)
    assert await axe(page) == []
    await screenshot(page, "meetings")
    await page.goto(f"/meetings/{PLACE}")
    await expect(page.locator("#agenda")).to_contain_text(number)
    assert await axe(page) == []
    await screenshot(page, "meeting")


async def test_a_session_from_call_to_close_by_keyboard_alone(
    desk: Windows, town: Town, screenshot: Screenshot
) -> None:
    wanted = {await item(town, f"第{n}件：楼道堆物没有人管。") for n in range(4)}
    found = await session(town)
    page = await desk(secretary(town))
    await page.goto(_room(found, min(wanted)))
    await expect(page.locator("#item blockquote")).to_contain_text("楼道堆物")
    assert await axe(page) == []
    await screenshot(page, "room", full_page=False)

    assigned = await _at(page)
    await page.keyboard.press("1")
    await page.keyboard.type("强社")
    await expect(page.locator("#decide-assign [data-says]")).to_contain_text("强社公司主办")
    assert await axe(page) == []
    await screenshot(page, "room-assign", full_page=False)
    await page.keyboard.press("Enter")
    await expect(page.locator("#pending-lines li")).to_have_count(1)
    await expect(page.locator(f"#item:not([data-number='{assigned}'])")).to_be_visible()

    shelved = await _confirmed(page, "3")
    await expect(page.locator("#pending-lines li")).to_have_count(2)
    await page.keyboard.press("u")
    await expect(page.locator("#pending-lines li")).to_have_count(1)
    await expect(page.locator(f"#item[data-number='{shelved}']")).to_be_visible()

    returned = await _confirmed(page, "5", "请网格牵头，物业配合。")
    escalated = await _confirmed(page, "4")
    assert len({assigned, returned, escalated}) == 3 and returned == shelved
    await page.locator("#room-agenda a").last.click()
    await expect(page).to_have_url(re.compile(rf"/room/{found['id']}\?item="))
    await expect(page.locator("#room-agenda a").last).to_have_attribute("aria-current", "true")
    await screenshot(page, "room-pending", full_page=False)
    await expect(page.locator("#pending-lines li")).to_have_count(0, timeout=40_000)
    assert (await decided(town, assigned))["kind"] == "assign"
    assert (await decided(town, returned))["kind"] == "return_to_grid"
    assert (await decided(town, escalated))["kind"] == "escalate"
    await expect(page.locator("#minutes")).to_contain_text("请网格牵头")
    await expect(page.locator(".room-progress strong")).to_contain_text("已议 3/")
    assert await axe(page) == []
    await screenshot(page, "room-minutes", full_page=False)

    await page.get_by_role("button", name="散会").first.focus()
    await page.keyboard.press("Enter")
    assert await axe(page) == []
    await page.locator("#close form button:not([type=button])").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="会议结束")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "room-over", full_page=False)


async def test_leaving_before_the_time_is_up_records_it_once(desk: Windows, town: Town) -> None:
    number = await item(town)
    found = await session(town)
    page = await desk(secretary(town))
    await page.goto(_room(found, number))
    await expect(page.locator(f"#item[data-number='{number}']")).to_be_visible()
    await _confirmed(page, "5")
    await page.reload()
    assert (await decided(town, number))["kind"] == "return_to_grid"
    await expect(page.locator("#pending-lines li")).to_have_count(0, timeout=20_000)
    await expect(page.locator("#minutes")).to_contain_text(number)
    taken = await town.get(f"/meetings/{PLACE}/sessions/{found['id']}/minutes", secretary(town))
    assert [one["number"] for one in taken["decisions"]].count(number) == 1


async def test_without_quorum_nothing_is_decided_until_the_units_are_recorded(
    either: Windows, town: Town, screenshot: Screenshot
) -> None:
    number = await item(town)
    found = await session(town, quorum=False)
    page = await either(secretary(town))
    await page.goto(_room(found, number))
    await expect(page.locator("#blocked")).to_contain_text("未达法定人数")
    await expect(page.locator("[data-decide=assign]")).to_be_disabled()
    await page.keyboard.press("1")
    await expect(page.locator("dialog[open]")).to_have_count(0)
    assert await axe(page) == []
    await screenshot(page, "room-no-quorum", full_page=False)
    await page.locator("#attend input[type=checkbox]").first.check()
    await page.get_by_role("button", name="登记到会").click()
    await expect(page.locator("#side[data-quorum=yes]")).to_be_visible()
    await expect(page.locator("[data-decide=assign]")).to_be_enabled()


async def test_a_late_item_waits_for_the_chairs_consent(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    found = await session(town)
    number = await item(town, "开会以后才提出的事项。")
    keeper = await desk(secretary(town))
    await keeper.goto(_room(found, number))
    await expect(keeper.locator("#item")).to_contain_text("须经主席")
    await expect(keeper.locator("[data-decide=assign]")).to_be_disabled()
    assert await axe(keeper) == []

    chair = await desk(town.login(found["chair"]["id"]))
    await chair.goto(_room(found, number))
    await screenshot(chair, "room-late", full_page=False)
    await chair.locator("#item").focus()
    await chair.keyboard.press("c")
    await expect(chair.locator("[data-decide=return_to_grid]")).to_be_enabled()
    await _confirmed(chair, "5")
    line = await decided(town, number)
    assert line["consented"] is True
    await expect(keeper.locator("#minutes")).to_contain_text(number, timeout=30_000)


async def test_the_room_on_a_phone(phone: Windows, town: Town, screenshot: Screenshot) -> None:
    number = await item(town)
    found = await session(town)
    page = await phone(secretary(town))
    await page.goto(_room(found, number))
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await axe(page) == []
    await screenshot(page, "room", full_page=False)
    await page.get_by_role("button", name="挂账").tap()
    await expect(page.locator("#decide-shelve")).to_be_visible()
    assert await axe(page) == []
    await page.locator("#decide-shelve").get_by_role("button", name="确定").tap()
    assert (await decided(town, number))["kind"] == "shelve"
    await page.goto(f"/meetings/{PLACE}")
    # Until the agenda has let it go, the number may stand in two lists.
    await expect(page.locator(".list", has_text=number).filter(has_text="复议")).to_have_count(1)


async def test_a_whistle_shows_who_arrived(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either(secretary(town))
    await page.goto(f"/meetings/{PLACE}?convene=whistle")
    await expect(page.locator("#whistle")).to_be_visible()
    assert await axe(page) == []
    deadline = await page.evaluate(
        "(() => { const at = new Date(Date.now() + 7200e3 + 8 * 3600e3); return at.toISOString().slice(0, 16); })()"
    )
    await page.fill("#whistle-deadline", deadline)
    for n in range(3):
        await page.locator("#whistle [name='units[]']").nth(n).check()
    await page.locator("#whistle form > button").click()
    await page.get_by_role("button", name="确定").click()
    await page.wait_for_url("**/room/**")
    await expect(page.locator("#side")).to_contain_text("已到 0/3")
    await page.get_by_role("button", name=re.compile("^报到")).first.click()
    await expect(page.locator("#side")).to_contain_text("已到 1/3")
    assert await axe(page) == []
    await screenshot(page, "whistle", full_page=False)
    await page.get_by_role("button", name="取消这次会议").first.click()
    await page.locator("#close form button:not([type=button])").click()
    await expect(page.get_by_role("heading", name="未召开")).to_be_visible()


async def test_the_minutes_on_paper(either: Windows, town: Town, screenshot: Screenshot) -> None:
    number = await item(town)
    found, by = await session(town), secretary(town)
    body = {"number": number, "kind": "return_to_grid", "minute": "由网格牵头办理。"}
    await town.call("POST", f"/meetings/{PLACE}/decisions", by, body)
    await town.call("POST", f"/meetings/{PLACE}/sessions/{found['id']}/actions", by, {"type": "close"})
    page = await either(by)
    await page.goto(f"/meetings/{PLACE}/minutes/{found['id']}")
    await expect(page.locator(".paper")).to_contain_text("由网格牵头办理。")
    assert await axe(page) == []
    await screenshot(page, "minutes")
    async with page.expect_download() as given:
        await page.get_by_role("link", name="下载文本").click()
    assert (await given.value).suggested_filename.endswith(".md")
    await page.emulate_media(media="print")
    await expect(page.locator(".top")).to_be_hidden()
    await expect(page.get_by_text("主席签字")).to_be_visible()
    await screenshot(page, "minutes-print")


async def test_a_liaison_attends_for_the_own_unit_and_decides_nothing(phone: Windows, town: Town) -> None:
    await item(town)
    found = await session(town, quorum=False)
    here = {one["unit"]["id"] for one in found["present"]}
    unit = next(one for one in town.district.units_of(PLACE) if one.id not in here)
    page = await phone(town.login(unit.liaison))
    await page.goto(_room(found))
    assert await page.locator("#bar").count() == 0
    assert await axe(page) == []
    await page.get_by_role("button", name="本单位已到会").tap()
    await expect(page.locator("#side[data-quorum=yes]")).to_be_visible()


async def test_a_meeting_that_is_not_there(desk: Windows, watch: Watch) -> None:
    watch.expect(r"status of 404")
    page = await desk("supervisor")
    await page.goto("/meetings/nowhere")
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")
    assert await axe(page) == []
