"""E-mail by SMTP: `EmailGateway(SmtpServer.parse(url), sender)`."""

from gateways.email.sender import EmailGateway
from gateways.email.server import SmtpServer

__all__ = ["EmailGateway", "SmtpServer"]
