"""The channels that messages go out through: which of them the settings set up, and their gateways."""

from __future__ import annotations

import json

from domain.delivery import Outcome, Reason, refused
from domain.errors import ConfigError
from domain.notice_rules import VIAS
from gateways.apprise import AppriseGateway
from gateways.sending import Gateway, Message
from runtime.settings import Settings

EMAIL = "email"
BY_APPRISE = tuple(via for via in VIAS if via != EMAIL)


class NotConfigured:
    """Stands in for a channel that is not set up, or not any more: what was planned for it ends visibly."""

    at_once = 8

    async def send(self, message: Message) -> Outcome:
        return refused(Reason.NOT_CONFIGURED)

    async def close(self) -> None:
        return None


def configured(settings: Settings) -> frozenset[str]:
    """The channels that can send. Raises ConfigError for a setting that makes no sense."""
    email = {EMAIL} if settings.smtp_url is not None else set()
    return frozenset(email | templates(settings).keys())


def templates(settings: Settings) -> dict[str, str]:
    """Channel to apprise URL, in which `{address}` stands for the recipient. Raises ConfigError."""
    if settings.apprise is None:
        return {}
    found: dict[str, str] = json.loads(settings.apprise.get_secret_value())  # its shape was checked when it was read
    if unknown := sorted(found.keys() - set(BY_APPRISE)):
        raise _wrong("LINLI_APPRISE", f"has no channel {unknown[0][:20]!r}", f"Use {', '.join(BY_APPRISE)}")
    return found


def open_gateway(settings: Settings, channel: str) -> Gateway:
    """Nothing is connected yet. Raises ConfigError for a setting that cannot be used."""
    if channel not in configured(settings):
        return NotConfigured()
    if channel != EMAIL:
        return AppriseGateway(templates(settings)[channel])
    from gateways.email import EmailGateway, SmtpServer

    if settings.mail_from is None:
        raise _wrong("LINLI_MAIL_FROM", "is not set, though LINLI_SMTP_URL is", "Set it to the sender's mailbox")
    assert settings.smtp_url is not None
    return EmailGateway(SmtpServer.parse(settings.smtp_url.get_secret_value()), settings.mail_from)


def _wrong(setting: str, problem: str, remedy: str) -> ConfigError:
    return ConfigError("the environment", setting, problem, remedy)
