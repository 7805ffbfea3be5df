"""Temporal Schedules: what has to happen by the calendar, without anybody asking for it."""

from __future__ import annotations

import dataclasses

from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)


async def ensure_schedule(client: Client, id: str, schedule: Schedule) -> bool:
    """Create it, or bring the one that runs up to date; True when it is new. Raises RPCError when Temporal is away.

    A schedule that an operator has paused stays paused.
    """
    try:
        await client.create_schedule(id, schedule)
    except ScheduleAlreadyRunningError:
        await client.get_schedule_handle(id).update(lambda there: _following(there, schedule))
        return False
    return True


def _following(there: ScheduleUpdateInput, wanted: Schedule) -> ScheduleUpdate:
    return ScheduleUpdate(schedule=dataclasses.replace(wanted, state=there.description.schedule.state))
