"""What a key may be used for. A key acts as its owner, narrowed to its scopes: it never may more than the owner."""

from __future__ import annotations

from enum import StrEnum


class Scope(StrEnum):
    """One word of what an integrator's key opens; what that is stands in `KEYS` of domain/roles.py."""

    DEMANDS_READ = "demands:read"
    DEMANDS_WRITE = "demands:write"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    OPEN311_WRITE = "open311:write"
    RATES_READ = "rates:read"
