"""Side effects of a meeting's workflow, and of those that convene it."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import Client

from contracts.meeting import Convening, RecordItems, Regular
from gateways.temporal.meetings import start_meeting
from store import meetings
from store.pool import Pool


class MeetingActivities:
    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    @activity.defn(name="record_items")
    async def record_items(self, record: RecordItems) -> None:
        """See contracts.meeting.record_items."""
        await meetings.put(self._pool, record.rows, record.sessions)

    @activity.defn(name="convene_meeting")
    async def convene_meeting(self, convening: Convening) -> None:
        """See contracts.meeting.convene_meeting. Signal-with-start, so the meeting need not run yet."""
        meeting = convening.meeting
        assert meeting.rules is not None, "a meeting is convened by its rules"
        regular = Regular(call=convening.call, rules=meeting.rules)
        await start_meeting(self._client, self._task_queue, meeting, "convene", regular)
