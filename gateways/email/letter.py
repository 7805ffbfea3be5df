"""A message as an e-mail: its headers say who sends it, that a machine did, and which delivery it is."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from domain.addresses import wire_mailbox
from domain.errors import ConfigError, DomainError
from gateways.sending import Message

SETTING = "LINLI_MAIL_FROM"
LONGEST_SUBJECT = 200

# Line ends of every kind and other control characters: what could begin another header.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# What a header may not hold besides: halves of a character, and marks that turn the direction of what follows.
_UNFIT = re.compile(r"[\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_POLICY = policy.SMTP.clone(max_line_length=78)


def sender_of(text: str) -> Address:
    """`Linli 邻里 <noreply@example.cn>` or a bare mailbox. Raises ConfigError."""
    name, mailbox = parseaddr(text)
    try:
        return Address(_one_line(name), addr_spec=wire_mailbox(mailbox))
    except (DomainError, ValueError):
        remedy = "Write it as name@example.cn or 邻里 <name@example.cn>"
        raise ConfigError("the environment", SETTING, "is not a mailbox", remedy) from None


def compose(message: Message, sender: Address, recipient: str) -> bytes:
    """The letter as it goes over the wire; `recipient` is the mailbox of the envelope."""
    letter = EmailMessage(policy=_POLICY)
    letter["From"] = sender
    letter["To"] = Address(addr_spec=recipient)
    letter["Subject"] = _one_line(message.subject)[:LONGEST_SUBJECT] or "(…)"
    letter["Date"] = format_datetime((message.at or datetime.now(UTC)).astimezone(UTC))
    letter["Message-ID"] = f"<{_one_line(message.id)}@{sender.domain}>"
    letter["Content-Language"] = "en" if message.language == "en" else "zh-CN"
    letter["Auto-Submitted"] = "auto-generated"
    letter["X-Auto-Response-Suppress"] = "All"
    letter["List-Id"] = f"<notices.{sender.domain}>"
    # Base64 passes servers that know neither 8BITMIME nor long lines, and has no line that begins with a dot.
    letter.set_content(_UNFIT.sub("", message.body), charset="utf-8", cte="base64")
    return letter.as_bytes()


def _one_line(text: str) -> str:
    return _UNFIT.sub("", _CONTROL.sub(" ", text)).strip()
