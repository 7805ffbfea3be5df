"""What a demand's log knows of its clocks and their state does not: why each stood still, who granted more time, when it
was reckoned anew, when it broke. Pure; `domain/explain.py` tells it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from domain import events as e
from domain.ledger import Entry
from domain.promise import Promise
from domain.tasks import ClockKey
from domain.worktime import Budget

CauseKind = Literal["pause", "redo", "extension", "decision"]


class _Told(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Cause(_Told):
    """Why a clock was shifted from `from_at` on. `redo` is a stop that was taken back.

    `reason` is the code of the event: why it waits, why it is done again, the basis of an extension, the meeting's id.
    `by` is the person who paused it, granted the time or chaired; empty where nobody did.
    """

    kind: CauseKind
    from_at: datetime
    reason: str = ""
    by: str = ""


class Replan(_Told):
    """The clock was reckoned from its start again, for another class or by another calendar."""

    at: datetime
    by: Literal["reclassified", "calendar"]
    due_before: datetime
    due_after: datetime


class Terms(_Told):
    """Under what the clock was reckoned: the version of the calendar and the budget, None where an instant was set."""

    calendar: str
    sla_class: str
    budget: Budget | None


class ClockLog(_Told):
    """One clock since it last started. `terms` are newest first.

    `given` is the due instant that it started with, and `by_meeting` whether it started by a joint meeting's decision,
    which may set the due instant itself. `breached_at` is when the promise broke, whenever that was noticed.
    """

    given: datetime | None = None
    by_meeting: bool = False
    breached_at: datetime | None = None
    causes: tuple[Cause, ...] = ()
    replans: tuple[Replan, ...] = ()
    terms: tuple[Terms, ...] = ()


def read_log(entries: Iterable[Entry]) -> dict[ClockKey, ClockLog]:
    """What the entries, in their order, tell of each clock that ever started."""
    reader = _Reader()
    for entry in entries:
        read = _READ.get(entry.type)
        if read is not None:
            event = _EVENT.validate_python({"type": entry.type, **entry.data})
            read(reader, event, entry)
    return {name: track.told() for name, track in reader.tracks.items()}


_EVENT: TypeAdapter[Any] = TypeAdapter(e.Event)


@dataclass
class _Track:
    due_at: datetime
    given: datetime
    by_meeting: bool
    stopped_at: datetime | None = None
    breached_at: datetime | None = None
    causes: list[Cause] = field(default_factory=list)
    replans: list[Replan] = field(default_factory=list)
    terms: list[Terms] = field(default_factory=list)

    def told(self) -> ClockLog:
        return ClockLog(
            given=self.given, by_meeting=self.by_meeting, breached_at=self.breached_at, causes=tuple(self.causes),
            replans=tuple(self.replans), terms=tuple(reversed(self.terms)),
        )  # fmt: skip


@dataclass
class _Reader:
    """What was last said of each kind, for the clock events that follow from it in the same turn."""

    tracks: dict[ClockKey, _Track] = field(default_factory=dict)
    promise: Promise | None = None
    awaited: tuple[str, str] = ("", "")
    redo: tuple[str, str] = ("", "")
    basis: str = ""
    decided: e.MeetingDecided | None = None
    decided_at: datetime | None = None

    def terms(self, name: ClockKey) -> list[Terms]:
        if self.promise is None:
            return []
        p = self.promise
        return [Terms(calendar=p.calendar, sla_class=p.sla_class, budget=p.budget_of(name))]

    def due(self, name: ClockKey, due_at: datetime) -> _Track:
        track = self.tracks[name]
        track.due_at = due_at
        return track


def _promised(r: _Reader, ev: e.DemandSubmitted | e.Reclassified, entry: Entry) -> None:
    r.promise = ev.promise


def _adopted(r: _Reader, ev: e.CalendarAdopted, entry: Entry) -> None:
    if r.promise is not None:
        r.promise = r.promise.model_copy(update={"calendar": ev.version})


def _info_requested(r: _Reader, ev: e.InfoRequested, entry: Entry) -> None:
    r.awaited = (ev.reason, entry.actor)


def _shelved(r: _Reader, ev: e.Shelved, entry: Entry) -> None:
    r.awaited = ("shelved", r.decided.chair if r.decided else "")


def _redo(r: _Reader, ev: e.RedoOrdered, entry: Entry) -> None:
    r.redo = (ev.reason, entry.actor)


def _extension(r: _Reader, ev: e.ExtensionRequested, entry: Entry) -> None:
    r.basis = ev.basis


def _decided(r: _Reader, ev: e.MeetingDecided, entry: Entry) -> None:
    r.decided, r.decided_at = ev, entry.at


def _started(r: _Reader, ev: e.ClockStarted, entry: Entry) -> None:
    track = _Track(due_at=ev.due_at, given=ev.due_at, by_meeting=entry.at == r.decided_at)
    track.terms = r.terms(ev.clock)
    r.tracks[ev.clock] = track


def _paused(r: _Reader, ev: e.ClockPaused, entry: Entry) -> None:
    reason, by = r.awaited
    r.tracks[ev.clock].causes.append(Cause(kind="pause", from_at=entry.at, reason=reason, by=by))


def _stopped(r: _Reader, ev: e.ClockStopped, entry: Entry) -> None:
    r.tracks[ev.clock].stopped_at = entry.at


def _resumed(r: _Reader, ev: e.ClockResumed, entry: Entry) -> None:
    track = r.due(ev.clock, ev.due_at)
    if track.stopped_at is not None:
        reason, by = r.redo
        track.causes.append(Cause(kind="redo", from_at=track.stopped_at, reason=reason, by=by))
        track.stopped_at = None


def _extended(r: _Reader, ev: e.ClockExtended, entry: Entry) -> None:
    track = r.due(ev.clock, ev.due_at)
    if r.decided is not None and r.decided_at == entry.at:
        cause = Cause(kind="decision", from_at=entry.at, reason=r.decided.meeting, by=r.decided.chair)
    else:
        cause = Cause(kind="extension", from_at=entry.at, reason=r.basis, by=entry.actor)
    track.causes.append(cause)


def _replanned(r: _Reader, ev: e.ClockReplanned, entry: Entry) -> None:
    before = r.tracks[ev.clock].due_at
    track = r.due(ev.clock, ev.due_at)
    track.replans.append(Replan(at=entry.at, by=ev.by, due_before=before, due_after=ev.due_at))
    track.terms += [terms for terms in r.terms(ev.clock) if terms not in track.terms]


def _breached(r: _Reader, ev: e.ClockBreached, entry: Entry) -> None:
    track = r.tracks[ev.clock]
    track.breached_at = track.breached_at or ev.due_at


_READ: dict[str, Callable[[_Reader, Any, Entry], None]] = {
    "demand_submitted": _promised,
    "reclassified": _promised,
    "calendar_adopted": _adopted,
    "info_requested": _info_requested,
    "shelved": _shelved,
    "redo_ordered": _redo,
    "extension_requested": _extension,
    "meeting_decided": _decided,
    "clock_started": _started,
    "clock_paused": _paused,
    "clock_stopped": _stopped,
    "clock_resumed": _resumed,
    "clock_extended": _extended,
    "clock_replanned": _replanned,
    "clock_breached": _breached,
}
