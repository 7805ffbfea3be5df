"""The feed and the streams: what left, within what the caller may see."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.outgoing import TYPES, is_known
from domain.webhooks import Choice
from service.desk import Desk
from service.event_tail import Dropped, Listener
from service.outgoing import Message, message, source_of
from service.reading import find, scoped, seen
from store import feed
from store.feed import Position, UnreadablePosition
from store.queries import Filter

SCANNED_AT_ONCE, SCANNED_AT_MOST = 500, 10_000
PING_EVERY = timedelta(seconds=15)
LONGEST = timedelta(minutes=30)
"""A stream ends then; the client comes again by itself, and who it is is asked again."""


@dataclass(frozen=True)
class Asked:
    """Of which events; `number` for those of one demand."""

    choice: Choice
    number: str | None = None

    def takes(self, one: Message) -> bool:
        of_demand = self.number is None or one.subject == self.number
        return of_demand and self.choice.takes(one.type, one.community, one.category)


@dataclass(frozen=True)
class Slice:
    """Messages in order, and the position to go on from; it grows also where nothing was to be given."""

    messages: list[Message]
    next: Position


@dataclass(frozen=True)
class Beat:
    """Of a stream: messages (none: a sign of life) and the position that the client may come again with."""

    messages: Sequence[Message]
    at: Position


def position(text: str | None) -> Position | None:
    """Raises DomainError `invalid_cursor`."""
    try:
        return None if text is None else Position.parse(text)
    except UnreadablePosition:
        raise DomainError("invalid_cursor", "This is no cursor of the feed. Pass it on unchanged.") from None


def choice(types: Sequence[str], community: str | None, category: str | None) -> Choice:
    """Raises DomainError `unknown_event_type`."""
    for one in types:
        if not is_known(one):
            raise DomainError("unknown_event_type", "There is no event of this type.", type=one, known=list(TYPES))
    return Choice(tuple(types), (community,) if community else (), (category,) if category else ())


def must_follow(actor: Actor) -> None:
    """The feed is for staff and integrators; a resident follows a demand. Raises DomainError `not_permitted`."""
    roles.must(actor, Need.FOLLOW_EVENTS)


async def read(desk: Desk, actor: Actor, asked: Asked, after: Position | None, limit: int) -> Slice:
    """The next messages behind `after`. Fewer than `limit`, or none, does not mean that there is nothing behind."""
    source, found, at = source_of(desk.district.id), list[Message](), after or feed.BEGINNING
    for _ in range(SCANNED_AT_MOST // SCANNED_AT_ONCE):
        events = await feed.page(desk.pool, at, SCANNED_AT_ONCE)
        made = [one for one in (message(e, source) for e in events) if one is not None and asked.takes(one)]
        for one in await _visible(desk, actor, made):
            found.append(one)
            if len(found) == limit:
                assert one.position is not None
                return Slice(found, one.position)
        if events:
            at = events[-1].position
        if len(events) < SCANNED_AT_ONCE:
            break
    return Slice(found, at)


async def _visible(desk: Desk, actor: Actor, messages: list[Message]) -> list[Message]:
    everything = Filter()
    if not messages or scoped(actor, everything) is everything:
        return messages
    numbers = await seen(desk, actor, {one.subject for one in messages})
    return [one for one in messages if one.subject in numbers]


async def may_stream(desk: Desk, actor: Actor, asked: Asked) -> None:
    """Raises DomainError `not_permitted`, or `not_found` for a demand that the caller may not see."""
    if asked.number is None:
        must_follow(actor)
    else:
        await find(desk, actor, asked.number)


async def now(desk: Desk) -> Position:
    """Where the feed ends."""
    return await feed.end(desk.pool)


async def stream(desk: Desk, actor: Actor, asked: Asked, after: Position, listener: Listener) -> AsyncGenerator[Beat]:
    """What came behind `after`, then what comes, until the server goes down, the client is too slow, or `LONGEST` is
    over."""
    until, at = desk.now() + LONGEST, after
    while at < listener.joined and not listener.dropped:  # what came before this listener joined
        part = await read(desk, actor, asked, at, SCANNED_AT_ONCE)
        missed = [one for one in part.messages if one.position is not None and one.position <= listener.joined]
        before, at = at, min(part.next, listener.joined)
        yield Beat(missed, at)
        if part.next == before:  # the feed ends before the place where we joined: an event was taken back
            break
    while desk.now() < until:
        try:
            came = await listener.next(PING_EVERY)
        except Dropped:
            return
        wanted = [one for one in came if asked.takes(one) and one.position is not None and one.position > at]
        if came:
            at = max(at, came[-1].position or at)
        if wanted or not came:
            yield Beat(await _visible(desk, actor, wanted), at)
