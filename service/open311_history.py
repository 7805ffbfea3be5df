"""What happened to requests, as it is told outside: one entry a turn, its status, a sentence, the public reply.

Notes, names and the reasons of people stay inside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from domain.open311 import Change, Status, change_of
from domain.open311_faults import refused
from service.desk import Desk
from service.open311_intake import system_of
from service.open311_offer import Offer
from service.open311_viewer import Viewer, keep_reading, open_texts
from store import open311 as storing
from store.open311 import Told

MOST_UPDATES = 10_000
LAST = timedelta(hours=24)


@dataclass(frozen=True)
class Entry:
    """`at` as the client reads it; `id` stays the same whenever it is asked again."""

    id: str
    number: str
    status: Status
    at: str
    description: str
    code: str
    ref: str | None = None


async def notes_of(
    desk: Desk, numbers: Sequence[str], replies: Mapping[str, str], *, english: bool
) -> dict[str, list[Entry]]:
    """The whole history of each of these requests; `replies` are the public replies that the caller may read."""
    zone = ZoneInfo(desk.district.timezone)
    found = await storing.histories(desk.pool, numbers)
    return {
        number: [_entry(desk, told, change, replies, zone, english, at=told.at) for told, change in turns(log)]
        for number, log in found.items()
    }


async def updates(
    desk: Desk, offer: Offer, viewer: Viewer, *, since: datetime | None, until: datetime | None, number: str | None
) -> list[Entry]:
    """What was written down in that window, the last day without one, in the order of writing.

    The time of each is that of its writing: a poller that asks for the time since it asked last misses nothing, however
    late something was written. Raises Refused for a window that holds too much: nothing is left out silently.
    """
    assert viewer.actor is not None, "updates are for the holders of keys"
    until = until or desk.now() + timedelta(seconds=1)
    found = await storing.updates(
        desk.pool, viewer.id, offer.private, since=since or until - LAST, until=until, number=number,
        system=system_of(viewer.actor), limit=MOST_UPDATES + 1,
    )  # fmt: skip
    if len(found) > MOST_UPDATES:
        raise refused("400022")
    told = list(turns(found))
    replies = await _replies(desk, viewer, [one for one, _ in told])
    zone = ZoneInfo(desk.district.timezone)
    return [_entry(desk, one, change, replies, zone, viewer.english, at=one.recorded_at) for one, change in told]


def turns(log: Iterable[Told]) -> Iterable[tuple[Told, Change]]:
    """Of each turn the event that says most; how a demand began is no news, unless it ended at once."""
    for _, turn in groupby(log, key=lambda told: (told.number, told.at, told.recorded_at)):
        telling = [(told, change) for told in turn if (change := change_of(told.type, told.data)) is not None]
        if telling:
            told, change = max(telling, key=lambda one: (one[1].weight, one[0].seq))
            if told.at != told.opened_at or told.type == "closed":
                yield told, change


async def _replies(desk: Desk, viewer: Viewer, told: Sequence[Told]) -> dict[str, str]:
    mine = [(one.number, id) for one in told if viewer.words and one.opened_by == viewer.id and (id := _reply_id(one))]
    if not mine:
        return {}
    await keep_reading(desk, viewer, [number for number, _ in mine], "reply")
    return await open_texts(desk, sorted({id for _, id in mine}))


def _reply_id(told: Told) -> str | None:
    found: str | None = told.data.get("reply_id")
    return found


def _entry(
    desk: Desk, told: Told, change: Change, replies: Mapping[str, str], zone: ZoneInfo, english: bool, *, at: datetime
) -> Entry:
    reply = replies.get(_reply_id(told) or "") or _screened(desk, told.data, english=english)
    words = change.words[english]
    return Entry(
        id=f"{told.number}-{told.seq}-{told.hash[:8]}", number=told.number, status=change.status,
        at=at.astimezone(zone).replace(microsecond=0).isoformat(), description=f"{words}\n{reply}" if reply else words,
        code=":".join(str(part) for part in (told.type, told.data.get("outcome")) if part), ref=told.ref,
    )  # fmt: skip


def _screened(desk: Desk, data: Mapping[str, Any], *, english: bool) -> str | None:
    """Where somebody with a matter for others was sent."""
    kind, _, id = str(data.get("reply_id") or "").partition(":")
    rule = next((r for r in desk.district.screening if r.id == id), None) if kind == "screening" else None
    if rule is None:
        return None
    return rule.go_to_en if english else rule.go_to
