"""One figure of each kind followed down to one of its events, as anybody could who doubts it."""

from __future__ import annotations

from bench.rates_year.oracle import Oracle
from domain.actors import Actor
from service.desk import Desk
from service.rates import Asked, Days, Traced, figures, trace

FOLLOWED = ("response", "resolution", "on_time_unit_due", "refusal", "redo", "meeting_yield", "load", "open_tasks")


async def follow(desk: Desk, actor: Actor, oracle: Oracle, month: str, version: str) -> list[str]:
    asked = Asked(Days.of_month(month), version=version)
    sums = (await figures(desk, actor, asked)).now.sums(())
    lines = []
    for id in FOLLOWED:
        found = await trace(desk, actor, asked, Traced(id, "numerator"), after=None, limit=1)
        figure = sums[id]
        told = f"{id} of {month}: {figure.numerator.normalize():f}"
        if figure.denominator is not None:
            told += f" of {figure.denominator}"
        if found:
            number, seq = str(found[0]["number"]), int(str(found[0]["seq"]))
            event = oracle.logs[number].events[seq - 1]
            told += f"; among them demand {number}, event {seq}: {event.type} at {event.at:%Y-%m-%d %H:%M} UTC"
        lines.append(told)
    return lines
