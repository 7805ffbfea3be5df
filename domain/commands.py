"""What somebody asks of a demand: one model per command, told apart by `type`.

Free text never stands here. A note, a reply or a reason in words is stored first (encrypted) and travels as its id, so
that no personal data reaches a workflow's history. Codes (`basis`, `reason`) come from closed lists.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.actors import Actor
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.tasks import CoUnit
from domain.vocabulary import DecisionKind, Outcome, Satisfied, Solved

FURTHEST = timedelta(days=5 * 366)
"""What a meeting sets beyond this is a slip of the pen, and lies where no calendar reckons."""

TextId = Annotated[str, Field(min_length=1, max_length=64)]
Id = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._:-]+$")]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    note_id: TextId | None = None
    file_ids: tuple[Id, ...] = Field(default=(), max_length=20)


class Place(BaseModel):
    """Where a demand lies, and who owes what there; resolved from the district pack before it is sent."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    community: Id
    grid: Id
    compound: Id | None = None
    worker: Id
    substitute: Id
    secretary: Id


class Locate(_Command):
    """The dispatcher says where it is; routing is set when the category's level is above the grid."""

    type: Literal["locate"] = "locate"
    place: Place
    routing: Routing | None = None


class Accept(_Command):
    type: Literal["accept"] = "accept"


class Contact(_Command):
    """The handler has spoken with the resident (联系群众); not the same as accepting, nor as a note."""

    type: Literal["contact"] = "contact"


class Note(_Command):
    type: Literal["note"] = "note"


class Attach(_Command):
    type: Literal["attach"] = "attach"


class Resolve(_Command):
    """The handler says it is done; the public reply is what the resident will read."""

    type: Literal["resolve"] = "resolve"
    reply_id: TextId
    outcome: Literal[Outcome.RESOLVED, Outcome.EXPLAINED] = Outcome.RESOLVED


class HandOff(_Command):
    """From the grid to a member unit, with the routing decision that was made for it."""

    type: Literal["hand_off"] = "hand_off"
    routing: Routing


class Refuse(_Command):
    """退单: "not ours", with a basis. `place` is set when a worker names the right grid."""

    type: Literal["refuse"] = "refuse"
    basis: Literal["wrong_grid", "not_our_duty", "no_power", "no_resources", "other_unit_responsible"]
    place: Place | None = None


class RequestInfo(_Command):
    """Pause: something is awaited that the handler cannot provide."""

    type: Literal["request_info"] = "request_info"
    reason: Literal["awaiting_reporter", "awaiting_access", "awaiting_material", "ownership_dispute", "weather"]


class Resume(_Command):
    type: Literal["resume"] = "resume"


class Extend(_Command):
    """Ask for more time before it has run out, with a basis; a supervisor decides."""

    type: Literal["extend"] = "extend"
    working_days: Annotated[int, Field(ge=1, le=3)]
    basis: Literal["complex_works", "procurement", "third_party", "season", "approval_pending"]


class DecideExtension(_Command):
    type: Literal["decide_extension"] = "decide_extension"
    approved: bool


class Escalate(_Command):
    """Onto the agenda of the community's joint meeting."""

    type: Literal["escalate"] = "escalate"
    reason: Literal["nobody_responsible", "several_units", "beyond_power", "repeat", "resident_asks"]


class Reassign(_Command):
    """Another grid worker takes over; elapsed time stays."""

    type: Literal["reassign"] = "reassign"
    person: Id


class Urge(_Command):
    type: Literal["urge"] = "urge"


class Verify(_Command):
    """Somebody other than the handler has looked: done, or not."""

    type: Literal["verify"] = "verify"
    ok: bool


class CallBack(_Command):
    """One attempt of the call-back ladder that did not reach the reporter."""

    type: Literal["call_back"] = "call_back"
    channel: Literal["link", "sms", "phone", "visit"]
    result: Literal["no_answer", "wrong_number", "declined"] = "no_answer"


class Confirm(_Command):
    """The reporter's three answers (or an operator's record of them)."""

    type: Literal["confirm"] = "confirm"
    contacted: bool
    solved: Solved
    satisfied: Satisfied


class Withdraw(_Command):
    type: Literal["withdraw"] = "withdraw"


class Reopen(_Command):
    type: Literal["reopen"] = "reopen"


class Decide(_Command):
    """A joint meeting's decision, sent by the meeting's own workflow; `turn` says which visit to the agenda it ends."""

    type: Literal["decide"] = "decide"
    meeting: Id
    turn: int
    kind: DecisionKind
    chair: Id
    lead: Candidate | None = None
    due_at: AwareDatetime | None = None
    review_at: AwareDatetime | None = None
    project: Id | None = None
    reply_id: TextId | None = None
    upper_meeting: Id | None = None
    convener: Id | None = None
    document: Annotated[Id | None, Field(exclude_if=lambda file: file is None)] = None
    co_units: Annotated[tuple[CoUnit, ...], Field(max_length=10)] = ()


class AddCoUnits(_Command):
    """Ask units to help the lead, each with a part and a due of its own."""

    type: Literal["add_co_units"] = "add_co_units"
    co_units: Annotated[tuple[CoUnit, ...], Field(min_length=1, max_length=10)]


class Supervise(_Command):
    """督办: a supervisor takes it over, orders what is to be done (the note says it), or returns what was taken over."""

    type: Literal["supervise"] = "supervise"
    deed: Literal["take_over", "order", "return"]


class DecideFinalReply(_Command):
    """Approve the final reply that a meeting proposed, or send it back to the meeting."""

    type: Literal["decide_final_reply"] = "decide_final_reply"
    approved: bool


class Merge(_Command):
    """The same matter as `primary`: handled there once, and this reporter hears and rates the end of it as well.

    `place` is the primary's, for a demand that has none; `same_reporter` closes a mere repetition at once.
    """

    type: Literal["merge"] = "merge"
    primary: Id
    same_reporter: bool = False
    place: Place | None = None


class Unmerge(_Command):
    """Another matter after all: it goes on by itself where it stood."""

    type: Literal["unmerge"] = "unmerge"


class Join(_Command):
    """Sent by a duplicate's workflow to its primary's."""

    type: Literal["join"] = "join"
    number: Id


class Leave(_Command):
    """Sent by a duplicate's workflow to the primary that it does not follow any more."""

    type: Literal["leave"] = "leave"
    number: Id


class Settle(_Command):
    """What became of the primary, sent to each duplicate: its reply in this demand's own copy, and who handled it."""

    type: Literal["settle"] = "settle"
    primary: Id
    reply_id: TextId
    outcome: Literal[Outcome.RESOLVED, Outcome.EXPLAINED, Outcome.FINAL_REPLY]
    handler: Id


class LosePrimary(_Command):
    """The primary will not be handled any more: follow `heir` instead, or go on by itself."""

    type: Literal["lose_primary"] = "lose_primary"
    primary: Id
    heir: Id | None = None


class _OfCoUnit(_Command):
    unit: Id


class CoAccept(_OfCoUnit):
    type: Literal["co_accept"] = "co_accept"


class CoRefuse(_OfCoUnit):
    type: Literal["co_refuse"] = "co_refuse"
    basis: Literal["not_our_duty", "no_power", "no_resources", "other_unit_responsible"]


class CoDone(_OfCoUnit):
    """The co-unit's part is done; the lead goes on."""

    type: Literal["co_done"] = "co_done"


class CoRelease(_OfCoUnit):
    """The part is not needed any more."""

    type: Literal["co_release"] = "co_release"


class SwapLead(_Command):
    """Another unit leads from now on; co-units and the resident's clocks go on."""

    type: Literal["swap_lead"] = "swap_lead"
    lead: Candidate


class Reclassify(_Command):
    """File it under another category; `promise` is what that category's class promises, reckoned from the start.

    `routing` is set when the category's level is above the grid: what lies with a grid worker then goes to a unit.
    """

    type: Literal["reclassify"] = "reclassify"
    category: Annotated[str, Field(pattern=r"^[0-9]{2,12}$")]
    promise: Promise
    routing: Routing | None = None


class AdoptCalendar(_Command):
    """Count by a newly published calendar. Sent by the product itself, once the workflow carries it."""

    type: Literal["adopt_calendar"] = "adopt_calendar"
    version: Annotated[str, Field(min_length=1, max_length=64)]


class Ring(_Command):
    """The workflow's own timer: something is due. Nobody outside can send it."""

    type: Literal["ring"] = "ring"


Command = Annotated[
    Locate | Accept | Contact | Note | Attach | Resolve | HandOff | Refuse | RequestInfo | Resume | Extend
    | DecideExtension | Escalate | Reassign | Urge | Verify | CallBack | Confirm | Withdraw | Reopen
    | Decide | Reclassify | AddCoUnits | CoAccept | CoRefuse | CoDone | CoRelease | SwapLead | AdoptCalendar
    | Supervise | DecideFinalReply | Merge | Unmerge | Join | Leave | Settle | LosePrimary | Ring,
    Field(discriminator="type"),
]  # fmt: skip


class Act(BaseModel):
    """A command on its way into a demand: who, what, and the key that makes it happen once.

    `key` is a digest of (actor, Idempotency-Key); `fingerprint` a digest of the body, so that the same key with
    another body is refused instead of being taken for a repetition. `performed_at` is when it was done, if a device was offline.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: Command
    actor: Actor
    key: str = ""
    fingerprint: str = ""
    performed_at: AwareDatetime | None = None
