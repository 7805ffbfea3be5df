"""One keep-alive HTTP/1.1 connection for load clients: it costs so little that it hardly takes part in what it measures."""

from __future__ import annotations

import asyncio
from typing import cast

_LENGTH = b"content-length:"


class Lane(asyncio.Protocol):
    """Ask one thing at a time; answers must carry `Content-Length`, as those of our servers do."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._transport: asyncio.Transport | None = None

    @classmethod
    async def to(cls, host: str, port: int) -> Lane:
        _, lane = await asyncio.get_running_loop().create_connection(cls, host, port)
        return lane

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Status and body. Raises ConnectionError when the server hangs up before it has answered."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own kind is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        whole = end + 4 + _content_length(bytes(self._received[:end]))
        if len(self._received) < whole or self._answer is None or self._answer.done():
            return
        answer = int(self._received[9:12]), bytes(self._received[end + 4 : whole])
        del self._received[:whole]
        self._answer.set_result(answer)


def _content_length(head: bytes) -> int:
    lower = head.lower()
    at = lower.find(_LENGTH)
    return 0 if at < 0 else int(lower[at + len(_LENGTH) :].split(b"\r\n", 1)[0])


def post(path: str, body: bytes, *, token: str, key: str) -> bytes:
    """A whole POST request; floors get the same headers and ignore what they do not need."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: linli\r\nAuthorization: Bearer {token}\r\nIdempotency-Key: {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
