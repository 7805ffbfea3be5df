"""What the worker looks after besides its workflows: each runs until the worker stops, whatever is away meanwhile."""

from __future__ import annotations

from typing import Protocol

from temporalio.client import Client

from runtime.settings import Settings
from service.admin_hand_over import HandOvers
from service.publish_watch import Watch
from store.pool import Pool


class Keeper(Protocol):
    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled; `service/repeating.py` says how to live through an outage."""


def open_keepers(settings: Settings, pool: Pool, watch: Watch) -> tuple[Keeper, ...]:
    """Those of one worker. Several workers share the work: whatever a keeper claims, it claims in the database."""
    return (HandOvers(watch, pool),)
