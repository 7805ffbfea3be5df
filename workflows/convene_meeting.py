"""Calls the next regular session of a joint meeting; started every morning by the meeting's schedule.

"The first working day after …" is no calendar expression, so each run reckons when the meeting sits next and says so; a
meeting that has been told before takes no notice. A morning that was missed is made good by the next one.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from contracts import meeting as contract
    from contracts import names
    from domain.cadence import next_sitting
    from domain.convening import Call

FOR_A_DAY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))


@workflow.defn(name=names.CONVENE_WORKFLOW)
class ConveneMeeting:
    @workflow.run
    async def run(self, start: contract.ConveneStart) -> str:
        """The month of the session that was called."""
        assert start.meeting.rules is not None, "a meeting is convened by its rules"
        days = start.meeting.rules.agenda_cutoff_days
        sitting = next_sitting(start.cadence, start.calendar, now=workflow.now(), cutoff_days=days)
        cutoff_at = sitting.starts_at - timedelta(days=days)
        call = Call(month=sitting.month, starts_at=sitting.starts_at, cutoff_at=cutoff_at)
        await workflow.execute_activity(
            contract.convene_meeting, contract.Convening(meeting=start.meeting, call=call),
            start_to_close_timeout=timedelta(seconds=10), schedule_to_close_timeout=timedelta(hours=20),
            retry_policy=FOR_A_DAY, summary=f"{start.meeting.id} {sitting.month}",
        )  # fmt: skip
        return sitting.month
