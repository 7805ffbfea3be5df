"""Every activity of the product, bound to what it works on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from temporalio.client import Client

from activities.demand import DemandActivities
from activities.duplicates import DuplicateActivities
from activities.meeting import MeetingActivities
from domain.session import Rules
from store.pool import Pool
from store.seal import Sealer


def activities_of(
    pool: Pool, client: Client, task_queue: str, sealer: Sealer, rules: Callable[[str], Rules | None]
) -> list[Callable[..., Any]]:
    """`rules` says what a meeting goes by that has to be started."""
    demands = DemandActivities(pool, client, task_queue, rules)
    meetings = MeetingActivities(pool, client, task_queue)
    duplicates = DuplicateActivities(pool, client, sealer)
    return [
        demands.record, demands.put_on_agenda, meetings.record_items, meetings.convene_meeting,
        duplicates.join_primary, duplicates.leave_primary, duplicates.tell_followers,
    ]  # fmt: skip
