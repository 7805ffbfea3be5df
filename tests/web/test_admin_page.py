"""Administration of the district: every page at both widths, and what is looked at, published and taken back there."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch

PAGES = (
    "", "/units", "/units/u-power", "/stewards", "/stewards/xuanhualu-01", "/rosters", "/rosters/xuanhualu", "/people",
    "/people/p-0088", "/rules", "/promises", "/calendars", "/changes", "/deliveries",
)  # fmt: skip


async def preview(form: Locator) -> Locator:
    """What the dry run says; only then can it be published."""
    await expect(form.get_by_role("button", name="发布")).to_be_disabled()
    await form.get_by_role("button", name="预演").click()
    shown = form.locator(".preview")
    await expect(shown).to_contain_text("尚未发布")
    return shown


async def published(page: Page) -> None:
    await expect(page.get_by_text("已发布").first).to_be_visible()


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_at_both_widths(either: Windows, screenshot: Screenshot, path: str) -> None:
    page = await either("admin")
    answer = await page.goto(f"/admin{path}")
    assert answer is not None and answer.status == 200
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert await axe(page) == []
    await screenshot(page, f"admin{path.replace('/', '-')}")


async def test_a_unit_is_renamed_after_a_look(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either("admin")
    await page.goto("/admin/units/u-lift")
    await page.get_by_role("button", name="修改", exact=True).click()
    form = page.locator("#edit form")
    name = await form.get_by_label("名称").input_value() + "甲"
    await form.get_by_label("名称").fill(name)
    shown = await preview(form)
    await expect(shown.locator("ins")).to_have_text(name)
    assert await axe(page) == []
    await screenshot(page, "admin-unit-preview", full_page=False)
    await form.get_by_role("button", name="发布").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(name)
    await page.goto("/admin/changes?kind=unit&key=u-lift")
    await expect(page.locator("ins").first).to_have_text(name)


async def test_what_changed_since_the_look_has_to_be_looked_at_anew(desk: Windows) -> None:
    page = await desk("admin")
    await page.goto("/admin/units/u-gas")
    await page.get_by_role("button", name="修改", exact=True).click()
    form = page.locator("#edit form")
    await form.get_by_label("名称").fill("甲")
    await preview(form)
    await form.get_by_label("名称").fill("乙")
    await expect(form.get_by_role("button", name="发布")).to_be_disabled()
    await expect(form.locator(".preview")).to_be_hidden()


async def test_a_new_unit_with_a_resource_that_is_retired_later(desk: Windows, town: Town) -> None:
    page = await desk("admin")
    await page.goto("/admin/units")
    await page.get_by_role("button", name="新增单位").click()
    form = page.locator("#new-unit form")
    await form.get_by_label("单位编号").fill("u-new")
    await form.get_by_label("名称").fill("萱花路便民服务队")
    await form.get_by_label("类型").select_option("member_unit")
    await form.get_by_label("联络员").select_option(index=30)
    await form.get_by_text("萱花路社区").click()
    await preview(form)
    await form.get_by_role("button", name="发布").click()
    await page.wait_for_url("**/admin/units/u-new")
    await expect(page.get_by_text("还没有登记资源")).to_be_visible()

    await page.get_by_role("button", name="添加资源").click()
    form = page.locator("#resource-new form")
    await form.get_by_label("能做什么").fill("入户维修")
    await form.get_by_label("诉求类别").fill("0402")
    await form.get_by_label("同时可承接").fill("5")
    await preview(form)
    await form.get_by_role("button", name="发布").click()
    await expect(page.get_by_role("cell", name="入户维修", exact=True)).to_be_visible()

    await page.get_by_role("button", name="停用单位").click()
    form = page.locator("#retire form")
    await form.get_by_label("原因").fill("并入社区服务站")
    await form.get_by_text("由本单位继续办完").click()
    await form.get_by_label("生效时间").fill("2028-01-01T09:00")
    await form.get_by_role("button", name="预演").click()
    await expect(form.locator(".preview")).to_contain_text("在办任务")
    assert await axe(page) == []
    await form.get_by_role("button", name="停用单位").click()
    await expect(page.get_by_text("2028-01-01 09:00 起生效")).to_be_visible()
    await page.goto("/admin")
    await expect(page.get_by_text("萱花路便民服务队").first).to_be_visible()
    await page.get_by_role("button", name="取消生效").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("原因").fill("暂不合并")
    await dialog.get_by_role("button", name="取消生效").click()
    await expect(page.get_by_text("没有等待生效的变更")).to_be_visible()
    view = await town.get("/units/u-new", "admin")
    assert view["scheduled"] == [] and view["in_force"]["retired"] is None


async def test_a_grid_gets_another_steward(desk: Windows, town: Town) -> None:
    page = await desk("admin")
    await page.goto("/admin/stewards/xuanhualu-02")
    form = page.locator("form[data-publishes]")
    await form.get_by_label("单位").select_option("u-power")
    shown = await preview(form)
    await expect(shown).to_contain_text("今天的包联单位")
    await form.get_by_role("button", name="发布").click()
    await published(page)
    view = await town.get("/stewardships/xuanhualu-02", "admin")
    assert view["in_force"]["turns"][-1]["unit"] == "u-power"


async def test_a_roster_is_put_in_another_order(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either("admin")
    await page.goto("/admin/rosters/yupinglu")
    before = (await town.get("/rotation/yupinglu/roster", "admin"))["in_force"]["roster"]
    await page.get_by_role("button", name="上移").nth(1).click()
    form = page.locator("form[data-publishes]")
    shown = await preview(form)
    await expect(shown).to_contain_text("轮值名单")
    assert await axe(page) == []
    await screenshot(page, "admin-roster-preview")
    assert before == (await town.get("/rotation/yupinglu/roster", "admin"))["in_force"]["roster"]


async def test_leave_is_settled_and_somebody_is_signed_out_everywhere(desk: Windows, town: Town) -> None:
    worker = town.who("grid_worker", 3)
    other = await desk(worker)
    page = await desk("admin")
    await page.goto(f"/admin/people/{worker.id}")
    await page.get_by_role("button", name="添加请假").click()
    form = page.locator("section[aria-labelledby=leave] form")
    await form.get_by_label("从", exact=True).fill("2027-03-01")
    await form.get_by_label("到", exact=True).fill("2027-03-05")
    await preview(form)
    await form.get_by_role("button", name="发布").click()
    await published(page)
    view = await town.get(f"/people/{worker.id}/leave", "admin")
    assert view["in_force"]["leave"] == [{"from": "2027-03-01", "until": "2027-03-05"}]
    await page.get_by_role("button", name="全部退出登录").click()
    await page.get_by_role("button", name="确定").click()
    await expect(page.get_by_text("目前没有登录")).to_be_visible()
    await other.goto("/me")
    await other.wait_for_url("**/sign-in**", timeout=15_000)


async def test_somebody_new_gets_a_role(desk: Windows, town: Town) -> None:
    page = await desk("admin")
    await page.goto("/admin/people")
    await page.get_by_role("button", name="新增人员").click()
    form = page.locator("#new-person form")
    await form.get_by_label("人员编号").fill("p-new")
    await form.get_by_label("姓名").fill("新同事")
    await form.locator("[data-key=role]").select_option("operator")
    await preview(form)
    assert await axe(page) == []
    await form.get_by_role("button", name="发布").click()
    await page.wait_for_url("**/admin/people/p-new")
    assert (await town.get("/people/p-new", "admin"))["in_force"]["grants"][0]["role"] == "operator"


@pytest.mark.parametrize(("role", "status"), [("supervisor", 200), ("auditor", 200), ("unit_liaison", 403)])
async def test_others_see_what_is_theirs(desk: Windows, watch: Watch, role: str, status: int) -> None:
    watch.expect(r"status of 403")
    page = await desk(role)
    answer = await page.goto("/admin")
    assert answer is not None and answer.status == status
    if status == 200:
        await expect(page.get_by_role("link", name="单位与资源")).to_have_count(0)
        await expect(page.get_by_role("button", name="取消生效")).to_have_count(0)
        await expect(page.get_by_role("link", name="变更记录", exact=True)).to_be_visible()
        assert await axe(page) == []
    answer = await page.goto("/admin/units")
    assert answer is not None and answer.status == 403
