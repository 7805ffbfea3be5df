"""What an integrator plugs in: keys whose secret is shown once, and webhooks with the log of what became of each event."""

from __future__ import annotations

import httpx2
from playwright.async_api import Page, expect

from tests.builders import until
from tests.gateways.receivers import Received, receiving, status
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town


async def secret_of(page: Page) -> str:
    """What the dialog shows, which is closed afterwards; the page is read anew."""
    dialog = page.locator("#secret")
    await expect(dialog).to_be_visible()
    secret = await dialog.locator("output").inner_text()
    assert await axe(page) == []
    async with page.expect_navigation():
        await dialog.get_by_role("button", name="已保存，关闭").click()
    await expect(page.get_by_text(secret)).to_have_count(0)
    return secret


async def answered(town: Town, secret: str) -> int:
    async with httpx2.AsyncClient(base_url=town.url) as http:
        answer = await http.get("/api/v1/demands?limit=1", headers={"Authorization": f"Bearer {secret}"})
    return answer.status_code


async def test_a_key_is_made_rotated_and_revoked(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either("integrator")
    await page.goto("/keys")
    name = f"热线对接 {await page.evaluate('innerWidth')}"
    await page.get_by_role("button", name="新建密钥").click()
    dialog = page.locator("#new-key")
    await dialog.get_by_label("名称").fill(name)
    await dialog.get_by_text("读取诉求").click()
    assert await axe(page) == []
    await screenshot(page, "keys-new", full_page=False)
    await dialog.get_by_role("button", name="生成密钥").click()
    await expect(page.locator("#secret")).to_be_visible()
    first = await secret_of(page)
    assert await answered(town, first) == 200
    row = page.get_by_role("row").filter(has_text=name)
    await expect(row).to_contain_text("有效")
    assert await axe(page) == []
    await screenshot(page, "keys")

    await row.get_by_role("button", name="轮换").click()
    await page.get_by_role("button", name="确定").click()
    second = await secret_of(page)
    assert second != first
    assert await answered(town, second) == 200 == await answered(town, first)

    await expect(row).to_have_count(2)
    for _ in range(2):
        left = await row.get_by_role("button", name="撤销").count()
        await row.get_by_role("button", name="撤销").first.click()
        async with page.expect_navigation():
            await page.get_by_role("button", name="确定").click()
        await expect(row.get_by_role("button", name="撤销")).to_have_count(left - 1)
    await expect(row.first).to_contain_text("已撤销")

    async def refused() -> bool | None:
        return (await answered(town, second) == 401) or None

    await until(refused)


async def made(page: Page, url: str) -> None:
    """A webhook by the form, and its page."""
    await page.goto("/webhooks")
    await page.get_by_role("button", name="新建推送").click()
    dialog = page.locator("#new-hook")
    await dialog.get_by_label("接收地址").fill(url)
    await dialog.get_by_label("说明").fill(f"试用 {url}")
    assert await axe(page) == []
    await dialog.get_by_role("button", name="创建").click()
    assert (await secret_of(page)).startswith("whsec_")
    await page.get_by_role("link", name=f"试用 {url}").click()
    await page.wait_for_url("**/webhooks/wh-*")


async def logged(page: Page, word: str) -> None:
    """Until the log says so."""

    async def look() -> bool | None:
        await page.reload()
        return (await page.locator("tbody .chip").filter(has_text=word).count() > 0) or None

    await until(look)


async def test_a_webhook_is_pinged_and_its_log_tells(either: Windows, town: Town, screenshot: Screenshot) -> None:
    async with receiving() as receiver:
        page = await either("integrator")
        await made(page, receiver.url)
        await expect(page.get_by_text("还没有推送记录")).to_be_visible()
        await page.get_by_role("button", name="发送测试").click()
        await expect(page.get_by_role("row")).to_have_count(2)
        await logged(page, "已送达")
        assert len(receiver.got) == 1 and "webhook-signature" in receiver.got[0].headers
        assert await axe(page) == []
        await screenshot(page, "webhook")

        await page.locator("tbody").get_by_role("button", name="重发").first.click()

        async def twice() -> bool | None:
            return len(receiver.got) == 2 or None

        await until(twice)
        await page.get_by_role("button", name="轮换签名密钥").click()
        await page.get_by_role("button", name="确定").click()
        assert (await secret_of(page)).startswith("whsec_")
        await expect(page.get_by_text("旧签名密钥有效至")).to_be_visible()

        await page.get_by_role("button", name="停用", exact=True).click()
        await page.get_by_role("button", name="确定").click()
        await expect(page.get_by_text("已停用")).to_be_visible()
        await page.get_by_role("button", name="删除").click()
        await page.get_by_role("button", name="确定").click()
        await page.wait_for_url("**/webhooks")
        assert await axe(page) == []
        await screenshot(page, "webhooks")


async def test_a_test_that_is_not_taken_is_given_up_and_says_so(
    desk: Windows, town: Town, screenshot: Screenshot
) -> None:
    async def broken(_: Received) -> bytes:
        return status(500)

    async with receiving(broken) as receiver:
        page = await desk("integrator")
        await made(page, receiver.url)
        await page.get_by_role("button", name="发送测试").click()

        async def tried() -> bool | None:
            return bool(receiver.got) or None

        await until(tried)
        await logged(page, "已放弃")
        await expect(page.locator("tbody tr").first).to_contain_text("500")
        await screenshot(page, "webhook-failing")
        assert await axe(page) == []
        await page.get_by_role("button", name="删除").click()
        await page.get_by_role("button", name="确定").click()
        await page.wait_for_url("**/webhooks")


async def test_every_state_of_a_delivery_has_its_word() -> None:
    from web.words import has

    for state in ("pending", "delivered", "failed", "superseded"):
        assert has(f"integration.log.{state}")
