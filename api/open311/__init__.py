"""Open311 GeoReport v2 at /open311/v2, with the update extension that FixMyStreet speaks.

    discovery · services · services/{code} · requests · requests/{id} · tokens/{token} · servicerequestupdates

Each as .xml and .json. docs/how-to/open311.md shows it; docs/reference/open311.md says which test holds which line of the
conformance list.
"""

from __future__ import annotations

from api.open311 import discovery, requests, services, updates

ROUTERS = (requests.router, updates.router, services.router, discovery.router, discovery.leftover)
"""The last one takes what no other did."""
