"""The schedules that hand the chair over: one for each community, at the turn of its period."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

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
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from contracts.rotation import ROTATION_WORKFLOW, RotationStart, rotation_schedule_id
from domain.policies import Rotation
from gateways.temporal.schedules import ensure_schedule

MINUTES_PAST_MIDNIGHT = 5
MONTHS = {"month": 1, "quarter": 3}


def rotation_schedule(rotation: Rotation, task_queue: str, timezone: str) -> Schedule:
    """Five past midnight on the first of each period, by the local clock.

    One run catches up whatever was missed, so a second one beside it is left out.
    """
    first = rotation.starts_on.month
    turns_in = sorted((first - 1 + months) % 12 + 1 for months in range(0, 12, MONTHS[rotation.period]))
    at = ScheduleCalendarSpec(
        minute=[ScheduleRange(MINUTES_PAST_MIDNIGHT)], hour=[ScheduleRange(0)], day_of_month=[ScheduleRange(1)],
        month=[ScheduleRange(month) for month in turns_in], comment="turn of the rotating chair",
    )  # fmt: skip
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ROTATION_WORKFLOW, RotationStart(community=rotation.community),
            id=rotation_schedule_id(rotation.community), task_queue=task_queue,
            static_summary=f"Turn of the chair · {rotation.community}",
        ),
        spec=ScheduleSpec(calendars=[at], time_zone_name=timezone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(days=366)),
    )  # fmt: skip


async def ensure_rotations(client: Client, task_queue: str, rotations: Iterable[Rotation], timezone: str) -> None:
    """Every schedule as it should be, and one run at once for each, in case the server of the last turn is gone.

    Raises RPCError when Temporal does not answer.
    """
    for rotation in rotations:
        await ensure_schedule(
            client, rotation_schedule_id(rotation.community), rotation_schedule(rotation, task_queue, timezone)
        )
        await _catch_up(client, task_queue, rotation.community)


async def _catch_up(client: Client, task_queue: str, community: str) -> None:
    """A run that waits for its worker is one too; there need not be two."""
    try:
        await client.start_workflow(
            ROTATION_WORKFLOW, RotationStart(community=community), id=f"{rotation_schedule_id(community)}-at-start",
            task_queue=task_queue, id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=f"Turn of the chair · {community}",
        )  # fmt: skip
    except WorkflowAlreadyStartedError:
        return
