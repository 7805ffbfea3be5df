"""Side effects of a demand's workflow."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy

from contracts import names
from contracts.demand import AgendaItem, Record
from contracts.meeting import MeetingStart
from domain.meeting import Meeting
from store import record as recording
from store.pool import Pool


class DemandActivities:
    def __init__(self, pool: Pool, client: Client, task_queue: str) -> None:
        self._pool = pool
        self._client = client
        self._task_queue = task_queue

    @activity.defn(name="record")
    async def record(self, record: Record) -> None:
        """See contracts.demand.record."""
        await recording.record(self._pool, record.demand, record.entries, after=record.after, at=record.at)

    @activity.defn(name="put_on_agenda")
    async def put_on_agenda(self, asked: AgendaItem) -> None:
        """See contracts.demand.put_on_agenda. Signal-with-start, so the meeting need not run yet."""
        above = asked.meeting != asked.committee
        meeting = Meeting(
            id=asked.meeting,
            scope=asked.meeting if above else None,
            upper=asked.committee if above else None,
            upper_convener=asked.committee_convener if above else None,
        )
        await self._client.start_workflow(
            names.MEETING_WORKFLOW, MeetingStart(meeting=meeting), id=names.meeting_workflow_id(asked.meeting),
            task_queue=self._task_queue, start_signal="submit", start_signal_args=[asked.item],
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"Joint meeting of {asked.meeting}",
        )  # fmt: skip
