"""Joint meetings: their agendas, their minutes, and the decisions that go from them to demands."""

from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import uuid4

from contracts.meeting import Decided
from contracts.names import meeting_workflow_id
from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.meeting import Decision, MeetingAct, RulingMade
from domain.needs import Need
from domain.session import SessionKind, SessionState
from domain.vocabulary import Stage
from gateways.temporal.engine import NotRunning, update
from service.actions import MAYBE_DONE, UNDECIDED, co_units
from service.desk import Desk
from service.forms import DecisionForm
from service.intake import fingerprint_of, key_of
from service.meeting_views import line_view, meeting_view, outside_view
from service.project_decisions import prepare
from service.reading import current, find
from service.routing_decisions import candidate
from service.sessions import chair_now
from service.views import View
from service.words import take_back, write
from store import meetings as storing
from store import queries

ARRIVES_WITHIN_SECONDS = 5.0


async def meetings(desk: Desk, actor: Actor) -> list[View]:
    """Every joint meeting and the committee, with who chairs now, when it sits next and how much is open."""
    waiting, ahead = await queries.open_per_meeting(desk.engine), await storing.ahead(desk.pool)
    views = [
        meeting_view(
            desk, m, chair=chair_now(desk, m.id), ahead=ahead.get(m.id, []), open_items=waiting.get(m.id, 0)
        )
        for m in desk.district.meetings
    ]  # fmt: skip
    return views if roles.holds(actor, Need.SEE_AGENDAS) else [outside_view(view) for view in views]


async def meeting(desk: Desk, actor: Actor, id: str) -> View:
    """One of them. Raises DomainError `unknown_meeting`."""
    desk.district.meeting(id)
    return next(one for one in await meetings(desk, actor) if one["id"] == id)


async def agenda(
    desk: Desk, actor: Actor, meeting: str, *, at: datetime, after: tuple[int, datetime, str] | None, limit: int
) -> list[tuple[tuple[int, datetime, str], View]]:
    """A page of open items with their places in the order: hottest (as of `at`) first, then what waits longest.

    Raises DomainError `not_permitted` for residents: an item names other people's demands.
    """
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    lines = await storing.agenda(desk.pool, meeting, at, after=after, limit=limit)
    ahead = [one for one in (await storing.ahead(desk.pool)).get(meeting, []) if one.kind is not SessionKind.WHISTLE]
    session = next((one for one in ahead if one.state is SessionState.OPEN), ahead[0] if ahead else None)
    return [((one.heat, one.asked_at, one.number), line_view(desk, one, session)) for one in lines]


async def minutes(
    desk: Desk, actor: Actor, meeting: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[tuple[tuple[datetime, str], View]]:
    """A page of what has ended, newest first, with its place in the order. Raises as `agenda` does."""
    roles.must(actor, Need.SEE_AGENDAS)
    desk.district.meeting(meeting)
    lines = await storing.minutes(desk.pool, meeting, desk.now(), after=after, limit=limit)
    return [((one.ended_at, one.number), line_view(desk, one, None)) for one in lines if one.ended_at]


async def decide(desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str | None) -> Demand:
    """Record the decision and wait until the demand has taken it; returns the demand.

    Raises DomainError: `no_session`, `no_quorum`, `late_item`, `not_on_agenda`, `not_permitted`, or what the kind of
    decision still needs.
    """
    desk.district.meeting(meeting)
    stored_key = key_of(actor, key or uuid4().hex)
    fingerprint = fingerprint_of(form.model_dump_json())
    await current(desk, form.number)
    prepared = await prepare(desk, actor, meeting, form, stored_key)
    plan = "\n".join(" ".join(one.what.split()) for one in form.milestones) or None
    said = {"minute_id": ("minute", form.minute), "reply_id": ("reply", form.reply), "plan_id": ("plan", plan)}
    written = await write(desk, actor, form.number, stored_key, said)
    try:
        taken = await _sent_when_there(desk, actor, meeting, prepared.form, stored_key, fingerprint, written.ids)
    except DomainError as refused:
        if refused.code not in UNDECIDED:
            await take_back(desk, written, earlier=refused.code not in MAYBE_DONE)
            await prepared.take_back(desk, earlier=refused.code not in MAYBE_DONE)
        raise
    if form.ruling is not None:
        await desk.look_at_rulings()
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
            coming = demand.stage is Stage.MEETING and demand.meeting == meeting and not _is_decided(demand)
            late = asyncio.get_running_loop().time() > give_up
            if refused.code != "not_on_agenda" or not coming or late:
                raise
            await asyncio.sleep(0.1)


async def _sent(
    desk: Desk, actor: Actor, meeting: str, form: DecisionForm, key: str, fingerprint: str, written: dict[str, str]
) -> Decided:
    decision = Decision(
        number=form.number, kind=form.kind, lead=candidate(desk, form.unit, "meeting") if form.unit else None,
        co_units=co_units(desk, form.co_units), due_at=form.due_at, review_at=form.review_at, project=form.project,
        document=form.document,
        milestones=tuple(one.due_at for one in form.milestones), ruling=_ruling(desk, form), **written,
    )  # fmt: skip
    act = MeetingAct(decision=decision, actor=actor, key=key, fingerprint=fingerprint)
    workflow_id, update_id = meeting_workflow_id(meeting), f"{key}-{fingerprint[:8]}"
    try:
        return await update(desk.temporal, workflow_id, "decide", act, key=update_id, result=Decided)
    except NotRunning:
        raise DomainError("not_on_agenda", "That demand is not on this meeting's agenda.", meeting=meeting) from None


def _ruling(desk: Desk, form: DecisionForm) -> RulingMade | None:
    if form.ruling is None:
        return None
    if not any(code.startswith(form.ruling.category) for code in desk.district.directory.categories):
        raise DomainError("unknown_category", "No category begins like that.", field="/ruling/category")
    return RulingMade(category=form.ruling.category, until=form.ruling.until)


def _is_decided(demand: Demand) -> bool:
    """Still with the meeting, and not on its agenda: put aside, or waiting for the approval of its final reply."""
    return demand.shelved or demand.proposed is not None


async def _arrived(desk: Desk, actor: Actor, taken: Decided) -> Demand:
    """The demand once the decision has reached it; as it is, if that takes unusually long."""
    give_up = asyncio.get_running_loop().time() + ARRIVES_WITHIN_SECONDS
    pause = 0.01
    while asyncio.get_running_loop().time() < give_up:
        demand = await current(desk, taken.number)
        if demand.stage is not Stage.MEETING or demand.turn > taken.turn or _is_decided(demand):
            break
        await asyncio.sleep(pause)
        pause = min(pause * 2, 0.2)
    return await find(desk, actor, taken.number)
