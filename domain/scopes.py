"""What a key may be used for. A key acts as its owner, narrowed to its scopes: it never may more than the owner.

`KEYS` says which needs (domain/needs.py) a scope opens; whether the owner has them is judged by domain/roles.py besides.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from domain.needs import Need as N


class Scope(StrEnum):
    """One word of what an integrator's key opens; what that is stands in `KEYS`."""

    DEMANDS_READ = "demands:read"
    DEMANDS_WRITE = "demands:write"
    EVENTS_READ = "events:read"
    WEBHOOKS_MANAGE = "webhooks:manage"
    OPEN311_WRITE = "open311:write"
    RATES_READ = "rates:read"


# fmt: off
ANY_KEY = frozenset(Scope)
# Which scopes of an API key open what: one of them is enough. What is not named, no key opens, whoever owns it.
KEYS: Mapping[N, frozenset[Scope]] = {
    N.BE_KNOWN:          ANY_KEY,
    N.SEE_DISTRICT:      ANY_KEY,
    N.SUBMIT_DEMAND:     frozenset({Scope.DEMANDS_WRITE}),
    N.SEE_DEMANDS:       frozenset({Scope.DEMANDS_READ}),
    N.SEE_TEXTS:         frozenset({Scope.DEMANDS_READ}),
    N.LIST_FILES:        frozenset({Scope.DEMANDS_READ}),
    N.SEE_FILES:         frozenset({Scope.DEMANDS_READ}),
    N.SEE_REPORTER:      frozenset({Scope.DEMANDS_READ}),
    N.ACT_ON_DEMAND:     frozenset({Scope.DEMANDS_WRITE}),
    N.KEEP_REFERENCES:   frozenset({Scope.DEMANDS_WRITE}),
    N.EXPORT_DEMANDS:    frozenset({Scope.DEMANDS_READ}),
    N.IMPORT_DEMANDS:    frozenset({Scope.DEMANDS_WRITE}),
    N.FOLLOW_IMPORTS:    frozenset({Scope.DEMANDS_WRITE}),
    N.SEE_MEETINGS:      frozenset({Scope.DEMANDS_READ}),
    N.SEE_AGENDAS:       frozenset({Scope.DEMANDS_READ}),
    N.FOLLOW_EVENTS:     frozenset({Scope.EVENTS_READ}),
    N.SEE_SYSTEM:        frozenset({Scope.EVENTS_READ}),
    N.MANAGE_WEBHOOKS:   frozenset({Scope.WEBHOOKS_MANAGE}),
    N.SEE_RATES:         frozenset({Scope.RATES_READ}),
    N.SEE_MONTHS:        frozenset({Scope.RATES_READ}),
    N.SEND_OPEN311:      frozenset({Scope.OPEN311_WRITE}),
    N.FOLLOW_OPEN311:    frozenset({Scope.OPEN311_WRITE, Scope.DEMANDS_READ}),
}
# fmt: on
