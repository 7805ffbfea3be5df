"""What a delivery needs from planning: the address, the words, and somebody to own what could not be delivered."""

from __future__ import annotations

from datetime import datetime

from runtime.settings import Settings
from service.delivering import Letter
from service.notice_letters import letter_of
from service.notice_owners import raise_owner
from service.notice_plans import Planner
from service.publish_watch import Watch
from store.contacts import address_of
from store.pool import Connection, Pool
from store.seal import Sealer


class DeliveryDesk:
    """Everything is looked up when it is sent: who has moved or been renamed meanwhile is reached as they are now."""

    def __init__(self, settings: Settings, pool: Pool, watch: Watch) -> None:
        self._settings, self._pool, self._watch = settings, pool, watch
        self._sealer, self._planner = Sealer(settings.key_ring()), Planner(settings, watch)

    async def address(self, delivery: int) -> str | None:
        return await address_of(self._pool, self._sealer, delivery)

    async def letter(self, delivery: int) -> Letter | None:
        return await letter_of(self._pool, self._sealer, self._watch.district(), self._settings, delivery)

    async def raise_owner(self, connection: Connection, delivery: int, now: datetime) -> None:
        await raise_owner(connection, self._planner, self._watch.district(), delivery, now)
