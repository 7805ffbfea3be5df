"""What the worker looks after besides its workflows: each runs until the worker stops, whatever is away meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

from temporalio.client import Client

from runtime.settings import Settings
from service.admin_hand_over import HandOvers
from service.delivering import open_delivering
from service.erasure import Forgetter
from service.file_keeper import FileKeeper
from service.identity_keeper import IdentityKeeper
from service.link_keeper import LinkKeeper
from service.neighbour_keeper import NeighbourKeeper
from service.notifying import open_notifying
from service.phone_keeper import PhoneKeeper
from service.publish_watch import Watch
from service.webhook_keeper import open_webhook_keeper
from service.worker_beat import WorkerBeat
from store.phone_digests import PhoneDigests
from store.pool import Pool
from store.seal import Sealer


class Keeper(Protocol):
    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled; `service/repeating.py` says how to live through an outage."""


def open_keepers(settings: Settings, pool: Pool, watch: Watch) -> tuple[Keeper, ...]:
    """Those of one worker. Several workers share the work: whatever a keeper claims, it claims in the database."""
    webhooks = open_webhook_keeper(settings, pool, watch)
    others = _of_personal_data(settings, pool, watch)
    return (
        WorkerBeat(pool),
        HandOvers(watch, pool),
        webhooks,
        open_notifying(settings, pool, watch),
        open_delivering(settings, pool, watch),
        FileKeeper(settings, pool),
        IdentityKeeper(pool),
        LinkKeeper(watch, pool),
        NeighbourKeeper(settings, pool, watch),
        *others,
    )


def _of_personal_data(settings: Settings, pool: Pool, watch: Watch) -> tuple[Keeper, ...]:
    sealer, digests = Sealer(settings.key_ring()), PhoneDigests(settings.key_ring())
    return PhoneKeeper(pool, sealer, digests), Forgetter(watch, pool, sealer, lambda: datetime.now(UTC))
