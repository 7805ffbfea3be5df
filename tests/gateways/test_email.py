"""E-mail into a real SMTP server: what arrives, what is kept from arriving, and what is said of each trouble."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from domain.delivery import DELIVERED, Outcome, Reason, refused, try_again
from domain.errors import ConfigError
from gateways.email import EmailGateway, SmtpServer
from gateways.sending import Message
from tests.gateways.mail_server import PASSWORD, USER, MailServer, mail_server, self_made_certificate

SENDER = "邻里 Linli <noreply@linli.test>"


def message(address: str = "zhong@example.cn", *, id: str = "7.1700000000000", **more: Any) -> Message:
    return Message(
        **{"id": id, "address": address, "subject": "诉求已派单", "body": "您有一条新诉求。\n.\nhttps://x/1", **more}
    )


@contextlib.asynccontextmanager
async def gateway_to(
    server: MailServer, scheme: str = "smtp", login: str = "", **options: str
) -> AsyncIterator[EmailGateway]:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    at = SmtpServer.parse(f"{scheme}://{login}127.0.0.1:{server.port}?{query}")
    gateway = EmailGateway(at, SENDER, answer_seconds=1, send_seconds=3)
    try:
        yield gateway
    finally:
        await gateway.close()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return self_made_certificate(tmp_path)


async def test_a_letter_arrives_with_its_headers_and_in_its_script() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        assert await gateway.send(message()) == DELIVERED
    (letter,) = server.received
    mail = letter.mail
    assert (letter.recipient, mail["To"], mail["From"]) == ("zhong@example.cn", "zhong@example.cn", SENDER)
    assert mail["Subject"] == "诉求已派单" and letter.text.rstrip("\n") == "您有一条新诉求。\n.\nhttps://x/1"
    assert letter.message_id == "<7.1700000000000@linli.test>"
    assert (mail["Auto-Submitted"], mail["List-Id"]) == ("auto-generated", "<notices.linli.test>")
    assert mail["Date"].datetime.utcoffset().total_seconds() == 0
    assert letter.raw.isascii() and not letter.encrypted


async def test_the_same_delivery_has_the_same_message_id_and_another_one_another() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        for id in ("7.17", "7.17", "8.17"):
            await gateway.send(message(id=id))
    ids = [letter.message_id for letter in server.received]
    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\x0b", "\x85", "\u2028", "\x00"])
async def test_nothing_in_a_subject_becomes_a_header(end: str) -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        subject = f"新诉求{end}Bcc: thief@example.cn{end}{end}<b>hello"
        assert await gateway.send(message(subject=subject, id=f"7{end}X-Evil: 1")) == DELIVERED
    (letter,) = server.received
    assert letter.mail["Bcc"] is None and letter.mail["X-Evil"] is None
    assert letter.mail["Subject"] == "新诉求 Bcc: thief@example.cn <b>hello".replace("  ", " ")
    assert server.to == ["zhong@example.cn"] and letter.text.startswith("您有")


@pytest.mark.parametrize(
    "address",
    ["a@b.cn\r\nRCPT TO:<thief@example.cn>", "a@b.cn\nx", "a@b.cn,c@d.cn", "<a@b.cn>", "a b@c.cn", "a@", "@b.cn", "a@-b.cn",
     "a@b..cn", "钟@example.cn", "x" * 65 + "@b.cn", "a@b.cn ", "", "a\x00@b.cn", f"a@{'b' * 64}.cn"],
)  # fmt: skip
async def test_an_address_that_is_none_is_refused_before_anything_is_connected(address: str) -> None:
    gateway = EmailGateway(SmtpServer.parse("smtp://127.0.0.1:1"), SENDER)
    assert await gateway.send(message(address)) == refused(Reason.INVALID_ADDRESS)


async def test_a_domain_in_its_own_script_goes_over_the_wire_in_ascii() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        assert await gateway.send(message("zhong@永川.cn")) == DELIVERED
    assert server.to == ["zhong@xn--09z27j.cn"] or server.to[0].startswith("zhong@xn--")


async def test_encrypted_on_demand_at_once_and_not_with_a_stranger(certificate: Path) -> None:
    async with mail_server(certificate) as server:
        async with gateway_to(server, starttls="yes", ca=str(certificate)) as gateway:
            assert await gateway.send(message()) == DELIVERED
        async with gateway_to(server, ca=str(certificate)) as gateway:  # it is offered, so it is taken
            assert await gateway.send(message()) == DELIVERED
        async with gateway_to(server, starttls="yes") as gateway:  # nobody vouches for that certificate
            assert await gateway.send(message()) == try_again(Reason.TLS_FAILED)
        async with gateway_to(server, starttls="no") as gateway:
            assert await gateway.send(message()) == DELIVERED
    assert [letter.encrypted for letter in server.received] == [True, True, False]
    async with mail_server(certificate, at_once=True) as server:
        async with gateway_to(server, "smtps", ca=str(certificate)) as gateway:
            assert await gateway.send(message()) == DELIVERED
        async with gateway_to(server, "smtps") as gateway:
            assert await gateway.send(message()) == try_again(Reason.TLS_FAILED)
    assert len(server.received) == 1


async def test_a_server_without_starttls_is_told_no_password(certificate: Path) -> None:
    async with mail_server() as server, gateway_to(server, login=f"{USER}:secret@") as gateway:
        assert await gateway.send(message()) == try_again(Reason.TLS_FAILED)
    assert server.received == []


async def test_logged_in_with_the_right_password_only(certificate: Path) -> None:
    async with mail_server(certificate, login=True) as server:
        login = f"{USER}:{quote(PASSWORD, safe='')}@"
        async with gateway_to(server, login=login, ca=str(certificate)) as gateway:
            assert await gateway.send(message()) == DELIVERED
        async with gateway_to(server, login=f"{USER}:wrong@", ca=str(certificate)) as gateway:
            assert await gateway.send(message()) == try_again(Reason.LOGIN_REFUSED)
        async with gateway_to(server, ca=str(certificate)) as gateway:  # 530 Authentication required
            assert await gateway.send(message()) == try_again(Reason.LOGIN_REFUSED)
    assert [letter.login for letter in server.received] == [True]


@pytest.mark.parametrize(
    ("where", "answer", "outcome"),
    [
        ("say_sender", "451 4.3.0 later", try_again(Reason.BUSY)),
        ("say_sender", "553 5.7.1 not you", try_again(Reason.REFUSED_SENDER)),
        ("say_recipient", "450 4.2.1 greylisted", try_again(Reason.BUSY)),
        ("say_recipient", "550 5.1.1 no such user", refused(Reason.REFUSED_RECIPIENT)),
        ("say_data", "452 4.2.2 mailbox full", try_again(Reason.BUSY)),
        ("say_data", "554 5.6.0 no", refused(Reason.REFUSED_MESSAGE)),
        ("say_recipient", "421 4.3.2 shutting down", try_again(Reason.UNREACHABLE)),
    ],
)
async def test_each_refusal_is_told_apart_and_the_next_letter_goes_out(
    where: str, answer: str, outcome: Outcome
) -> None:
    async with mail_server() as server, gateway_to(server) as gateway:

        async def say(recipient: str, _: Any) -> str | None:
            return answer

        usual = getattr(server, where)
        setattr(server, where, say)
        assert await gateway.send(message()) == outcome
        setattr(server, where, usual)
        assert await gateway.send(message("next@example.cn")) == DELIVERED
    assert server.to == ["next@example.cn"]


async def test_a_server_that_is_away_or_silent_is_unreachable() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        await server.down()
        assert await gateway.send(message()) == try_again(Reason.UNREACHABLE)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # the machine answers, the program does not
        at = SmtpServer.parse(f"smtp://127.0.0.1:{silent.getsockname()[1]}")
        gateway = EmailGateway(at, SENDER, answer_seconds=0.3)
        assert await gateway.send(message()) == try_again(Reason.UNREACHABLE)


async def test_a_server_that_hangs_or_drops_the_line() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        never = asyncio.Event()

        async def hang(recipient: str, _: Any) -> str | None:
            await never.wait()
            return None

        async def drop(recipient: str, at: Any) -> str | None:
            at.transport.abort()
            return None

        usual = server.say_recipient
        server.say_recipient = hang
        assert await gateway.send(message()) == try_again(Reason.TIMED_OUT)
        server.say_recipient = drop
        assert await gateway.send(message()) == try_again(Reason.DROPPED)
        server.say_recipient, server.say_data = usual, drop
        assert await gateway.send(message()) == try_again(Reason.ANSWER_LOST)
        assert len(server.received) == 1, "it was taken all the same: a repetition bears the same Message-ID"
        server.say_data = hang
        assert await gateway.send(message()) == try_again(Reason.ANSWER_LOST)
        server.say_data = usual
        assert await gateway.send(message()) == DELIVERED
        never.set()
    assert len({letter.message_id for letter in server.received}) == 1


async def test_connections_are_kept_and_a_stale_one_is_replaced() -> None:
    async with mail_server() as server, gateway_to(server) as gateway:
        for _ in range(3):
            assert await gateway.send(message()) == DELIVERED
        assert len({letter.peer for letter in server.received}) == 1
        server.hang_up()
        assert await gateway.send(message()) == DELIVERED, (
            "a connection that has gone stale is no trouble of the letter's"
        )
        assert len({letter.peer for letter in server.received}) == 2
        many = await asyncio.gather(*(gateway.send(message(f"p{n}@example.cn")) for n in range(8)))
    assert many == [DELIVERED] * 8 and len(server.received) == 12


@pytest.mark.parametrize(
    "url",
    ["http://h", "smtp://", "smtp://h:99999", "smtp://h/path", "smtp://h?starttls=maybe", "smtp://h?nonsense=1",
     "smtp://h?connections=0", "smtp://h?connections=x"],
)  # fmt: skip
def test_an_address_of_a_server_that_makes_no_sense_says_what_to_write(url: str) -> None:
    with pytest.raises(ConfigError) as wrong:
        SmtpServer.parse(url)
    assert "LINLI_SMTP_URL" in str(wrong.value)


def test_a_password_stands_in_no_printed_form_and_in_no_error() -> None:
    server = SmtpServer.parse("smtp://linli:t0psecret@mail.example.cn:587?starttls=yes")
    assert (server.host, server.port, server.password) == ("mail.example.cn", 587, "t0psecret")
    assert "t0psecret" not in repr(server)
    with pytest.raises(ConfigError) as wrong:
        SmtpServer.parse("smtp://linli:t0psecret@mail.example.cn:587?ca=/x&what=1")
    assert "t0psecret" not in str(wrong.value)
    with pytest.raises(ConfigError):
        EmailGateway(SmtpServer.parse("smtp://h"), "not a mailbox")
