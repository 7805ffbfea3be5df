"""The pages of a phone without a signal: what can be opened, what is told, what is left behind; and the photos that go with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.pictures import a_jpeg, from_a_phone
from tests.web import offline as away
from tests.web.browsing import Windows
from tests.web.conftest import Screenshot
from tests.web.looking import axe
from tests.web.town import Town
from tests.web.watching import Watch

_PICKER = """
() => {
  const form = document.createElement("form");
  form.innerHTML = '<label>照片 <input type="file" data-photos accept="image/*" name="file_ids[]" required multiple data-most="3"></label>';
  document.getElementById("main").append(form);
}
"""
_PICKED = """
async () => Promise.all((linli.picked.get(document.querySelector("[data-photos]")) ?? []).map(async (file) => {
  const bytes = new Uint8Array(await file.arrayBuffer()), picture = await createImageBitmap(file);
  return { type: file.type, width: picture.width, height: picture.height, text: new TextDecoder("latin1").decode(bytes) };
}))
"""


async def keeps(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(
        "async () => (await Promise.all((await caches.keys()).map(async (name) =>"
        " (await (await caches.open(name)).keys()).map((one) => `${name} ${new URL(one.url).pathname}`)))).flat()"
    )
    return found


async def test_a_worker_handles_a_task_in_a_stairwell(
    phone: Windows, town: Town, watch: Watch, screenshot: Screenshot, tmp_path: Path
) -> None:
    """Over the tasks' own pages: accept and resolve without a signal, look at the list, come back into the daylight."""
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker), "/tasks")
    await page.goto(f"/tasks/{number}")
    await expect(page.locator("#task")).to_be_visible()
    await page.goto("/tasks")
    await page.context.set_offline(True)
    await page.goto(f"/tasks/{number}")
    await away.banner(page, "离线中，可以照常办理，有网络时自动提交 · 内容截至")
    await page.locator("#bar [data-unless-queued=accept]").click()
    chips = page.locator(".chip-queued")
    await expect(chips).to_have_text(["已签收（待同步）"])
    photo = tmp_path / "done.jpg"
    photo.write_bytes(a_jpeg(2400, 1800))
    await page.locator("#bar [data-open=resolve]:visible").click()
    await page.locator("#resolve-files").set_input_files(photo)
    await expect(page.locator("#resolve .picked img")).to_have_count(1)
    await page.locator("#resolve-reply").fill("灯已换好，晚上看得清台阶了。")
    assert await axe(page) == []
    await screenshot(page, "task-offline-resolve", full_page=False)
    await page.locator("#resolve form button:not([type])").click()
    await expect(chips).to_have_text(["已签收（待同步）", "已办结（待同步）"])
    assert await axe(page) == []
    await screenshot(page, "task-offline", full_page=False)
    await page.goto("/tasks")
    await away.banner(page, "离线中 · 2 条待同步")
    await expect(page.locator(f"[data-number='{number}'] .chip-queued")).to_have_count(2)
    assert await axe(page) == []
    await screenshot(page, "tasks-offline", full_page=False)
    await page.context.set_offline(False)
    await away.arrived(page)
    assert len(await away.events(town, number, "accepted")) == 1
    (resolved,) = await away.events(town, number, "resolved")
    assert resolved["performed_at"] < resolved["at"]
    assert len(await town.get(f"/demands/{number}/files", worker)) == 1
    await away.until(page, "() => !document.body.dataset.keptAt")  # what was kept gives way to what is


async def test_with_a_signal_a_deed_leaves_at_once(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker), f"/tasks/{number}")
    await page.locator("#bar [data-unless-queued=accept]").click()
    await expect(page.locator("#bar [data-unless-queued=accept]")).to_have_count(0)
    await away.arrived(page)
    assert len(await away.events(town, number, "accepted")) == 1
    await expect(page.locator(".queue-banner")).to_be_hidden()


async def test_a_page_that_was_never_opened_says_so(
    either: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(away.NO_SIGNAL)
    page = await away.ready(await either("grid_worker"))
    await page.context.set_offline(True)
    await page.goto("/tasks/20200101-000001")
    await expect(page.get_by_role("heading", level=1)).to_have_text("没有网络")
    assert await axe(page) == []
    await screenshot(page, "away")
    await page.get_by_role("link", name="返回我的任务").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("我的任务")


async def test_nothing_of_the_api_is_kept_and_signing_out_leaves_nothing(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(await phone(worker))
    await page.goto(f"/tasks/{number}")
    await away.until(page, f"async () => Boolean(await caches.match('/tasks/{number}'))")
    await page.evaluate(f"fetch('/api/v1/demands/{number}/reporter').then((one) => one.text())")
    assert not [one for one in await keeps(page) if "/api/" in one]
    assert [one for one in await keeps(page) if one == f"linli-pages:{worker.id} /tasks/{number}"]
    await page.goto("/me")
    await page.locator("[data-send='DELETE /api/v1/session']").click()
    await page.wait_for_url("**/sign-in")
    assert not [one for one in await keeps(page) if one.startswith("linli-pages")]


async def test_the_next_person_finds_nothing_of_the_last(phone: Windows, town: Town) -> None:
    page = await away.ready(await phone("grid_worker"))
    neighbour = town.who("grid_worker", 1)
    await page.context.add_cookies([{"name": "linli", "value": await town.session(neighbour), "url": town.url}])
    await page.goto(away.QUEUE)
    await away.until(page, f"async () => (await caches.keys()).includes('linli-pages:{neighbour.id}')")
    kept = {one.split()[0] for one in await keeps(page)}
    assert kept == {"linli-assets", f"linli-pages:{neighbour.id}"}


async def test_a_session_that_is_over_takes_the_kept_pages_with_it(phone: Windows) -> None:
    page = await away.ready(await phone("grid_worker"))
    await page.context.clear_cookies()
    await page.goto("/tasks")
    assert "/sign-in" in page.url
    await away.until(page, "async () => !(await caches.keys()).some((one) => one.startsWith('linli-pages'))")


async def test_without_a_service_worker_the_queue_works_all_the_same(phone: Windows, town: Town, watch: Watch) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await phone(worker, service_workers="block")
    await page.goto(away.QUEUE)
    await page.context.set_offline(True)
    await away.deed(page, number, "accept", photos=1)
    await away.banner(page, "离线中 · 1 条待同步")
    await page.context.set_offline(False)
    await away.arrived(page)
    assert len(await away.events(town, number, "accepted")) == 1


async def test_without_a_store_a_deed_is_sent_by_itself(phone: Windows, town: Town) -> None:
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await phone(worker)
    refuse = "IDBFactory.prototype.open = () => { throw new DOMException('private', 'SecurityError'); }"
    await page.context.add_init_script(refuse)
    await page.goto(f"/tasks/{number}")
    async with page.expect_response("**/actions") as answered:
        await page.locator("#bar [data-unless-queued=accept]").click()
    assert (await answered.value).ok
    assert len(await away.events(town, number, "accepted")) == 1


async def test_photos_are_small_upright_and_say_nothing_of_their_owner(phone: Windows, tmp_path: Path) -> None:
    page = await phone("grid_worker")
    await page.goto(away.QUEUE)
    await page.evaluate(_PICKER)
    field = page.locator("[data-photos]")
    turned, large = tmp_path / "turned.jpg", tmp_path / "large.jpg"
    turned.write_bytes(from_a_phone(orientation=6))
    large.write_bytes(a_jpeg(4000, 3000))
    await field.set_input_files([turned])
    await expect(page.locator(".picked img")).to_have_count(1)
    await field.set_input_files([large])
    await expect(page.locator(".picked img")).to_have_count(2)
    one, other = await page.evaluate(_PICKED)
    assert (one["width"], one["height"]) == (480, 640)
    assert (other["width"], other["height"]) == (1600, 1200)
    for photo in (one, other):
        assert photo["type"] == "image/jpeg"
        assert "Exif" not in photo["text"]
        assert "13800001111" not in photo["text"]
    assert not await field.evaluate("(field) => field.required")
    assert await axe(page) == []
    await page.get_by_role("button", name="移除照片 1").click()
    await expect(page.locator(".picked img")).to_have_count(1)
    await page.get_by_role("button", name="移除照片 1").click()
    await expect(page.locator(".picked img")).to_have_count(0)
    assert await field.evaluate("(field) => field.required")


@pytest.mark.parametrize(("name", "said"), [("a.heic", "HEIC 请改为 JPEG"), ("huge.jpg", "这个文件太大")])
async def test_a_photo_that_cannot_be_read_is_told_at_once(
    phone: Windows, tmp_path: Path, name: str, said: str
) -> None:
    page = await phone("grid_worker")
    await page.goto(away.QUEUE)
    await page.evaluate(_PICKER)
    broken = tmp_path / name
    broken.write_bytes(b"no picture " * (900_000 if name.endswith("jpg") else 10))
    await page.locator("[data-photos]").set_input_files(broken)
    await expect(page.locator(".picked-note")).to_contain_text(said)
    assert await page.evaluate(_PICKED) == []


async def test_the_queue_at_both_widths_in_the_dark_and_in_english(
    either: Windows, town: Town, watch: Watch, screenshot: Screenshot
) -> None:
    watch.expect(away.NO_SIGNAL)
    worker = town.who("grid_worker")
    number = await away.demand_of(town, worker)
    page = await away.ready(
        await either(worker, cookies={"linli-language": "en", "linli-size": "huge", "linli-theme": "dark"})
    )
    await page.context.set_offline(True)
    await away.deed(page, number, "resolve", reply="灯已换好。", photos=2)
    await away.banner(page, "Offline · 1 to be sent")
    assert await axe(page) == []
    await screenshot(page, "queue-dark")
    undo = page.get_by_role("button", name="Undo")
    await undo.focus()
    await page.keyboard.press("Enter")
    await expect(page.locator("#queue-empty")).to_be_visible()


async def test_the_app_can_be_put_on_the_first_screen(phone: Windows) -> None:
    page = await phone("grid_worker")
    await page.goto(away.QUEUE)
    href = await page.locator("link[rel=manifest]").get_attribute("href")
    answer = await page.context.request.get(str(href))
    assert answer.headers["content-type"].startswith("application/manifest+json")
    told = json.loads(await answer.text())
    assert told["start_url"] == "/tasks"
    worker = await page.context.request.get("/sw.js")
    assert worker.headers["cache-control"] == "no-cache"
    assert worker.headers["service-worker-allowed"] == "/tasks"
    for icon in told["icons"]:
        assert (await page.context.request.get(icon["src"])).ok
