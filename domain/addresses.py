"""Addresses that messages go to: what a channel takes, checked before it is kept and again before it is used."""

from __future__ import annotations

import re

from domain.errors import DomainError

EMAIL, SMS = "email", "sms"

_LONGEST = 200
# RFC 5321 §4.1.2 without quoted strings and address literals: what people really have. A domain may be written in its
# own script; `wire_mailbox` turns it into the form that servers speak.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"(?!-)[\w-]{1,63}(?:\.(?!-)[\w-]{1,63})*\Z")
_PHONE = re.compile(r"\+?[0-9]{5,15}")


def check_address(channel: str, address: str) -> None:
    """Raises DomainError `contact_invalid`, without repeating the address."""
    if channel == EMAIL:
        wire_mailbox(address)
    elif channel == SMS and not _PHONE.fullmatch(address):
        raise _invalid("A phone number is 5 to 15 digits, with a + before them or not.")
    elif not address.isprintable() or not 0 < len(address) <= _LONGEST or address != address.strip():
        raise _invalid(f"Write 1 to {_LONGEST} visible characters.")


def wire_mailbox(address: str) -> str:
    """The mailbox as it stands in an envelope, in ASCII. Raises DomainError `contact_invalid`."""
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > 64 or not _DOMAIN.match(domain):
        raise _invalid("A mailbox is written as name@example.cn, in one line and without a display name.")
    try:
        plain = domain.encode("idna").decode("ascii")
    except UnicodeError:
        raise _invalid("The part behind the @ is not the name of a host.") from None
    if len(local) + 1 + len(plain) > 254:
        raise _invalid("A mailbox has at most 254 characters.")
    return f"{local}@{plain}"


def _invalid(rule: str) -> DomainError:
    return DomainError("contact_invalid", rule)
