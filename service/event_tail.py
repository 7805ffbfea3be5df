"""The end of the feed, read once in this process for everybody who listens.

    database ──page, every half second──> Tail ──> Listener (a bounded queue) ──> one client each

Nobody holds a database connection; while nobody listens nothing is read. Who does not keep up is dropped and comes
again with the position of the last event that arrived; missed events are read from the feed then.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from types import FrameType
from typing import Any

import structlog

from domain.errors import DomainError
from service.outgoing import Message, message
from service.repeating import WAITS_FOR
from store import feed
from store.feed import Position
from store.pool import Pool

EVERY = timedelta(seconds=0.5)
AT_ONCE = 500
MOST_LISTENERS = 256
KEPT = 1_000

log = structlog.get_logger()


class Dropped(Exception):
    """The listener was too slow, or the server is going down."""


class Listener:
    """`joined`: what came up to there is not given; what comes behind it is, in order and once."""

    def __init__(self, joined: Position, kept: int) -> None:
        self.joined = joined
        self._kept = kept
        self._waiting: list[Message] = []
        self._bell = asyncio.Event()
        self.dropped = False

    def put(self, one: Message) -> None:
        if len(self._waiting) >= self._kept:
            self.drop()
        if not self.dropped:
            self._waiting.append(one)
            self._bell.set()

    def drop(self) -> None:
        self.dropped = True
        self._waiting.clear()
        self._bell.set()

    async def next(self, patience: timedelta) -> list[Message]:
        """What has come, as soon as there is something; nothing after `patience`. Raises Dropped."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._bell.wait(), patience.total_seconds())
        self._bell.clear()
        if self.dropped:
            raise Dropped
        came, self._waiting = self._waiting, []
        return came


class Tail:
    def __init__(self, pool: Pool, source: Callable[[], str], *, kept: int = KEPT) -> None:
        """`kept` events wait for a listener at most."""
        self._pool = pool
        self._source = source
        self._kept = kept
        self._listeners: set[Listener] = set()
        self._position: Position | None = None
        self._reads: asyncio.Task[None] | None = None
        self._joining = asyncio.Lock()
        self._closed = False
        self._forget: Callable[[], None] | None = None

    def must_have_room(self) -> None:
        """Raises DomainError `too_many_requests`."""
        if self._closed or len(self._listeners) >= MOST_LISTENERS:
            raise DomainError("too_many_requests", "Too many streams are open here. Come again.", retry_after_seconds=5)

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[Listener]:
        async with self._joining:
            if self._position is None:
                self._position = await feed.end(self._pool)
            listener = Listener(self._position, self._kept)
            self._listeners.add(listener)
            if self._closed:
                listener.drop()
            if self._reads is None or self._reads.done():
                self._reads = asyncio.create_task(self._read())
                self._forget = self._forget or _on_shutdown(self.stop)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _read(self) -> None:
        """While somebody listens."""
        try:
            while self._listeners and not self._closed:
                try:
                    full = await self._read_once()
                except WAITS_FOR as down:
                    log.warning("streams wait", reason=type(down).__name__)
                    full = False
                if not full:
                    await asyncio.sleep(EVERY.total_seconds())
        finally:  # nobody is left, or something broke: then they come again
            self._position = None
            for listener in self._listeners:
                listener.drop()

    async def _read_once(self) -> bool:
        events, source = await feed.page(self._pool, self._position, AT_ONCE), self._source()
        for one in events:
            self._position = one.position
            if (made := message(one, source)) is not None:
                for listener in self._listeners:
                    listener.put(made)
        return len(events) == AT_ONCE

    def stop(self) -> None:
        """End every stream: the server waits for its answers to end before it goes."""
        self._closed = True
        for listener in self._listeners:
            listener.drop()

    async def close(self) -> None:
        self.stop()
        if self._forget is not None:
            self._forget()
        if self._reads is not None:
            self._reads.cancel()
            await asyncio.gather(self._reads, return_exceptions=True)


def _on_shutdown(stop: Callable[[], None]) -> Callable[[], None] | None:
    """Also `stop` on SIGTERM and SIGINT, where a server has handlers for them: it tells the application only after its
    last answer has ended, and a stream's would not. Returns what takes this back."""
    if threading.current_thread() is not threading.main_thread():
        return None
    loop, before = asyncio.get_running_loop(), {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}
    if not all(callable(one) and one is not signal.default_int_handler for one in before.values()):
        return None  # nobody here ends in order on a signal

    def heard(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(stop)
        handler: Any = before[signal.Signals(number)]
        handler(number, frame)

    for one in before:
        signal.signal(one, heard)

    def forget() -> None:
        for one, handler in before.items():
            if signal.getsignal(one) is heard:
                signal.signal(one, handler)

    return forget
