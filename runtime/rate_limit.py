"""An ASGI layer that keeps one caller from taking everybody's turn: so many requests a minute for each credential, and for
each address where no credential has been proven.

A credential counts for itself once the application has accepted it; until then its requests count for the address, so that
made-up tokens win nothing. Each process counts for itself. One number is kept per caller: the instant at which all that
it spent is back (the generic cell rate algorithm). Nothing that was presented is kept, only its hash.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

WINDOW_SECONDS = 60
_MOST_CALLERS = 20_000
_COOKIE = re.compile(rb"(?:^|;\s*)((?:__Host-)?linli(?:-resident)?=[^;\s]+)")

Refuse = Callable[[Scope, int], ASGIApp]


class RateLimited:
    """`proven` tells of an answered request whether its credential was good; `refuse` makes the 429. Limits are requests a
    minute, 0 for none; `free` are paths that nobody counts."""

    def __init__(
        self, app: ASGIApp, *, known: int, unknown: int, proven: Callable[[Scope], bool], refuse: Refuse,
        free: frozenset[str], clock: Callable[[], float] = monotonic,
    ) -> None:  # fmt: skip
        self.app, self._proven, self._refuse, self._free, self._clock = app, proven, refuse, free, clock
        self._of_known, self._of_unknown = _Limit("credential", known), _Limit("address", unknown)
        self._back_at: dict[int, float] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._free:
            await self.app(scope, receive, send)
            return
        now, credential = self._clock(), _credential(scope)
        is_known = credential is not None and credential in self._back_at
        limit = self._of_known if is_known else self._of_unknown
        caller = credential if credential is not None and is_known else _address(scope)
        back_at = max(self._back_at.get(caller, now), now) + limit.each
        headers = limit.headers(back_at - now)

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
                if not is_known and credential is not None and self._proven(scope):
                    self._back_at[credential] = now
            await send(message)

        if back_at - now > WINDOW_SECONDS:
            wait = int(back_at - now - WINDOW_SECONDS) + 1
            await self._refuse(scope, wait)(scope, receive, send_marked)
            return
        self._back_at[caller] = back_at
        if len(self._back_at) > _MOST_CALLERS:
            self._back_at = {one: at for one, at in self._back_at.items() if at > now}
        await self.app(scope, receive, send_marked)


class _Limit:
    def __init__(self, name: str, most: int) -> None:
        self.each = WINDOW_SECONDS / most if most else 0.0
        self._policy = (b"ratelimit-policy", f'"{name}";q={most};w={WINDOW_SECONDS}'.encode())
        self._most, self._name = most, name

    def headers(self, spent: float) -> tuple[tuple[bytes, bytes], ...]:
        """draft-ietf-httpapi-ratelimit-headers-10; `spent` in seconds of the window."""
        if not self._most:
            return ()
        left = max(int((WINDOW_SECONDS - spent) / self.each + 1e-6), 0)
        return (self._policy, (b"ratelimit", b'"%s";r=%d;t=%d' % (self._name.encode(), left, spent + 0.999)))


def _credential(scope: Scope) -> int | None:
    cookie = None
    for name, value in scope["headers"]:
        if name == b"authorization":
            return hash(value)
        if name == b"cookie":
            cookie = _COOKIE.search(value)
    return None if cookie is None else hash(cookie[1])


def _address(scope: Scope) -> int:
    """Of IPv6 the network: whoever has one has all its addresses."""
    host = scope["client"][0] if scope.get("client") else ""
    if ":" in host:
        host = int(ipaddress.IPv6Address(host.partition("%")[0])) >> 64
    return hash(("address", host))
