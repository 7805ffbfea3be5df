"""Acting on a demand: a form becomes a command, its texts are sealed, and the workflow gives the verdict."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, assert_never
from uuid import uuid4

from pydantic import TypeAdapter

from contracts.demand import Acted
from domain import commands as c
from domain.actors import Actor
from domain.demand import Demand
from domain.dispatch import route
from domain.errors import DomainError
from domain.routing import Candidate, Routing
from domain.vocabulary import Role
from gateways.temporal import UNREACHABLE
from service import forms as f
from service.desk import Desk
from service.engine import NotRunning, update
from service.intake import fingerprint_of, key_of
from service.places import local_date, locate
from service.reading import current, find
from service.words import take_back, write
from store import outbox

UNDECIDED = frozenset({"outcome_unknown", "unavailable", "not_started"})

# Another body, or this one, may have been done under the key: a text that an earlier try wrote must stay.
MAYBE_DONE = frozenset({"idempotency_key_reused", "closed"})

AHEAD_AT_MOST = timedelta(minutes=5)  # how far a phone's clock may be off

_COMMAND: TypeAdapter[c.Command] = TypeAdapter(c.Command)


async def act(desk: Desk, actor: Actor, number: str, form: f.ActionForm, key: str | None) -> Demand:
    """Send the command, and return the demand as it is afterwards: what you wrote, you read.

    Raises DomainError: `not_found`, whatever rule refused, `outcome_unknown` or `unavailable` when no verdict came.
    """
    if form.performed_at is not None and form.performed_at > desk.now() + AHEAD_AT_MOST:
        raise DomainError("validation_failed", "It cannot have been done in the future.", field="/performed_at")
    stored_key = key_of(actor, key or uuid4().hex)
    fingerprint = fingerprint_of(form.model_dump_json())
    said = {"note_id": ("note", form.note), "reply_id": ("reply", getattr(form, "reply", None))}
    written = await write(desk, actor, number, stored_key, said)
    try:
        command = await _command(desk, actor, number, form, written.ids)
        sent = c.Act(
            command=command, actor=actor, key=stored_key, fingerprint=fingerprint, performed_at=form.performed_at
        )
        await _send(desk, number, sent, f"{stored_key}-{fingerprint[:8]}")
    except DomainError as refused:
        if refused.code not in UNDECIDED:
            await take_back(desk, written, earlier=refused.code not in MAYBE_DONE)
            await find(desk, actor, number)  # the reason is not for somebody who may not even know that it exists
        raise
    return await current(desk, number)


async def _command(desk: Desk, actor: Actor, number: str, form: f.ActionForm, written: dict[str, str]) -> c.Command:
    parts: dict[str, Any] = {"type": form.type, "file_ids": form.file_ids, **written}
    match form:
        case f.LocateForm():
            place = _must_locate(desk, form.location)
            demand = await current(desk, number)
            parts |= {"place": place, "routing": _above_grid(desk, demand, place)}
        case f.RefuseForm():
            place_named = _must_locate(desk, form.location) if form.location else None
            parts |= {"basis": form.basis, "place": place_named}
        case f.HandOffForm():
            demand = await find(desk, actor, number)
            parts["routing"] = _hand_off(desk, demand, form.unit)
        case f.ReassignForm():
            parts["person"] = await _worker(desk, actor, number, form.person)
        case (
            f.SimpleForm() | f.NoteForm() | f.AttachForm() | f.ResolveForm() | f.RequestInfoForm() | f.ExtendForm()
            | f.DecideExtensionForm() | f.EscalateForm() | f.VerifyForm() | f.CallBackForm() | f.ConfirmForm()
        ):  # fmt: skip
            parts |= form.codes()
        case _:
            assert_never(form)
    return _COMMAND.validate_python(parts)


def _must_locate(desk: Desk, location: f.Location) -> c.Place:
    place = locate(desk, location, desk.now())
    if place is None:
        raise DomainError("unknown_place", "The point lies outside the district.", field="/location")
    return place


def _route(desk: Desk, demand: Demand, place: c.Place) -> Routing:
    d = desk.district
    return route(
        d, place=place, category=d.category(demand.category), on=local_date(desk.now(), d), loads=desk.loads.units,
        without=demand.past_units,
    )  # fmt: skip


def _above_grid(desk: Desk, demand: Demand, place: c.Place) -> Routing | None:
    if desk.district.category(demand.category).handling_level == "grid":
        return None
    return _route(desk, demand, place)


def _hand_off(desk: Desk, demand: Demand, unit: str | None) -> Routing:
    if demand.place is None:
        raise DomainError("stage_forbids", "It must be located first.", stage=demand.stage)
    routing = _route(desk, demand, demand.place)
    if unit is None:
        return routing
    chosen = candidate(desk, unit, "chosen")
    rest = tuple(x for x in routing.candidates if x.unit != unit)
    return routing.model_copy(update={"rule": "chosen", "candidates": (chosen, *rest)})


def candidate(desk: Desk, unit: str, reason: str) -> Candidate:
    """A unit named by a person. Raises DomainError `unknown_unit`."""
    return Candidate(unit=unit, liaison=desk.district.unit(unit).liaison, reason=reason)


async def _worker(desk: Desk, actor: Actor, number: str, person: str) -> str:
    demand = await find(desk, actor, number)
    grants = desk.district.person(person).grants
    if not any(g.role is Role.GRID_WORKER and g.community == demand.community for g in grants):
        raise DomainError("unknown_person", "Take a grid worker of the demand's community.", field="/person")
    return person


async def _send(desk: Desk, number: str, act: c.Act, update_id: str) -> None:
    try:
        await desk.starter.hurry(number)
        try:
            await update(desk.temporal, number, "act", act, key=update_id, result=Acted)
        except NotRunning as gone:
            if gone.ended:
                raise
            await _start_first(desk, number)
            await update(desk.temporal, number, "act", act, key=update_id, result=Acted)
    except UNREACHABLE:
        raise DomainError("not_started", "Its workflow is about to start. Repeat in a moment.") from None
    except NotRunning as gone:
        if gone.ended:
            raise DomainError("closed", "The demand is closed for good. Submit a new one and name it.") from None
        raise DomainError("not_started", "Its workflow is about to start. Repeat in a moment.") from None


async def _start_first(desk: Desk, number: str) -> None:
    """The command overtook the start: start it now. Raises DomainError `not_found` where there is no such demand."""
    waiting = await outbox.pending(desk.pool, [number])
    if waiting:
        await desk.starter.now(waiting[0].demand, waiting[0].calendar)
    else:
        await current(desk, number)  # somebody else has started it by now, or there is none
