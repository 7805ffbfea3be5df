"""Removes what the reporters' door need not keep: sessions that have ended, and the links of demands long closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from service.publish_watch import Watch
from service.repeating import repeat
from store import links
from store.pool import Pool

EVERY = timedelta(hours=1)
SESSIONS_FOR = timedelta(days=1)
LINKS_FOR = timedelta(days=30)
"""After the end: who comes back until then hears that it is over, not that there never was such a thing."""


class LinkKeeper:
    """Doing it from two places does no harm."""

    def __init__(self, watch: Watch, pool: Pool) -> None:
        self._watch, self._pool = watch, pool

    async def keep(self, _: Client, __: str) -> None:
        """Run until cancelled."""
        await repeat("ended links", lambda: self.once(datetime.now(UTC)), every=EVERY)

    async def once(self, now: datetime) -> int:
        """Returns how many were removed. Raises UNAVAILABLE."""
        days = timedelta(days=self._watch.in_force.district.privacy.links.days_after_closing)
        return await links.forget(self._pool, ended_before=now - SESSIONS_FOR, closed_before=now - days - LINKS_FOR)
