"""Plans forwardings: goes along the feed and writes one down for each demand that a neighbour's unit is assigned.

unit_assigned ── of a neighbour's unit, a category it is sent, not confidential ──> forwarding, in the cursor's transaction
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from domain.neighbours import Neighbour
from domain.vocabulary import Stage
from service.publish_watch import Watch
from store import feed, forwardings
from store.feed import FeedEvent
from store.forwardings import Planned
from store.pool import Pool

CONSUMER = "neighbours"
AT_ONCE = 200
ASSIGNED = "unit_assigned"
BY_RULE = "system"


class Planner:
    def __init__(self, watch: Watch, pool: Pool, now: Callable[[], datetime]) -> None:
        self._watch, self._pool, self._now = watch, pool, now

    async def once(self) -> bool:
        """Plan what the next events ask for; True when there may be more at once."""
        async with feed.consume(self._pool, CONSUMER, AT_ONCE) as batch:
            if batch is None or not batch.events:
                return False
            for one in self._planned(batch.events):
                await forwardings.plan(batch.connection, one, self._now())
            return len(batch.events) == AT_ONCE

    def _planned(self, events: list[FeedEvent]) -> Iterator[Planned]:
        neighbours = [n for n in self._watch.district().neighbours if n.forward == "assigned"]
        for event in events:
            for to in neighbours:
                code = _code(to, event)
                if code is not None:
                    yield Planned(event.number, event.seq, to.id, to.unit, code, BY_RULE)


def _code(to: Neighbour, event: FeedEvent) -> str | None:
    """Their service_code; None where it does not go there, or has gone elsewhere since."""
    if event.type != ASSIGNED or event.confidential or event.data["lead"]["unit"] != to.unit:
        return None
    if event.unit != to.unit or event.stage != Stage.UNIT:
        return None
    return to.service_for(event.category)
