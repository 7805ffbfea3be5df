"""What happened to a demand: one model per event, past tense, told apart by `type`.

An event says only what cannot be derived from the events before it. No free text, no personal data: ids and codes.
"""

# mypy: implicit-reexport
from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from domain.call_backs import AskedBy, Reach
from domain.clock_events import (
    SAID,
    ClockBreached,
    ClockEscalated,
    ClockExtended,
    ClockFarBreached,
    ClockPaused,
    ClockReplanned,
    ClockResumed,
    ClockStarted,
    ClockStopped,
    ClockWarned,
    Happened,
    NoticeIssued,
)
from domain.commands import Place
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.tasks import CoUnit
from domain.vocabulary import Channel, DecisionKind, Outcome, Satisfied, Solved


class DemandSubmitted(Happened):
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
    reach: Annotated[tuple[Reach, ...], SAID] = ()


class DemandScreened(Happened):
    """Not ours to handle: the resident is told where to go."""

    type: Literal["demand_screened"] = "demand_screened"
    kind: str


class DemandLocated(Happened):
    type: Literal["demand_located"] = "demand_located"
    place: Place


class WorkerAssigned(Happened):
    """A grid worker owes the next step."""

    type: Literal["worker_assigned"] = "worker_assigned"
    person: str
    reason: Literal[
        "duty", "substitute", "least_loaded", "reassigned", "wrong_grid", "accept_overdue", "returned", "redo"
    ]


class WorkerRefused(Happened):
    type: Literal["worker_refused"] = "worker_refused"
    basis: str


class HandedOff(Happened):
    """Given to member units: the routing decision with its candidates in order."""

    type: Literal["handed_off"] = "handed_off"
    routing: Routing


class UnitAssigned(Happened):
    type: Literal["unit_assigned"] = "unit_assigned"
    lead: Candidate


class UnitRefused(Happened):
    type: Literal["unit_refused"] = "unit_refused"
    unit: str
    basis: str


class UnitBound(Happened):
    """The unit is responsible: it accepted, or its refusal window passed in silence."""

    type: Literal["unit_bound"] = "unit_bound"
    unit: str
    by: Literal["accepted", "silence", "decision"]


class Accepted(Happened):
    type: Literal["accepted"] = "accepted"


class ReporterContacted(Happened):
    type: Literal["reporter_contacted"] = "reporter_contacted"


class NoteAdded(Happened):
    type: Literal["note_added"] = "note_added"
    note_id: str


class FilesAttached(Happened):
    type: Literal["files_attached"] = "files_attached"
    file_ids: tuple[str, ...]


class InfoRequested(Happened):
    type: Literal["info_requested"] = "info_requested"
    reason: str


class InfoReceived(Happened):
    type: Literal["info_received"] = "info_received"


class ExtensionRequested(Happened):
    type: Literal["extension_requested"] = "extension_requested"
    working_days: int
    basis: str


class ExtensionDecided(Happened):
    type: Literal["extension_decided"] = "extension_decided"
    approved: bool


class Urged(Happened):
    type: Literal["urged"] = "urged"


class SentToMeeting(Happened):
    """On its way onto the agenda; `turn` counts the visits, so that a late answer of an earlier one is not taken."""

    type: Literal["sent_to_meeting"] = "sent_to_meeting"
    meeting: str
    convener: str
    turn: int
    reason: str


class MeetingDecided(Happened):
    """The joint meeting decided; a line of its minutes."""

    type: Literal["meeting_decided"] = "meeting_decided"
    meeting: str
    turn: int
    kind: DecisionKind
    chair: str
    project: str | None = None


class FinalReplyProposed(Happened):
    """The meeting wants to end it with this reply; somebody other than its chair approves that first."""

    type: Literal["final_reply_proposed"] = "final_reply_proposed"
    reply_id: str
    chair: str
    document: Annotated[str | None, SAID] = None


class FinalReplyDecided(Happened):
    type: Literal["final_reply_decided"] = "final_reply_decided"
    approved: bool


class Shelved(Happened):
    """挂账: put aside until its review date, when it comes back by itself."""

    type: Literal["shelved"] = "shelved"
    review_at: datetime


class Resolved(Happened):
    type: Literal["resolved"] = "resolved"
    reply_id: str
    outcome: Outcome
    by: str
    primary: Annotated[str | None, SAID] = None


class Verified(Happened):
    type: Literal["verified"] = "verified"
    ok: bool


class ReporterAsked(Happened):
    """A rung of the call-back ladder: the reporter is sent the questions, or `person` owes the call or the visit."""

    type: Literal["reporter_asked"] = "reporter_asked"
    attempt: int
    channel: AskedBy
    person: Annotated[str | None, SAID] = None


class CallBackMade(Happened):
    """An attempt to ask the reporter that got no answer."""

    type: Literal["call_back_made"] = "call_back_made"
    attempt: int
    channel: str
    result: str


class FeedbackGiven(Happened):
    type: Literal["feedback_given"] = "feedback_given"
    contacted: bool
    solved: Solved
    satisfied: Satisfied


class RedoOrdered(Happened):
    type: Literal["redo_ordered"] = "redo_ordered"
    count: int
    reason: Literal["not_verified", "not_solved", "dissatisfied", "reopened"]


class Withdrawn(Happened):
    type: Literal["withdrawn"] = "withdrawn"


class Reopened(Happened):
    type: Literal["reopened"] = "reopened"


class Closed(Happened):
    """Ended; the resident is told. May be reopened inside its window where the outcome allows it."""

    type: Literal["closed"] = "closed"
    outcome: Outcome
    reply_id: str | None = None


class Sealed(Happened):
    """The reopen window is over: from here on nothing changes."""

    type: Literal["sealed"] = "sealed"


class CoUnitAsked(Happened):
    """A unit is to help the lead."""

    type: Literal["co_unit_asked"] = "co_unit_asked"
    co_unit: CoUnit


class CoUnitBound(Happened):
    """The co-unit is responsible for its part."""

    type: Literal["co_unit_bound"] = "co_unit_bound"
    unit: str
    by: Literal["accepted", "silence", "decision"]


class CoUnitRefused(Happened):
    type: Literal["co_unit_refused"] = "co_unit_refused"
    unit: str
    basis: str


class CoUnitDone(Happened):
    """The co-unit says that its part is done."""

    type: Literal["co_unit_done"] = "co_unit_done"
    unit: str


class CoUnitReleased(Happened):
    """The part is not needed any more: taken back, the unit leads now, or the demand left the units."""

    type: Literal["co_unit_released"] = "co_unit_released"
    unit: str
    reason: Literal["taken_back", "leads", "left_units"]


class LeadSwapped(Happened):
    """A supervisor or secretary put another unit in the lead's place; co-units go on with their parts."""

    type: Literal["lead_swapped"] = "lead_swapped"
    unit: str


class Reclassified(Happened):
    """Filed under another category; the promise of its class replaces the one before, reckoned from the start."""

    type: Literal["reclassified"] = "reclassified"
    category: str
    promise: Promise


class TakenOver(Happened):
    """A supervisor holds it now: the ladder ran out where no meeting can decide, or the supervisor took it (督办)."""

    type: Literal["taken_over"] = "taken_over"
    person: str
    reason: Literal["overdue", "supervised"]


class Supervised(Happened):
    """督办: a supervisor ordered something of the holder, or returned to `person` what had been taken over."""

    type: Literal["supervised"] = "supervised"
    deed: Literal["order", "return"]
    person: str


class Merged(Happened):
    """It follows `primary` from now on: one handling, and this reporter hears the end of it as well."""

    type: Literal["merged"] = "merged"
    primary: str
    same_reporter: Annotated[bool, SAID] = False


class Unmerged(Happened):
    """It goes on by itself where it stood: the merge was a mistake, its reporter is not content with what was done, or
    the primary will not be handled."""

    type: Literal["unmerged"] = "unmerged"
    primary: str
    reason: Literal["mistake", "redo", "primary_gone"]


class DuplicateJoined(Happened):
    """Another reporter of the same matter: `number` follows this demand."""

    type: Literal["duplicate_joined"] = "duplicate_joined"
    number: str


class DuplicateLeft(Happened):
    type: Literal["duplicate_left"] = "duplicate_left"
    number: str


class CalendarAdopted(Happened):
    """A newly published calendar counts from now on; targets stay as they were promised."""

    type: Literal["calendar_adopted"] = "calendar_adopted"
    version: str


Event = Annotated[
    DemandSubmitted | DemandScreened | DemandLocated | WorkerAssigned | WorkerRefused | HandedOff | UnitAssigned
    | UnitRefused | UnitBound | Accepted | ReporterContacted | NoteAdded | FilesAttached | InfoRequested | InfoReceived
    | ExtensionRequested | ExtensionDecided | Urged | SentToMeeting | MeetingDecided | Shelved | Resolved | Verified
    | CallBackMade | FeedbackGiven | RedoOrdered | Withdrawn | Reopened | Closed | Sealed | CoUnitAsked | CoUnitBound
    | CoUnitRefused | CoUnitDone | CoUnitReleased | LeadSwapped | Reclassified | TakenOver | Supervised
    | ReporterAsked | FinalReplyProposed | FinalReplyDecided | Merged | Unmerged | DuplicateJoined | DuplicateLeft
    | CalendarAdopted | ClockStarted | ClockStopped | ClockPaused | ClockResumed | ClockExtended | ClockReplanned
    | ClockWarned | ClockBreached | NoticeIssued | ClockEscalated | ClockFarBreached,
    Field(discriminator="type"),
]  # fmt: skip
