"""Keeps the schedules by which joint meetings are called: as the pack and the calendar say, also when these change.

The worker runs it. Temporal or the database may be away; what could not be kept now is kept a little later.
"""

from __future__ import annotations

from datetime import timedelta

import structlog
from temporalio.client import Client

from contracts.meeting import ConveneStart
from domain.bodies import body_of, rules_of
from domain.errors import DomainError
from domain.session import Rules
from gateways.temporal.meetings import drop_cadence, keep_cadence
from service.publish_watch import Watch
from service.repeating import repeat

EVERY = timedelta(seconds=15)

log = structlog.get_logger()


class Bodies:
    """The joint meetings as this process knows them."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._kept: dict[str, ConveneStart | None] = {}

    def rules(self, meeting: str) -> Rules | None:
        """What a meeting goes by; None for one that the district does not have any more."""
        try:
            return rules_of(self._watch.district(), meeting)
        except DomainError:
            return None

    async def keep(self, client: Client, task_queue: str) -> None:
        """Run until cancelled."""
        await repeat("cadences", lambda: self.keep_once(client, task_queue), every=EVERY)

    async def keep_once(self, client: Client, task_queue: str) -> None:
        """Write the schedules that are not as they should be, as far as this process knows."""
        found = await self._watch.take_over()
        calendar = found.calendar(self._watch.this_year)
        for settings in found.district.meetings:
            wanted = None
            if settings.schedule is not None:
                body = body_of(found.district, settings.id)
                wanted = ConveneStart(meeting=body, cadence=settings.schedule, calendar=calendar)
            if settings.id in self._kept and self._kept[settings.id] == wanted:
                continue
            if wanted is None:
                await drop_cadence(client, settings.id)
            else:
                await keep_cadence(client, task_queue, wanted)
            self._kept[settings.id] = wanted
            log.info("cadence kept", meeting=settings.id, scheduled=wanted is not None)
