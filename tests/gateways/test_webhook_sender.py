"""One try: what each behaviour of a receiver is called, in bounded time, to the address that was checked."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from gateways.webhooks.address import Guard
from gateways.webhooks.answer import Answer
from gateways.webhooks.sender import ANSWER_BYTES, Sender
from runtime.settings import networks_of
from tests.gateways.receivers import Received, always, for_ever, receiving, status

LOOPBACK = networks_of("127.0.0.0/8,::1/128")


def sender(guard: Guard | None = None, *, seconds: float = 5, tls: ssl.SSLContext | None = None) -> Sender:
    return Sender(guard or Guard(LOOPBACK), agent="t", timeout=timedelta(seconds=seconds), tls=tls)


async def post(url: str, one: Sender | None = None, body: bytes = b"{}") -> Answer:
    used = one or sender()
    answer = await used.post("r", url, {"Content-Type": "application/json", "webhook-id": "x"}, body)
    if one is None:
        await used.close()
    return answer


async def test_what_is_sent_arrives_and_the_connection_is_used_again() -> None:
    async with receiving() as receiver:
        one = sender()
        for n in range(3):
            answer = await post(receiver.url + "?a=1", one, f"<{n}>".encode())
            assert (answer.status, answer.error, answer.taken) == (204, None, True)
        await one.close()
        assert [r.body for r in receiver.got] == [b"<0>", b"<1>", b"<2>"]
        assert receiver.got[0].path == "/hook?a=1"
        assert receiver.got[0].headers["host"] == f"127.0.0.1:{receiver.port}"
        assert receiver.connections == 1


@pytest.mark.parametrize("code", [200, 201, 202, 204, 299])
async def test_any_2xx_takes_it(code: int) -> None:
    async with receiving(always(code)) as receiver:
        assert (await post(receiver.url)).taken


@pytest.mark.parametrize("code", [301, 302, 307, 400, 404, 410, 429, 500, 503])
async def test_anything_else_does_not_and_no_redirect_is_followed(code: int) -> None:
    async with receiving() as other, receiving(always(code, f"Location: {other.url}")) as receiver:
        answer = await post(receiver.url)
        assert (answer.status, answer.error, answer.taken) == (code, f"http_{code}", False)
        assert other.got == []


async def test_retry_after_is_heard_in_seconds_only() -> None:
    async with receiving(always(429, "Retry-After: 17")) as receiver:
        assert (await post(receiver.url)).wait == timedelta(seconds=17)
    async with receiving(always(503, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT")) as receiver:
        assert (await post(receiver.url)).wait is None


async def one_byte_at_a_time(request: Received) -> bytes | None:
    await asyncio.sleep(0.05)
    return b"H"


async def test_who_does_not_answer_or_drips_is_given_up() -> None:
    for answer in (for_ever, one_byte_at_a_time):
        async with receiving(answer) as receiver:
            assert (await post(receiver.url, sender(seconds=0.3))).error == "timed_out"


async def test_an_endless_answer_is_not_read() -> None:
    async def endless(_: Received) -> bytes:
        return status(200, body=b"x" * 50 * ANSWER_BYTES).replace(
            b"Content-Length: 819200", b"Content-Length: 999999999"
        )

    async with receiving(endless) as receiver:
        assert (await post(receiver.url)).taken


async def test_each_failure_has_a_name() -> None:
    async with receiving() as receiver:
        gone = receiver.url
    assert (await post(gone)).error == "unreachable"

    async def cut(_: Received) -> bytes | None:
        return None

    async def babble(_: Received) -> bytes:
        return b"this is not http\r\n\r\n"

    for answer in (cut, babble):
        async with receiving(answer) as receiver:
            assert (await post(receiver.url)).error == "dropped"
    assert (await post("https://user@a.example/")).error == "has_user"


# ---- the address that is checked is the one that is connected to


async def test_a_name_that_changes_its_meaning_reaches_nothing() -> None:
    """DNS rebinding: first a public address, then loopback. Each connection is checked by what it connects to."""
    async with receiving() as receiver:
        answers = [["203.0.114.1"], ["127.0.0.1"], ["127.0.0.1"]]
        asked: list[str] = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            asked.append(host)
            return answers[min(len(asked), len(answers)) - 1]

        guard = Guard(resolve=resolve)
        assert await guard.addresses("rebinding.example", receiver.port, encrypted=True) == ["203.0.114.1"]
        answer = await post(f"https://rebinding.example:{receiver.port}/hook", sender(guard))
        assert answer.error == "address_refused"
        assert len(asked) == 2
        assert receiver.connections == 0


async def test_a_name_is_resolved_once_for_each_connection_and_connected_to_by_number() -> None:
    async with receiving() as receiver:
        asked: list[str] = []

        async def resolve(host: str, port: int) -> Sequence[str]:
            asked.append(host)
            return ["127.0.0.1"] if len(asked) == 1 else ["10.9.9.9"]

        one = sender(Guard(LOOPBACK, resolve=resolve))
        assert (await post(f"http://allowed.example:{receiver.port}/hook", one)).taken
        assert asked == ["allowed.example"]
        assert receiver.got[0].headers["host"] == f"allowed.example:{receiver.port}"
        await one.close()


async def test_without_permission_loopback_is_not_reached() -> None:
    async with receiving() as receiver:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"):
            answer = await post(f"http://{host}:{receiver.port}/hook", sender(Guard()))
            assert answer.error in ("address_refused", "unknown_host"), host
        assert receiver.connections == 0


# ---- TLS


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for `name`, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(subject).issuer_name(subject).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    file = folder / "pair.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ) + made.public_bytes(serialization.Encoding.PEM)
    )  # fmt: skip
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(file)
    return server, ssl.create_default_context(cadata=made.public_bytes(serialization.Encoding.PEM).decode())


async def test_the_certificate_must_be_the_names_own(tmp_path: Path) -> None:
    server, client = certificate(tmp_path, "receiver.example")

    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["127.0.0.1"]

    async with receiving(tls=server) as receiver:
        guard = Guard(LOOPBACK, resolve=resolve)
        right, wrong = f"https://receiver.example:{receiver.port}/", f"https://other.example:{receiver.port}/"
        one, trusting_nobody_new = sender(guard, tls=client), sender(guard)
        assert (await post(right, one)).taken
        assert (await post(wrong, one)).error == "tls_failed"
        assert (await post(right, trusting_nobody_new)).error == "tls_failed"
        for used in (one, trusting_nobody_new):
            await used.close()
        assert len(receiver.got) == 1
