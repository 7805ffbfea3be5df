"""Following one's own demand, in both widths: by code and by link, with honest times; answering, reopening, adding, withdrawing."""

from __future__ import annotations

import json
import re
import secrets
from pathlib import Path
from typing import Any

import httpx2
from playwright.async_api import Page, expect

from tests.pictures import a_jpeg
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch

CONSULT = "120101"  # nobody else has to look at the result


async def reported(town: Town, **more: Any) -> dict[str, Any]:
    """As the page sends it."""
    location = {"compound": town.district.compounds[0].id}
    body = {"text": "小区门口的公告栏玻璃碎了，老人容易划伤", "category": CONSULT, "location": location} | more
    headers = {"Linli-Draft": secrets.token_urlsafe(32), "Idempotency-Key": secrets.token_hex(16)}
    async with httpx2.AsyncClient(base_url=town.url, timeout=30) as http:
        answer = await http.post("/api/v1/resident/demands", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def by_code(page: Page, told: dict[str, Any]) -> None:
    await page.goto("/follow")
    await page.locator("#number").fill(told["number"])
    await page.locator("#code").fill(told["code"].lower().replace("-", " "))
    await page.locator("#code-form button").click()
    await expect(page.locator("#stage")).to_be_visible()


async def by_link(page: Page, told: dict[str, Any]) -> None:
    await page.goto("/f#" + told["link"].partition("#")[2])
    await expect(page.locator("#stage")).to_be_visible()


async def resolved(town: Town, told: dict[str, Any]) -> None:
    holder = await town.holder(told["number"])
    await town.act(told["number"], holder, "accept")
    await town.act(told["number"], holder, "contact")
    await town.act(told["number"], holder, "resolve", reply="公告栏玻璃已更换，碎片已清理干净，请您放心。")


async def test_by_number_and_code(either: Windows, town: Town, screenshot: Screenshot) -> None:
    told = await reported(town, reporter={"phone": "13912345678"})
    page = await either()
    await page.goto("/follow")
    await expect(page.locator("#number")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "follow-code")
    await by_code(page, told)
    assert await axe(page) == []
    await screenshot(page, "follow-open")
    await expect(page.locator(".steps [aria-current=step]")).to_contain_text("办理中")
    await expect(page.locator("#demand")).to_contain_text("公告栏")
    assert "13912345678" not in await page.content()
    await page.reload()
    await expect(page.locator("#stage")).to_be_visible()
    await page.locator("#leave").click()
    await expect(page.locator("#number")).to_be_visible()
    await page.reload()
    await expect(page.locator("#number")).to_be_visible()


async def test_a_wrong_code_is_said_and_a_dead_link_leads_to_the_code(
    phone: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(r"status of 401")
    told = await reported(town)
    page = await phone()
    await page.goto("/follow")
    await page.locator("#number").fill(told["number"])
    await page.locator("#code").fill("3333-3333")
    await page.locator("#code-form button").click()
    await expect(page.locator("#enter-failed")).to_contain_text("对不上")
    assert await axe(page) == []
    await screenshot(page, "follow-wrong-code")
    other = await phone()
    await other.goto("/f#" + "x" * 43)
    await expect(other.locator("#enter-failed")).to_contain_text("链接无效")
    assert "#" not in other.url


async def test_a_link_opens_it_and_leaves_the_address(phone: Windows, town: Town) -> None:
    told = await reported(town)
    page = await phone()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await by_link(page, told)
    assert page.url == f"{town.url}/f"
    token = told["link"].partition("#")[2]
    assert not [url for url in asked if token in url or told["number"] in url]


async def test_adding_urging_and_changing_ones_mind(
    either: Windows, town: Town, tmp_path: Path, screenshot: Screenshot
) -> None:
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(a_jpeg(640, 480))
    told = await reported(town)
    page = await either()
    await by_link(page, told)
    await page.locator("#add-note").fill("早上八点以后家里都有人")
    await page.locator("#add-photo").set_input_files(photo)
    await page.locator("#add").click()
    await expect(page.locator(".shot img")).to_have_count(1)
    await expect(page.locator("#demand")).to_contain_text("早上八点以后")
    await page.locator("#urge").click()
    await expect(page.locator(".timeline")).to_contain_text("已催办")
    await page.locator("#new-phone").fill("13900001234")
    await page.locator("#save-phone").click()
    await expect(page.locator("#demand")).to_contain_text(re.compile(r"139\*+1234"))
    await page.locator("#withdraw").click()
    await expect(page.locator("#withdraw-yes")).to_be_focused()
    assert await axe(page) == []
    await screenshot(page, "follow-added")
    await page.locator("#withdraw-yes").click()
    await expect(page.locator("#stage")).to_contain_text("您已撤回")


async def test_why_the_clock_stands_still_is_said(either: Windows, town: Town, screenshot: Screenshot) -> None:
    told = await reported(town)
    holder = await town.holder(told["number"])
    await town.act(told["number"], holder, "accept")
    await town.act(told["number"], holder, "request_info", reason="awaiting_access")
    page = await either()
    await by_link(page, told)
    await expect(page.locator(".notice-warn")).to_contain_text("等待能够入户")
    assert await axe(page) == []
    await screenshot(page, "follow-paused")


async def test_the_three_questions_then_reopened(either: Windows, town: Town, screenshot: Screenshot) -> None:
    told = await reported(town)
    await resolved(town, told)
    page = await either()
    await by_link(page, told)
    await expect(page.locator("#questions")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "follow-questions")
    await page.locator("#answer").click()
    await expect(page.locator("#questions .form-error")).to_contain_text("三个问题")
    for answer in ("contacted-yes", "solved-yes", "satisfied-satisfied"):
        await page.locator(f"label[for={answer}]").click()
    await page.locator("#answer-note").fill("谢谢小刘")
    await page.locator("#answer").click()
    await expect(page.locator("#stage")).to_contain_text("已结案")
    await expect(page.locator("#answered")).to_contain_text("满意")
    await expect(page.locator("#demand .notice").first).to_contain_text("前可以申请重新办理")
    assert await axe(page) == []
    await screenshot(page, "follow-closed")
    await page.locator("#reopen-note").fill("玻璃又松了")
    await page.locator("#reopen").click()
    await expect(page.locator(".steps [aria-current=step]")).to_contain_text("办理中")
    await expect(page.locator(".timeline")).to_contain_text("您申请重新办理")


async def test_by_keyboard_alone_what_is_not_solved_goes_back(desk: Windows, town: Town) -> None:
    told = await reported(town)
    await resolved(town, told)
    page = await desk()
    await by_link(page, told)
    await page.locator("#contacted-no").focus()
    await page.keyboard.press("Space")
    for group in ("solved", "satisfied"):
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.name") == group
        await page.keyboard.press("Space")
        await page.keyboard.press("ArrowLeft")  # round to the last one: the worst
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".timeline")).to_contain_text("重新办理")


async def test_in_english_large_and_dark(phone: Windows, town: Town, screenshot: Screenshot) -> None:
    told = await reported(town)
    await resolved(town, told)
    page = await phone(cookies={"linli-size": "huge", "linli-language": "en", "linli-theme": "dark"})
    await by_link(page, told)
    await expect(page.locator("#demand h1")).to_have_text("Your demand")
    assert await axe(page) == []
    assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth + 1")
    await screenshot(page, "follow-huge-dark")


async def test_the_pages_hold_nothing_of_a_demand_and_may_do_nothing_else(town: Town) -> None:
    async with httpx2.AsyncClient(base_url=town.url, headers={"Accept-Language": "zh-CN,zh;q=0.9"}) as http:
        for path in ("/f", "/follow"):
            before = await http.get(path)
            policy = before.headers["content-security-policy"]
            assert "default-src 'none'" in policy and "script-src 'self'" in policy and "unsafe" not in policy
            assert before.headers["referrer-policy"] == "no-referrer" and "frame-ancestors 'none'" in policy
            assert not re.search(r"<script(?![^>]*(src=|application/json))|\son\w+=|style=|https?://", before.text)
            told = await reported(town)
            assert (await http.get(path)).text == before.text and told["number"] not in before.text
        english = await http.get("/f", headers={"Accept-Language": "en-GB"})
        words = re.search(r'id="words"[^>]*>(.*?)</script>', english.text, re.DOTALL)
        assert words is not None and json.loads(words[1])["yours"] == "Your demand"
