"""What callers send, before it becomes a command: texts in clear, places by name, units by id."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StringConstraints,
    model_validator,
)
from pydantic_core import PydanticKnownError

from domain.vocabulary import Channel, DecisionKind, Satisfied, Solved

Short = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Story = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20000)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:-]{1,64}$")]


def _in_utc(at: datetime) -> datetime:
    """One spelling of an instant, so that its hash is the same before and after the database."""
    if not 2000 <= at.year <= 2199:
        raise ValueError("an instant lies between 2000 and 2199")
    return at.astimezone(UTC)


def _written_out(value: object) -> object:
    """No numbers, and no text that is one: whoever sends those may mean seconds or thousandths."""
    if isinstance(value, datetime) or (isinstance(value, str) and _DATE_FIRST.match(value)):
        return value
    raise PydanticKnownError("datetime_type")


_DATE_FIRST = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
Instant = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_utc)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Location(_Form):
    """Exactly one of: a WGS-84 point (`lat`, `lon`), a `compound` (id or name, with `building`, `room`), a `grid`."""

    lat: Annotated[float, Field(ge=-90, le=90, strict=True)] | None = None
    lon: Annotated[float, Field(ge=-180, le=180, strict=True)] | None = None
    compound: Short | None = None
    building: Short | None = None
    room: Short | None = None
    grid: Code | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("a point needs both lat and lon")
        if sum(x is not None for x in (self.lat, self.compound, self.grid)) != 1:
            raise ValueError("give exactly one of: lat and lon, compound, grid")
        if self.compound is None and (self.building or self.room):
            raise ValueError("building and room belong to a compound")
        return self


Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 -]{4,19}$")]
Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,189}$")]


class Reporter(_Form):
    name: Short | None = None
    phone: Phone | None = None
    # Left out where it is not said, as `service` below.
    email: Annotated[Email | None, Field(exclude_if=lambda email: email is None)] = None


class ExternalRef(_Form):
    """The demand's number in another system, such as 12345 or 城管."""

    system: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40)]
    number: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]


class SubmitForm(_Form):
    """A new demand. Without `category` the text suggests one; without `location` the dispatcher finds the place.

    `service` asks for a line of the service menu, which has its category and price. `file_ids` are uploads of the caller; without
    `location` the place counts that one of them was allowed to give.
    """

    text: Story
    category: Code | None = None
    location: Location | None = None
    reporter: Reporter | None = None
    channel: Channel = Channel.API
    confidential: StrictBool = False
    external_refs: Annotated[tuple[ExternalRef, ...], Field(max_length=10)] = ()
    # Left out where it is not said, so that a repetition of a request of an earlier release has the same fingerprint.
    service: Annotated[Code | None, Field(exclude_if=lambda code: code is None)] = None
    file_ids: Annotated[tuple[Code, ...], Field(max_length=20, exclude_if=lambda ids: not ids)] = ()

    @model_validator(mode="after")
    def _refs_once(self) -> Self:
        if len(set(self.external_refs)) != len(self.external_refs):
            raise ValueError("every external number may stand there once")
        return self


class DraftForm(_Form):
    """What somebody is about to submit, to look for duplicates of it."""

    text: Story
    category: Code | None = None
    location: Location | None = None


class _Action(_Form):
    note: Words | None = None
    file_ids: Annotated[tuple[Code, ...], Field(max_length=20)] = ()
    performed_at: Instant | None = None

    def codes(self) -> dict[str, Any]:
        """The fields that go into the command as they are."""
        own = set(type(self).model_fields) - set(_Action.model_fields) - {"reply"}
        return self.model_dump(include=own, exclude_none=True)


class LocateForm(_Action):
    type: Literal["locate"]
    location: Location


class SimpleForm(_Action):
    type: Literal["accept", "contact", "resume", "urge", "withdraw", "reopen", "unmerge"]


class NoteForm(_Action):
    type: Literal["note"]
    note: Words


class AttachForm(_Action):
    type: Literal["attach"]
    file_ids: Annotated[tuple[Code, ...], Field(min_length=1, max_length=20)]


class ResolveForm(_Action):
    """`reply` is what the resident reads; `note` stays inside."""

    type: Literal["resolve"]
    reply: Words
    outcome: Literal["resolved", "explained"] = "resolved"


class HandOffForm(_Action):
    """To member units: without `unit` the routing rules choose."""

    type: Literal["hand_off"]
    unit: Code | None = None


class RefuseForm(_Action):
    """退单 with its basis; a grid worker may name the right `location`."""

    type: Literal["refuse"]
    basis: Literal["wrong_grid", "not_our_duty", "no_power", "no_resources", "other_unit_responsible"]
    location: Location | None = None


class RequestInfoForm(_Action):
    type: Literal["request_info"]
    reason: Literal["awaiting_reporter", "awaiting_access", "awaiting_material", "ownership_dispute", "weather"]


class ExtendForm(_Action):
    type: Literal["extend"]
    working_days: Annotated[int, Field(ge=1, le=3, strict=True)]
    basis: Literal["complex_works", "procurement", "third_party", "season", "approval_pending"]


class DecideExtensionForm(_Action):
    type: Literal["decide_extension"]
    approved: StrictBool


class EscalateForm(_Action):
    type: Literal["escalate"]
    reason: Literal["nobody_responsible", "several_units", "beyond_power", "repeat", "resident_asks"]


class ReassignForm(_Action):
    type: Literal["reassign"]
    person: Code


class CoUnitForm(_Form):
    """A unit that helps the lead; while a `required` part is open the lead cannot resolve."""

    unit: Code
    required: StrictBool = True


class AddCoUnitsForm(_Action):
    """协办: units that help the lead, each with a window to refuse and a due of its own."""

    type: Literal["add_co_units"]
    co_units: Annotated[tuple[CoUnitForm, ...], Field(min_length=1, max_length=10)]


class CoTaskForm(_Action):
    """About one co-unit's part; without `unit` the caller's own unit."""

    type: Literal["co_accept", "co_done", "co_release"]
    unit: Code | None = None


class CoRefuseForm(_Action):
    type: Literal["co_refuse"]
    basis: Literal["not_our_duty", "no_power", "no_resources", "other_unit_responsible"]
    unit: Code | None = None


class SwapLeadForm(_Action):
    """Another unit leads from now on; its co-units and the resident's clocks go on."""

    type: Literal["swap_lead"]
    unit: Code


class ReclassifyForm(_Action):
    """Another category; its class's promise counts from the start, with the pauses and extensions there were."""

    type: Literal["reclassify"]
    category: Code


class VerifyForm(_Action):
    type: Literal["verify"]
    ok: StrictBool


class SuperviseForm(_Action):
    """督办: take it over, order something (say what in `note`), or return what was taken over."""

    type: Literal["supervise"]
    deed: Literal["take_over", "order", "return"]


class DecideFinalReplyForm(_Action):
    type: Literal["decide_final_reply"]
    approved: StrictBool


class MergeForm(_Action):
    """The same matter as `primary`; `same_reporter`: the same person said it twice, and this one is closed at once."""

    type: Literal["merge"]
    primary: Code
    same_reporter: StrictBool = False


class GatherForm(_Form):
    """Duplicates that are to follow one demand; `onto_agenda` takes it to the next joint meeting, hotter by each."""

    demands: Annotated[tuple[Code, ...], Field(min_length=1, max_length=500)]
    onto_agenda: StrictBool = False
    note: Words | None = None


class CallBackForm(_Action):
    type: Literal["call_back"]
    channel: Literal["link", "sms", "phone", "visit"]
    result: Literal["no_answer", "wrong_number", "declined"] = "no_answer"


class ConfirmForm(_Action):
    type: Literal["confirm"]
    contacted: StrictBool
    solved: Solved
    satisfied: Satisfied


ActionForm = Annotated[
    LocateForm | SimpleForm | NoteForm | AttachForm | ResolveForm | HandOffForm | RefuseForm
    | RequestInfoForm | ExtendForm | DecideExtensionForm | EscalateForm | ReassignForm | ReclassifyForm
    | AddCoUnitsForm | CoTaskForm | CoRefuseForm | SwapLeadForm | VerifyForm | CallBackForm | ConfirmForm
    | SuperviseForm | DecideFinalReplyForm | MergeForm,
    Field(discriminator="type"),
]  # fmt: skip


class MilestoneForm(_Form):
    """A step of a project: what is to be done, and until when."""

    what: Short
    due_at: Instant


class RulingForm(_Form):
    """From now on, until `until` or for good, what is filed under `category` (a code or a prefix) goes to the unit."""

    category: Annotated[str, StringConstraints(pattern=r"^([0-9]{2}){1,6}$")]
    until: Instant | None = None


class DecisionForm(_Form):
    """A joint meeting's decision on one demand: `unit` for assign and project, `review_at` for shelve, `reply` for a
    final reply, with the uploaded file of its `document`; `minute` is the line of the minutes. Both of the first may name
    `co_units`; a project may have `milestones`, an assignment a `ruling`."""

    number: Code
    kind: DecisionKind
    unit: Code | None = None
    co_units: Annotated[tuple[CoUnitForm, ...], Field(max_length=10)] = ()
    due_at: Instant | None = None
    review_at: Instant | None = None
    project: Code | None = None
    reply: Words | None = None
    document: Code | None = None
    minute: Words | None = None
    milestones: Annotated[tuple[MilestoneForm, ...], Field(max_length=20)] = ()
    ruling: RulingForm | None = None
