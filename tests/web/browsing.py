"""One Chromium for all tests of the pages, and windows in it: a phone and a desk, signed in."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from devstack.logins import Login
from tests.web.town import Town
from tests.web.watching import Watch

_HERE: Mapping[str, Any] = {"locale": "zh-CN", "timezone_id": "Asia/Shanghai", "reduced_motion": "reduce"}
PHONE: Mapping[str, Any] = {
    **_HERE, "viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True,
}  # fmt: skip
DESK: Mapping[str, Any] = {**_HERE, "viewport": {"width": 1280, "height": 800}}
_FLAGS = (
    "--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    # Nothing leaves this machine, whoever asks for it: a page, its service worker, or the browser itself.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip


def program() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
    if not Path(found).exists():
        told = "The tests of the pages need Chromium (on Debian: apt install chromium fonts-noto-cjk)."
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return found


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    path = program()
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(_FLAGS), chromium_sandbox=False)
        try:
            yield browser
        finally:
            await browser.close()


class Windows:
    """Opens pages for one test, watches them, and closes them at its end."""

    def __init__(self, browser: Browser, town: Town, watch: Watch, shape: Mapping[str, Any]) -> None:
        self._browser, self._town, self._watch, self._shape = browser, town, watch, shape
        self._opened: list[BrowserContext] = []

    async def __call__(self, who: Login | str | None = None, **options: Any) -> Page:
        """A page in a context of its own, signed in as a person (a Login, a person's id, or the first of a role).

        Addresses begin with `/`. `options` are Playwright's for a context: color_scheme="dark", locale="en-GB", …;
        `cookies={"linli-size": "large"}` sets more of them; `fresh=True` signs in anew, for who will sign out.
        """
        cookies: dict[str, str] = dict(options.pop("cookies", {}))
        fresh = bool(options.pop("fresh", False))
        if who is not None:
            cookies["linli"] = await self._town.session(who, fresh=fresh)
        context = await self._browser.new_context(**{**self._shape, "base_url": self._town.url, **options})
        self._opened.append(context)
        self._watch.over(context)
        await context.add_cookies([{"name": n, "value": v, "url": self._town.url} for n, v in cookies.items()])
        return await context.new_page()

    async def close(self) -> None:
        for context in self._opened:
            await context.close()
