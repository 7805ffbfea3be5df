"""Everything that the apprise library reaches: `AppriseGateway(template)`. The library is loaded with the first message."""

from gateways.apprise.sender import AppriseGateway

__all__ = ["AppriseGateway"]
