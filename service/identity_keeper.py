"""Removes what identity need not keep: sessions long after their end, and counters of tries that count no more.

What was done (`identity_event`) stays: it is the trail.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from service.repeating import repeat
from store import account_sessions, sign_in_tries
from store.pool import Pool

EVERY = timedelta(hours=1)
# A session is looked at until then, to see whether the person has signed in from an address lately.
KEPT_AFTER_THE_END = timedelta(days=30)
FORGOTTEN = timedelta(days=2)


class IdentityKeeper:
    """Doing it from two places does no harm."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(self, _: Client, __: str) -> None:
        """Run until cancelled."""
        await repeat("ended sessions", lambda: self.once(datetime.now(UTC)), every=EVERY)

    async def once(self, now: datetime) -> int:
        """Returns how many sessions were removed. Raises UNAVAILABLE."""
        await sign_in_tries.forget_before(self._pool, now - FORGOTTEN)
        return await account_sessions.forget_before(self._pool, now - KEPT_AFTER_THE_END)
