"""A grid worker's phone without a signal: what is put into its queue, and what of it arrived."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
from playwright.async_api import BrowserContext, Page, Request, Route, expect
from playwright.async_api import Error as PlaywrightError

from devstack.logins import Login
from tests import builders
from tests.web.town import Town

QUEUE = "/tasks/queue"
ACTIONS = "**/api/v1/demands/*/actions"
FILES = "**/api/v1/files"
NO_SIGNAL = r"ERR_INTERNET_DISCONNECTED|ERR_FAILED|ERR_ABORTED|ERR_NETWORK_CHANGED|ERR_CONNECTION"

_DEED = """
async ([number, body, photos]) => {
  const files = [];
  for (let n = 0; n < photos; n += 1) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 2000, height: 1500 });
    const pen = canvas.getContext("2d");
    for (let at = 0; at < 60; at += 1) {
      pen.fillStyle = `hsl(${Math.random() * 360} 70% 50%)`;
      pen.fillRect(Math.random() * 2000, Math.random() * 1500, 300, 200);
    }
    const blob = await new Promise((ok) => canvas.toBlob(ok, "image/png"));
    files.push({ name: "file_ids[]", file: await linli.shrink(new File([blob], `p${n}.png`, { type: "image/png" })) });
  }
  const path = `/api/v1/demands/${number}/actions`;
  return linli.queue.add({ method: "POST", path, body, files, summary: "" });
}
"""


async def deed(page: Page, number: str, type: str, *, photos: int = 0, **body: Any) -> Any:
    """As a tap does; null when it waits on the phone."""
    return await page.evaluate(_DEED, [number, {"type": type, **body}, photos])


async def waiting(page: Page) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await _asked(page, "() => linli.queue.own()")
    return found


async def _asked(page: Page, question: str) -> Any:
    """A page that was kept is loaded anew when the phone is back, perhaps in the moment of the question."""
    while True:
        try:
            return await page.evaluate(question)
        except PlaywrightError as gone:
            if "context was destroyed" not in gone.message and "linli" not in gone.message:
                raise
            await asyncio.sleep(0.2)


async def arrived(page: Page) -> None:
    """Everything that this person kept on the phone has left it."""
    for _ in range(300):
        if not await waiting(page):
            return
        await asyncio.sleep(0.2)
    raise AssertionError(f"still on the phone: {await waiting(page)}")


async def in_state(page: Page, state: str, count: int = 1) -> list[dict[str, Any]]:
    for _ in range(300):
        found = [one for one in await waiting(page) if one["state"] == state]
        if len(found) == count:
            return found
        await asyncio.sleep(0.2)
    raise AssertionError(f"not {count} × {state}: {await waiting(page)}")


async def until(page: Page, question: str) -> None:
    """Playwright's own waiting needs `eval`, which the pages' policy forbids."""
    for _ in range(300):
        if await _asked(page, question):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"never: {question}")


async def ready(page: Page, path: str = QUEUE) -> Page:
    """The page is open, and its service worker keeps what can be opened again without a signal."""
    await page.goto(path)
    await until(page, "() => linli.queue !== undefined && navigator.serviceWorker.controller !== null")
    kept = "['/tasks/queue', '/tasks/away'].map((one) => caches.match(one))"
    await until(page, f"async () => (await Promise.all({kept})).every(Boolean)")
    return page


async def banner(page: Page, text: str) -> None:
    await expect(page.locator(".queue-banner")).to_contain_text(text)


async def demand_of(town: Town, worker: Login, text: str = "楼道灯不亮，晚上看不清台阶") -> str:
    """A fresh demand that this worker holds."""
    grid = worker.scope.removeprefix("grid:")
    made = await town.submit(text, "operator", category="120202", location={"grid": grid}, channel="hotline")
    number = str(made["number"])

    town.given.append(number)

    async def held() -> bool | None:
        """Taken in before its workflow has begun, it is nobody's yet."""
        return True if (await town.holder(number)).id == worker.id else None

    await builders.until(held, seconds=60)
    return number


async def events(town: Town, number: str, type: str) -> list[dict[str, Any]]:
    log = await town.get(f"/demands/{number}/events?limit=100", "supervisor")
    return [one for one in log if one["type"] == type]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def notes(town: Town, number: str, who: Login) -> list[str]:
    texts = await town.get(f"/demands/{number}/texts", who)
    return [one["text"] for one in texts["texts"] if one["kind"] == "note"]


async def rows(town: Town, statement: str, *given: Any) -> list[Any]:
    connection = await asyncpg.connect(town.stack.database_url)
    try:
        return list(await connection.fetch(statement, *given))
    finally:
        await connection.close()


@dataclass
class LostAnswer:
    """The server does what it is asked, and the phone never hears of it; then the network is good again."""

    times: int = 1
    asked: list[Request] = field(default_factory=list)

    async def __call__(self, route: Route) -> None:
        self.asked.append(route.request)
        if len(self.asked) <= self.times:
            await route.fetch()
            await route.abort("connectionfailed")
        else:
            await route.continue_()


async def sent(context: BrowserContext, path: str = "/actions") -> list[Request]:
    """Collects the requests that this browser makes from now on."""
    seen: list[Request] = []
    context.on("request", lambda one: seen.append(one) if one.method == "POST" and one.url.endswith(path) else None)
    return seen
