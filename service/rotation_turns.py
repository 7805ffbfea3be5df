"""The turns of the chair as the worker serves them: the activity that hands over, and the schedules that call for it."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client

from activities.rotation import RotationActivities
from domain.district import District
from domain.policies import Rotation
from gateways.temporal.rotations import ensure_rotations
from service.publish_watch import Watch
from service.repeating import repeat
from store.pool import Pool

EVERY = timedelta(seconds=15)


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
        await repeat("rotations", lambda: self._keep_once(client, task_queue), every=EVERY)

    async def _keep_once(self, client: Client, task_queue: str) -> None:
        d = await self._district()
        changed = [rotation for rotation in d.rotations if self._kept.get(rotation.community) != rotation]
        if changed:
            await ensure_rotations(client, task_queue, changed, d.timezone)
            self._kept |= {rotation.community: rotation for rotation in changed}
