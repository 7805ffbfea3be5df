"""Without a signal: nothing is lost, nothing is done twice, and each thing keeps the time at which it was done."""

from __future__ import annotations

import asyncio

from playwright.async_api import Route, expect

from tests.web import offline as away
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch


async def test_three_deeds_with_photos_survive_a_closed_page(
    phone: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    one, other = await away.demand_of(town, worker), await away.demand_of(town, worker, "垃圾桶满了没人清运")
    page = await away.ready(await phone(worker))
    context = page.context
    assert (await away.deed(page, one, "accept"))["ok"]
    await context.set_offline(True)
    assert await away.deed(page, one, "contact") is None
    assert await away.deed(page, one, "resolve", reply="灯已换好。", photos=2) is None
    assert await away.deed(page, other, "accept", photos=1) is None
    kept = {deed["type"]: deed["body"]["performed_at"] for deed in await away.waiting(page)}
    await page.close()

    page = await context.new_page()
    await page.goto(away.QUEUE)
    await away.banner(page, "离线中 · 3 条待同步")
    await expect(page.locator(".deed")).to_have_count(3)
    await expect(page.locator(".deed-photos img")).to_have_count(3)
    assert await axe(page) == []
    await screenshot(page, "queue-waiting")
    await context.set_offline(False)
    await away.arrived(page)
    await expect(page.locator("#queue-empty")).to_be_visible()
    assert await axe(page) == []
    await screenshot(page, "queue-empty")

    for number, type, deed in (
        (one, "reporter_contacted", "contact"),
        (one, "resolved", "resolve"),
        (other, "accepted", "accept"),
    ):
        (event,) = await away.events(town, number, type)
        assert away.instant(event["performed_at"]) == away.instant(kept[deed])
        assert away.instant(event["at"]) > away.instant(event["performed_at"])
        assert event["actor"] == worker.id
    assert len(await town.get(f"/demands/{one}/files", worker)) == 2
    assert len(await town.get(f"/demands/{other}/files", worker)) == 1


async def test_an_answer_that_is_lost_does_nothing_twice(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    deeds, uploads = away.LostAnswer(2), away.LostAnswer(1)
    await page.context.route(away.ACTIONS, deeds)
    await page.context.route(away.FILES, uploads)
    await away.deed(page, number, "note", note="现场看过，需要换灯座。", photos=2)
    await away.arrived(page)
    assert len(deeds.asked) == 3
    assert len({one.headers["idempotency-key"] for one in deeds.asked}) == 1
    assert len(uploads.asked) == 3  # the first twice
    assert await away.notes(town, number, worker) == ["现场看过，需要换灯座。"]
    assert len(await away.events(town, number, "note_added")) == 1
    stored = await away.rows(town, "select number from file where uploader = $1 and state = 'ready'", worker.id)
    assert [row["number"] for row in stored].count(number) == 2
    assert [row["number"] for row in stored].count(None) == 0


async def test_a_break_between_two_photos_repeats_nothing(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    keys: list[str] = []

    async def breaks(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        await (route.abort("connectionfailed") if len(keys) == 2 else route.continue_())

    await page.context.route(away.FILES, breaks)
    await away.deed(page, number, "attach", photos=3)
    await page.reload()
    await away.arrived(page)
    assert len(keys) == 4
    assert keys[1] == keys[2]
    assert len(set(keys)) == 3
    assert len(await town.get(f"/demands/{number}/files", worker)) == 3


async def test_photos_that_waited_too_long_for_their_deed_are_sent_anew(
    phone: Windows, town: Town, watch: Watch
) -> None:
    """What is attached to nothing goes after a day; a phone may be away for longer."""
    watch.expect(away.NO_SIGNAL + "|status of 422")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    reached = asyncio.Event()

    async def cut(route: Route) -> None:
        reached.set()
        await route.abort("connectionfailed")

    await page.context.route(away.ACTIONS, cut)
    await away.deed(page, number, "attach", photos=1)
    await reached.wait()
    gone = "update file set state = 'going' where uploader = $1 and number is null returning id"
    assert len(await away.rows(town, gone, worker.id)) == 1
    await page.context.unroute(away.ACTIONS)
    await page.evaluate("linli.queue.send()")
    await away.arrived(page)
    assert len(await town.get(f"/demands/{number}/files", worker)) == 1


async def test_two_tabs_send_each_deed_once(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    one = await away.ready(await phone(worker))
    other = await one.context.new_page()
    await other.goto(away.QUEUE)
    posted = await away.sent(one.context)
    for n in range(4):
        await asyncio.gather(
            away.deed(one, number, "note", note=f"左 {n}"), away.deed(other, number, "note", note=f"右 {n}")
        )
    await away.arrived(one)
    assert len(posted) == 8
    assert sorted(await away.notes(town, number, worker)) == sorted(f"{side} {n}" for side in "左右" for n in range(4))


async def test_two_tabs_of_a_browser_without_locks(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    one = await phone(worker)
    await one.context.add_init_script("Object.defineProperty(navigator, 'locks', { value: undefined })")
    await one.goto(away.QUEUE)
    other = await one.context.new_page()
    await other.goto(away.QUEUE)
    posted = await away.sent(one.context)
    for n in range(3):
        await asyncio.gather(
            away.deed(one, number, "note", note=f"左 {n}"), away.deed(other, number, "note", note=f"右 {n}")
        )
    await away.arrived(one)
    assert len(posted) == 6
    assert len(await away.notes(town, number, worker)) == 6


async def test_a_trembling_finger_is_one_deed(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    await asyncio.gather(*(away.deed(page, number, "note", note="只说一次") for _ in range(3)))
    await away.arrived(page)
    assert await away.notes(town, number, worker) == ["只说一次"]


async def test_a_server_that_is_busy_gets_it_later(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(r"status of (503|429|502)")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    answers = iter(
        [(503, "application/problem+json", "{}"), (429, "application/problem+json", "{}"), (502, "text/html", "<p>")]
    )

    async def busy(route: Route) -> None:
        said = next(answers, None)
        if said is None:
            await route.continue_()
        else:
            status, media, body = said
            await route.fulfill(status=status, body=body, headers={"Retry-After": "1", "Content-Type": media})

    await page.context.route(away.ACTIONS, busy)
    await away.deed(page, number, "accept")
    await away.arrived(page)
    assert len(await away.events(town, number, "accepted")) == 1


async def test_a_page_of_somebody_elses_network_is_no_answer(phone: Windows, town: Town) -> None:
    """A café's or a hotel's network answers everything with its own page, and with 200."""
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    portal = "<html><body>Wi-Fi</body></html>"
    await page.context.route(
        "**/api/v1/**", lambda route: route.fulfill(status=200, body=portal, content_type="text/html")
    )
    assert await away.deed(page, number, "accept") is None
    await away.banner(page, "离线中 · 1 条待同步")
    await page.context.unroute("**/api/v1/**")
    await page.evaluate("linli.queue.send()")
    await away.arrived(page)
    assert len(await away.events(town, number, "accepted")) == 1


async def test_what_has_not_left_can_be_taken_back(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    await page.context.set_offline(True)
    await away.deed(page, number, "note", note="写错了")
    await away.deed(page, number, "note", note="写对了")
    await page.locator(".deed", has_text="写错了").get_by_role("button", name="撤销").click()
    await expect(page.locator(".deed")).to_have_count(1)
    await page.context.set_offline(False)
    await away.arrived(page)
    assert await away.notes(town, number, worker) == ["写对了"]


async def test_a_phone_whose_clock_is_wrong(phone: Windows, town: Town, watch: Watch) -> None:
    """It says that something was done in twenty minutes; the server refuses that, and the phone mends it by the server's clock."""
    watch.expect(r"status of 422")
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await phone(worker)
    await page.context.add_init_script("const real = Date.now; Date.now = () => real() + 1200000")
    await page.goto(away.QUEUE)
    await page.evaluate("localStorage.setItem('linli-skew', '0')")
    await away.deed(page, number, "accept")
    await away.arrived(page)
    (event,) = await away.events(town, number, "accepted")
    assert abs((away.instant(event["at"]) - away.instant(event["performed_at"])).total_seconds()) < 120
