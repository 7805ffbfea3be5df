"""One HTTP request to a receiver: to a checked address, in bounded time, no redirect followed, little of the answer read."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable, Mapping
from datetime import timedelta
from time import perf_counter
from typing import Any

import httpcore2
from anyio import BrokenResourceError, EndOfStream

from gateways.webhooks.address import Guard, Refused, Target
from gateways.webhooks.answer import Answer, Fetched

ANSWER_BYTES = 16_384
IDLE_SECONDS = 20.0


class Sender:
    """Posts to many receivers; each receiver's connections are its own, so a slow one holds nobody else's."""

    def __init__(
        self,
        guard: Guard,
        *,
        agent: str,
        timeout: timedelta,
        tls: ssl.SSLContext | None = None,
        connections: int = 4,
    ) -> None:
        """`timeout` bounds the whole of a try, from the name's resolution to the end of the answer."""
        self._guard = guard
        self._timeout = timeout
        self._agent = agent
        self._tls = tls
        self._connections = connections
        self._pools: dict[tuple[str, str, int, bool], httpcore2.AsyncConnectionPool] = {}

    async def post(self, receiver: str, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Never raises for what the receiver or the network does. `receiver` names whose connections are used."""
        started = perf_counter()

        def after(status: int | None, error: str | None, wait: timedelta | None = None) -> Answer:
            return Answer(status, error, round((perf_counter() - started) * 1000), wait)

        try:
            target = Target.of(url)
            async with asyncio.timeout(self._timeout.total_seconds()):
                status, wait, _ = await self._exchange("POST", receiver, target, headers, body, ANSWER_BYTES)
            return after(status, None if 200 <= status < 300 else f"http_{status}", wait)
        except Refused as refused:
            return after(None, refused.code)
        except (TimeoutError, httpcore2.TimeoutException):
            return after(None, "timed_out")
        except (httpcore2.ConnectError, OSError) as failed:
            return after(None, "tls_failed" if _is_tls(failed) else "unreachable")
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, ssl.SSLError,
                BrokenResourceError, EndOfStream):  # fmt: skip
            return after(None, "dropped")

    async def fetch(
        self, receiver: str, method: str, url: str, headers: Mapping[str, str], body: bytes, *, most: int
    ) -> Fetched:
        """As `post`, for whoever wants to read the answer: of at most `most` bytes, a longer one is `too_large`.

        What never left this machine is `unreachable`, `tls_failed` or one of the guard's codes; all else may have arrived.
        """
        try:
            target = Target.of(url)
            async with asyncio.timeout(self._timeout.total_seconds()):
                status, wait, said = await self._exchange(method, receiver, target, headers, body, most)
            error = None if 200 <= status < 300 else f"http_{status}"
            return Fetched(status, "too_large" if len(said) > most else error, said, wait)
        except Refused as refused:
            return Fetched(None, refused.code)
        except httpcore2.ConnectError as failed:
            return Fetched(None, "tls_failed" if _is_tls(failed) else "unreachable")
        except (TimeoutError, httpcore2.TimeoutException):
            return Fetched(None, "timed_out")
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpcore2.UnsupportedProtocol, OSError,
                BrokenResourceError, EndOfStream):  # fmt: skip
            return Fetched(None, "dropped")

    async def close(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    async def _exchange(
        self, method: str, receiver: str, target: Target, headers: Mapping[str, str], body: bytes, most: int
    ) -> tuple[int, timedelta | None, bytes]:
        url = httpcore2.URL(
            scheme=b"https" if target.encrypted else b"http", host=target.host.encode(), port=target.port,
            target=target.path.encode(),
        )  # fmt: skip
        default = target.port == (443 if target.encrypted else 80)
        name = f"[{target.host}]" if ":" in target.host else target.host
        sent = {"Host": name if default else f"{name}:{target.port}", "User-Agent": self._agent, "Accept": "*/*",
                "Content-Length": str(len(body)), **headers}  # fmt: skip
        pool = self._pool(receiver, target)
        async with pool.stream(method, url, headers=list(sent.items()), content=body) as response:
            said = bytearray()
            async for chunk in response.aiter_stream():  # to its end, the connection can be used again
                said += chunk
                if len(said) > most:
                    break
            return response.status, _retry_after(response.headers), bytes(said)

    def _context(self) -> ssl.SSLContext:
        """One for all: to load the certificates takes a while."""
        self._tls = self._tls or httpcore2.default_ssl_context()
        return self._tls

    def _pool(self, receiver: str, target: Target) -> httpcore2.AsyncConnectionPool:
        key = (receiver, target.host, target.port, target.encrypted)
        if key not in self._pools:
            backend = _Guarded(self._guard, encrypted=target.encrypted)
            self._pools[key] = httpcore2.AsyncConnectionPool(
                ssl_context=self._context() if target.encrypted else None, max_connections=self._connections,
                keepalive_expiry=IDLE_SECONDS, network_backend=backend,
            )  # fmt: skip
        return self._pools[key]


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Connects to the addresses that the guard lets through, by number, and to nothing else."""

    def __init__(self, guard: Guard, *, encrypted: bool) -> None:
        self._guard = guard
        self._encrypted = encrypted
        self._backend = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        failed: Exception = OSError("no address")
        for address in await self._guard.addresses(host, port, encrypted=self._encrypted):
            try:
                return await self._backend.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, OSError) as error:
                failed = error
        raise failed

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def _is_tls(error: BaseException | None) -> bool:
    """Whether a certificate or a handshake stands behind it."""
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _retry_after(headers: Iterable[tuple[bytes, bytes]]) -> timedelta | None:
    """In seconds only: a date depends on two clocks."""
    for name, value in headers:
        if name.lower() == b"retry-after" and value.isdigit() and len(value) < 7:
            return timedelta(seconds=int(value))
    return None
