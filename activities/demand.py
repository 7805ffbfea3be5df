"""Side effects of a demand's workflow."""

from __future__ import annotations

from collections.abc import Callable

from temporalio import activity
from temporalio.client import Client

from contracts.demand import AgendaItem, Record
from domain.meeting import Meeting
from domain.session import Rules
from gateways.temporal.meetings import start_meeting
from store import record as recording
from store.pool import Pool


class DemandActivities:
    """`rules` says what a meeting goes by that has to be started; one without rules decides without a session."""

    def __init__(
        self, pool: Pool, client: Client, task_queue: str, rules: Callable[[str], Rules | None] = lambda meeting: None
    ) -> None:
        self._rules = rules
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
            rules=self._rules(asked.meeting),
        )
        await start_meeting(self._client, self._task_queue, meeting, "submit", asked.item)
