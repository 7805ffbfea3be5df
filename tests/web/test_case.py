"""The page of a case: who owes what by when and why, what can be done with it, and everything that happened."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import get_args

from playwright.async_api import Page, expect

from domain.vocabulary import ClockName, DecisionKind, Outcome
from service import forms
from tests.builders import until
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch
from web.case_actions import BASES, ESCALATIONS, EXTENSIONS, PAUSES
from web.case_sentences import MILESTONES, TYPES
from web.words import has


def test_every_event_has_a_sentence() -> None:
    assert [one for one in TYPES if not has(f"case.event.{one}")] == []
    assert set(TYPES) >= MILESTONES


def test_every_code_has_a_word() -> None:
    codes = {
        "outcome": tuple(Outcome), "decision": tuple(DecisionKind), "reason": (*BASES, *PAUSES, *EXTENSIONS, *ESCALATIONS),
    }  # fmt: skip
    assert [
        f"{table}.{code}" for table, some in codes.items() for code in some if not has(f"case.{table}.{code}")
    ] == []
    assert [clock for clock in ClockName if not has(f"shell.clock.{clock}")] == []


def test_every_command_has_its_words() -> None:
    union = get_args(get_args(forms.ActionForm)[0])
    commands = [name for form in union for name in get_args(form.model_fields["type"].annotation)]
    assert [c for c in commands if not (has(f"case.do.{c}") and has(f"case.help.{c}"))] == []


async def _some(town: Town, stage: str, *, paused: bool | None = None) -> str:
    found = await town.get(f"/demands?stage={stage}&limit=100", "supervisor")
    return str(next(one["number"] for one in found if paused is None or bool(one["paused"]) == paused))


async def _open(page: Page, number: str, **query: str) -> None:
    said = "&".join(f"{k}={v}" for k, v in query.items())
    await page.goto(f"/demands/{number}" + (f"?{said}" if said else ""))
    await expect(page.get_by_role("heading", level=1)).to_contain_text(number)


async def test_a_case_in_both_widths(either: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await either("supervisor")
    await _open(page, await _some(town, "unit"))
    await screenshot(page, "case")
    assert await axe(page) == []


async def test_a_case_in_every_stage(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("supervisor")
    for stage in ("intake", "grid", "meeting", "feedback", "closed"):
        await _open(page, await _some(town, stage), zoom="full")
        await screenshot(page, f"case-{stage}")
        assert await axe(page) == [], stage


async def test_a_paused_case_says_why_and_what_is_left(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("supervisor", color_scheme="dark")
    await _open(page, await _some(town, "grid", paused=True))
    owes = page.locator(".owes")
    await expect(owes).to_contain_text("已暂停 · 剩")
    await expect(owes).to_contain_text("等待入户")
    await screenshot(page, "case-paused-dark")
    assert await axe(page) == []


async def test_why_this_due_line_by_line(desk: Windows, town: Town) -> None:
    page = await desk("supervisor")
    await _open(page, await _some(town, "grid", paused=False))
    await page.locator(".clocks summary").first.click()
    await expect(page.locator(".why li").first).to_be_visible()


async def test_three_zooms_of_the_timeline(desk: Windows, town: Town) -> None:
    number = await _some(town, "unit")
    log = await town.get(f"/demands/{number}/events?limit=100", "supervisor")
    page = await desk("supervisor")
    await _open(page, number)
    compact = await page.locator(".timeline > li").count()
    assert compact == len([one for one in log if one["type"] in MILESTONES])
    await page.get_by_role("link", name="全部", exact=True).click()
    await expect(page.locator(".timeline > li")).to_have_count(len(log))
    await page.get_by_role("link", name="原始记录").click()
    assert json.loads(await page.locator("pre.raw").inner_text()) == log


async def test_what_was_done_offline_says_when(desk: Windows, town: Town) -> None:
    """Done at one time, told at another: the entry says both."""
    number = (await town.submit("离线用例，楼上拖椅子", category="110102"))["number"]
    worker = await town.holder(number)
    done = datetime.now(UTC) - timedelta(minutes=30)
    await town.act(number, worker, "accept", performed_at=done.isoformat(timespec="seconds"))
    log = await town.get(f"/demands/{number}/events?limit=100", "supervisor")
    page = await desk("supervisor")
    await _open(page, number, zoom="full")
    marks = page.locator(".timeline .chip", has_text="离线")
    late = [one for one in log if one["performed_at"] and one["performed_at"] != one["at"]]
    assert late, "the engine keeps when it was done"
    await expect(marks).to_have_count(len(late))
    await expect(marks.first).to_contain_text("收到")


async def test_a_sheet_sends_the_command(either: Windows, town: Town, screenshot: Screenshot) -> None:
    number = (await town.submit("督办用例，楼道灯不亮"))["number"]
    page = await either("supervisor")
    await _open(page, number)
    await _choose(page, "督办")
    sheet = page.locator("#do-supervise")
    await sheet.get_by_text("下达要求").click()
    await sheet.get_by_label("督办要求").fill("今天下班前到现场。")
    await screenshot(page, "case-supervise", full_page=False)
    assert await axe(page) == []
    await sheet.get_by_role("button", name="督办").click()
    await expect(page.locator("#toasts")).to_contain_text("督办：已完成")
    await page.goto(f"/demands/{number}?zoom=full")
    await expect(page.locator(".timeline")).to_contain_text("下达督办要求")
    await expect(page.locator(".timeline")).to_contain_text("今天下班前到现场。")


async def _choose(page: Page, name: str) -> None:
    button = page.locator(".acts").get_by_role("button", name=name, exact=True)
    if not await button.is_visible():
        await page.locator(".acts-more > summary").click()
    await button.click()


async def test_every_sheet_is_sound(either: Windows, town: Town, screenshot: Screenshot) -> None:
    """Each form that a supervisor may fill in: opened, looked at by axe, closed."""
    page = await either("supervisor")
    for stage in ("unit", "grid", "intake"):
        await _open(page, await _some(town, stage))
        for name in await page.locator("dialog[id^=do-]").evaluate_all("all => all.map(one => one.id)"):
            await page.evaluate("id => linli.open(id)", name)
            assert await axe(page) == [], f"{stage} {name}"
            await screenshot(page, f"sheet-{name}", full_page=False)
            await page.keyboard.press("Escape")


async def test_duplicates_are_offered_and_merged(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    first = (await town.submit("幸福楼门口路灯坏了三天，晚上看不见路"))["number"]
    second = (await town.submit("幸福楼门口的路灯不亮，晚上看不见路"))["number"]

    async def alike() -> bool | None:
        """A fresh demand can be compared a little after it was taken in."""
        found = await town.get(f"/demands/{second}/duplicates", "supervisor")
        return any(one["number"] == first for one in found["suggestions"]) or None

    await until(alike, seconds=60)
    page = await desk("supervisor")
    await _open(page, second)
    await _choose(page, "并入另一件")
    offer = page.locator(f"[data-take='{first}']")
    await offer.click()
    await expect(page.locator("#do-merge [name=primary]")).to_have_value(first)
    await screenshot(page, "case-merge", full_page=False)
    await page.locator("#do-merge form button:not([type])").click()
    await expect(page.locator(".case-head .notice")).to_contain_text(first)
    await screenshot(page, "case-follows")
    assert await axe(page) == []
    await page.locator(".case-head .notice a").click()
    await page.wait_for_url(f"**/demands/{first}")
    await expect(page.locator(".case-chips")).to_contain_text("2 人反映")


async def test_the_reporter_is_masked_until_a_reason_is_given(desk: Windows, town: Town) -> None:
    number = (await town.submit("联系方式用例", reporter={"name": "李小龙", "phone": "13812341234"}))["number"]
    page = await desk("supervisor")
    await _open(page, number)
    assert "13812341234" not in await page.content()
    await expect(page.locator("[data-field=phone]")).to_have_text("138****1234")
    await page.get_by_role("button", name="查看完整信息").first.click()
    await page.locator("#reveal").get_by_text("回访").click()
    await page.locator("#reveal form button").click()
    await expect(page.locator("[data-field=phone]")).to_have_text("13812341234")


async def test_what_happens_appears_by_itself(desk: Windows, town: Town) -> None:
    number = (await town.submit("实时案卷用例"))["number"]
    page = await desk("supervisor")
    await _open(page, number, zoom="full")
    await expect(page.locator(".live")).to_contain_text("数据截至")
    await town.act(number, "supervisor", "note", note="刚刚补充的备注")
    await expect(page.locator(".timeline")).to_contain_text("刚刚补充的备注", timeout=30_000)


async def test_an_auditor_reads_and_does_nothing(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("auditor")
    await _open(page, await _some(town, "unit"))
    await expect(page.locator(".acts")).to_have_count(0)
    await screenshot(page, "case-auditor")
    assert await axe(page) == []


async def test_no_demand_and_somebody_elses(desk: Windows, town: Town, watch: Watch) -> None:
    watch.expect(r"status of 404")
    page = await desk("supervisor")
    await page.goto("/demands/20200101-000001")
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有找到")


async def test_on_paper(desk: Windows, town: Town, screenshot: Screenshot) -> None:
    page = await desk("supervisor")
    await _open(page, await _some(town, "unit"), zoom="full")
    await page.emulate_media(media="print")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(page.locator(".acts")).to_be_hidden()
    await screenshot(page, "case-print")


async def test_the_run_is_linked(desk: Windows, town: Town) -> None:
    number = await _some(town, "unit")
    page = await desk("supervisor")
    await _open(page, number)
    link = await page.get_by_role("link", name="工作流").get_attribute("href")
    assert link == f"{town.stack.temporal_ui}/namespaces/default/workflows/{number}"


async def test_the_unit_of_a_confidential_demand_is_not_told_who_asks(
    desk: Windows, town: Town, screenshot: Screenshot
) -> None:
    said = {"name": "李小龙", "phone": "13812341234"}
    number = (await town.submit("路灯不亮，我是李小龙", confidential=True, category="030101", reporter=said))["number"]
    liaison = await town.holder(number)
    assert liaison.role == "unit_liaison"
    page = await desk(liaison)
    await _open(page, number, zoom="full")
    await expect(page.get_by_text("诉求人信息对承办单位隐藏")).to_be_visible()
    assert "李小龙" not in await page.content()
    await screenshot(page, "case-confidential")
    assert await axe(page) == []


async def test_a_number_elsewhere_and_an_exclusion(desk: Windows, town: Town) -> None:
    number = (await town.submit("编号用例，楼道灯不亮"))["number"]
    page = await desk("supervisor")
    await _open(page, number)
    await page.get_by_role("button", name="登记编号").first.click()
    await page.get_by_label("系统", exact=True).fill("12345")
    await page.get_by_label("在该系统的编号").fill(f"CQ-{number}")
    await page.locator("#reference form button").click()
    await expect(page.locator("[aria-labelledby=refs-title]")).to_contain_text(f"CQ-{number}")
    await page.get_by_role("button", name="申请指标剔除").first.click()
    await page.locator("#exclude .form-check").first.click()
    assert await axe(page) == []
    await page.locator("#exclude form button").click()
    await expect(page.locator("[aria-labelledby=papers-title]")).to_contain_text("待批准")
