"""Whatever a browser complains about while a test runs, and every request that would leave for another host."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, ConsoleMessage, Request, WebError

_NEVER_SENT = ("data", "blob", "about")


class Watch:
    """Collects for one test. `expect` names what the test provokes on purpose."""

    def __init__(self, origin: str) -> None:
        self._host = urlsplit(origin).netloc
        self._seen: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Complaints in which `pattern` is found are no fault, as r"status of 422"."""
        self._expected.append(re.compile(pattern))

    def over(self, context: BrowserContext) -> None:
        context.on("console", self._said)
        context.on("weberror", self._threw)
        context.on("request", self._asked)

    @property
    def problems(self) -> list[str]:
        return [one for one in self._seen if not any(pattern.search(one) for pattern in self._expected)]

    def _said(self, message: ConsoleMessage) -> None:
        # A violation of the Content-Security-Policy is an error of the console too.
        if message.type in ("error", "assert"):
            at = message.location
            self._seen.append(f"console: {message.text} ({at['url']}:{at['lineNumber']})")

    def _threw(self, error: WebError) -> None:
        self._seen.append(f"page error: {error.error}")

    def _asked(self, request: Request) -> None:
        where = urlsplit(request.url)
        if where.scheme not in _NEVER_SENT and where.netloc != self._host:
            self._seen.append(f"request to another host: {request.url}")
