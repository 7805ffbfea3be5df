"""The order in which somebody walks a day: what is due first goes first, and within a band the nearest place is next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from domain.geometry import Position, haversine_m

Band = Literal["overdue", "today", "tomorrow", "later", "unset"]
"""已超时 · 今天到期 · 明天到期 · 以后到期 · 暂停中."""
BANDS: tuple[Band, ...] = ("overdue", "today", "tomorrow", "later", "unset")


@dataclass(frozen=True)
class Stop:
    """Something to do at a place; `due_at` None while its clock stands still, `point` None where no place is known."""

    number: str
    due_at: datetime | None
    point: Position | None


@dataclass(frozen=True)
class Step:
    """A stop in its turn; `walk_m` from the step before (or the start) as the crow flies, None where it is not known."""

    stop: Stop
    band: Band
    walk_m: float | None


def band_of(due_at: datetime | None, now: datetime, zone: str) -> Band:
    if due_at is None:
        return "unset"
    if due_at <= now:
        return "overdue"
    day, today = _day(due_at, zone), _day(now, zone)
    return "today" if day <= today else "tomorrow" if day == today + timedelta(days=1) else "later"


def plan(stops: Sequence[Stop], now: datetime, zone: str, start: Position | None = None) -> list[Step]:
    """Band after band; within one the nearest next, what has no known place last. Without `start` the day begins where
    the most urgent known place is."""
    steps: list[Step] = []
    at = start
    for band in BANDS:
        within = sorted((s for s in stops if band_of(s.due_at, now, zone) == band), key=_urgency)
        placed = [s for s in within if s.point is not None]
        while placed:
            nearest = placed[0] if at is None else min(placed, key=lambda s: (_walk(at, s), _urgency(s)))
            placed.remove(nearest)
            steps.append(Step(nearest, band, None if at is None else _walk(at, nearest)))
            at = nearest.point
        steps += [Step(s, band, None) for s in within if s.point is None]
    return steps


def _walk(at: Position | None, stop: Stop) -> float:
    assert at is not None and stop.point is not None
    return haversine_m(at, stop.point)


def _urgency(stop: Stop) -> tuple[float, str]:
    return (float("inf") if stop.due_at is None else stop.due_at.timestamp()), stop.number


def _day(at: datetime, zone: str) -> date:
    return at.astimezone(ZoneInfo(zone)).date()
