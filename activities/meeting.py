"""Side effects of a meeting's workflow."""

from __future__ import annotations

from temporalio import activity

from contracts.meeting import RecordItems
from store import meetings
from store.pool import Pool


class MeetingActivities:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @activity.defn(name="record_items")
    async def record_items(self, record: RecordItems) -> None:
        """See contracts.meeting.record_items."""
        await meetings.put(self._pool, record.rows)
