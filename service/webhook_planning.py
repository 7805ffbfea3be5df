"""Plans deliveries: goes along the feed and writes down, for each event, the webhooks that are to have it.

    feed ──consume──> message ──choice, reach of its owner──> webhook_delivery, in the cursor's own transaction

So each event is planned exactly once, whatever is killed when. A replay of a span goes along the feed once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from domain.district import District
from domain.errors import DomainError
from domain.webhooks import DeliveryState, Reach, reach_of
from service.outgoing import Message, message, source_of
from service.publish_watch import Watch
from store import feed, webhook_queue, webhook_replays, webhooks
from store.feed import FeedEvent, Position
from store.pool import Connection, Pool
from store.webhook_queue import Planned
from store.webhook_replays import Span
from store.webhooks import Webhook

CONSUMER = "webhooks"
AT_ONCE = 500
EVER = datetime(2000, 1, 1, tzinfo=UTC)

NOBODY = Reach(frozenset())


class Planner:
    def __init__(self, watch: Watch, pool: Pool) -> None:
        self._watch = watch
        self._pool = pool

    async def once(self) -> bool:
        """Plan the next events; True when there may be more at once."""
        async with feed.consume(self._pool, CONSUMER, AT_ONCE) as batch:
            if batch is None or not batch.events:
                return False
            hooks = await webhooks.all_of(batch.connection, enabled=True)
            planned = self.planned(hooks, batch.events)
            await webhook_queue.plan(batch.connection, planned, datetime.now(UTC))
            return len(batch.events) == AT_ONCE

    async def replay_once(self) -> bool:
        """The next stretch of a replay that somebody asked for; True when there may be more at once."""
        async with webhook_replays.working(self._pool) as replay:
            if replay is None:
                return False
            hook = await webhooks.one(replay.connection, replay.webhook)
            events = await feed.page(replay.connection, replay.position, AT_ONCE)
            chosen = [e for e in events if replay.from_at <= e.at <= replay.until_at and e.position <= replay.last]
            planned = self.planned([hook], chosen, replayed=True) if hook else []
            await webhook_queue.plan(replay.connection, planned, datetime.now(UTC), again=replay.again)
            over = not events or events[-1].position >= replay.last
            await replay.advance(events[-1].position if events else replay.last, len(planned), over=over)
            return True

    def planned(
        self, hooks: Sequence[Webhook], events: Iterable[FeedEvent], *, replayed: bool = False
    ) -> list[Planned]:
        """Who gets what. A webhook gets what came after it was made or enabled; a replay is asked for by name."""
        if not hooks:
            return []
        district = self._watch.district()
        source, reaches = source_of(district.id), {h.owner: reach_of_owner(district, h.owner) for h in hooks}
        since = {h.id: Position.parse(h.since) for h in hooks}
        messages = (found for found in (message(e, source) for e in events) if found is not None)
        return [
            delivery(hook, one)
            for one in messages
            for hook in hooks
            if (replayed or (one.position is not None and one.position > since[hook.id]))
            and is_for(hook, one, reaches[hook.owner])
        ]  # fmt: skip


def is_for(hook: Webhook, one: Message, reach: Reach) -> bool:
    return reach.covers(one.community) and hook.choice.takes(one.type, one.community, one.category)


def delivery(hook: Webhook, one: Message, *, subject: str | None = None) -> Planned:
    """`subject` names the queue, where that is not the event's own."""
    return Planned(hook.id, one.id, subject or one.subject, one.seq, one.type, one.body)


def reach_of_owner(district: District, owner: str) -> Reach:
    """By the grants of this moment; nothing for somebody who has left."""
    try:
        return reach_of(district.person(owner).grants)
    except DomainError:
        return NOBODY


async def catch_up(connection: Connection, hook: Webhook, *, by: str, at: datetime) -> int:
    """For a webhook that was off until now, and as it was then: what it missed, and what was given up. The replay's id."""
    await webhook_queue.send_again(connection, hook.id, at, state=DeliveryState.FAILED)
    missed = Span(EVER, at + timedelta(days=366), await feed.end(connection), start=Position.parse(hook.since))
    return await webhook_replays.ask(connection, hook.id, missed, again=False, by=by, at=at)
