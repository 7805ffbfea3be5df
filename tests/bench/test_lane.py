from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from bench.lane import Lane, post

Serve = Callable[[list[bytes]], Awaitable[Lane]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A server that answers every request with the pieces given, each in a packet of its own; none: it hangs up."""
    servers: list[asyncio.Server] = []
    lanes: list[Lane] = []

    async def start(pieces: list[bytes]) -> Lane:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while await reader.read(65536):
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                    await asyncio.sleep(0)
                if not pieces:
                    break
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        servers.append(server)
        lane = await Lane.to("127.0.0.1", server.sockets[0].getsockname()[1])
        lanes.append(lane)
        return lane

    yield start
    for lane in lanes:
        lane.close()
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_an_answer_may_come_in_any_pieces_and_the_lane_goes_on(serve: Serve) -> None:
    lane = await serve([b"HTTP/1.1 201 Cre", b"ated\r\ncontent-type: x\r\nContent-Len", b"gth: 5\r\n\r\nab", b"cde"])
    for _ in range(3):
        assert await lane.ask(b"GET / HTTP/1.1\r\n\r\n") == (201, b"abcde")


async def test_an_empty_answer_is_an_answer(serve: Serve) -> None:
    lane = await serve([b"HTTP/1.1 204 No Content\r\n\r\n"])
    assert await lane.ask(b"x") == (204, b"")


async def test_a_server_that_hangs_up_is_an_error_not_a_wait(serve: Serve) -> None:
    lane = await serve([])
    with pytest.raises(ConnectionError):
        await lane.ask(b"x")
    with pytest.raises(ConnectionError):
        await lane.ask(b"x")


def test_the_length_counts_bytes_not_letters() -> None:
    body = "垃圾".encode()
    head, _, sent = post("/p", body, token="t", key="k").partition(b"\r\n\r\n")
    assert sent == body
    assert b"Content-Length: 6" in head
    assert b"Idempotency-Key: k" in head
