"""Joint meetings: their agendas, their minutes, and the decisions that go from them to demands."""

from __future__ import annotations

import asyncio
from uuid import uuid4

from contracts.meeting import Decided
from contracts.names import meeting_workflow_id
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.meeting import Decision, MeetingAct
from domain.vocabulary import Role, Stage
from service.actions import MAYBE_DONE, UNDECIDED, candidate
from service.desk import Desk
from service.engine import NotRunning, update
from service.forms import DecisionForm
from service.intake import fingerprint_of, key_of
from service.places import local_date
from service.reading import current, find
from service.views import View, instant, person_view
from service.words import take_back, write
from store import queries

ARRIVES_WITHIN_SECONDS = 5.0


async def meetings(desk: Desk) -> list[View]:
    """Every joint meeting and the committee, with who chairs now and how much is open."""
    still_open = await queries.open_per_meeting(desk.engine)
    today = local_date(desk.now(), desk.district)
    return [
        {
            "id": m.id, "name": m.name, "cadence": m.cadence, "quorum": m.quorum,
            "chair": person_view(desk, desk.district.chair_person(m.id, today)), "open_items": still_open.get(m.id, 0),
        }
        for m in desk.district.meetings
    ]  # fmt: skip


async def agenda(desk: Desk, actor: Actor, meeting: str, *, ended: bool, limit: int = 100) -> list[View]:
    """Open items, longest waiting first; with `ended` the minutes, newest first.

    Raises DomainError `not_permitted` for residents: an item names other people's demands.
    """
    desk.district.meeting(meeting)
    if all(g.role is Role.RESIDENT for g in actor.grants):
        raise DomainError("not_permitted", "Agendas and minutes are for those who work with them.")
    rows = await queries.agenda(desk.engine, meeting, ended=ended, limit=limit)
    return [
        {
            "number": r.number, "turn": r.turn, "community": r.community, "reason": r.reason,
            "asked_at": instant(r.asked_at), "ended_at": instant(r.ended_at), "kind": r.kind,
            "chair": person_view(desk, r.chair),
        }
        for r in rows
    ]  # fmt: skip


async def decide(desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str | None) -> Demand:
    """Record the decision and wait until the demand has taken it; returns the demand.

    Raises DomainError: `not_on_agenda`, `not_permitted`, or what the kind of decision still needs.
    """
    desk.district.meeting(meeting)
    stored_key = key_of(actor, key or uuid4().hex)
    fingerprint = fingerprint_of(form.model_dump_json())
    await current(desk, form.number)
    said = {"minute_id": ("minute", form.minute), "reply_id": ("reply", form.reply)}
    written = await write(desk, actor, form.number, stored_key, said)
    try:
        taken = await _sent_when_there(desk, actor, meeting, form, stored_key, fingerprint, written.ids)
    except DomainError as refused:
        if refused.code not in UNDECIDED:
            await take_back(desk, written, earlier=refused.code not in MAYBE_DONE)
        raise
    return await _arrived(desk, actor, taken)


async def _sent_when_there(
    desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str, fingerprint: str, written: dict[str, str]
) -> Decided:
    """A demand that was sent to the meeting a moment ago may still be on its way onto the agenda: wait for it."""
    give_up = asyncio.get_running_loop().time() + ARRIVES_WITHIN_SECONDS
    while True:
        try:
            return await _sent(desk, actor, meeting, form, key, fingerprint, written)
        except DomainError as refused:
            demand = await current(desk, form.number)
            coming = demand.stage is Stage.MEETING and demand.meeting == meeting and not demand.shelved
            late = asyncio.get_running_loop().time() > give_up
            if refused.code != "not_on_agenda" or not coming or late:
                raise
            await asyncio.sleep(0.1)


async def _sent(
    desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str, fingerprint: str, written: dict[str, str]
) -> Decided:
    decision = Decision(
        number=form.number, kind=form.kind, lead=candidate(desk, form.unit, "meeting") if form.unit else None,
        due_at=form.due_at, review_at=form.review_at, project=form.project, **written,
    )  # fmt: skip
    act = MeetingAct(decision=decision, actor=actor, key=key, fingerprint=fingerprint)
    workflow_id, update_id = meeting_workflow_id(meeting), f"{key}-{fingerprint[:8]}"
    try:
        return await update(desk.temporal, workflow_id, "decide", act, key=update_id, result=Decided)
    except NotRunning:
        raise DomainError("not_on_agenda", "That demand is not on this meeting's agenda.", meeting=meeting) from None


async def _arrived(desk: Desk, actor: Actor, taken: Decided) -> Demand:
    """The demand once the decision has reached it; as it is, if that takes unusually long."""
    give_up = asyncio.get_running_loop().time() + ARRIVES_WITHIN_SECONDS
    pause = 0.01
    while asyncio.get_running_loop().time() < give_up:
        demand = await current(desk, taken.number)
        if demand.stage is not Stage.MEETING or demand.turn > taken.turn or demand.shelved:
            break
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.2)
    return await find(desk, actor, taken.number)
