"""The SMTP server as one address: smtp://user:password@host:port?starttls=yes&ca=/path/ca.pem, smtps:// for TLS at once."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal
from urllib.parse import parse_qsl, unquote, urlsplit

from domain.errors import ConfigError

SETTING = "LINLI_SMTP_URL"
PORTS = {"smtp": 25, "smtps": 465}
OPTIONS = {"starttls", "ca", "helo", "connections"}
MOST_CONNECTIONS = 20


@dataclass(frozen=True)
class SmtpServer:
    """`starttls`: `auto` encrypts where the server offers it. With a password it has to be asked for by name."""

    host: str
    port: int
    tls: bool = False
    starttls: Literal["yes", "no", "auto"] = "auto"
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    ca: str | None = None
    helo: str | None = None
    connections: int = 4

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """Raises ConfigError, which repeats nothing of the address: a password may stand in it."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS[parts.scheme]
        except (ValueError, KeyError):
            raise _wrong("is not an address", "Write smtp://host:25 or smtps://host:465") from None
        if not parts.hostname or parts.path not in ("", "/"):
            raise _wrong("names no host", "Write smtp://host:25 or smtps://host:465")
        options = dict(parse_qsl(parts.query, keep_blank_values=True))
        if unknown := sorted(options.keys() - OPTIONS):
            raise _wrong(f"has an unknown option {unknown[0][:20]!r}", f"Use {', '.join(sorted(OPTIONS))}")
        login = None if parts.username is None else unquote(parts.username)
        return cls(
            host=parts.hostname, port=port, tls=parts.scheme == "smtps", user=login,
            password=None if parts.password is None else unquote(parts.password),
            starttls=_starttls(options.get("starttls"), with_login=login is not None),
            ca=options.get("ca"), helo=options.get("helo"), connections=_connections(options.get("connections", "4")),
        )  # fmt: skip

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Checks the server's certificate against `ca`, or else the system's authorities."""
        try:
            return ssl.create_default_context(cafile=self.ca)
        except OSError:
            raise _wrong("names a `ca` that cannot be read", "Give the path of a PEM file") from None


def _starttls(word: str | None, *, with_login: bool) -> Literal["yes", "no", "auto"]:
    # A server in between could hide the offer and read the password; so with a login `auto` is not the default.
    if word is None:
        return "yes" if with_login else "auto"
    match word:
        case "yes" | "no" | "auto" as known:
            return known
    raise _wrong("has an unknown `starttls`", "Write starttls=yes, starttls=no or starttls=auto")


def _connections(word: str) -> int:
    if not word.isascii() or not word.isdecimal() or not 1 <= int(word) <= MOST_CONNECTIONS:
        raise _wrong("has an unusable `connections`", f"Write a number from 1 to {MOST_CONNECTIONS}")
    return int(word)


def _wrong(problem: str, remedy: str) -> ConfigError:
    return ConfigError("the environment", SETTING, problem, remedy)
