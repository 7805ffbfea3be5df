"""Hostile bytes on a real socket, past every client: what each got stands in docs/reference/hostile.md.

Whatever is sent, the answer is a refusal or a closed connection, nothing that was smuggled is carried out, and the next
caller is served.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.api.callers import RESIDENT, bearer
from tests.builders import Product
from tests.contract.hostile_table import Table

TABLE = Table("Wire", "tests/contract/test_hostile_wire.py")
PATIENCE = 3.0
"""Seconds for which a silent server is listened to."""
TOKEN = bearer(RESIDENT)["Authorization"]
BODY = '{"text": "偷运的"}'.encode()
SUBMIT = (
    f"POST /api/v1/demands HTTP/1.1\r\nHost: x\r\nAuthorization: {TOKEN}\r\nContent-Type: application/json\r\n"
    f"Idempotency-Key: smuggled\r\nContent-Length: {len(BODY)}\r\n\r\n"
).encode() + BODY
"""What must never be carried out when it lies hidden in another request."""


def get(*headers: str, path: str = "/version", body: bytes = b"", method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: x", *headers, "", ""]).encode("latin-1") + body


def posting(*headers: str, body: bytes = b"") -> bytes:
    return get("Content-Type: application/json", *headers, path="/api/v1/session", method="POST", body=body)


HIDDEN = len(SUBMIT)
SMUGGLED = {
    "length and chunks": posting(f"Content-Length: {HIDDEN + 5}", "Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SUBMIT),
    "chunks and length": posting("Transfer-Encoding: chunked", "Content-Length: 4", body=b"0\r\n\r\n" + SUBMIT),
    "two lengths": posting("Content-Length: 0", f"Content-Length: {HIDDEN}", body=SUBMIT),
    "a list of lengths": posting(f"Content-Length: 0, {HIDDEN}", body=SUBMIT),
    "a signed length": posting("Content-Length: +0", body=SUBMIT),
    "a negative length": posting("Content-Length: -1", body=SUBMIT),
    "a length of letters": posting("Content-Length: 0x0", body=SUBMIT),
    "a length beyond 64 bits": posting("Content-Length: 18446744073709551616", body=SUBMIT),
    "chunked by another name": posting("Transfer-Encoding: xchunked", body=b"0\r\n\r\n" + SUBMIT),
    "chunked, but not last": posting("Transfer-Encoding: chunked, identity", body=b"0\r\n\r\n" + SUBMIT),
    "a blank before the colon": posting("Transfer-Encoding : chunked", body=b"0\r\n\r\n" + SUBMIT),
    "a folded header": posting("X-A: b\r\n Transfer-Encoding: chunked", "Content-Length: 0"),
    "a chunk that is no number": posting("Transfer-Encoding: chunked", body=b"zz\r\n" + SUBMIT),
    "a chunk beyond 64 bits": posting("Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n" + SUBMIT),
    "a negative chunk": posting("Transfer-Encoding: chunked", body=b"-1\r\n" + SUBMIT),
}  # fmt: skip
BROKEN = {
    "NUL in a header": get("X-A: a\x00b"), "NUL in the path": get(path="/ver\x00sion"), "a line end alone in a header": get("X-A: a\nX-B: b"),
    "a name with a blank": get("X A: b"), "no name": get(": b"), "no version": b"GET /version\r\n\r\n", "version 9": b"GET / HTTP/9.9\r\n\r\n",
    "a letter of TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(300), "rubbish": bytes(range(256)) * 4,
    "HTTP/2 from the start": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "a method of a thousand letters": get(method="A" * 1000),
    "a blank in the path": get(path="/ver sion"), "letters beyond ASCII in the path": get(path="/\xff\xfe\xfd"),
}  # fmt: skip
OVERSIZED = {
    "a path of 4 MB": get(path="/" + "a" * 4_000_000), "a header of 4 MB": get("X-A: " + "a" * 4_000_000),
    "400,000 headers": get(*(f"X-{n}: a" for n in range(400_000))), "cookies of 4 MB": get("Cookie: " + "a=b; " * 800_000),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(served: str) -> tuple[str, int]:
    parts = urlsplit(served)
    assert parts.hostname and parts.port
    return parts.hostname, parts.port


@contextlib.asynccontextmanager
async def line(place: tuple[str, int]) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection(*place)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def heard(place: tuple[str, int], raw: bytes) -> list[int | None]:
    """The statuses of the answers on one connection; None at the end if the server waits for more."""
    received, ended = bytearray(), False
    async with line(place) as (reader, writer):
        with contextlib.suppress(ConnectionError):
            writer.write(raw)
            await writer.drain()
        try:
            while chunk := await asyncio.wait_for(reader.read(65_536), PATIENCE):
                received += chunk
            ended = True
        except ConnectionError:
            ended = True
        except TimeoutError:
            pass
    statuses: list[int | None] = [
        int(part[:3]) for part in received.decode("latin-1").split("HTTP/1.1 ")[1:] if part[:3].isdigit()
    ]
    return statuses if ended or statuses else [None]


def said(statuses: list[int | None]) -> str:
    return (
        ", then ".join("waits for more, carries out nothing" if one is None else str(one) for one in statuses)
        or "closed"
    )


async def still_serves(served: str, product: Product, before: int) -> None:
    async with httpx2.AsyncClient(base_url=served, timeout=20) as client:
        assert (await client.get("/version")).status_code == 200
    assert await demands(product) == before, "what was hidden was carried out"


async def demands(product: Product) -> int:
    found: int = await product.pool.fetchval("select count(*) from demand")
    return found


async def test_what_is_hidden_would_work_in_the_open(served: str, place: tuple[str, int], product: Product) -> None:
    before = await demands(product)
    assert await heard(place, SUBMIT) == [201]
    assert await demands(product) == before + 1


@pytest.mark.parametrize("what", SMUGGLED)
async def test_nothing_is_smuggled(served: str, place: tuple[str, int], product: Product, what: str) -> None:
    before = await demands(product)
    statuses = await heard(place, SMUGGLED[what].replace(b"smuggled", what.encode().replace(b" ", b"-")))
    assert all(one is None or 400 <= one < 500 for one in statuses), statuses
    await still_serves(served, product, before)
    TABLE.note("request smuggling", what, said(statuses))


@pytest.mark.parametrize("what", BROKEN)
async def test_broken_requests_are_refused(served: str, place: tuple[str, int], product: Product, what: str) -> None:
    before = await demands(product)
    statuses = await heard(place, BROKEN[what])
    assert all(one is None or 400 <= one < 500 for one in statuses) or what == "no version", statuses
    await still_serves(served, product, before)
    TABLE.note("broken requests", what, said(statuses))


@pytest.mark.parametrize("what", OVERSIZED)
async def test_too_much_of_it(served: str, place: tuple[str, int], product: Product, what: str) -> None:
    before = await demands(product)
    # What is cut off while it is still being sent may not hear the answer any more.
    assert await heard(place, OVERSIZED[what]) in ([431], [400], [])
    await still_serves(served, product, before)
    TABLE.note("oversized requests", what, "431, and hung up on")


async def test_a_long_query_is_only_a_long_query(place: tuple[str, int]) -> None:
    statuses = await heard(place, get("Connection: close", path="/api/v1/demands?" + "a=b&" * 12_000))
    assert statuses == [401]
    TABLE.note("oversized requests", "a query of 48 kB", said(statuses))


async def test_a_body_that_never_ends_holds_nobody_up(served: str, place: tuple[str, int], product: Product) -> None:
    before = await demands(product)
    async with contextlib.AsyncExitStack() as lines:
        for n in range(60):
            _, writer = await lines.enter_async_context(line(place))
            writer.write(SUBMIT[:-3] if n % 2 else b"GET /version HTTP/1.1\r\nHost: x\r\nX-A: ")
            await writer.drain()
        await still_serves(served, product, before)
        for _ in range(3):
            await asyncio.sleep(0.1)
            await still_serves(served, product, before)
    await still_serves(served, product, before)
    TABLE.note(
        "slow senders", "60 connections with half a head or half a body", "others are served; half a demand is none"
    )


async def test_a_head_that_never_ends_is_hung_up_on(
    served: str, place: tuple[str, int], product: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("runtime.wire.HEAD_SECONDS", 0.3)
    for raw in (b"", b"GET /version HTTP/1.1\r\n", b"GET /version HTTP/1.1\r\nHost: x\r\nX-A: "):
        async with line(place) as (reader, writer):
            writer.write(raw)
            assert await asyncio.wait_for(reader.read(), 20) == b""
    assert await heard(place, get() + get("Connection: close")) == [200, 200]
    async with line(place) as (reader, writer):  # the timer is that of the head, not of the body
        writer.write(SUBMIT[:-3])
        await asyncio.sleep(0.6)
        writer.write(SUBMIT[-3:])
        assert b"201" in await asyncio.wait_for(reader.readline(), 20)
    TABLE.note("slow senders", "half a head, or no word at all", "hung up on after 30 seconds")


async def test_two_requests_at_once_get_two_answers(served: str, place: tuple[str, int], product: Product) -> None:
    statuses = await heard(place, get() + get("Connection: close"))
    assert statuses == [200, 200]
    TABLE.note("two requests in one packet", "honest pipelining", said(statuses))


async def test_a_line_end_in_a_name_of_a_file_is_no_header(place: tuple[str, int]) -> None:
    form = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a\r\nSet-Cookie: a=b"\r\n\r\nid,text\r\n\r\n--x--\r\n'
    head = get(f"Authorization: {TOKEN}", "Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(form)}",
               "Connection: close", path="/api/v1/files", method="POST")  # fmt: skip
    async with line(place) as (reader, writer):
        writer.write(head + form)
        answer = await asyncio.wait_for(reader.read(), PATIENCE * 3)
    status = int(answer[9:12])
    assert 400 <= status < 500 and b"set-cookie" not in answer.lower()
    TABLE.note("POST /files", "CR LF and a header in a file name", str(status))


def test_the_page_says_what_each_got() -> None:
    TABLE.must_stand_on_the_page()
