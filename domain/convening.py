"""What is done with the sessions of a meeting: they are convened, opened, attended, and closed; pure, like `decide`.

Convene · Blow (吹哨) ──> Open ──> Attend · Arrive · Consent ──> Close        and `ring` for what falls due by itself
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.actors import Actor
from domain.commands import Id
from domain.errors import DomainError
from domain.meeting import Item, Meeting, may_convene
from domain.session import Chair, Rules, Session, SessionKind, SessionState, Whistle, WhistleKind

MOST_SESSIONS = 8
PAST_AT_MOST = timedelta(minutes=5)  # between the caller's clock and the meeting's own

SessionId = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[A-Za-z0-9._-]+$")]


class _Command(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    session: SessionId


class Convene(_Command):
    """An extra session; without `starts_at` at once. What is asked after `cutoff_at` (else the start) is late."""

    type: Literal["convene"] = "convene"
    rules: Rules
    starts_at: AwareDatetime | None = None
    cutoff_at: AwareDatetime | None = None


class Blow(_Command):
    """吹哨: the named `units` (with their liaisons) are to be there by the deadline, about the demands `numbers`."""

    type: Literal["whistle"] = "whistle"
    rules: Rules
    about: WhistleKind
    units: Annotated[dict[str, str], Field(min_length=1, max_length=40)]
    numbers: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    deadline_at: AwareDatetime


class Open(_Command):
    """`chair` is who chairs at this moment, not when the session was called."""

    type: Literal["open"] = "open"
    chair: Chair


class Attend(_Command):
    type: Literal["attend"] = "attend"
    units: Annotated[tuple[Id, ...], Field(min_length=1, max_length=100)]


class Arrive(_Command):
    """报到: a unit that was whistled for is there."""

    type: Literal["arrive"] = "arrive"
    units: Annotated[tuple[Id, ...], Field(min_length=1, max_length=40)]


class Consent(_Command):
    """The chair lets an item in that is not of this session by itself."""

    type: Literal["consent"] = "consent"
    number: Id


class Close(_Command):
    type: Literal["close"] = "close"


SessionCommand = Annotated[
    Convene | Blow | Open | Attend | Arrive | Consent | Close, Field(discriminator="type")
]  # fmt: skip


class SessionAct(BaseModel):
    """A session command on its way into a meeting; `key` and `fingerprint` as in `domain.commands.Act`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    command: SessionCommand
    actor: Actor
    key: Annotated[str, Field(max_length=64)] = ""
    fingerprint: str = ""


class Call(BaseModel):
    """The regular session that comes next, by the meeting's cadence; `month` makes it the one of that month."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    month: str
    starts_at: AwareDatetime
    cutoff_at: AwareDatetime


@dataclass(frozen=True)
class Turned:
    """A meeting after a step, with the sessions and the items that it changed."""

    meeting: Meeting
    sessions: tuple[Session, ...] = ()
    items: tuple[Item, ...] = ()


# ---- by a person


def hold(meeting: Meeting, act: SessionAct, now: datetime) -> Turned:
    """Raises DomainError: `not_permitted`, `no_session` for one that is not called (any more), `session_open` where
    another one is, `unknown_unit`, `not_on_agenda`, `validation_failed`."""
    return _STEPS[act.command.type](meeting, act.command, act.actor, now)


def _convene(meeting: Meeting, cmd: Convene, actor: Actor, now: datetime) -> Turned:
    _may_call(meeting, actor)
    starts_at = cmd.starts_at or now
    cutoff_at = cmd.cutoff_at or starts_at
    if starts_at < now - PAST_AT_MOST:
        raise DomainError("validation_failed", "A session cannot begin in the past.", field="/starts_at")
    if cutoff_at > starts_at:
        raise DomainError("validation_failed", "The agenda closes before the session begins.", field="/cutoff_at")
    session = Session(
        id=cmd.session, kind=SessionKind.EXTRA, called_at=now, called_by=actor.id, starts_at=starts_at,
        cutoff_at=cutoff_at, quorum=cmd.rules.quorum,
    )  # fmt: skip
    return _called(meeting, session, cmd.rules)


def _blow(meeting: Meeting, cmd: Blow, actor: Actor, now: datetime) -> Turned:
    _may_call(meeting, actor)
    if cmd.deadline_at <= now:
        raise DomainError("validation_failed", "The deadline lies in the past.", field="/deadline_at")
    whistle = Whistle(about=cmd.about, units=cmd.units, numbers=cmd.numbers, deadline_at=cmd.deadline_at)
    session = Session(
        id=cmd.session, kind=SessionKind.WHISTLE, called_at=now, called_by=actor.id, starts_at=now, cutoff_at=now,
        quorum=1, whistle=whistle,
    )  # fmt: skip
    return _called(meeting, session, cmd.rules)


def _may_call(meeting: Meeting, actor: Actor) -> None:
    if not may_convene(meeting, actor):
        rule = "A session is convened by who chairs the meeting, its secretary or a supervisor."
        raise DomainError("not_permitted", rule, meeting=meeting.id)
    if len(meeting.sessions) >= MOST_SESSIONS:
        rule = f"{MOST_SESSIONS} sessions are called already. Close one that is not needed."
        raise DomainError("session_open", rule, sessions=sorted(meeting.sessions))


def _called(meeting: Meeting, session: Session, rules: Rules) -> Turned:
    ruled = meeting.model_copy(update={"rules": rules})
    return Turned(ruled.with_session(session), (session,))


def _open(meeting: Meeting, cmd: Open, actor: Actor, now: datetime) -> Turned:
    session = _session(meeting, cmd.session)
    if not session.changed(chair=cmd.chair).may_keep_list(actor, meeting.scope):
        rule = "A session is opened by its chair or by who keeps the minutes."
        raise DomainError("not_permitted", rule, session=session.id, chair=cmd.chair.person)
    other = meeting.open_session
    if other is not None and other.id != session.id:
        rule = "Another session of this meeting is open. Close it first."
        raise DomainError("session_open", rule, session=other.id)
    return _kept(meeting, session.opened(cmd.chair, now))


def _attend(meeting: Meeting, cmd: Attend | Arrive, actor: Actor, now: datetime) -> Turned:
    session = _session(meeting, cmd.session)
    if (session.whistle is None) == (cmd.type == "arrive"):
        rule = "Units arrive at a whistle and attend any other session: send `arrive` or `attend` accordingly."
        raise DomainError("validation_failed", rule, field="/type")
    members = meeting.rules.members if meeting.rules else {}
    by_list = session.may_keep_list(actor, meeting.scope)
    after = session.joined(cmd.units, actor, now, by_list=by_list, members=members)
    return _kept(meeting, after) if after is not session else Turned(meeting)


def _consent(meeting: Meeting, cmd: Consent, actor: Actor, now: datetime) -> Turned:
    session = _session(meeting, cmd.session)
    if session.state is not SessionState.OPEN or session.chair is None:
        raise DomainError("no_session", "The chair lets items in once the session is open.", session=session.id)
    if actor.id != session.chair.person:
        rule = "Only the chair of the session lets in what was asked late."
        raise DomainError("not_permitted", rule, session=session.id, chair=session.chair.person)
    item = meeting.agenda.get(cmd.number)
    if item is None:
        raise DomainError("not_on_agenda", "That demand is not on this meeting's agenda.", meeting=meeting.id)
    if session.admits(item.number, item.turn, item.asked_at):
        return Turned(meeting)
    return _kept(meeting, session.let_in(item.number, item.turn))


def _close(meeting: Meeting, cmd: Close, actor: Actor, now: datetime) -> Turned:
    session = _session(meeting, cmd.session)
    withdraws = actor.id == session.called_by and session.state is SessionState.CALLED
    if not (session.may_keep_list(actor, meeting.scope) or withdraws):
        rule = "A session is closed by its chair or by who keeps the minutes."
        raise DomainError("not_permitted", rule, session=session.id)
    return _ended(meeting, session, now)


_STEPS: dict[str, Callable[[Meeting, Any, Actor, datetime], Turned]] = {
    "convene": _convene, "whistle": _blow, "open": _open, "attend": _attend, "arrive": _attend, "consent": _consent,
    "close": _close,
}  # fmt: skip


def _session(meeting: Meeting, id: str) -> Session:
    session = meeting.sessions.get(id)
    if session is None:
        raise DomainError("no_session", "This session is closed, or was never called.", session=id)
    return session


def _kept(meeting: Meeting, session: Session) -> Turned:
    return Turned(meeting.with_session(session), (session,))


def _ended(meeting: Meeting, session: Session, at: datetime) -> Turned:
    """What stood on this session's agenda and was not decided rolls over, and each item counts it."""
    rolled = tuple(
        item.model_copy(update={"rolls": item.rolls + 1})
        for item in meeting.agenda.values()
        if session.admits(item.number, item.turn, item.asked_at)
    )
    agenda = {**meeting.agenda, **{item.number: item for item in rolled}}
    closed = session.closed(at, rolled_over=tuple(item.number for item in rolled))
    after = meeting.model_copy(update={"agenda": agenda}).with_session(closed)
    return Turned(after, (closed,), rolled)


# ---- by the cadence, and by the clock


def call_regular(meeting: Meeting, call: Call, rules: Rules, now: datetime) -> Turned:
    """Called once a month, however often it is said; one that is called already follows a changed calendar."""
    id = f"{meeting.id}-{call.month}"
    ruled = meeting.model_copy(update={"rules": rules})
    regular = next((one for one in meeting.sessions.values() if one.kind is SessionKind.REGULAR), None)
    if regular is not None:
        moved = regular.id == id and regular.state is SessionState.CALLED and regular.starts_at != call.starts_at
        if not moved:
            return Turned(ruled)
        return _kept(ruled, regular.changed(starts_at=call.starts_at, cutoff_at=call.cutoff_at))
    if meeting.last_regular is not None and id <= meeting.last_regular:
        return Turned(ruled)
    session = Session(
        id=id, kind=SessionKind.REGULAR, called_at=now, called_by="system", starts_at=call.starts_at,
        cutoff_at=call.cutoff_at, quorum=rules.quorum,
    )  # fmt: skip
    return _kept(ruled.model_copy(update={"last_regular": id}), session)


def next_bell(meeting: Meeting) -> datetime | None:
    """When something happens by itself: a whistle's deadline, or the end of a session that nobody ended."""
    bells = [at for one in meeting.sessions.values() for at in (one.muster_at, one.lapses_at) if at is not None]
    return min(bells, default=None)


def ring(meeting: Meeting, now: datetime) -> Turned:
    """Everything that has fallen due, at its own instant, in the order of these instants."""
    sessions: dict[str, Session] = {}
    items: dict[str, Item] = {}
    while (at := next_bell(meeting)) is not None and at <= now:
        session = next(one for one in meeting.sessions.values() if at in (one.muster_at, one.lapses_at))
        step = _kept(meeting, session.mustered()) if session.muster_at == at else _ended(meeting, session, at)
        meeting = step.meeting
        sessions |= {one.id: one for one in step.sessions}
        items |= {one.number: one for one in step.items}
    return Turned(meeting, tuple(sessions.values()), tuple(items.values()))
