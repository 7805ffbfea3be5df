"""A demand's state, and how each event changes it. Deciding is in `domain/decide.py`, the rules in `lifecycle.py`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain import events as e
from domain.call_backs import Reach
from domain.commands import Place
from domain.ladder import BREACH, is_before_due
from domain.promise import Promise
from domain.routing import Candidate
from domain.tasks import ClockKey, CoTask, unit_of
from domain.vocabulary import ClockName, DecisionKind, Outcome, Stage

REOPENABLE = frozenset({Outcome.RESOLVED, Outcome.EXPLAINED, Outcome.UNCONFIRMED, Outcome.UNREACHABLE})


class Shift(BaseModel):
    """What moved a due instant: a pause from `from_at` to `until_at` (also a stop that was taken back), an extension by
    `working_days`, or a meeting's decision of `from_at` that set it to `until_at`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["pause", "extension", "decision"]
    from_at: datetime
    until_at: datetime | None = None
    working_days: int | None = None


class Clock(BaseModel):
    """One promise: running, paused (`due_at` then means nothing) or stopped. A breach is never taken back.

    `provisional`: its span leaves the published calendar; it is computed again when that is published. `shifts` are in
    the order in which they happened. `done` are the keys of the ladder's steps that have fallen.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_at: datetime
    due_at: datetime
    paused_at: datetime | None = None
    stopped_at: datetime | None = None
    breached: bool = False
    provisional: bool = False
    shifts: tuple[Shift, ...] = ()
    done: tuple[str, ...] = ()

    @property
    def overdue(self) -> bool:
        """Whether its present due instant was missed; a clock that was broken may have got a new one since."""
        return self.breached and (not self.done or BREACH.key in self.done)

    @property
    def running(self) -> bool:
        return self.stopped_at is None and self.paused_at is None


class Demand(BaseModel):
    """All that the rules need to know of one demand. `seq` counts its events; `head` is the hash of the last one.

    `holder` is the person who owes the next step; None only when closed. `breached` stays, whatever clocks do later.
    `asked` counts the rungs of the call-back ladder that were taken, `call_backs` the attempts that people made.
    A duplicate follows `primary`, and `kept_holder` gets it back; `followers` are the duplicates of this one.
    `proposed` is a final reply that waits for approval by somebody other than `proposed_by`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    seq: int = 0
    head: str = ""
    stage: Stage = Stage.INTAKE
    category: str = ""
    confidential: bool = False
    opened_by: str = ""
    dispatcher: str = ""
    supervisor: str = ""
    operator: str = ""
    promise: Promise | None = None
    place: Place | None = None
    opened_at: datetime | None = None
    holder: str | None = None
    accepted: bool = False
    worker: str | None = None
    lead: Candidate | None = None
    lead_bound: bool = False
    waiting: tuple[Candidate, ...] = ()
    past_units: tuple[str, ...] = ()
    unit_refusals: int = 0
    grid_refusals: int = 0
    handler: str | None = None
    info_reason: str | None = None
    extension_asked: int = 0
    extensions: int = 0
    meeting: str | None = None
    meeting_reason: str = ""
    turn: int = 0
    shelved: bool = False
    reply_id: str | None = None
    claimed: Outcome | None = None
    awaiting_verification: bool = False
    redos: int = 0
    call_backs: int = 0
    outcome: Outcome | None = None
    closed_at: datetime | None = None
    sealed: bool = False
    breached: bool = False
    co_tasks: tuple[CoTask, ...] = ()
    reach: tuple[Reach, ...] = ()
    asked: int = 0
    primary: str | None = None
    kept_holder: str | None = None
    followers: tuple[str, ...] = ()
    proposed: str | None = None
    proposed_by: str | None = None
    clocks: dict[ClockKey, Clock] = {}

    @property
    def terms(self) -> Promise:
        """The promise; a demand has one from its first event on."""
        assert self.promise is not None
        return self.promise

    @property
    def community(self) -> str | None:
        return self.place.community if self.place else None

    @property
    def follows(self) -> bool:
        """Whether it is handled with its primary; once that is done it goes its own way to the end."""
        return self.primary is not None and self.stage not in (Stage.FEEDBACK, Stage.CLOSED)

    @property
    def unit(self) -> str | None:
        """Who leads; nobody while it is handled with its primary."""
        return self.lead.unit if self.lead and not self.follows else None

    @property
    def due_at(self) -> datetime | None:
        """The next promised instant of a clock that runs and is not broken yet; else the earliest broken one.

        What the holder owes: a co-unit's part is its own.
        """
        running = [c for n, c in self.clocks.items() if c.running and n != ClockName.REOPEN and unit_of(n) is None]
        ahead = [c.due_at for c in running if not c.overdue]
        return min(ahead or [c.due_at for c in running], default=None)


Changes = dict[str, Any]


def _submitted(d: Demand, ev: e.DemandSubmitted, at: datetime) -> Changes:
    return {
        "category": ev.category,
        "confidential": ev.confidential,
        "opened_by": ev.opened_by,
        "dispatcher": ev.dispatcher,
        "supervisor": ev.supervisor,
        "operator": ev.operator,
        "promise": ev.promise,
        "holder": ev.dispatcher,
        "opened_at": at,
        "reach": ev.reach,
    }


def _worker_assigned(d: Demand, ev: e.WorkerAssigned, at: datetime) -> Changes:
    grid = {"stage": Stage.GRID, "holder": ev.person, "lead": None, "lead_bound": False, "meeting": None}
    return {**grid, "accepted": False, "extension_asked": 0, "worker": ev.person, "waiting": (), "shelved": False}


def _worker_refused(d: Demand, ev: e.WorkerRefused, at: datetime) -> Changes:
    return {"stage": Stage.INTAKE, "holder": d.dispatcher, "grid_refusals": d.grid_refusals + 1}


def _handed_off(d: Demand, ev: e.HandedOff, at: datetime) -> Changes:
    return {"waiting": ev.routing.candidates}


def _unit_assigned(d: Demand, ev: e.UnitAssigned, at: datetime) -> Changes:
    left = tuple(c for c in d.waiting if c.unit != ev.lead.unit)
    unit = {"stage": Stage.UNIT, "holder": ev.lead.liaison, "lead": ev.lead, "lead_bound": False, "meeting": None}
    past = d.past_units if ev.lead.unit in d.past_units else (*d.past_units, ev.lead.unit)
    return {**unit, "accepted": False, "extension_asked": 0, "waiting": left, "past_units": past, "shelved": False}


def _unit_refused(d: Demand, ev: e.UnitRefused, at: datetime) -> Changes:
    return {"unit_refusals": d.unit_refusals + 1, "lead": None}


def _sent_to_meeting(d: Demand, ev: e.SentToMeeting, at: datetime) -> Changes:
    asked = {"stage": Stage.MEETING, "holder": ev.convener, "meeting": ev.meeting}
    cleared = {"lead": None, "lead_bound": False, "waiting": (), "shelved": False, "info_reason": None}
    cleared |= {"proposed": None, "proposed_by": None}
    return {**asked, **cleared, "extension_asked": 0, "turn": ev.turn, "meeting_reason": ev.reason}


def _meeting_decided(d: Demand, ev: e.MeetingDecided, at: datetime) -> Changes:
    leaves = ev.kind is not DecisionKind.ESCALATE
    return {"unit_refusals": 0, "grid_refusals": 0, "redos": 0 if leaves else d.redos}


def _resolved(d: Demand, ev: e.Resolved, at: datetime) -> Changes:
    verify = d.terms.verify and ev.primary is None  # where others look, they looked at the primary
    return {
        "stage": Stage.FEEDBACK,
        "handler": ev.by,
        "holder": d.supervisor if verify else d.operator,
        "awaiting_verification": verify,
        "reply_id": ev.reply_id,
        "claimed": ev.outcome,
        "call_backs": 0,
        "asked": 0,
        "info_reason": None,
        "extension_asked": 0,
    }


def _verified(d: Demand, ev: e.Verified, at: datetime) -> Changes:
    return {"awaiting_verification": False, "holder": d.operator}


def _redo_ordered(d: Demand, ev: e.RedoOrdered, at: datetime) -> Changes:
    return {
        "redos": ev.count, "outcome": None, "closed_at": None, "reply_id": None, "claimed": None,
        "awaiting_verification": False,
    }  # fmt: skip


def _final_reply_proposed(d: Demand, ev: e.FinalReplyProposed, at: datetime) -> Changes:
    secretary = d.place.secretary if d.place else d.supervisor
    approver = d.supervisor if d.supervisor != ev.chair else secretary
    return {"proposed": ev.reply_id, "proposed_by": ev.chair, "holder": approver}


def _merged(d: Demand, ev: e.Merged, at: datetime) -> Changes:
    kept = d.kept_holder if d.primary else d.holder
    return {"primary": ev.primary, "kept_holder": kept, "holder": d.operator}


def _unmerged(d: Demand, ev: e.Unmerged, at: datetime) -> Changes:
    return {"primary": None, "kept_holder": None, "holder": d.kept_holder or d.holder}


def _closed(d: Demand, ev: e.Closed, at: datetime) -> Changes:
    ended = {"stage": Stage.CLOSED, "holder": None, "outcome": ev.outcome, "closed_at": at, "shelved": False}
    ended |= {"proposed": None, "proposed_by": None}
    return {**ended, "reply_id": ev.reply_id or d.reply_id, "sealed": ev.outcome not in REOPENABLE}


def _clock(d: Demand, name: ClockKey, **changes: Any) -> Changes:
    return {"clocks": {**d.clocks, name: d.clocks[name].model_copy(update=changes)}}


def _clock_started(d: Demand, ev: e.ClockStarted, at: datetime) -> Changes:
    clock = Clock(started_at=at, due_at=ev.due_at, provisional=ev.provisional)
    return {"clocks": {**d.clocks, ev.clock: clock}}


def _clock_resumed(d: Demand, ev: e.ClockResumed, at: datetime) -> Changes:
    clock = d.clocks[ev.clock]
    stood = Shift(kind="pause", from_at=clock.paused_at or clock.stopped_at or at, until_at=ev.since or at)
    return _clock(
        d, ev.clock, paused_at=None, stopped_at=None, due_at=ev.due_at, shifts=(*clock.shifts, stood),
        provisional=clock.provisional or ev.provisional,
    )  # fmt: skip


def _clock_extended(d: Demand, ev: e.ClockExtended, at: datetime) -> Changes:
    clock = d.clocks[ev.clock]
    if ev.working_days is None:
        more = Shift(kind="decision", from_at=at, until_at=ev.due_at)
    else:
        more = Shift(kind="extension", from_at=at, working_days=ev.working_days)
    return _clock(
        d, ev.clock, due_at=ev.due_at, shifts=(*clock.shifts, more), done=_still_done(clock, ev.due_at, at),
        provisional=clock.provisional or ev.provisional,
    )  # fmt: skip


def _clock_replanned(d: Demand, ev: e.ClockReplanned, at: datetime) -> Changes:
    clock = d.clocks[ev.clock]
    at = clock.paused_at or at  # a due instant moves with the pause that it stands still in: it lies ahead of that
    done = _still_done(clock, ev.due_at, at)
    if ev.by == "reclassified" and at < ev.due_at != clock.due_at:
        done = ()  # another promise: its reminders are another's
    return _clock(d, ev.clock, due_at=ev.due_at, provisional=ev.provisional, done=done)


def _still_done(clock: Clock, due_at: datetime, at: datetime) -> tuple[str, ...]:
    """A due instant that lies ahead again can be missed again; what was said before it stays said."""
    return clock.done if due_at <= at else tuple(key for key in clock.done if is_before_due(key))


def _fell(
    d: Demand, ev: e.ClockWarned | e.ClockFarBreached | e.NoticeIssued | e.ClockEscalated, at: datetime
) -> Changes:
    return _clock(d, ev.clock, done=(*d.clocks[ev.clock].done, ev.step))


def _clock_breached(d: Demand, ev: e.ClockBreached, at: datetime) -> Changes:
    done = d.clocks[ev.clock].done
    return _clock(d, ev.clock, breached=True, done=(*done, BREACH.key)) | {"breached": True}


def _reclassified(d: Demand, ev: e.Reclassified, at: datetime) -> Changes:
    return {"category": ev.category, "promise": ev.promise}


def _calendar_adopted(d: Demand, ev: e.CalendarAdopted, at: datetime) -> Changes:
    return {"promise": d.terms.model_copy(update={"calendar": ev.version})}


def _info_requested(d: Demand, ev: e.InfoRequested, at: datetime) -> Changes:
    return {"info_reason": ev.reason}


def _co_unit_asked(d: Demand, ev: e.CoUnitAsked, at: datetime) -> Changes:
    others = tuple(task for task in d.co_tasks if task.unit != ev.co_unit.unit)
    return {"co_tasks": (*others, CoTask(**ev.co_unit.model_dump()))}


def _co_task(d: Demand, unit: str, state: str) -> Changes:
    changed = (t.model_copy(update={"state": state}) if t.unit == unit else t for t in d.co_tasks)
    return {"co_tasks": tuple(changed)}


_EVOLVE: dict[str, Callable[[Demand, Any, datetime], Changes]] = {
    "demand_submitted": _submitted,
    "demand_located": lambda d, ev, at: {"place": ev.place, "worker": ev.place.worker},
    "worker_assigned": _worker_assigned,
    "worker_refused": _worker_refused,
    "handed_off": _handed_off,
    "unit_assigned": _unit_assigned,
    "unit_refused": _unit_refused,
    "unit_bound": lambda d, ev, at: {"lead_bound": True},
    "accepted": lambda d, ev, at: {"accepted": True},
    "info_requested": _info_requested,
    "info_received": lambda d, ev, at: {"info_reason": None},
    "extension_requested": lambda d, ev, at: {"extension_asked": ev.working_days},
    "extension_decided": lambda d, ev, at: {"extension_asked": 0, "extensions": d.extensions + ev.approved},
    "sent_to_meeting": _sent_to_meeting,
    "meeting_decided": _meeting_decided,
    "shelved": lambda d, ev, at: {"shelved": True},
    "resolved": _resolved,
    "verified": _verified,
    "call_back_made": lambda d, ev, at: {"call_backs": ev.attempt},
    "redo_ordered": _redo_ordered,
    "closed": _closed,
    "sealed": lambda d, ev, at: {"sealed": True},
    "clock_started": _clock_started,
    "clock_stopped": lambda d, ev, at: _clock(d, ev.clock, stopped_at=at, paused_at=None),
    "clock_paused": lambda d, ev, at: _clock(d, ev.clock, paused_at=at),
    "clock_resumed": _clock_resumed,
    "clock_extended": _clock_extended,
    "clock_replanned": _clock_replanned,
    "clock_warned": _fell,
    "clock_breached": _clock_breached,
    "notice_issued": _fell,
    "clock_escalated": _fell,
    "clock_far_breached": _fell,
    "reclassified": _reclassified,
    "calendar_adopted": _calendar_adopted,
    "co_unit_asked": _co_unit_asked,
    "co_unit_bound": lambda d, ev, at: _co_task(d, ev.unit, "bound"),
    "co_unit_refused": lambda d, ev, at: _co_task(d, ev.unit, "refused"),
    "co_unit_done": lambda d, ev, at: _co_task(d, ev.unit, "done"),
    "co_unit_released": lambda d, ev, at: _co_task(d, ev.unit, "released"),
    "taken_over": lambda d, ev, at: {"holder": ev.person},
    "supervised": lambda d, ev, at: {"holder": ev.person},
    "reporter_asked": lambda d, ev, at: {"asked": ev.attempt, "holder": ev.person or d.operator},
    "final_reply_proposed": _final_reply_proposed,
    "merged": _merged,
    "unmerged": _unmerged,
    "duplicate_joined": lambda d, ev, at: {"followers": (*d.followers, ev.number)},
    "duplicate_left": lambda d, ev, at: {"followers": tuple(n for n in d.followers if n != ev.number)},
}


def evolve(demand: Demand, event: e.Event, at: datetime) -> Demand:
    """The demand after `event`, which happened at `at`. Events without a rule here change nothing but the log."""
    change = _EVOLVE.get(event.type)
    return demand.model_copy(update=change(demand, event, at)) if change else demand
