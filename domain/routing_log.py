"""What a demand's log tells of its routing: each decision with all that it looked at, and what came of it. Pure.

A decision is the product's own (`handed_off`: by rulings, rules, stewardships and resources), or people named the unit: a
joint meeting (`meeting_decided`, then `unit_assigned`), or whoever swapped the lead (`lead_swapped`, then the same).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.ledger import Entry
from domain.routing import Candidate, Routing

Occasion = Literal["submitted", "located", "handed_off", "reclassified", "meeting", "swapped"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(_Told):
    """One thing that came of a decision.

    `what` is `offered`, `refused`, `bound`, `redo`, `to_meeting`, `to_worker`, `resolved`, `closed`, and of co-units
    `help_asked`, `help_bound`, `help_refused`, `help_done`, `help_released`. `unit` is the unit it is about, `detail` the
    code that goes with it: the basis of a refusal, how it was bound, why it went to the meeting or back to the grid,
    whether help is required, the outcome.
    """

    seq: int
    at: datetime
    by: str
    what: str
    unit: str | None = None
    detail: str | None = None


class Decided(_Told):
    """One routing decision. What a joint meeting (`meeting`) or a swap of the lead (from `former`) decided has no
    `routing`, but the `lead` that was named."""

    seq: int
    at: datetime
    by: str
    occasion: Occasion
    routing: Routing | None = None
    meeting: str | None = None
    former: str | None = None
    lead: Candidate | None = None
    then: tuple[Step, ...] = ()


def read_routing(entries: Iterable[Entry]) -> tuple[Decided, ...]:
    """The decisions in their order; what happened before the first one is none of it."""
    reader = _Reader()
    for entry in entries:
        reader.read(entry)
    return tuple(one.model_copy(update={"then": tuple(steps)}) for one, steps in reader.decisions)


_Found = tuple[str, str | None, str | None]
"""What happened, to which unit, and the code that goes with it."""


def _assigned(data: Mapping[str, Any], redo: bool) -> _Found:
    return ("redo" if redo else "offered"), data["lead"]["unit"], None


def _needed(co_unit: Mapping[str, Any]) -> str:
    return "required" if co_unit.get("required", True) else "optional"


# The product's other events say nothing of who was asked.
_STEPS: dict[str, Callable[[Mapping[str, Any]], _Found]] = {
    "unit_refused": lambda data: ("refused", data["unit"], data["basis"]),
    "unit_bound": lambda data: ("bound", data["unit"], data["by"]),
    "sent_to_meeting": lambda data: ("to_meeting", None, data["reason"]),
    "worker_assigned": lambda data: ("to_worker", None, data["reason"]),
    "co_unit_asked": lambda data: ("help_asked", data["co_unit"]["unit"], _needed(data["co_unit"])),
    "co_unit_bound": lambda data: ("help_bound", data["unit"], data["by"]),
    "co_unit_refused": lambda data: ("help_refused", data["unit"], data["basis"]),
    "co_unit_done": lambda data: ("help_done", data["unit"], None),
    "co_unit_released": lambda data: ("help_released", data["unit"], data["reason"]),
    "resolved": lambda data: ("resolved", None, data["outcome"]),
    "closed": lambda data: ("closed", None, data["outcome"]),
}


class _Reader:
    def __init__(self) -> None:
        self.decisions: list[tuple[Decided, list[Step]]] = []
        self._turn_at: datetime | None = None
        self._in_turn: set[str] = set()
        self._named: dict[str, Any] | None = None  # what is said of a unit that people named, until it is assigned
        self._redo = False

    def read(self, entry: Entry) -> None:
        if entry.at != self._turn_at:
            self._turn_at, self._in_turn, self._named = entry.at, set(), None
        if entry.type == "handed_off":
            routing = Routing.model_validate(entry.data["routing"])
            self._decide(entry, occasion=self._occasion(), routing=routing)
        elif entry.type == "meeting_decided":
            meeting, chair = str(entry.data["meeting"]), str(entry.data["chair"])
            self._named = {"occasion": "meeting", "meeting": meeting, "by": chair}
        elif entry.type == "lead_swapped":
            self._named = {"occasion": "swapped", "former": str(entry.data["unit"])}
        elif entry.type == "unit_assigned":
            self._assigned(entry)
        elif entry.type in _STEPS:
            self._step(entry, _STEPS[entry.type](entry.data))
        self._redo = entry.type == "redo_ordered" or (self._redo and entry.type.startswith("clock_"))
        self._in_turn.add(entry.type)

    def _occasion(self) -> Occasion:
        if "demand_submitted" in self._in_turn:
            return "submitted"
        if "reclassified" in self._in_turn:
            return "reclassified"
        return "located" if "demand_located" in self._in_turn else "handed_off"

    def _assigned(self, entry: Entry) -> None:
        if self._named is not None:
            self._decide(entry, lead=Candidate.model_validate(entry.data["lead"]), **self._named)
            self._named = None
        self._step(entry, _assigned(entry.data, self._redo))

    def _decide(self, entry: Entry, **said: Any) -> None:
        decided = Decided(**{"seq": entry.seq, "at": entry.at, "by": entry.actor, **said})
        self.decisions.append((decided, []))

    def _step(self, entry: Entry, found: _Found) -> None:
        if self.decisions:
            what, unit, detail = found
            step = Step(seq=entry.seq, at=entry.at, by=entry.actor, what=what, unit=unit, detail=detail)
            self.decisions[-1][1].append(step)
