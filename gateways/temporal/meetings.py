"""Reaching a joint meeting's workflow, which runs from the first time that anybody needs it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
)
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode

from contracts import names
from contracts.meeting import ConveneStart, MeetingStart
from domain.meeting import Meeting
from gateways.temporal.schedules import ensure_schedule

MORNING = 6  # o'clock; long before anybody works, so that the day begins with the sessions that are called
CATCH_UP = timedelta(days=1)
TASK_TIMEOUT = timedelta(seconds=5)  # after a killed worker the deciding go on within their patience of 10 s


async def start_meeting(client: Client, task_queue: str, meeting: Meeting, *signal: Any) -> None:
    """Start it in state `meeting`, or leave it as it runs; with `signal` (name, argument) that is told in the same call.

    Raises RPCError when Temporal does not answer.
    """
    told: dict[str, Any] = {"start_signal": signal[0], "start_signal_args": list(signal[1:])} if signal else {}
    await client.start_workflow(
        names.MEETING_WORKFLOW, MeetingStart(meeting=meeting), id=names.meeting_workflow_id(meeting.id),
        task_queue=task_queue, id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING, task_timeout=TASK_TIMEOUT,
        static_summary=f"Joint meeting of {meeting.id}", **told,
    )  # fmt: skip


async def keep_cadence(client: Client, task_queue: str, start: ConveneStart) -> None:
    """The meeting's schedule as it should be, whether it exists or not; it runs once at once, then every morning.

    Raises RPCError when Temporal does not answer.
    """
    id = names.cadence_schedule_id(start.meeting.id)
    await ensure_schedule(client, id, _schedule(task_queue, start))
    await client.get_schedule_handle(id).trigger(overlap=ScheduleOverlapPolicy.SKIP)


async def drop_cadence(client: Client, meeting: str) -> None:
    """The meeting has no cadence any more. Raises RPCError when Temporal does not answer."""
    try:
        await client.get_schedule_handle(names.cadence_schedule_id(meeting)).delete()
    except RPCError as failed:
        if failed.status is not RPCStatusCode.NOT_FOUND:
            raise


def _schedule(task_queue: str, start: ConveneStart) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            names.CONVENE_WORKFLOW, start, id=f"convene-{start.meeting.id}", task_queue=task_queue,
            static_summary=f"Next session of {start.meeting.id}",
        ),
        spec=ScheduleSpec(
            calendars=[ScheduleCalendarSpec(hour=[ScheduleRange(MORNING)])], time_zone_name=start.calendar.timezone
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
    )  # fmt: skip
