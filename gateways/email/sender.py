"""Sends letters over kept connections, and says of each whether it is worth trying again.

connect ─ (TLS) ─ login      trouble here is the channel's
MAIL FROM                    refused for good: our sender is not allowed, which is the channel's too
RCPT TO, DATA                trouble here is this letter's: 4xx again, 5xx never
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections import deque
from dataclasses import dataclass

import aiosmtplib as smtp

from domain.addresses import wire_mailbox
from domain.delivery import DELIVERED, Outcome, Reason, refused, try_again
from domain.errors import DomainError
from gateways.email.letter import compose, sender_of
from gateways.email.server import SmtpServer
from gateways.sending import Message

ANSWER_SECONDS = 15.0
"""For connecting and for each answer of the server."""
SEND_SECONDS = 45.0
"""For one letter in all, however slowly it is answered."""
IDLE_SECONDS = 20.0
LETTERS_A_CONNECTION = 100

CLOSING = 421
LOGIN_CODES = frozenset({454, 530, 534, 535, 538})


@dataclass
class _Line:
    """A connection with how often it was used, and when it will be hung up if nobody needs it."""

    client: smtp.SMTP
    letters: int = 0
    hang_up: asyncio.TimerHandle | None = None


class _ChannelFails(Exception):
    """Before there was a word about the letter."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


class EmailGateway:
    def __init__(
        self, server: SmtpServer, sender: str, *, answer_seconds: float = ANSWER_SECONDS,
        send_seconds: float = SEND_SECONDS,
    ) -> None:  # fmt: skip
        """Raises ConfigError for a sender that is not a mailbox or a certificate file that cannot be read."""
        self._server, self._sender = server, sender_of(sender)
        self._context = server.context if server.tls or server.starttls != "no" else None
        self._answer_seconds, self._send_seconds = answer_seconds, send_seconds
        self._idle: deque[_Line] = deque()

    @property
    def at_once(self) -> int:
        return self._server.connections

    async def send(self, message: Message) -> Outcome:
        try:
            recipient = wire_mailbox(message.address)
        except DomainError:
            return refused(Reason.INVALID_ADDRESS)
        attempt = _Attempt(self, recipient, compose(message, self._sender, recipient))
        try:
            async with asyncio.timeout(self._send_seconds):
                return await attempt.run()
        except TimeoutError:
            reason = attempt.lost(Reason.TIMED_OUT)
            attempt.drop()
            return try_again(reason)
        except BaseException:
            attempt.drop()
            raise

    async def close(self) -> None:
        while self._idle:
            line = self._idle.popleft()
            await _quit(line)

    # ---- connections

    async def take(self) -> tuple[_Line, bool]:
        """A connection, and whether it was used before. Raises _ChannelFails."""
        while self._idle:
            line = self._idle.pop()
            if line.hang_up is not None:
                line.hang_up.cancel()
            if line.client.is_connected:
                return line, True
        return _Line(await self._connect()), False

    def give_back(self, line: _Line) -> None:
        if line.letters >= LETTERS_A_CONNECTION or not line.client.is_connected:
            line.client.close()
            return
        line.hang_up = asyncio.get_running_loop().call_later(IDLE_SECONDS, self._hang_up, line)
        self._idle.append(line)

    def _hang_up(self, line: _Line) -> None:
        with contextlib.suppress(ValueError):
            self._idle.remove(line)
            line.client.close()

    async def _connect(self) -> smtp.SMTP:
        s = self._server
        client = smtp.SMTP(
            hostname=s.host, port=s.port, timeout=self._answer_seconds, use_tls=s.tls, tls_context=self._context,
            start_tls=False if s.tls else {"yes": True, "no": False, "auto": None}[s.starttls],
            local_hostname=s.helo or self._sender.domain,
        )  # fmt: skip
        try:
            await client.connect()
            if s.user is not None:
                await client.login(s.user, s.password or "")
        except BaseException as failed:
            client.close()
            if isinstance(failed, Exception):
                raise _ChannelFails(_why_not_connected(failed)) from None
            raise
        return client

    @property
    def sender(self) -> str:
        return self._sender.addr_spec


class _Attempt:
    """One letter on its way: first there is no line, then the server hears of the letter, at last it may have it."""

    def __init__(self, gateway: EmailGateway, recipient: str, letter: bytes) -> None:
        self._gateway, self._recipient, self._letter = gateway, recipient, letter
        self._line: _Line | None = None
        self._handing_over = False

    async def run(self) -> Outcome:
        try:
            client = await self._begin()
            await client.rcpt(self._recipient)
            self._handing_over = True
            await client.data(self._letter)
        except _ChannelFails as failed:
            return try_again(failed.reason)
        except smtp.SMTPResponseException as answered:
            await self._after_refusal()
            return _judged(answered)
        except (smtp.SMTPException, OSError) as broken:
            reason = self.lost(Reason.TIMED_OUT if isinstance(broken, TimeoutError) else Reason.DROPPED)
            self.drop()
            return try_again(reason)
        self._keep()
        return DELIVERED

    async def _begin(self) -> smtp.SMTP:
        """A connection that has taken MAIL FROM. One that was kept may have gone stale: then a new one is made."""
        while True:
            self._line = None
            self._line, used = await self._gateway.take()
            client = self._line.client
            try:
                await client.mail(self._gateway.sender)
                return client
            except smtp.SMTPResponseException as answered:
                if not used or answered.code != CLOSING:
                    raise
            except (smtp.SMTPTimeoutError, smtp.SMTPServerDisconnected):
                if not used:
                    raise
            client.close()

    async def _after_refusal(self) -> None:
        """The server answered, so the connection is good for the next letter, if it forgets this one."""
        if self._line is not None and self._line.client.is_connected:
            try:
                await self._line.client.rset()
            except (smtp.SMTPException, OSError):
                self.drop()
                return
            self._keep()

    def _keep(self) -> None:
        if self._line is not None:
            self._line.letters += 1
            self._gateway.give_back(self._line)
            self._line = None

    def lost(self, reason: Reason) -> Reason:
        """Why it got no further, where the server did not say: `reason` while it was hearing of the letter."""
        if self._line is None:
            return Reason.UNREACHABLE
        return Reason.ANSWER_LOST if self._handing_over else reason

    def drop(self) -> None:
        if self._line is not None:
            self._line.client.close()
            self._line = None


def _judged(answered: smtp.SMTPResponseException) -> Outcome:
    if answered.code == CLOSING:
        return try_again(Reason.UNREACHABLE)
    if answered.code in LOGIN_CODES:
        return try_again(Reason.LOGIN_REFUSED)
    if answered.code < 500:
        return try_again(Reason.BUSY)
    if isinstance(answered, smtp.SMTPSenderRefused):
        return try_again(Reason.REFUSED_SENDER)
    return refused(
        Reason.REFUSED_RECIPIENT if isinstance(answered, smtp.SMTPRecipientRefused) else Reason.REFUSED_MESSAGE
    )


def _why_not_connected(failed: Exception) -> Reason:
    if isinstance(failed, ssl.SSLError) or isinstance(failed.__cause__, ssl.SSLError):
        return Reason.TLS_FAILED
    if isinstance(failed, smtp.SMTPAuthenticationError):
        return Reason.LOGIN_REFUSED
    if isinstance(failed, (smtp.SMTPResponseException, smtp.SMTPServerDisconnected, TimeoutError, OSError)):
        return Reason.UNREACHABLE
    # What is left is the client's own: the server offers no STARTTLS, or no way to log in that we know.
    return Reason.TLS_FAILED if "TLS" in str(failed) else Reason.LOGIN_REFUSED


async def _quit(line: _Line) -> None:
    if line.hang_up is not None:
        line.hang_up.cancel()
    try:
        async with asyncio.timeout(2):
            await line.client.quit()
    except (smtp.SMTPException, OSError, TimeoutError):
        line.client.close()
