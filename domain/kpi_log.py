"""Reads a demand's event log into facts, in one pass. Pure.

Entries are read as they are stored; event types that say nothing here are passed by, also those of later releases.
What happens in one turn bears one instant, and is read together: a clock stops before or after the event that ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Any

from domain import kpi_clocks as clocks
from domain.kpi_facts import Answer, Ending, Facts, Line, Mark, Offer, Where
from domain.kpi_hands import HANDS, Hands


def read_facts(number: str, entries: Iterable[Line], *, until: datetime) -> Facts:
    """The facts of the events before `until`; what happened later cannot change them."""
    reader = _Reader(Facts(number))
    hands = Hands(reader.facts.spells)
    for at, group in groupby(entries, key=lambda entry: entry.at):
        if at < until:
            turn = list(group)
            clocks.hear(reader, at)
            reader.done = _done(turn)
            for entry in turn:
                mark = Mark(entry.seq, entry.at)
                if (read := _READ.get(entry.type)) is not None:
                    read(reader, entry.data, mark)
                if (hand := HANDS.get(entry.type)) is not None:
                    hand(hands, entry.data, mark, reader.facts.where)
    clocks.still_running(reader, until)
    return reader.facts


def _done(turn: Iterable[Line]) -> set[str]:
    """What was done in this turn that a clock may have waited for; of a co-unit with its name."""
    return {_deed(entry) for entry in turn}


def _deed(entry: Line) -> str:
    if entry.type.startswith("co_unit_") and "unit" in entry.data:
        return f"{entry.type}:{entry.data['unit']}"
    if entry.type == "resolved" and entry.data.get("primary"):
        return clocks.SETTLED
    return entry.type


@dataclass(slots=True)
class _Reader(clocks.Running):
    offer: Offer | None = None
    helpers: dict[str, Offer] = field(default_factory=dict)
    parties: list[str] = field(default_factory=list)
    dispatched: bool = False
    given_back: bool = False

    def moves(self, **changes: Any) -> Where:
        self.facts.where = replace(self.facts.where, **changes)
        return self.facts.where

    def answer(self, result: str, mark: Mark) -> None:
        """The open offer is answered; after a redo there is none, and only a refusal is worth one."""
        if self.offer is None and result == "refused":
            self.offer = Offer(mark, self.facts.where)
            self.facts.offers.append(self.offer)
        if self.offer is not None:
            self.offer.answered, self.offer.result = mark, result
            self.offer = None

    def take_back(self) -> None:
        """Nobody will answer it any more."""
        if self.offer is not None:
            self.facts.offers.remove(self.offer)
            self.offer = None

    def assigned(self, mark: Mark, *, asks: bool) -> None:
        """To the party that `where` says. `asks`: it may refuse, which one that goes on with its own task is not asked."""
        where, party = self.facts.where, self.facts.where.party
        same = bool(self.parties) and self.parties[-1] == party
        if party in self.parties and (self.given_back or not same):
            self.facts.circles.append(mark)
        if not same:
            self.parties.append(party)
            self.take_back()
        if self.given_back or not same:
            self.facts.tasks.append((mark, where))
        self.given_back = False
        if asks and self.offer is None:
            self.offer = Offer(mark, where, first=not self.dispatched)
            self.facts.offers.append(self.offer)
        self.dispatched = True


Data = dict[str, Any]


def _submitted(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.opened = mark
    r.moves(channel=data["channel"], category=data["category"])


def _located(r: _Reader, data: Data, mark: Mark) -> None:
    place = data["place"]
    r.moves(community=place["community"], grid=place["grid"], compound=place.get("compound"))


def _worker_assigned(r: _Reader, data: Data, mark: Mark) -> None:
    r.moves(unit=None, worker=data["person"])
    r.assigned(mark, asks=data["reason"] != "redo")


def _unit_assigned(r: _Reader, data: Data, mark: Mark) -> None:
    r.moves(unit=data["lead"]["unit"], worker=None)
    r.facts.handed_off.append(mark)
    r.assigned(mark, asks=True)


def _unit_bound(r: _Reader, data: Data, mark: Mark) -> None:
    if data["by"] == "decision":  # there was nothing to refuse
        r.take_back()
    else:
        r.answer("bound", mark)


def _accepted(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.accepted.append(mark)
    r.answer("bound", mark)


def _refused(r: _Reader, data: Data, mark: Mark) -> None:
    r.answer("refused", mark)
    r.given_back = True


def _swapped(r: _Reader, data: Data, mark: Mark) -> None:
    r.answer("swapped", mark)


def _co_asked(r: _Reader, data: Data, mark: Mark) -> None:
    unit = data["co_unit"]["unit"]
    where = replace(r.facts.where, unit=unit, worker=None)
    r.facts.tasks.append((mark, where))
    r.helpers[unit] = Offer(mark, where)


def _co_bound(r: _Reader, data: Data, mark: Mark) -> None:
    if data["by"] == "decision":
        r.helpers.pop(data["unit"], None)
    else:
        _co_answered(r, data["unit"], "bound", mark)


def _co_refused(r: _Reader, data: Data, mark: Mark) -> None:
    _co_answered(r, data["unit"], "refused", mark)


def _co_answered(r: _Reader, unit: str, result: str, mark: Mark) -> None:
    offer = r.helpers.pop(unit, None)
    if offer is not None:
        offer.answered, offer.result = mark, result
        r.facts.offers.append(offer)


def _co_released(r: _Reader, data: Data, mark: Mark) -> None:
    r.helpers.pop(data["unit"], None)


def _contacted(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.contacted.append(mark)


def _to_meeting(r: _Reader, data: Data, mark: Mark) -> None:
    r.take_back()
    if data["reason"] == "returned_to_same_unit":
        r.facts.circles.append(mark)
    r.moves(unit=None, worker=None)
    r.facts.handed_off.append(mark)
    r.facts.visits.append(Ending(mark, r.facts.where, data["meeting"]))


def _meeting_decided(r: _Reader, data: Data, mark: Mark) -> None:
    _end(r.facts.visits, mark, data["kind"])


def _resolved(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.resolutions.append(Ending(mark, r.facts.where, "followed" if data.get("primary") else ""))


def _feedback(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.answers.append(Answer(mark, r.facts.where, data["solved"], data["satisfied"]))


def _redo(r: _Reader, data: Data, mark: Mark) -> None:
    r.facts.outcome = None
    _end(r.facts.resolutions, mark, "redo")  # one that was reopened has come to its end before


def _reopened(r: _Reader, data: Data, mark: Mark) -> None:
    _end(r.facts.closings, mark, "reopened")


def _sealed(r: _Reader, data: Data, mark: Mark) -> None:
    _end(r.facts.closings, mark, "sealed")


def _closed(r: _Reader, data: Data, mark: Mark) -> None:
    r.take_back()
    r.facts.outcome = data["outcome"]
    _end(r.facts.visits, mark, "left")
    _end(r.facts.resolutions, mark, "closed")
    r.facts.closings.append(Ending(mark, r.facts.where, data["outcome"]))


def _end(begun: list[Ending], mark: Mark, result: str) -> None:
    if begun and begun[-1].ended is None:
        begun[-1].ended, begun[-1].result = mark, result


def _reclassified(r: _Reader, data: Data, mark: Mark) -> None:
    r.moves(category=data["category"])


_READ: dict[str, Callable[[_Reader, Data, Mark], None]] = {
    "demand_submitted": _submitted,
    "demand_located": _located,
    "worker_assigned": _worker_assigned,
    "worker_refused": _refused,
    "unit_assigned": _unit_assigned,
    "unit_bound": _unit_bound,
    "unit_refused": _refused,
    "lead_swapped": _swapped,
    "accepted": _accepted,
    "reporter_contacted": _contacted,
    "co_unit_asked": _co_asked,
    "co_unit_bound": _co_bound,
    "co_unit_refused": _co_refused,
    "co_unit_released": _co_released,
    "sent_to_meeting": _to_meeting,
    "meeting_decided": _meeting_decided,
    "resolved": _resolved,
    "feedback_given": _feedback,
    "redo_ordered": _redo,
    "reopened": _reopened,
    "sealed": _sealed,
    "closed": _closed,
    "reclassified": _reclassified,
    **clocks.READ,
}

READ_TYPES = tuple({**_READ, **HANDS})
"""The event types that say something here; the others need not be fetched."""
