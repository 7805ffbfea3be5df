"""A joint meeting's agenda: what is on it, who may decide, and what a decision must say. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.actors import Actor
from domain.commands import Decide, Id, TextId
from domain.errors import DomainError
from domain.routing import Candidate
from domain.vocabulary import DecisionKind, Role


class Item(BaseModel):
    """A demand that waits for a decision. `turn` is the demand's own count of its visits to an agenda."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    turn: int
    community: str
    reason: str
    asked_at: datetime


class Meeting(BaseModel):
    """The state of one meeting: `scope` is its community, or None for the subdistrict committee (街道大工委).

    `upper` is where `escalate` sends an item, with the person who convenes there; None for the committee itself.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    scope: str | None = None
    upper: str | None = None
    upper_convener: str | None = None
    agenda: dict[str, Item] = {}

    def with_item(self, item: Item) -> Meeting:
        """On the agenda once, however often it is handed in; a newer visit replaces an older one."""
        known = self.agenda.get(item.number)
        if known is not None and known.turn >= item.turn:
            return self
        return self.model_copy(update={"agenda": {**self.agenda, item.number: item}})

    def without(self, number: str) -> Meeting:
        left = {n: i for n, i in self.agenda.items() if n != number}
        return self.model_copy(update={"agenda": left})


class Decision(BaseModel):
    """What the chair says about one item; texts are stored first and travel as ids."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Id
    kind: DecisionKind
    lead: Candidate | None = None
    due_at: AwareDatetime | None = None
    review_at: AwareDatetime | None = None
    project: Id | None = None
    reply_id: TextId | None = None
    minute_id: TextId | None = None


class MeetingAct(BaseModel):
    """A decision on its way into a meeting; `key` and `fingerprint` as in `domain.commands.Act`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Decision
    actor: Actor
    key: Annotated[str, Field(max_length=64)] = ""
    fingerprint: str = ""


_NEEDS: dict[DecisionKind, tuple[str, str, str]] = {
    DecisionKind.ASSIGN: ("lead", "unknown_unit", "Name the unit that takes it: send `unit`."),
    DecisionKind.PROJECT: ("lead", "unknown_unit", "Name the unit that carries the project: send `unit`."),
    DecisionKind.SHELVE: ("review_at", "validation_failed", "Shelving needs a review date: send `review_at`."),
    DecisionKind.FINAL_REPLY: ("reply_id", "reply_required", "A final reply needs its text: send `reply`."),
}


def _may_decide(meeting: Meeting, actor: Actor) -> bool:
    if meeting.scope is None:
        return actor.has(Role.SUPERVISOR) or actor.has(Role.CHAIR)
    deciding = (Role.CHAIR, Role.COMMUNITY_SECRETARY)
    return any(actor.has(role, community=meeting.scope) for role in deciding)


def decide_item(meeting: Meeting, act: MeetingAct, now: datetime) -> tuple[Meeting, Decide]:
    """The meeting without the item, and the command that its demand gets.

    Raises DomainError: `not_permitted` for anybody but the chair and the secretary (in the committee: its chair and a
    supervisor), `not_on_agenda`, or what the kind of decision still needs.
    """
    d = act.decision
    if not _may_decide(meeting, act.actor):
        who = "the chair and the secretary of its community" if meeting.scope else "its chair and a supervisor"
        raise DomainError("not_permitted", f"A decision of this meeting is for {who}.", meeting=meeting.id)
    item = meeting.agenda.get(d.number)
    if item is None:
        raise DomainError("not_on_agenda", "That demand is not on this meeting's agenda.", meeting=meeting.id)
    if d.kind in _NEEDS:
        field, code, rule = _NEEDS[d.kind]
        if getattr(d, field) is None:
            raise DomainError(code, rule, kind=d.kind)
    if d.due_at is not None and d.due_at <= now:
        raise DomainError("validation_failed", "The due instant lies in the past.", field="/due_at")
    if d.review_at is not None and d.review_at <= now:
        raise DomainError("validation_failed", "The review date lies in the past.", field="/review_at")
    if d.kind is DecisionKind.ESCALATE and meeting.upper is None:
        raise DomainError("stage_forbids", "There is no meeting above this one. Decide it here.", field="/kind")
    command = Decide(
        meeting=meeting.id, turn=item.turn, kind=d.kind, chair=act.actor.id, lead=d.lead, due_at=d.due_at,
        review_at=d.review_at, project=d.project, reply_id=d.reply_id, note_id=d.minute_id,
        upper_meeting=meeting.upper, convener=meeting.upper_convener,
    )  # fmt: skip
    return meeting.without(d.number), command
