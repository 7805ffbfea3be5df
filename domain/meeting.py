"""A joint meeting's agenda: what is on it, who may decide, and what a decision must say. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.actors import Actor
from domain.commands import FURTHEST, Decide, Id, TextId
from domain.demand import Demand
from domain.errors import DomainError
from domain.routing import Candidate
from domain.session import Rules, Session, SessionState, keeps_minutes
from domain.tasks import CoUnit
from domain.units import CategoryCode
from domain.vocabulary import ClockName, DecisionKind, Role


class Item(BaseModel):
    """A demand that waits for a decision. `turn` is the demand's own count of its visits to an agenda.

    `reporters`, `breached` (clocks) and `due_at` make its heat; `rolls` counts the sessions that left it undecided.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: str
    turn: int
    community: str
    reason: str
    asked_at: datetime
    reporters: int = 1
    breached: int = 0
    due_at: datetime | None = None
    rolls: int = 0

    def heat(self, now: datetime) -> int:
        """How much it matters: one for each reporter, each broken clock and each whole day that it is overdue."""
        days = 0 if self.due_at is None else max((now - self.due_at).days, 0)
        return self.reporters + self.breached + days


def item_of(demand: Demand) -> Item:
    """The present visit of a demand to an agenda, with what makes its heat as of now."""
    resolve = demand.clocks.get(ClockName.RESOLVE)
    return Item(
        number=demand.number, turn=demand.turn, community=demand.community or "", reason=demand.meeting_reason,
        asked_at=demand.clocks[ClockName.DECIDE].started_at,
        reporters=1 + len(demand.followers), breached=sum(clock.breached for clock in demand.clocks.values()),
        due_at=resolve.due_at if resolve is not None and resolve.running else None,
    )  # fmt: skip


class Meeting(BaseModel):
    """The state of one meeting: `scope` is its community, or None for the subdistrict committee (街道大工委).

    `upper` is where `escalate` sends an item, with the person who convenes there; None for the committee itself.
    `sessions` are those called or open: at most one is open, at most one regular one is called. A meeting without
    `rules` is one of release 0.1 and decides without a session.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    scope: str | None = None
    upper: str | None = None
    upper_convener: str | None = None
    agenda: dict[str, Item] = {}
    rules: Rules | None = None
    sessions: dict[str, Session] = {}
    last_regular: str | None = None

    @property
    def open_session(self) -> Session | None:
        return next((one for one in self.sessions.values() if one.state is SessionState.OPEN), None)

    def with_item(self, item: Item) -> Meeting:
        """On the agenda once, however often it is handed in; a newer visit replaces an older one, and more reporters
        make it hotter."""
        known = self.agenda.get(item.number)
        if known is not None and known.turn >= item.turn:
            if known.turn > item.turn or known.reporters >= item.reporters:
                return self
            item = known.model_copy(update={"reporters": item.reporters})
        return self.model_copy(update={"agenda": {**self.agenda, item.number: item}})

    def without(self, number: str) -> Meeting:
        left = {n: i for n, i in self.agenda.items() if n != number}
        return self.model_copy(update={"agenda": left})

    def with_session(self, session: Session) -> Meeting:
        """A closed session is history, and no part of the state any more."""
        others = {id: one for id, one in self.sessions.items() if id != session.id}
        keeps = {} if session.state is SessionState.CLOSED else {session.id: session}
        return self.model_copy(update={"sessions": {**others, **keeps}})

    def in_order(self, now: datetime) -> list[Item]:
        """The agenda: the hottest first, of equal heat what waits longest."""
        return sorted(self.agenda.values(), key=lambda item: (-item.heat(now), item.asked_at, item.number))


class RulingMade(BaseModel):
    """With an assignment: from now on (until `until`) such demands of this community go to that unit at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: CategoryCode
    until: AwareDatetime | None = None


class Decision(BaseModel):
    """What the chair says about one item; texts are stored first and travel as ids.

    `milestones` of a project are until when; what is to be done until then stands in the text `plan_id`, a line for each.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Id
    kind: DecisionKind
    lead: Candidate | None = None
    co_units: Annotated[tuple[CoUnit, ...], Field(max_length=10)] = ()
    due_at: AwareDatetime | None = None
    review_at: AwareDatetime | None = None
    project: Id | None = None
    reply_id: TextId | None = None
    document: Annotated[Id | None, Field(exclude_if=lambda file: file is None)] = None
    minute_id: TextId | None = None
    milestones: Annotated[tuple[AwareDatetime, ...], Field(max_length=20)] = ()
    plan_id: TextId | None = None
    ruling: RulingMade | None = None


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


def may_convene(meeting: Meeting, actor: Actor) -> bool:
    """Whoever may chair it or keeps its minutes; a supervisor everywhere."""
    chairs = actor.has(Role.CHAIR, community=meeting.scope)
    return chairs or keeps_minutes(actor, meeting.scope) or actor.has(Role.SUPERVISOR)


def _may_decide(meeting: Meeting, actor: Actor) -> bool:
    session = meeting.open_session
    if meeting.rules is not None and session is not None:
        return session.may_keep_list(actor, meeting.scope)
    return actor.has(Role.CHAIR, community=meeting.scope) or keeps_minutes(actor, meeting.scope)


def decide_item(meeting: Meeting, act: MeetingAct, now: datetime) -> tuple[Meeting, Decide]:
    """The meeting without the item, and the command that its demand gets.

    Raises DomainError: `not_permitted` for anybody but the chair and the secretary (in the committee: its chair and a
    supervisor), `no_session`, `no_quorum`, `not_on_agenda`, `late_item`, or what the kind of decision still needs.
    """
    d, session = act.decision, meeting.open_session
    if not _may_decide(meeting, act.actor):
        who = "the chair and the secretary of its community" if meeting.scope else "its chair and a supervisor"
        raise DomainError("not_permitted", f"A decision of this meeting is for {who}.", meeting=meeting.id)
    if meeting.rules is not None:
        _is_in_session(meeting, session)
    item = meeting.agenda.get(d.number)
    if item is None:
        raise DomainError("not_on_agenda", "That demand is not on this meeting's agenda.", meeting=meeting.id)
    if session is not None and not session.admits(item.number, item.turn, item.asked_at):
        rule = "It was asked after this session's agenda had closed. The chair may let it in: send `consent`."
        raise DomainError("late_item", rule, session=session.id, number=item.number)
    _is_complete(meeting, d, now)
    chair = session.chair.person if session and session.chair else act.actor.id
    command = Decide(
        meeting=meeting.id, turn=item.turn, kind=d.kind, chair=chair, lead=d.lead, due_at=d.due_at,
        review_at=d.review_at, project=d.project, reply_id=d.reply_id, note_id=d.minute_id,
        upper_meeting=meeting.upper, convener=meeting.upper_convener, co_units=d.co_units, document=d.document,
    )  # fmt: skip
    after = meeting.without(d.number)
    return after.with_session(session.changed(decided=session.decided + 1)) if session else after, command


def _is_in_session(meeting: Meeting, session: Session | None) -> None:
    if session is None:
        called = sorted(one.starts_at.isoformat() for one in meeting.sessions.values())
        rule = "A meeting decides in session. Open the one that is called, or convene an extra one."
        raise DomainError("no_session", rule, meeting=meeting.id, called_for=called)
    if not session.has_quorum:
        rule = "Too few units are there to decide. Record who has come, or close the session: everything rolls over."
        raise DomainError("no_quorum", rule, session=session.id, present=len(session.present), quorum=session.quorum)


def _is_complete(meeting: Meeting, d: Decision, now: datetime) -> None:
    """What the kind of decision needs is there, and lies ahead."""
    if d.kind in _NEEDS:
        field, code, rule = _NEEDS[d.kind]
        if getattr(d, field) is None:
            raise DomainError(code, rule, kind=d.kind)
    ahead = [("/due_at", d.due_at), ("/review_at", d.review_at), *(("/milestones", at) for at in d.milestones)]
    for field, at in ahead:
        what = {"/due_at": "due instant", "/review_at": "review date"}.get(field, "due instant of a milestone")
        if at is not None and at <= now:
            raise DomainError("validation_failed", f"The {what} lies in the past.", field=field)
        if at is not None and at > now + FURTHEST:
            raise DomainError("validation_failed", f"The {what} lies more than five years ahead.", field=field)
    if d.ruling is not None:
        _is_a_ruling(meeting, d, d.ruling, now)
    if d.co_units:
        _are_helpers(d)
    if d.milestones and d.kind is not DecisionKind.PROJECT:
        raise DomainError("validation_failed", "Milestones belong to a project.", field="/milestones")
    if d.kind is DecisionKind.ESCALATE and meeting.upper is None:
        raise DomainError("stage_forbids", "There is no meeting above this one. Decide it here.", field="/kind")


def _are_helpers(d: Decision) -> None:
    units = [one.unit for one in d.co_units]
    if d.kind not in (DecisionKind.ASSIGN, DecisionKind.PROJECT):
        raise DomainError(
            "validation_failed", "Co-units help a lead: assign it, or make it a project.", field="/co_units"
        )
    if len(set(units)) < len(units) or (d.lead is not None and d.lead.unit in units):
        raise DomainError(
            "validation_failed", "Every unit has one part: lead, or one of the co-units.", field="/co_units"
        )


def _is_a_ruling(meeting: Meeting, d: Decision, ruling: RulingMade, now: datetime) -> None:
    if d.kind is not DecisionKind.ASSIGN:
        raise DomainError("validation_failed", "A ruling comes with an assignment: it names the unit.", field="/ruling")
    if ruling.until is not None and ruling.until <= now:
        raise DomainError("validation_failed", "The ruling would end in the past.", field="/ruling/until")
