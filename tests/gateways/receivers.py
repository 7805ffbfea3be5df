"""Receivers of webhooks: real HTTP servers on the loopback interface, each as well or badly behaved as a test needs."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """`answer` makes the raw HTTP answer of each request, and may wait; None cuts the connection."""

    answer: Callable[[Received], Awaitable[bytes | None]]
    port: int = 0
    got: list[Received] = field(default_factory=list)
    connections: int = 0
    most_at_once: int = 0
    at_once: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.at_once += 1
                self.most_at_once = max(self.most_at_once, self.at_once)
                try:
                    answer = await self._answer(Received(head[0].split()[1], headers, body), reader)
                finally:
                    self.at_once -= 1
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        writer.close()

    async def _answer(self, request: Received, reader: asyncio.StreamReader) -> bytes | None:
        """None also when the client went away meanwhile."""
        made, gone = asyncio.ensure_future(self.answer(request)), asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({made, gone}, return_when=asyncio.FIRST_COMPLETED)
            return made.result() if made.done() else None
        finally:
            for task in (made, gone):
                task.cancel()
            await asyncio.gather(made, gone, return_exceptions=True)


def status(code: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {code} X", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def always(code: int, *headers: str) -> Callable[[Received], Awaitable[bytes | None]]:
    async def answer(_: Received) -> bytes:
        return status(code, *headers)

    return answer


async def for_ever(_: Received) -> bytes | None:
    await asyncio.sleep(3600)
    return None


@contextlib.asynccontextmanager
async def receiving(
    answer: Callable[[Received], Awaitable[bytes | None]] | None = None, *, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Receiver]:
    """Notes what it got before it answers; without `answer` it takes everything."""
    inner = answer or always(204)

    async def noted(request: Received) -> bytes | None:
        one.got.append(request)
        return await inner(request)

    one = Receiver(noted)
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        await one.serve(reader, writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=tls)
    one.port = server.sockets[0].getsockname()[1]
    try:
        yield one
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
