"""A demand's log as the oracle reads it: rows of the table, and where the demand lay after each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from functools import cached_property
from typing import Any, TypeVar

K = TypeVar("K")
Where = dict[str, Any]
NOWHERE: Where = dict.fromkeys(("channel", "category", "community", "grid", "compound", "unit", "worker"))


@dataclass(frozen=True)
class Event:
    seq: int
    type: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Found:
    """A case: worth `value` of the `figure`, of a rate if `rate`, with the events (seq) that its two sides rest on."""

    figure: str
    at: datetime
    where: Where
    value: Fraction
    base: tuple[int, ...] = ()
    behind: tuple[int, ...] = ()
    excluded: str = ""
    rate: bool = True
    exclusion: str = ""

    def out(self, reason: str, exclusion: str = "") -> Found:
        return replace(self, excluded=reason, exclusion=exclusion)


def _grouped(events: tuple[Event, ...], word: Callable[[Event], K]) -> dict[K, list[Event]]:
    found: dict[K, list[Event]] = {}
    for e in events:
        found.setdefault(word(e), []).append(e)
    return found


@dataclass(frozen=True)
class Log:
    number: str
    events: tuple[Event, ...]

    def until(self, end: datetime) -> Log:
        if self.events[-1].at < end:
            return self
        return Log(self.number, tuple(e for e in self.events if e.at < end))

    def of(self, *types: str) -> list[Event]:
        return sorted((e for type in types for e in self._by_type.get(type, ())), key=lambda e: e.seq)

    def turn(self, at: datetime) -> list[Event]:
        """What happened at one instant happened together."""
        return self._by_at[at]

    @cached_property
    def _by_type(self) -> dict[str, list[Event]]:
        return _grouped(self.events, lambda e: e.type)

    @cached_property
    def _by_at(self) -> dict[datetime, list[Event]]:
        return _grouped(self.events, lambda e: e.at)

    @cached_property
    def wheres(self) -> list[Where]:
        """After each event."""
        found, now = [], NOWHERE
        for e in self.events:
            now = now | _moves(e)
            found.append(now)
        return found

    def where_at(self, seq: int) -> Where:
        """Just after the event of this number; before the first one nowhere."""
        return self.wheres[seq - 1] if seq else NOWHERE

    def where_before(self, at: datetime) -> Where:
        """After everything that happened before an instant."""
        return self.where_at(sum(e.at < at for e in self.events))

    def outcome(self) -> str | None:
        """How it has ended, if it has and was not taken up again."""
        last = [e for e in self.events if e.type in ("closed", "redo_ordered")][-1:]
        return last[0].data["outcome"] if last and last[0].type == "closed" else None

    def follows_at(self, seq: int) -> bool:
        """Whether, after this event, it follows another demand."""
        said = [e for e in self.events if e.type in ("merged", "unmerged") and e.seq <= seq]
        return bool(said) and said[-1].type == "merged"

    def in_hand(self) -> Iterator[tuple[int, Where]]:
        """Tasks that somebody has at the end of the log: the event since which it lies as it does, and where."""
        last_given = max((e.seq for e in self.of("worker_assigned", "unit_assigned")), default=0)
        takers = ("worker_refused", "unit_refused", "lead_swapped", "sent_to_meeting", "resolved", "closed")
        gone = any(e.seq > last_given for e in self.of(*takers))
        if last_given and not gone and not self.follows_at(len(self.events)):
            since = max(
                e.seq for e in self.events if e.seq >= last_given and e.type in (*_GIVING, *_MOVING, "unmerged")
            )
            yield since, self.where_at(len(self.events)) | _hands(self.where_at(last_given))
        for unit in sorted({e.data["co_unit"]["unit"] for e in self.of("co_unit_asked")}):
            asked = max(e.seq for e in self.of("co_unit_asked") if e.data["co_unit"]["unit"] == unit)
            ended = any(
                e.seq > asked and (e.type == "closed" or e.data.get("unit") == unit)
                for e in self.of("co_unit_done", "co_unit_refused", "co_unit_released", "closed")
            )
            if not ended:
                since = max(e.seq for e in self.events if e.seq == asked or (e.seq > asked and e.type in _MOVING))
                yield since, self.where_at(len(self.events)) | {"unit": unit, "worker": None}


_GIVING = ("worker_assigned", "unit_assigned")
_MOVING = ("demand_located", "reclassified")


def _hands(where: Where) -> Where:
    return {"unit": where["unit"], "worker": where["worker"]}


def _moves(e: Event) -> Where:
    match e.type:
        case "demand_submitted":
            return {"channel": e.data["channel"], "category": e.data["category"]}
        case "demand_located":
            place = e.data["place"]
            return {"community": place["community"], "grid": place["grid"], "compound": place.get("compound")}
        case "worker_assigned":
            return {"unit": None, "worker": e.data["person"]}
        case "unit_assigned":
            return {"unit": e.data["lead"]["unit"], "worker": None}
        case "sent_to_meeting":
            return {"unit": None, "worker": None}
        case "reclassified":
            return {"category": e.data["category"]}
    return {}
