"""The four lists and the rotation: living views, the match in both directions, and what may be changed there."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.meeting_town import PLACE, secretary
from tests.web.town import Town
from tests.web.watching import Watch


@pytest.mark.parametrize("path", ["", "/demands", "/projects", "/care", "/units/u-gas"])
async def test_every_list_at_both_widths(either: Windows, town: Town, screenshot: Screenshot, path: str) -> None:
    page = await either(secretary(town))
    await page.goto(f"/lists{path}")
    await expect(page.get_by_role("heading", level=1)).to_have_text("四张清单")
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= await page.evaluate("innerWidth")
    assert await axe(page) == []
    await screenshot(page, f"lists{path.replace('/', '-')}", full_page=False)


async def test_a_need_leads_to_its_demands_and_these_to_units(desk: Windows, town: Town) -> None:
    made = await town.submit("路灯不亮", "operator", category="030101", location={"grid": f"{PLACE}-01"})
    page = await desk(secretary(town))
    await page.goto("/lists/demands?category=030101")
    await expect(page.locator("#items")).to_contain_text(made["number"])
    await page.get_by_role("link", name=f"谁能办 {made['number']}").click()
    await expect(page.get_by_role("heading", name="哪些单位能办这件诉求")).to_be_visible()
    assert await axe(page) == []


async def test_a_project_is_opened_and_moved_on(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either(secretary(town))
    await page.goto("/lists/projects")
    await page.get_by_role("button", name="新立项目").click()
    await page.fill("#p-title", "楼道清理")
    await page.select_option("#p-lead", index=1)
    assert await axe(page) == []
    await page.get_by_role("button", name="立项", exact=True).click()
    await page.wait_for_url("**/projects/prj-*")
    await page.get_by_role("button", name="加节点").click()
    await page.fill("#m-title", "现场勘查")
    await page.fill("#m-due", "2030-01-31")
    await page.locator("#milestone button.w-100").click()
    await expect(page.locator(".list-title", has_text="现场勘查")).to_be_visible()
    await page.select_option("[name=percent]", "50")
    await page.get_by_role("button", name="报进度 现场勘查").click()
    await expect(page.locator("main .facts")).to_contain_text("50%")
    assert await axe(page) == []
    await screenshot(page, "project")


async def test_reading_a_person_leaves_a_trace_that_the_page_shows(either: Windows, town: Town) -> None:
    page = await either(secretary(town))
    await page.goto("/lists/care")
    await page.get_by_role("button", name="加入清单").click()
    await page.fill("#n-name", "李桂芳")
    await page.locator("#add button.w-100").click()
    await page.wait_for_url("**/care/care-*")
    await expect(page.locator(".notice-warn")).to_contain_text("您的查看已留痕")
    await expect(page.locator("h2", has_text="李桂芳")).to_be_visible()
    assert await axe(page) == []
    await page.get_by_role("button", name="平安").click()
    await page.wait_for_url("**/lists/care")
    assert "李桂芳" not in await page.inner_text("main")


async def test_the_private_list_is_not_for_everybody(desk: Windows, town: Town, watch: Watch) -> None:
    watch.expect(r"status of 403")
    page = await desk("auditor")
    await page.goto("/lists/care")
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有权限查看")
    await page.goto("/lists")
    assert await page.locator(".list-tabs a", has_text="个性清单").count() == 0


async def test_two_turns_are_swapped_and_swapped_back(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either(secretary(town))
    await page.goto("/rotation")
    assert await axe(page) == []
    before = await page.locator(".turns tbody tr strong").all_inner_texts()
    await page.get_by_role("button", name="对调").first.click()
    await page.select_option("#swap-with", index=2)
    await page.fill("#swap-reason", "年初检修，两家协商对调")
    assert await axe(page) == []
    await page.locator("#swap button.w-100").click()
    await expect(page.locator(".turns")).to_contain_text("年初检修")
    after = await page.locator(".turns tbody tr strong").all_inner_texts()
    assert after[1:3] == before[2:0:-1]
    assert await axe(page) == []
    await screenshot(page, "rotation")
    await page.get_by_role("button", name="撤销").first.click()
    await page.get_by_role("button", name="确定").click()
    await expect(page.locator(".turns")).not_to_contain_text("年初检修")
    assert await page.locator(".turns tbody tr strong").all_inner_texts() == before
