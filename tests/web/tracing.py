"""When a page can be used: figures of Chromium's own trace, defined as Lighthouse defines them.

First contentful paint: when the first text or picture stands. Time to interactive: the end of the last long task (50 ms and
more of the page's main thread) before the first five seconds after that paint without a long task and with at most two requests
under way. Total blocking time: what the long tasks between both take beyond 50 ms each. All in milliseconds since navigation.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page

Event = dict[str, Any]
Span = tuple[float, float]

_CATEGORIES = [
    "-*", "blink.user_timing", "loading", "toplevel", "devtools.timeline", "disabled-by-default-devtools.timeline",
    "disabled-by-default-lighthouse", "rail", "__metadata",
]  # fmt: skip
_LONG_MS = 50.0
_QUIET_MS = 5_000.0
_BEYOND_MS = 7_000.0


@dataclass(frozen=True)
class Interactive:
    first_contentful_paint: float
    time_to_interactive: float
    total_blocking_time: float
    long_tasks: tuple[float, ...]  # how long each took
    requests: int

    def __str__(self) -> str:
        return (
            f"first contentful paint {self.first_contentful_paint:.0f} ms, time to interactive"
            f" {self.time_to_interactive:.0f} ms, total blocking time {self.total_blocking_time:.0f} ms"
            f" ({len(self.long_tasks)} long tasks, {self.requests} requests)"
        )


async def trace_tti(page: Page, address: str, *, slow_down: float = 4.0, slow_network: bool = False) -> Interactive:
    """A first visit to `address` on a processor `slow_down` times slower; `slow_network` is 1.6 Mbit/s and 150 ms (slow 4G).

    Takes about eight seconds, and one trace can be made at a time in a browser.
    """
    browser = page.context.browser
    assert browser is not None
    await page.goto("about:blank")
    client = await page.context.new_cdp_session(page)
    try:
        await client.send("Network.enable")
        await client.send("Network.setCacheDisabled", {"cacheDisabled": True})
        await client.send("Network.setBypassServiceWorker", {"bypass": True})
        if slow_network:
            speed = {"latency": 150, "downloadThroughput": 204_800, "uploadThroughput": 96_000}
            await client.send("Network.emulateNetworkConditions", {"offline": False, **speed})
        await client.send("Emulation.setCPUThrottlingRate", {"rate": slow_down})
        await browser.start_tracing(page=page, categories=_CATEGORIES)
        try:
            await page.goto(address, wait_until="load")
            await asyncio.sleep(_BEYOND_MS / 1000)
        finally:
            trace = await browser.stop_tracing()
        return read_trace(json.loads(trace)["traceEvents"], page.url)
    finally:
        await client.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        await client.detach()


def read_trace(events: list[Event], address: str) -> Interactive:
    """Raises AssertionError where the trace holds no visit to `address`, or one that never came to rest."""
    start = _navigation(events, address)
    process, thread, zero = start["pid"], start["tid"], start["ts"]
    here = [one for one in events if one["pid"] == process]
    paint = next((one for one in here if one["name"] == "firstContentfulPaint" and one["ts"] >= zero), None)
    assert paint is not None, f"{address} painted nothing"
    painted = (paint["ts"] - zero) / 1000
    ended = (max(one["ts"] for one in events) - zero) / 1000
    tasks = [
        ((one["ts"] - zero) / 1000, (one["ts"] + one["dur"] - zero) / 1000)
        for one in here
        if one["tid"] == thread
        and one["name"].endswith("RunTask")
        and one["ts"] + one.get("dur", 0) > zero
        and "dur" in one
    ]
    long = sorted(span for span in tasks if span[1] - span[0] >= _LONG_MS)
    loads = _loads(here, zero, ended)
    usable = _interactive(painted, long, loads, ended)
    blocked = sum(max(0.0, min(b, usable) - max(a, painted) - _LONG_MS) for a, b in long if b > painted and a < usable)
    return Interactive(painted, usable, blocked, tuple(b - a for a, b in long), len(loads))


def _navigation(events: list[Event], address: str) -> Event:
    def is_it(one: Event) -> bool:
        data = one.get("args", {}).get("data", {})
        return bool(one["name"] == "navigationStart" and data.get("documentLoaderURL") == address)

    found = [one for one in events if is_it(one)]
    assert found, f"The trace holds no visit to {address}"
    return found[-1]


def _loads(events: list[Event], zero: float, ended: float) -> list[Span]:
    """When each request was under way. An event stream never ends, and is no load."""
    sent, over, streams = {}, {}, set()
    for one in events:
        data = one.get("args", {}).get("data", {})
        key, at = data.get("requestId"), (one["ts"] - zero) / 1000
        if one["name"] == "ResourceSendRequest" and at >= 0:
            sent[key] = at
        elif one["name"] == "ResourceReceiveResponse" and data.get("mimeType") == "text/event-stream":
            streams.add(key)
        elif one["name"] == "ResourceFinish":
            over[key] = at
    return [(at, over.get(key, ended)) for key, at in sent.items() if key not in streams]


def _interactive(painted: float, long: list[Span], loads: list[Span], ended: float) -> float:
    """The end of the last disturbance before the first quiet window, or the paint where there was none."""
    busy = sorted([*long, *_crowded(loads)])
    usable = quiet_since = painted
    for begins, ends in busy:
        if begins - quiet_since >= _QUIET_MS:
            break
        quiet_since = max(quiet_since, ends)
    assert ended - quiet_since >= _QUIET_MS, "The page never came to rest while it was traced"
    return max([usable, *(b for a, b in long if b <= quiet_since)])


def _crowded(loads: list[Span]) -> list[Span]:
    """The spans in which more than two requests were under way."""
    changes = sorted([(a, 1) for a, _ in loads] + [(b, -1) for _, b in loads])
    spans, under_way, since = [], 0, 0.0
    for at, change in changes:
        if under_way <= 2 < under_way + change:
            since = at
        elif under_way > 2 >= under_way + change:
            spans.append((since, at))
        under_way += change
    return spans
