"""A real SMTP server in the test's own loop, which can be told to refuse, to be slow, or to go away."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

USER, PASSWORD = "linli", "päss/word:1"
TAKEN = "250 OK"

Say = Callable[[str, Any], Awaitable[str | None]]
"""Answers for a recipient and the server's side of the connection; None means yes."""


@dataclass
class Letter:
    recipient: str
    mail: EmailMessage
    raw: bytes
    peer: Any
    encrypted: bool
    login: bool

    @property
    def text(self) -> str:
        return str(self.mail.get_content()).replace("\r\n", "\n")

    @property
    def message_id(self) -> str:
        return str(self.mail["Message-ID"])


async def _yes(recipient: str, server: Any) -> str | None:
    return None


@dataclass
class MailServer:
    """`say_*` may be replaced: what it answers to MAIL FROM, RCPT TO, and the whole message (which is kept before)."""

    port: int = 0
    received: list[Letter] = field(default_factory=list)
    say_sender: Say = _yes
    say_recipient: Say = _yes
    say_data: Say = _yes
    _server: asyncio.Server | None = None
    _open: Callable[[int], Awaitable[asyncio.Server]] | None = None
    _lines: set[Any] = field(default_factory=set)

    # ---- what aiosmtpd calls

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, answers: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._lines.add(server.transport)
        return answers

    async def handle_MAIL(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        said = await self.say_sender(address, server)
        if said is None:
            envelope.mail_from = address
        return said or TAKEN

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: list[str]) -> str:
        said = await self.say_recipient(address, server)
        if said is None:
            envelope.rcpt_tos.append(address)
        return said or TAKEN

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        for recipient in envelope.rcpt_tos:
            said = await self.say_data(recipient, server)
            if said is not None:
                return said
            self.received.append(
                Letter(recipient, mail, envelope.content, session.peer, session.ssl is not None, session.authenticated)
            )
        return TAKEN

    # ---- its life

    async def up(self) -> None:
        assert self._open is not None
        self._server = await self._open(self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def down(self) -> None:
        """As when its machine is switched off: nobody listens, and open connections break."""
        if self._server is not None:
            self._server.close()
            self.hang_up()
            await self._server.wait_closed()
            self._server = None

    def hang_up(self) -> None:
        for line in self._lines:
            line.abort()
        self._lines.clear()

    @property
    def to(self) -> list[str]:
        return [letter.recipient for letter in self.received]


@contextlib.asynccontextmanager
async def mail_server(
    certificate: Path | None = None, *, at_once: bool = False, login: bool = False
) -> AsyncIterator[MailServer]:
    """With a certificate it offers STARTTLS, or speaks TLS `at_once`; with `login` it takes nothing from strangers."""
    served = MailServer()
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    options: dict[str, Any] = {"tls_context": None if at_once else context}
    if login:
        options |= {"authenticator": _authenticator, "auth_required": True, "auth_require_tls": not at_once}
    loop = asyncio.get_running_loop()

    async def open_(port: int) -> asyncio.Server:
        return await loop.create_server(
            lambda: SMTP(served, hostname="mail.test", loop=loop, **options), "127.0.0.1", port,
            ssl=context if at_once else None,
        )  # fmt: skip

    served._open = open_
    await served.up()
    try:
        yield served
    finally:
        await served.down()


def _authenticator(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
    right = data.login.decode() == USER and data.password.decode() == PASSWORD
    return AuthResult(success=right, handled=False)


def self_made_certificate(folder: Path) -> Path:
    """Certificate and key for 127.0.0.1 in one file, good for this test only."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    place = folder / "mail.pem"
    place.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )  # fmt: skip
    return place
