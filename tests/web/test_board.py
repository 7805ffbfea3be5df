"""The supervisor's board: its figures are its lists, its deeds are previewed, all of it by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Page, Route, expect

from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch


async def _settled(page: Page) -> None:
    """The rates come after the page."""
    await expect(page.locator("#rates .tile").first).to_be_visible()


async def _figure(page: Page, name: str) -> int:
    tile = page.locator(f"[data-tile={name}]")
    value = tile.locator(".tile-value")
    return int(await (value if await value.count() else tile).inner_text())


async def test_the_board_in_both_widths(either: Windows, screenshot: Screenshot) -> None:
    page = await either("supervisor")
    await page.goto("/board")
    await _settled(page)
    assert await page.locator("tr[data-row]").count() > 5
    await screenshot(page, "board")
    assert await axe(page) == []


async def test_the_board_in_the_dark_and_in_english(desk: Windows, screenshot: Screenshot) -> None:
    page = await desk("supervisor", color_scheme="dark", cookies={"linli-language": "en"})
    await page.goto("/board")
    await _settled(page)
    await expect(page.get_by_role("heading", level=1)).to_have_text("Supervisor's board")
    assert await axe(page) == []
    await screenshot(page, "board-dark")


@pytest.mark.parametrize("name", ["breached", "due_soon", "unaccepted", "opened", "closed"])
async def test_each_figure_counts_what_its_list_shows(desk: Windows, name: str) -> None:
    page = await desk("supervisor")
    await page.goto("/board")
    counted = await _figure(page, name)
    await page.locator(f"[data-tile={name}]").click()
    await page.wait_for_url("**/board?*")
    assert await page.locator("tr[data-row]").count() == min(counted, 50)
    assert int(re.sub(r"\D", "", await page.locator("#total").inner_text())) == counted


async def test_soonest_due_comes_first_and_what_is_paused_last(desk: Windows) -> None:
    page = await desk("supervisor")
    await page.goto("/board")
    due = await page.locator("tr[data-row] .due-line time").evaluate_all("all => all.map(one => one.dateTime)")
    assert due == sorted(due)
    lamps = await page.locator("tr[data-row] .lamp").evaluate_all("all => all.map(one => one.className)")
    paused = ["paused" in one for one in lamps]
    assert paused == sorted(paused)


async def test_what_matches_nothing_says_so_and_what_is_wrong_too(
    desk: Windows, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(r"status of 422")
    page = await desk("supervisor")
    await page.goto("/board?q=99999999")
    await expect(page.get_by_text("没有符合条件的诉求")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "board-no-match")
    await page.goto("/board?state=nonsense")
    await expect(page.get_by_role("heading", level=1)).to_have_text("筛选条件无效")


async def test_a_row_tells_who_hears_of_it_next(desk: Windows) -> None:
    page = await desk("supervisor")
    await page.goto("/board")
    tip = page.locator("tr[data-row] .tip").first
    await tip.focus()
    await expect(page.locator(f"#{await tip.get_attribute('aria-describedby')}")).to_be_visible()


async def test_views_are_saved_under_a_name(desk: Windows) -> None:
    page = await desk("supervisor")
    await page.goto("/board?stage=grid")
    await page.locator("details.menu summary").first.click()
    await page.get_by_label("把当前条件存为视图").fill("只看网格")
    await page.get_by_role("button", name="保存").click()
    await page.goto("/board")
    await page.locator("details.menu summary").first.click()
    await page.get_by_role("link", name="只看网格").click()
    await page.wait_for_url("**/board?stage=grid")


async def test_a_page_of_rows_and_the_next(desk: Windows, town: Town) -> None:
    """Keyset: the rows of the next page are those behind, none twice, and a page that stays open keeps all it shows."""
    page = await desk("supervisor")
    await page.goto("/board?rows=5")
    first = await page.locator("tr[data-row]").evaluate_all("all => all.map(one => one.dataset.row)")
    await page.locator("#more").click()
    await expect(page.locator("tr[data-row]")).not_to_have_count(5)
    all_of_them = await page.locator("tr[data-row]").evaluate_all("all => all.map(one => one.dataset.row)")
    assert all_of_them[:5] == first
    assert len(set(all_of_them)) == len(all_of_them)
    await page.goto("/board")
    at_once = await page.locator("tr[data-row]").evaluate_all("all => all.map(one => one.dataset.row)")
    assert all_of_them == at_once[: len(all_of_them)]


async def test_several_are_urged_with_preview_undo_and_progress(
    desk: Windows, town: Town, screenshot: Screenshot
) -> None:
    numbers = [(await town.submit(f"批量催办用例{n}，楼道灯不亮"))["number"] for n in range(2)]
    page = await desk("supervisor")
    await page.goto("/board")
    for number in numbers:
        await page.locator(f"[data-pick='{number}']").check()
    await page.get_by_role("button", name="催办", exact=True).last.click()
    dialog = page.locator("#bulk")
    await expect(dialog.get_by_role("heading", name="将办理 2 件")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "board-bulk", full_page=False)
    await dialog.get_by_role("button", name="办理 2 件").click()
    await dialog.get_by_role("button", name="撤销").click()
    await expect(page.get_by_text("已撤销，没有提交任何操作")).to_be_visible()
    for number in numbers:
        assert not await _urged(town, number)
    await dialog.get_by_role("button", name="办理 2 件").click()
    await expect(dialog.get_by_text("全部完成：2 件")).to_be_visible(timeout=30_000)
    for number in numbers:
        assert await _urged(town, number)


async def _urged(town: Town, number: str) -> bool:
    log = await town.get(f"/demands/{number}/events?limit=100", "supervisor")
    return any(one["type"] == "urged" for one in log)


async def test_what_got_no_answer_is_tried_again_and_done_once(desk: Windows, town: Town, watch: Watch) -> None:
    """The answer is lost after the deed was done: the row is named as uncertain, and trying again does nothing twice."""
    watch.expect(r"ERR_FAILED")
    number = (await town.submit("重试用例，楼道灯不亮"))["number"]
    page = await desk("supervisor")
    await page.goto("/board")
    lost: list[str] = []

    async def lose_the_first(route: Route) -> None:
        if lost:
            await route.continue_()
            return
        lost.append((await route.fetch()).headers.get("etag", ""))
        await route.abort()

    await page.route("**/actions", lose_the_first)
    await page.locator(f"#row-{number} [data-bulk-one=urge]").click()
    await page.locator("#bulk-go").click()
    await expect(page.locator("#bulk-failures")).to_contain_text(number, timeout=20_000)
    await page.get_by_role("button", name="重试未成功的").click()
    await expect(page.get_by_text("全部完成：1 件")).to_be_visible()
    log = await town.get(f"/demands/{number}/events?limit=100", "supervisor")
    assert [one["type"] for one in log].count("urged") == 1


async def test_the_preview_says_what_cannot_be_done_and_why(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("supervisor")
    await page.goto("/board?stage=meeting")
    await page.locator("#pick-all").check()
    await page.get_by_role("button", name="改派").first.click()
    await expect(page.locator("#bulk-no li").first).to_contain_text("当前阶段或状态不能这样办理")
    await expect(page.locator("#bulk-go")).to_be_disabled()
    await screenshot(page, "board-bulk-refused", full_page=False)


async def test_the_keyboard_alone(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    """j, x, the range, e, u, the palette, ?, and Enter onto the case."""
    await town.submit("键盘用例，楼道灯不亮")
    page = await desk("supervisor")
    await page.goto("/board")
    keys = page.keyboard
    await keys.press("j")
    await keys.press("x")
    await keys.press("j")
    await keys.press("j")
    await keys.press("Shift+X")
    await expect(page.locator("tr[data-chosen]")).to_have_count(3)
    await expect(page.locator("#bulk-count")).to_have_text("已选 3 件")
    await keys.press("e")
    await expect(page.locator("#why li").first).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "board-why", full_page=False)
    await keys.press("Escape")
    await keys.press("u")
    await expect(page.locator("#bulk")).to_be_visible()
    await keys.press("Escape")
    await keys.press("?")
    await expect(page.locator("#keys")).to_be_visible()
    await keys.press("Escape")
    await keys.press("Control+k")
    await keys.type("分析")
    assert await axe(page) == []
    await screenshot(page, "board-palette", full_page=False)
    await keys.press("Escape")
    await keys.press("/")
    await expect(page.locator("#f-q")).to_be_focused()
    await keys.press("Escape")
    await page.locator("h1").click()
    await keys.press("k")
    number = await page.locator("tr.is-at").get_attribute("data-row")
    await keys.press("Enter")
    await page.wait_for_url(f"**/demands/{number}")


DESK_PAGES = ["/board", "/meetings", "/rotation", "/lists/demands", "/analysis", "/system", "/admin"]


@pytest.mark.parametrize("path", DESK_PAGES)
async def test_a_number_typed_into_the_palette_opens_the_demand(desk: Windows, town: Town, path: str) -> None:
    number = (await town.submit("命令面板用例"))["number"]
    page = await desk("supervisor")
    await page.goto(path)
    await page.keyboard.press("Control+k")
    await page.keyboard.type(number)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**/demands/{number}")


async def test_what_happens_appears_by_itself(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    await page.goto("/board")
    await expect(page.locator(".live")).to_contain_text("数据截至")
    number = (await town.submit("实时用例，楼道灯不亮"))["number"]
    await expect(page.locator(f"#row-{number}")).to_be_attached(timeout=15_000)


async def test_it_says_when_the_connection_is_lost(desk: Windows, watch: Watch) -> None:
    watch.expect(r"ERR_|Failed to (load|fetch)")
    page = await desk("supervisor")
    await page.clock.install()
    await page.goto("/board")
    await _settled(page)
    await page.context.set_offline(True)
    await page.evaluate("dispatchEvent(new Event('offline'))")
    await page.clock.fast_forward(50_000)
    await expect(page.locator(".live")).to_contain_text("连接已断开")
    await expect(page.locator("body")).to_have_class(re.compile("is-stale"))


async def test_not_for_everybody(phone: Windows, watch: Watch) -> None:
    page = await phone()
    await page.goto("/board")
    assert "/sign-in" in page.url


async def test_a_secretary_sees_the_own_community_only(desk: Windows, town: Town) -> None:
    secretary = town.who("community_secretary")
    page = await desk(secretary)
    await page.goto("/board")
    communities = await page.locator("tr[data-row]").evaluate_all(
        "all => [...new Set(all.map(one => one.dataset.community))]"
    )
    assert set(communities) <= {secretary.scope.removeprefix("community:")}
