"""What the server refuses when the phone is back: nothing that was written is lost, and nobody else's session sends it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx2
from playwright.async_api import expect

from tests.web import offline as away
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch


async def test_two_devices_converge(phone: Windows, town: Town, watch: Watch, screenshot: Screenshot) -> None:
    """The first wins; of the second's accepting nothing is left to do, its resolution goes as a note with its photo."""
    watch.expect(away.NO_SIGNAL + "|status of 409")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    one, other = await away.ready(await phone(worker)), await away.ready(await phone(worker))
    for page in (one, other):
        await page.context.set_offline(True)
    await away.deed(one, number, "accept")
    await away.deed(one, number, "resolve", reply="灯泡已换。", photos=1)
    await away.deed(other, number, "accept")
    await away.deed(other, number, "resolve", reply="线路已查，灯座松动，已拧紧。", photos=1)
    await one.context.set_offline(False)
    await away.arrived(one)
    await other.context.set_offline(False)

    await away.in_state(other, "conflict")
    await away.banner(other, "1 条需要处理")
    assert len(await away.events(town, number, "accepted")) == 1
    (resolved,) = await away.events(town, number, "resolved")
    assert resolved["actor"] == worker.id
    refused = other.locator("#queue-trouble .deed", has_text="线路已查")
    await expect(refused).to_contain_text("情况已经变了")
    assert await axe(other) == []
    await screenshot(other, "queue-conflict")
    await refused.get_by_role("button", name="作为备注提交").click()
    await expect(refused).to_have_count(0)

    async def left() -> list[str]:
        return [deed["type"] for deed in await away.waiting(other)]

    while "note" in await left():
        await other.wait_for_timeout(100)
    (note,) = await away.notes(town, number, worker)
    assert "线路已查，灯座松动，已拧紧。" in note
    assert "已办结" in note
    assert len(await town.get(f"/demands/{number}/files", worker)) == 2
    assert len(await away.events(town, number, "resolved")) == 1
    for known in await other.get_by_role("button", name="知道了").all():
        await known.click()
    await away.arrived(other)


async def test_accepting_what_is_accepted_asks_nothing(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL + "|status of 409")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    await page.context.set_offline(True)
    await away.deed(page, number, "accept")
    await away.deed(page, number, "note", note="到现场了")
    await town.act(number, worker, "accept")
    await page.context.set_offline(False)
    await away.in_state(page, "already")
    await expect(page.locator(".deed", has_text="不用再签收")).to_be_visible()
    while len(await away.waiting(page)) > 1:  # what comes after it does not wait for anybody
        await page.wait_for_timeout(100)
    assert await away.notes(town, number, worker) == ["到现场了"]
    await page.get_by_role("button", name="知道了").click()
    await away.arrived(page)


async def test_a_refusal_holds_up_its_own_demand_only(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL + "|status of 40")
    worker = town.who("grid_worker")
    lost, own = await away.demand_of(town, worker), await away.demand_of(town, worker, "垃圾桶满了没人清运")
    page = await away.ready(await phone(worker))
    await page.context.set_offline(True)
    await away.deed(page, lost, "accept")
    await away.deed(page, lost, "note", note="门口有积水")
    await away.deed(page, own, "accept")
    neighbour = town.who("grid_worker", 1)
    await town.act(lost, "supervisor", "reassign", person=neighbour.id)
    await page.context.set_offline(False)
    await away.in_state(page, "conflict")
    while len(await away.waiting(page)) > 2:
        await page.wait_for_timeout(100)
    assert len(await away.events(town, own, "accepted")) == 1
    assert await away.notes(town, lost, neighbour) == []
    await expect(page.locator("#queue-trouble .deed")).to_contain_text("已不由您承办")
    await expect(page.locator("#queue-waiting .deed")).to_contain_text("等前一条处理后提交")
    await page.get_by_role("button", name=re.compile("^丢弃")).click()
    await page.get_by_role("button", name="确定").click()
    await away.arrived(page)
    assert await away.notes(town, lost, neighbour) == ["门口有积水"]


async def test_somebody_whose_session_is_over_signs_in_and_loses_nothing(
    phone: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(away.NO_SIGNAL + "|status of 401")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    await page.context.set_offline(True)
    await away.deed(page, number, "note", note="离线时写的", photos=1)
    (cookie,) = [one for one in await page.context.cookies() if one["name"] == "linli"]
    async with httpx2.AsyncClient(base_url=town.url, cookies={"linli": cookie["value"]}) as http:
        assert (await http.delete("/api/v1/session", headers={"Origin": town.url})).status_code == 200
    await page.context.set_offline(False)
    await away.banner(page, "登录已过期，1 条待同步")
    assert await axe(page) == []
    await screenshot(page, "queue-signed-out")
    (kept,) = await away.waiting(page)
    assert kept["state"] == "waiting"
    await page.get_by_role("link", name="去登录").click()
    await page.locator("#user").fill(worker.id)
    await page.locator("#password").fill(town.password)
    await page.get_by_role("button", name="登录").click()
    await page.wait_for_url(f"**{away.QUEUE}")
    await away.arrived(page)
    assert await away.notes(town, number, worker) == ["离线时写的"]
    assert len(await town.get(f"/demands/{number}/files", worker)) == 1


async def test_nobody_sends_what_another_person_did(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL + "|status of 401")
    worker, neighbour = town.who("grid_worker"), town.who("grid_worker", 1)
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    context = page.context
    await context.set_offline(True)
    await away.deed(page, number, "note", note="吴静写的")
    old = next(one for one in await context.cookies() if one["name"] == "linli")
    fresh = {"name": "linli", "value": await town.session(neighbour), "url": town.url}
    await context.add_cookies([fresh])
    await context.set_offline(False)
    await away.banner(page, "已换成其他账号登录")  # the page that was left open

    other = await context.new_page()
    await other.goto(away.QUEUE)
    await expect(other.locator("#queue-others")).to_contain_text("1 条属于其他账号")
    await expect(other.locator("#queue-empty")).to_be_visible()
    await other.evaluate("linli.queue.send()")
    await other.wait_for_timeout(500)
    assert await away.notes(town, number, worker) == []
    assert "吴静" not in await other.inner_text("main")

    await context.add_cookies([{"name": "linli", "value": old["value"], "url": town.url}])
    await page.reload()
    await away.arrived(page)
    assert await away.notes(town, number, worker) == ["吴静写的"]


async def test_a_form_that_can_be_mended_keeps_its_words(phone: Windows, town: Town, watch: Watch) -> None:
    """With a signal a refusal is said where it was written, and the queue holds nothing of it."""
    watch.expect("status of 422")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    said = await away.deed(page, number, "hand_off", unit="no-such-unit", note="请协助")
    assert said["ok"] is False
    assert said["status"] == 422
    assert await away.waiting(page) == []


async def test_the_server_takes_what_was_done_days_ago_and_nothing_of_tomorrow(town: Town) -> None:
    """`performed_at` is kept beside the time of receipt; the clocks of the promise go by the latter alone."""
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    then = datetime.now(UTC) - timedelta(days=3)
    view = await town.act(number, worker, "accept", performed_at=then.isoformat())
    (event,) = await away.events(town, number, "accepted")
    assert away.instant(event["performed_at"]) == then
    assert view["clocks"]["accept"]["stopped_at"] == event["at"]
    headers = {"Authorization": f"Bearer {worker.token}", "Idempotency-Key": "of-tomorrow"}
    body = {"type": "contact", "performed_at": (datetime.now(UTC) + timedelta(minutes=6)).isoformat()}
    async with httpx2.AsyncClient(base_url=f"{town.url}/api/v1", headers=headers) as http:
        refused = await http.post(f"/demands/{number}/actions", json=body)
    assert refused.status_code == 422
    assert "/performed_at" in refused.text


async def test_a_session_counts_only_for_the_person_it_is_meant_for(town: Town) -> None:
    worker, neighbour = town.who("grid_worker"), town.who("grid_worker", 1)
    cookies = {"linli": await town.session(worker)}
    async with httpx2.AsyncClient(base_url=town.url, cookies=cookies) as http:
        for person, status in ((worker.id, 200), (neighbour.id, 401), ("", 401)):
            answer = await http.get("/api/v1/session", headers={"Linli-Person": person})
            assert answer.status_code == status, person
