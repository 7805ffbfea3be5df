"""Rules, promises and the calendar: tried on the demands there are, refused with reasons, published; and deliveries."""

from __future__ import annotations

import json

from playwright.async_api import expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch


async def test_other_rules_are_tried_and_wrong_ones_are_told(
    either: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(r"status of 422")
    page = await either("admin")
    await page.goto("/admin/rules")
    area = page.get_by_label("规则（JSON）")
    rules = json.loads(await area.input_value())
    assert rules["version"] != (await town.get("/routing/rules", "admin"))["version"]
    form = page.locator("form[data-publishes]")

    await area.fill("{")
    await form.get_by_role("button", name="预演").click()
    await expect(form.get_by_role("alert")).to_contain_text("不是有效的 JSON")

    wrong = {**rules, "rules": [{**rules["rules"][0], "to": {"unit": "u-nobody"}}, *rules["rules"][1:]]}
    await area.fill(json.dumps(wrong))
    await form.get_by_role("button", name="预演").click()
    await expect(form.locator(".preview")).to_contain_text("不能发布")
    assert await axe(page) == []

    await area.fill(json.dumps({**rules, "rules": rules["rules"][3:]}))
    await form.get_by_role("button", name="预演").click()
    await expect(form.locator(".preview")).to_contain_text("试算诉求")
    assert await axe(page) == []
    await screenshot(page, "admin-rules-preview")


async def test_a_supervisor_tries_rules_and_publishes_none(desk: Windows) -> None:
    page = await desk("supervisor")
    await page.goto("/admin/rules")
    form = page.locator("form[data-publishes]")
    await form.get_by_role("button", name="预演").click()
    await expect(form.locator(".preview")).to_contain_text("试算诉求")
    await expect(form.get_by_role("button", name="发布")).to_have_count(0)


async def test_promises_are_published_for_a_day_to_come_and_taken_back(
    either: Windows, town: Town, screenshot: Screenshot
) -> None:
    page = await either("admin")
    await page.goto("/admin/promises")
    form = page.locator("form[data-publishes]")
    await form.get_by_label("一般诉求 办结、数值").fill("6")
    await form.get_by_label("生效时间").fill("2028-06-01T00:00")
    await form.get_by_role("button", name="预演").click()
    shown = form.locator(".preview")
    await expect(shown).to_contain_text("在办诉求")
    await expect(shown.get_by_role("listitem").filter(has_text="办结")).to_contain_text("6")
    assert await axe(page) == []
    await screenshot(page, "admin-promises-preview")
    await form.get_by_role("button", name="发布").click()
    await expect(page.get_by_text("起生效").first).to_be_visible()
    await page.get_by_role("button", name="取消生效").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("原因").fill("试用")
    await dialog.get_by_role("button", name="取消生效").click()
    await expect(page.get_by_text("起生效")).to_have_count(0)


async def test_a_due_time_is_calculated_and_explained(either: Windows, screenshot: Screenshot) -> None:
    page = await either("admin")
    await page.goto("/admin/calendars?year=2026")
    await page.get_by_label("从", exact=True).first.fill("2026-09-30T17:00")
    await page.get_by_role("button", name="计算").click()
    due = page.locator(".due")
    await expect(due).to_contain_text("到期时间")
    await expect(due).to_contain_text("国庆")
    assert await axe(page) == []
    await screenshot(page, "admin-calendar-due")


async def test_the_notice_of_a_year_is_tried_on_open_demands(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("admin")
    await page.goto("/admin/calendars?year=2027")
    await expect(page.get_by_text("放假安排尚为暂定").first).to_be_visible()
    form = page.locator("form[data-publishes]")
    await form.get_by_label("节日").first.fill("元旦")
    await form.get_by_label("到", exact=True).first.fill("2027-01-03")
    await form.get_by_label("暂定（通知尚未公布）").uncheck()
    await form.get_by_role("button", name="预演").click()
    shown = form.locator(".preview")
    await expect(shown).to_contain_text("在办诉求")
    assert await axe(page) == []
    await screenshot(page, "admin-calendar-preview")


async def test_changes_are_narrowed_by_kind(desk: Windows) -> None:
    page = await desk("admin")
    await page.goto("/admin/changes")
    await page.get_by_label("类型").select_option("holiday_year")
    await page.get_by_role("button", name="查找").click()
    await page.wait_for_url("**kind=holiday_year**")
    assert await axe(page) == []


async def test_deliveries_and_channels(desk: Windows, town: Town) -> None:
    page = await desk("admin")
    await page.goto("/admin/deliveries?state=dead")
    for channel in await town.get("/channels", "admin"):
        assert channel["name"]
    await expect(page.get_by_text("未配置").first).to_be_visible()
    await page.get_by_role("button", name="按时段重发").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("从").fill("2026-01-01T00:00")
    await dialog.get_by_label("到").fill("2026-01-02T00:00")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="重发", exact=True).click()
    await expect(page.get_by_text("已重新排队发送")).to_be_visible()
