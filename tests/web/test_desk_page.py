"""The unit's desk, the inbox and one's own page, as the people who use them do."""

from __future__ import annotations

from playwright.async_api import expect

from tests.builders import BLOCKED_DRAIN, until
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch


async def offered(town: Town) -> tuple[str, str]:
    """A demand that the routing gave to a unit, and the id of its liaison."""
    submitted = await town.submit("小区排水管道堵塞，污水漫到路上", category=BLOCKED_DRAIN)
    number = str(submitted["number"])
    view = await town.get(f"/demands/{number}", "supervisor")
    assert view["stage"] == "unit", view
    return number, (await town.holder(number)).id


async def test_an_offer_is_accepted_and_resolved(either: Windows, town: Town, screenshot: Screenshot) -> None:
    number, liaison = await offered(town)
    page = await either(liaison)
    await page.goto("/desk")
    card = page.locator(f'[data-number="{number}"]')
    await expect(card).to_contain_text("前可退单")
    assert await axe(page) == []
    await screenshot(page, "desk-offered")
    await card.get_by_role("button", name="受理").click()
    await expect(card.get_by_role("button", name="办结")).to_be_visible()
    await card.get_by_role("button", name="办结").click()
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "desk-resolve", full_page=False)
    await dialog.get_by_label("给居民的答复").fill("管道已疏通，现场已冲洗干净。")
    await dialog.get_by_role("button", name="提交办结").click()
    await expect(card).to_have_count(0)
    view = await town.get(f"/demands/{number}", "supervisor")
    assert view["stage"] == "feedback"


async def test_a_refusal_needs_its_basis_and_goes_on_to_somebody_else(desk: Windows, town: Town) -> None:
    number, liaison = await offered(town)
    page = await desk(liaison)
    await page.goto("/desk")
    card = page.locator(f'[data-number="{number}"]')
    await card.get_by_role("button", name="退单").click()
    dialog = page.get_by_role("dialog")
    assert await axe(page) == []
    await dialog.get_by_text("没有相应资源").click()
    await dialog.get_by_role("button", name="确认退单").click()
    await expect(card).to_have_count(0)
    view = await town.get(f"/demands/{number}", "supervisor")
    assert view["holder"]["id"] != liaison


async def test_resources_and_what_they_could_meet(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either("unit_liaison")
    for path in ("/desk/resources", "/desk/matches"):
        await page.goto(path)
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert await axe(page) == []
        await screenshot(page, path.strip("/").replace("/", "-"))


async def test_capacity_is_changed_by_the_liaison(desk: Windows, town: Town) -> None:
    page = await desk("unit_liaison")
    await page.goto("/desk/resources")
    await page.get_by_role("button", name="修改").first.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_label("总能力").fill("37")
    await dialog.get_by_role("button", name="保存").click()
    await expect(page.get_by_role("cell", name="37", exact=True)).to_be_visible()


async def test_the_inbox_is_read(either: Windows, town: Town, screenshot: Screenshot) -> None:
    number, liaison = await offered(town)

    async def told() -> bool | None:
        mine = await town.get("/inbox", liaison)
        return True if any(one["number"] == number and one["read_at"] is None for one in mine) else None

    await until(told)
    page = await either(liaison)
    await page.goto("/inbox")
    await expect(page.get_by_text("未读").first).to_be_visible(timeout=20_000)
    assert await axe(page) == []
    await screenshot(page, "inbox")
    read_all = page.get_by_role("button", name="全部标为已读")

    async def all_read() -> bool | None:
        """What arrives while the page is read stays unread, and is offered again."""
        if await read_all.count() == 0:
            return True
        await read_all.click()
        await page.wait_for_timeout(500)
        return None

    await until(all_read)


async def test_somebody_who_speaks_for_no_unit_gets_a_page_that_says_so(desk: Windows, watch: Watch) -> None:
    watch.expect(r"status of 403")
    page = await desk("auditor")
    answer = await page.goto("/desk")
    assert answer is not None and answer.status == 403
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有权限查看")
    assert await axe(page) == []


async def test_language_light_and_letters_are_chosen(phone: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await phone("grid_worker")
    await page.goto("/me")
    await page.get_by_role("button", name="深色").click()
    await expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    await page.get_by_role("button", name="特大").click()
    await expect(page.locator("html")).to_have_attribute("data-size", "huge")
    assert await axe(page) == []
    await screenshot(page, "me-dark-huge")
    await page.get_by_role("button", name="English").click()
    await expect(page.get_by_role("heading", name="Display")).to_be_visible()
