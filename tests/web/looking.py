"""What a page is judged by besides its words: accessibility (axe-core), a picture, and its weight on the wire."""

from __future__ import annotations

import asyncio
import os
import time
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Page

from web.vendor import AXE

_QUIET_SECONDS = 0.5
_PATIENCE_SECONDS = 20.0
_RUN_AXE = "(options) => axe.run(document, options)"


@cache
def _axe_source() -> str:
    return AXE.read_text(encoding="utf-8")


async def axe(page: Page, **options: Any) -> list[str]:
    """Every violation as `rule (impact): element – what to mend`; empty when axe-core finds none. `options` are axe.run's."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(_axe_source())
    found = await page.evaluate(_RUN_AXE, {"resultTypes": ["violations"], **options})
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))} – {_mend(node)}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def _mend(node: dict[str, Any]) -> str:
    return " / ".join((node.get("failureSummary") or "").split("\n")[1:]).strip() or node["html"][:120]


async def screenshot(page: Page, name: str, folder: Path, *, full_page: bool = True) -> Path:
    """`folder`/NAME-WIDTH.png, after letters and pictures are there. $LINLI_SHOTS stands in for the folder."""
    await page.evaluate("() => document.fonts.ready")
    width = (page.viewport_size or {"width": 0})["width"]
    path = _place(folder) / f"{name}-{width}.png"
    await page.screenshot(path=path, full_page=full_page, animations="disabled", caret="hide")
    return path


def _place(folder: Path) -> Path:
    place = Path(os.environ.get("LINLI_SHOTS") or folder)
    place.mkdir(parents=True, exist_ok=True)
    return place


@dataclass
class Weight:
    """What one first visit fetched. Bytes are those on the wire: packed, with the heads of the answers."""

    rows: list[tuple[str, int]] = field(default_factory=list)

    @property
    def total_bytes(self) -> int:
        return sum(size for _, size in self.rows)

    @property
    def requests(self) -> int:
        return len(self.rows)

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(url).netloc for url, _ in self.rows}

    def __str__(self) -> str:
        lines = [f"{size:>9,}  {urlsplit(url).path}" for url, size in sorted(self.rows, key=lambda row: -row[1])]
        head = f"{self.total_bytes:,} bytes in {self.requests} requests to {len(self.hosts)} host(s)"
        return "\n".join([head, *lines])


class _Scale:
    def __init__(self) -> None:
        self.weight = Weight()
        self._urls: dict[str, str] = {}
        self._open: set[str] = set()
        self._last = time.monotonic()

    def sent(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        if event["request"]["url"].startswith(("http:", "https:")):
            if "redirectResponse" in event:  # the same id goes on to the next address
                self._weighed(event["requestId"], event["redirectResponse"]["encodedDataLength"])
            self._urls[event["requestId"]] = event["request"]["url"]
            self._open.add(event["requestId"])

    def answered(self, event: dict[str, Any]) -> None:
        if event["response"].get("fromDiskCache"):
            self.kept(event)
        if event["response"]["mimeType"] == "text/event-stream":  # it is never finished
            self._open.discard(event["requestId"])

    def kept(self, event: dict[str, Any]) -> None:
        """The page has it already, from an earlier request of the same visit."""
        self._open.discard(event["requestId"])
        self._urls.pop(event["requestId"], None)

    def finished(self, event: dict[str, Any]) -> None:
        self._last = time.monotonic()
        self._open.discard(event["requestId"])
        self._weighed(event["requestId"], event.get("encodedDataLength", 0))

    def _weighed(self, request: str, size: float) -> None:
        if request in self._urls:
            self.weight.rows.append((self._urls.pop(request), int(size)))

    @property
    def quiet(self) -> bool:
        return not self._open and time.monotonic() - self._last > _QUIET_SECONDS


async def weigh(page: Page, address: str) -> Weight:
    """Go to `address` as on a first visit, with nothing kept, until nothing is fetched any more."""
    client = await page.context.new_cdp_session(page)
    scale = _Scale()
    try:
        client.on("Network.requestWillBeSent", scale.sent)
        client.on("Network.responseReceived", scale.answered)
        client.on("Network.requestServedFromCache", scale.kept)
        client.on("Network.loadingFinished", scale.finished)
        client.on("Network.loadingFailed", scale.finished)
        await client.send("Network.enable")
        await client.send("Network.clearBrowserCache")
        await client.send("Network.setBypassServiceWorker", {"bypass": True})
        await page.goto(address, wait_until="load")
        until = time.monotonic() + _PATIENCE_SECONDS
        while not scale.quiet:
            assert time.monotonic() < until, f"{address} never comes to rest"
            await asyncio.sleep(0.05)
    finally:
        await client.detach()
    return scale.weight
