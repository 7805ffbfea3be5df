"""Sessions of joint meetings: convened, opened by whoever chairs then, attended, closed; and looked up."""

from __future__ import annotations

import re
from datetime import datetime
from uuid import uuid4

from contracts.meeting import Held
from contracts.names import meeting_workflow_id
from domain import roles
from domain.actors import Actor
from domain.bodies import body_of, rules_of
from domain.convening import Arrive, Attend, Blow, Close, Consent, Convene, Open, SessionAct, SessionCommand
from domain.errors import DomainError
from domain.needs import Need
from domain.rotation import Chair as RotationChair
from domain.session import Chair, Session, keeps_minutes
from domain.vocabulary import Role
from gateways.temporal.engine import NotRunning, update
from gateways.temporal.meetings import start_meeting
from service import rotation
from service.desk import Desk
from service.intake import fingerprint_of, key_of
from service.session_forms import AttendForm, CloseForm, ConsentForm, ConveneForm, ExtraForm, OpenForm, SessionForm
from store import meetings as storing

_AN_ID = re.compile(r"[A-Za-z0-9._-]{1,80}")


def chair_now(desk: Desk, meeting: str) -> Chair:
    """Who chairs at this moment, from memory: for showing it. Raises DomainError `unknown_meeting`."""
    return _chair(rotation.chair_now(desk, meeting, desk.now()))


def _chair(found: RotationChair) -> Chair:
    return Chair(person=found.person, unit=found.unit, how=found.how)


async def convene(desk: Desk, actor: Actor, meeting: str, form: ConveneForm, key: str | None) -> Session:
    """An extra session, or a whistle. Raises DomainError: `unknown_meeting`, `unknown_unit`, what the rules refuse."""
    rules = rules_of(desk.district, meeting)
    stored = key_of(actor, key or uuid4().hex)
    id = f"{meeting}-{stored[:8]}"
    command: SessionCommand
    if isinstance(form, ExtraForm):
        command = Convene(session=id, rules=rules, starts_at=form.starts_at, cutoff_at=form.cutoff_at)
    else:
        units = {unit: rules.members.get(unit) or desk.district.serving_unit(unit).liaison for unit in form.units}
        command = Blow(
            session=id, rules=rules, about=form.about, units=units, numbers=form.numbers, deadline_at=form.deadline_at
        )
    await _send(desk, actor, meeting, command, stored, fingerprint_of(form.model_dump_json()))
    return await find(desk, actor, meeting, id)


async def act(desk: Desk, actor: Actor, meeting: str, session: str, form: SessionForm, key: str | None) -> Session:
    """Open, attend, arrive, let in, close; returns the session as it is afterwards.

    Raises DomainError: `unknown_meeting`, `not_found`, `no_session`, what the rules refuse, `outcome_unknown`, `unavailable`.
    """
    desk.district.meeting(meeting)
    if not _AN_ID.fullmatch(session):
        raise DomainError("not_found", "This meeting has no such session.", meeting=meeting)
    stored = key_of(actor, key or uuid4().hex)
    command = await _command(desk, actor, meeting, session, form)
    await _send(desk, actor, meeting, command, stored, fingerprint_of(f"{session} {form.model_dump_json()}"))
    return await find(desk, actor, meeting, session)


async def _command(desk: Desk, actor: Actor, meeting: str, session: str, form: SessionForm) -> SessionCommand:
    match form:
        case OpenForm(chair=None):
            return Open(session=session, chair=_chair(await rotation.chair_of(desk, meeting, desk.now())))
        case OpenForm(chair=named):
            assert named is not None
            return Open(session=session, chair=_named(desk, actor, meeting, named))
        case AttendForm(type="arrive"):
            return Arrive(session=session, units=form.units)
        case AttendForm():
            return Attend(session=session, units=form.units)
        case ConsentForm():
            return Consent(session=session, number=form.number)
        case CloseForm():
            return Close(session=session)


def _named(desk: Desk, actor: Actor, meeting: str, person: str) -> Chair:
    """Somebody who may chair there, named for this once by who keeps the minutes."""
    scope = None if meeting == desk.district.id else meeting
    if not keeps_minutes(actor, scope):
        raise DomainError("not_permitted", "Who keeps the minutes names another chair.", meeting=meeting)
    if not desk.district.person(person).actor.has(Role.CHAIR, community=scope):
        raise DomainError("unknown_person", "Take somebody who may chair this meeting.", field="/chair")
    return Chair(person=person, how="override")


async def _send(
    desk: Desk, actor: Actor, meeting: str, command: SessionCommand, key: str, fingerprint: str
) -> None:  # fmt: skip
    sent = SessionAct(command=command, actor=actor, key=key, fingerprint=fingerprint)
    id, update_id = meeting_workflow_id(meeting), f"{key}-{fingerprint[:8]}"
    try:
        await update(desk.temporal, id, "session", sent, key=update_id, result=Held)
    except NotRunning:
        if not isinstance(command, Convene | Blow):
            raise DomainError(
                "no_session", "No session of this meeting was ever called.", session=command.session
            ) from None
        await start_meeting(desk.temporal, desk.settings.task_queue, body_of(desk.district, meeting))
        await update(desk.temporal, id, "session", sent, key=update_id, result=Held)


async def find(desk: Desk, actor: Actor, meeting: str, id: str) -> Session:
    """Raises DomainError `not_found`, `unknown_meeting`, `not_permitted` for residents."""
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    session = await storing.session(desk.pool, meeting, id)
    if session is None:
        raise DomainError("not_found", "This meeting has no such session.", meeting=meeting)
    return session


async def listed(
    desk: Desk, actor: Actor, meeting: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[Session]:  # fmt: skip
    """A page of sessions, newest first. Raises as `find` does."""
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    return await storing.sessions(desk.pool, meeting, after=after, limit=limit)
