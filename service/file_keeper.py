"""Forgetting files that nobody needs: uploads that were cut off, what was never attached to a demand, imports that are over."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio.client import Client

from gateways.blobs import Blobs
from runtime.settings import Settings
from service.blobs import blobs_for
from service.file_views import thumbnail_of
from service.repeating import repeat
from store import files as storing
from store import imports
from store.pool import Pool

UNFINISHED = timedelta(hours=1)
LOOSE = timedelta(days=1)
REPORTS = timedelta(days=90)
EVERY = timedelta(minutes=10)
_AT_ONCE = 200


class FileKeeper:
    """One of the worker's keepers. Several may run at once: what is deleted twice is deleted once."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings, self._pool = settings, pool

    async def keep(self, client: Client, task_queue: str) -> None:
        await repeat("files to forget", lambda: self.forget(datetime.now(UTC)), every=EVERY)

    async def forget(self, now: datetime) -> int:
        """Content first, row last: what is interrupted is done again. Returns how many files are gone."""
        await storing.expire(self._pool, now, unfinished=UNFINISHED, loose=LOOSE)
        await self._forget_imports(now)
        gone = 0
        while ids := await storing.going(self._pool, _AT_ONCE):
            await asyncio.to_thread(_delete, blobs_for(self._settings), ids)
            await storing.forget(self._pool, ids)
            gone += len(ids)
        return gone

    async def _forget_imports(self, now: datetime) -> None:
        if ids := await imports.files_to_go(self._pool, now, unfinished=UNFINISHED):
            await asyncio.to_thread(_delete, blobs_for(self._settings), ids)
            await imports.files_gone(self._pool, ids)
        await imports.forget_reports(self._pool, now, kept=REPORTS)


def _delete(blobs: Blobs, ids: list[str]) -> None:
    for file_id in ids:
        blobs.delete(file_id)
        blobs.delete(thumbnail_of(file_id))
