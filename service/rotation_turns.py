"""The turns of the chair as the worker serves them: the activity that hands over, and the schedules that call for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import structlog
from temporalio.client import Client

from activities.rotation import RotationActivities
from domain.district import District
from domain.errors import ConfigError
from domain.policies import Rotation
from gateways.temporal import UNREACHABLE
from gateways.temporal.rotations import ensure_rotations
from runtime.settings import Settings
from service.publish_watch import Watch, open_watch
from store.pool import UNAVAILABLE, Pool

EVERY = timedelta(seconds=15)
WAITS_FOR: tuple[type[Exception], ...] = (*UNREACHABLE, *UNAVAILABLE)

log = structlog.get_logger()


class Turns:
    """The rotations as this process knows them."""

    def __init__(self, watch: Watch, pool: Pool) -> None:
        self._watch = watch
        self._kept: dict[str, Rotation] = {}
        self.hand_over = RotationActivities(pool, self._district).hand_over_chair

    async def _district(self) -> District:
        """As it is in force at this moment; what a hand-over says stands for good."""
        return (await self._watch.take_over()).district

    async def keep(self, client: Client, task_queue: str) -> None:
        """Bring the schedules up to date as soon as Temporal answers, catch up what was missed, and follow every roster
        that is published. Runs until cancelled."""
        while True:
            try:
                await self._keep_once(client, task_queue)
            except WAITS_FOR as down:
                log.warning("rotations wait", reason=type(down).__name__)
            except ConfigError as wrong:
                log.error("rotations stay as they are", problem=str(wrong))
            await asyncio.sleep(EVERY.total_seconds())

    async def _keep_once(self, client: Client, task_queue: str) -> None:
        d = await self._district()
        changed = [rotation for rotation in d.rotations if self._kept.get(rotation.community) != rotation]
        if changed:
            await ensure_rotations(client, task_queue, changed, d.timezone)
            self._kept |= {rotation.community: rotation for rotation in changed}


def open_turns(settings: Settings, pool: Pool) -> Turns:
    """Raises ConfigError for a broken pack or calendar."""
    return Turns(open_watch(settings, pool), pool)
