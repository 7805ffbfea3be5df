"""What demands are about, in one line each, for lists: the beginning of what the reporter wrote, as this caller may read it."""

from __future__ import annotations

from collections.abc import Sequence

from domain.actors import Actor
from domain.demand import Demand
from domain.privacy import ReadingReason
from service.desk import Desk
from service.words import may_read, opened, reading
from store import personal, texts

LONGEST = 60


async def first_lines(desk: Desk, actor: Actor, demands: Sequence[Demand]) -> dict[str, str]:
    """By number; nothing for a text that the caller may not read. That they were read is kept, once an hour."""
    by_number = {demand.number: demand for demand in demands}
    lines: dict[str, str] = {}
    for number, one in await texts.of_kind(desk.pool, list(by_number), "demand"):
        if number not in lines and may_read(by_number[number], actor, one.kind, one.author):
            (said,) = await opened(desk, actor, by_number[number], [one])
            lines[number] = shortened(said)
    if lines:
        told = reading(desk, actor, "texts", ReadingReason.HANDLING, "demand")
        await personal.tell_once_an_hour(desk.pool, told, list(lines))
    return lines


def shortened(text: str) -> str:
    """The first line, cut where it is long."""
    line = text.strip().splitlines()[0] if text.strip() else ""
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"
