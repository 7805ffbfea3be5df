"""What happened to a demand: one model per event, past tense, told apart by `type`.

An event says only what cannot be derived from the events before it. No free text, no personal data: ids and codes.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.commands import Place
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.vocabulary import Channel, ClockName, DecisionKind, Outcome, Satisfied, Solved


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DemandSubmitted(_Event):
    """A demand was accepted into the product; from here on it cannot be lost."""

    type: Literal["demand_submitted"] = "demand_submitted"
    channel: Channel
    category: str
    category_by: Literal["caller", "suggestion", "default"] = "caller"
    confidential: bool
    opened_by: str
    dispatcher: str
    supervisor: str
    operator: str
    promise: Promise


class DemandScreened(_Event):
    """Not ours to handle: the resident is told where to go."""

    type: Literal["demand_screened"] = "demand_screened"
    kind: str


class DemandLocated(_Event):
    type: Literal["demand_located"] = "demand_located"
    place: Place


class WorkerAssigned(_Event):
    """A grid worker owes the next step."""

    type: Literal["worker_assigned"] = "worker_assigned"
    person: str
    reason: Literal[
        "duty", "substitute", "least_loaded", "reassigned", "wrong_grid", "accept_overdue", "returned", "redo"
    ]


class WorkerRefused(_Event):
    type: Literal["worker_refused"] = "worker_refused"
    basis: str


class HandedOff(_Event):
    """Given to member units: the routing decision with its candidates in order."""

    type: Literal["handed_off"] = "handed_off"
    routing: Routing


class UnitAssigned(_Event):
    type: Literal["unit_assigned"] = "unit_assigned"
    lead: Candidate


class UnitRefused(_Event):
    type: Literal["unit_refused"] = "unit_refused"
    unit: str
    basis: str


class UnitBound(_Event):
    """The unit is responsible: it accepted, or its refusal window passed in silence."""

    type: Literal["unit_bound"] = "unit_bound"
    unit: str
    by: Literal["accepted", "silence", "decision"]


class Accepted(_Event):
    type: Literal["accepted"] = "accepted"


class ReporterContacted(_Event):
    type: Literal["reporter_contacted"] = "reporter_contacted"


class NoteAdded(_Event):
    type: Literal["note_added"] = "note_added"
    note_id: str


class FilesAttached(_Event):
    type: Literal["files_attached"] = "files_attached"
    file_ids: tuple[str, ...]


class InfoRequested(_Event):
    type: Literal["info_requested"] = "info_requested"
    reason: str


class InfoReceived(_Event):
    type: Literal["info_received"] = "info_received"


class ExtensionRequested(_Event):
    type: Literal["extension_requested"] = "extension_requested"
    working_days: int
    basis: str


class ExtensionDecided(_Event):
    type: Literal["extension_decided"] = "extension_decided"
    approved: bool


class Urged(_Event):
    type: Literal["urged"] = "urged"


class SentToMeeting(_Event):
    """On its way onto the agenda; `turn` counts the visits, so that a late answer of an earlier one is not taken."""

    type: Literal["sent_to_meeting"] = "sent_to_meeting"
    meeting: str
    convener: str
    turn: int
    reason: str


class MeetingDecided(_Event):
    """The joint meeting decided; a line of its minutes."""

    type: Literal["meeting_decided"] = "meeting_decided"
    meeting: str
    turn: int
    kind: DecisionKind
    chair: str
    project: str | None = None


class Shelved(_Event):
    """挂账: put aside until its review date, when it comes back by itself."""

    type: Literal["shelved"] = "shelved"
    review_at: datetime


class Resolved(_Event):
    type: Literal["resolved"] = "resolved"
    reply_id: str
    outcome: Outcome
    by: str


class Verified(_Event):
    type: Literal["verified"] = "verified"
    ok: bool


class CallBackMade(_Event):
    """An attempt to ask the reporter that got no answer."""

    type: Literal["call_back_made"] = "call_back_made"
    attempt: int
    channel: str
    result: str


class FeedbackGiven(_Event):
    type: Literal["feedback_given"] = "feedback_given"
    contacted: bool
    solved: Solved
    satisfied: Satisfied


class RedoOrdered(_Event):
    type: Literal["redo_ordered"] = "redo_ordered"
    count: int
    reason: Literal["not_verified", "not_solved", "dissatisfied", "reopened"]


class Withdrawn(_Event):
    type: Literal["withdrawn"] = "withdrawn"


class Reopened(_Event):
    type: Literal["reopened"] = "reopened"


class Closed(_Event):
    """Ended; the resident is told. May be reopened inside its window where the outcome allows it."""

    type: Literal["closed"] = "closed"
    outcome: Outcome
    reply_id: str | None = None


class Sealed(_Event):
    """The reopen window is over: from here on nothing changes."""

    type: Literal["sealed"] = "sealed"


class ClockStarted(_Event):
    type: Literal["clock_started"] = "clock_started"
    clock: ClockName
    due_at: datetime


class ClockStopped(_Event):
    type: Literal["clock_stopped"] = "clock_stopped"
    clock: ClockName


class ClockPaused(_Event):
    type: Literal["clock_paused"] = "clock_paused"
    clock: ClockName


class ClockResumed(_Event):
    """Runs on; `due_at` is shifted by exactly the working time it stood still."""

    type: Literal["clock_resumed"] = "clock_resumed"
    clock: ClockName
    due_at: datetime


class ClockExtended(_Event):
    type: Literal["clock_extended"] = "clock_extended"
    clock: ClockName
    due_at: datetime


class ClockBreached(_Event):
    """The promise was broken at `due_at`, whenever that was noticed."""

    type: Literal["clock_breached"] = "clock_breached"
    clock: ClockName
    due_at: datetime


Event = Annotated[
    DemandSubmitted | DemandScreened | DemandLocated | WorkerAssigned | WorkerRefused | HandedOff | UnitAssigned
    | UnitRefused | UnitBound | Accepted | ReporterContacted | NoteAdded | FilesAttached | InfoRequested | InfoReceived
    | ExtensionRequested | ExtensionDecided | Urged | SentToMeeting | MeetingDecided | Shelved | Resolved | Verified
    | CallBackMade | FeedbackGiven | RedoOrdered | Withdrawn | Reopened | Closed | Sealed | ClockStarted | ClockStopped
    | ClockPaused | ClockResumed | ClockExtended | ClockBreached,
    Field(discriminator="type"),
]  # fmt: skip
