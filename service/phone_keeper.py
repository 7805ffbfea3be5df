"""Keeping the index by which a phone number is found; in the background.

Intake does not wait for the index: the worker fills it every minute, and whoever searches fills in first what is new.
"""

from __future__ import annotations

import json
from datetime import timedelta

import structlog
from temporalio.client import Client

from service.repeating import repeat
from store import reporter_index as storing
from store.phone_digests import PhoneDigests
from store.pool import Pool
from store.seal import Sealer, UnknownKey

EVERY = timedelta(minutes=1)
AT_ONCE = 200

log = structlog.get_logger()


class PhoneKeeper:
    """Keeps the index complete; any number of them may run."""

    def __init__(self, pool: Pool, sealer: Sealer, digests: PhoneDigests) -> None:
        self._pool = pool
        self._sealer = sealer
        self._digests = digests

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        await repeat("phone index", self.catch_up, every=EVERY)

    async def catch_up(self, most: int | None = None) -> bool:
        """Index what is missing, at most so many; whether nothing is left."""
        after, done = "", 0
        while most is None or done < most:
            found = await storing.missing(self._pool, key_id=self._digests.key_id, after=after, limit=AT_ONCE)
            if not found:
                return True
            await storing.put(self._pool, self._digests.key_id, [m for one in found if (m := self._made(*one))])
            after, done = found[-1][0], done + len(found)
        return False

    def _made(self, number: str, sealed: bytes) -> tuple[str, str | None, bytes] | None:
        try:
            phone = json.loads(self._sealer.open(sealed, number)).get("phone")
        except (UnknownKey, ValueError) as unreadable:
            log.warning("reporter not readable", demand_id=number, reason_code=type(unreadable).__name__)
            return None
        return number, None if phone is None else self._digests.of(phone), sealed
