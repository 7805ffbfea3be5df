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
from domain.tasks import ClockKey, CoUnit
from domain.vocabulary import Channel, DecisionKind, Outcome, Satisfied, Solved

# Left out of the stored event where it says nothing: events of 0.1 did not have it, and must hash as they did.
SAID = Field(exclude_if=lambda value: not value)
Provisional = Annotated[bool, SAID]


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


class CoUnitAsked(_Event):
    """A unit is to help the lead."""

    type: Literal["co_unit_asked"] = "co_unit_asked"
    co_unit: CoUnit


class CoUnitBound(_Event):
    """The co-unit is responsible for its part."""

    type: Literal["co_unit_bound"] = "co_unit_bound"
    unit: str
    by: Literal["accepted", "silence", "decision"]


class CoUnitRefused(_Event):
    type: Literal["co_unit_refused"] = "co_unit_refused"
    unit: str
    basis: str


class CoUnitDone(_Event):
    """The co-unit says that its part is done."""

    type: Literal["co_unit_done"] = "co_unit_done"
    unit: str


class CoUnitReleased(_Event):
    """The part is not needed any more: taken back, the unit leads now, or the demand left the units."""

    type: Literal["co_unit_released"] = "co_unit_released"
    unit: str
    reason: Literal["taken_back", "leads", "left_units"]


class LeadSwapped(_Event):
    """A supervisor or secretary put another unit in the lead's place; co-units go on with their parts."""

    type: Literal["lead_swapped"] = "lead_swapped"
    unit: str


class Reclassified(_Event):
    """Filed under another category; the promise of its class replaces the one before, reckoned from the start."""

    type: Literal["reclassified"] = "reclassified"
    category: str
    promise: Promise


class TakenOver(_Event):
    """The ladder ran out where no meeting can decide: the supervisor holds it now."""

    type: Literal["taken_over"] = "taken_over"
    person: str
    reason: Literal["overdue"]


class CalendarAdopted(_Event):
    """A newly published calendar counts from now on; targets stay as they were promised."""

    type: Literal["calendar_adopted"] = "calendar_adopted"
    version: str


class ClockStarted(_Event):
    """`provisional`: the span to `due_at` leaves the published calendar; it is computed again when that is published."""

    type: Literal["clock_started"] = "clock_started"
    clock: ClockKey
    due_at: datetime
    provisional: Provisional = False


class ClockStopped(_Event):
    type: Literal["clock_stopped"] = "clock_stopped"
    clock: ClockKey


class ClockPaused(_Event):
    type: Literal["clock_paused"] = "clock_paused"
    clock: ClockKey


class ClockResumed(_Event):
    """Runs on; `due_at` is shifted by exactly the working time it stood still.

    `since` is when it ran on, where nobody noticed it at that instant: the limit of its pause rang late.
    """

    type: Literal["clock_resumed"] = "clock_resumed"
    clock: ClockKey
    due_at: datetime
    since: Annotated[datetime | None, SAID] = None
    provisional: Provisional = False


class ClockExtended(_Event):
    """More time: `working_days` that a supervisor granted, or (None) the instant that a meeting set."""

    type: Literal["clock_extended"] = "clock_extended"
    clock: ClockKey
    due_at: datetime
    working_days: Annotated[int | None, SAID] = None
    provisional: Provisional = False


class ClockReplanned(_Event):
    """Reckoned anew from its start, pauses and extensions kept."""

    type: Literal["clock_replanned"] = "clock_replanned"
    clock: ClockKey
    due_at: datetime
    provisional: bool
    by: Literal["reclassified", "calendar"]


class _StepFell(_Event):
    """A step of the ladder: it fell at `fell_at`, whenever that was noticed; the people in `told` are to hear of it."""

    clock: ClockKey
    step: str
    fell_at: datetime
    told: Annotated[tuple[str, ...], SAID] = ()


class ClockWarned(_StepFell):
    """A share of the time has passed."""

    type: Literal["clock_warned"] = "clock_warned"


class ClockBreached(_Event):
    """The promise was broken at `due_at`, whenever that was noticed."""

    type: Literal["clock_breached"] = "clock_breached"
    clock: ClockKey
    due_at: datetime
    told: Annotated[tuple[str, ...], SAID] = ()


class NoticeIssued(_StepFell):
    """催办通知书: the formal notice that a promise is broken."""

    type: Literal["notice_issued"] = "notice_issued"


class ClockEscalated(_StepFell):
    """Overdue for so long that the next joint meeting looks at it; where none can, the supervisor takes over."""

    type: Literal["clock_escalated"] = "clock_escalated"


class ClockFarBreached(_StepFell):
    """A multiple of the promised time has passed."""

    type: Literal["clock_far_breached"] = "clock_far_breached"


Event = Annotated[
    DemandSubmitted | DemandScreened | DemandLocated | WorkerAssigned | WorkerRefused | HandedOff | UnitAssigned
    | UnitRefused | UnitBound | Accepted | ReporterContacted | NoteAdded | FilesAttached | InfoRequested | InfoReceived
    | ExtensionRequested | ExtensionDecided | Urged | SentToMeeting | MeetingDecided | Shelved | Resolved | Verified
    | CallBackMade | FeedbackGiven | RedoOrdered | Withdrawn | Reopened | Closed | Sealed | CoUnitAsked | CoUnitBound
    | CoUnitRefused | CoUnitDone | CoUnitReleased | LeadSwapped | Reclassified | TakenOver
    | CalendarAdopted | ClockStarted | ClockStopped | ClockPaused | ClockResumed | ClockExtended | ClockReplanned
    | ClockWarned | ClockBreached | NoticeIssued | ClockEscalated | ClockFarBreached,
    Field(discriminator="type"),
]  # fmt: skip
