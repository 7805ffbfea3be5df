"""What demands are about, in one line each, for lists: the beginning of what the reporter wrote, as this caller may read it."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.actors import Actor
from domain.demand import Demand
from domain.privacy import ReadingReason
from service.desk import Desk
from service.words import may_read, opened, reading
from store import personal, texts

LONGEST = 60
TOLD_AGAIN_AFTER = timedelta(hours=1)
MOST_REMEMBERED = 50_000

_told: OrderedDict[tuple[str, str], datetime] = OrderedDict()
"""Who was shown whose first line when: a list that is open all day and comes anew with every event is one reading an hour."""


async def first_lines(desk: Desk, actor: Actor, demands: Sequence[Demand]) -> dict[str, str]:
    """By number; nothing for a text that the caller may not read. That they were read is kept."""
    by_number = {demand.number: demand for demand in demands}
    lines: dict[str, str] = {}
    for number, one in await texts.of_kind(desk.pool, list(by_number), "demand"):
        if number not in lines and may_read(by_number[number], actor, one.kind, one.author):
            (said,) = await opened(desk, actor, by_number[number], [one])
            lines[number] = shortened(said)
    fresh = _fresh(actor, list(lines), desk.now())
    if fresh:
        await personal.tell(desk.pool, reading(desk, actor, "texts", ReadingReason.HANDLING, "demand"), fresh)
    return lines


def shortened(text: str) -> str:
    """The first line, cut where it is long."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _fresh(actor: Actor, numbers: list[str], now: datetime) -> list[str]:
    """Those that were not told of this reader within the hour; from now on they are."""
    fresh = [
        n for n in numbers if now - _told.get((actor.id, n), datetime.min.replace(tzinfo=now.tzinfo)) > TOLD_AGAIN_AFTER
    ]
    for number in fresh:
        _told[actor.id, number] = now
        _told.move_to_end((actor.id, number))
    while len(_told) > MOST_REMEMBERED:
        _told.popitem(last=False)
    return fresh
