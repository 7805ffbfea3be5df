"""Acting on a demand: a form becomes a command, its texts are sealed, and the workflow gives the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, assert_never
from uuid import uuid4

from pydantic import TypeAdapter

from contracts.demand import Acted
from domain import commands as c
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.following import word_for_followers
from domain.routing import Routing
from domain.tasks import CoUnit
from domain.vocabulary import Role
from gateways.temporal import UNREACHABLE
from gateways.temporal.engine import NotRunning, update
from service import files, menu
from service import forms as f
from service.desk import Desk
from service.intake import fingerprint_of, key_of, promise_for
from service.places import locate
from service.reading import current, find
from service.routing_decisions import candidate, hand_off, route_now
from service.words import take_back, write
from store import outbox

UNDECIDED = frozenset({"outcome_unknown", "unavailable", "not_started", "too_many_requests"})

# Another body, or this one, may have been done under the key: a text that an earlier try wrote must stay.
MAYBE_DONE = frozenset({"idempotency_key_reused", "closed"})

AHEAD_AT_MOST = timedelta(minutes=5)  # how far a phone's clock may be off

_COMMAND: TypeAdapter[c.Command] = TypeAdapter(c.Command)


async def act(desk: Desk, actor: Actor, number: str, form: f.ActionForm, key: str | None) -> Demand:
    """Send the command, and return the demand as it is afterwards: what you wrote, you read.

    Raises DomainError: `not_found`, whatever rule refused, `outcome_unknown` or `unavailable` when no verdict came.
    """
    must_be_past(desk, form.performed_at)
    stored_key = key_of(actor, key or uuid4().hex)
    fingerprint = fingerprint_of(form.model_dump_json())
    said = {"note_id": ("note", form.note), "reply_id": ("reply", getattr(form, "reply", None))}
    written = await write(desk, actor, number, stored_key, said)
    bound: list[str] = []
    try:
        if form.file_ids:
            bound = await files.attach(desk, actor, number, form.file_ids, command=form.type, key=stored_key)
        command = await _command(desk, actor, number, form, written.ids)
        sent = c.Act(
            command=command, actor=actor, key=stored_key, fingerprint=fingerprint, performed_at=form.performed_at
        )
        await _send(desk, number, sent, update_id(stored_key, fingerprint))
    except DomainError as refused:
        if refused.code not in UNDECIDED:
            earlier = refused.code not in MAYBE_DONE
            await take_back(desk, written, earlier=earlier)
            await files.take_back(desk, number, bound, key=stored_key if earlier and form.file_ids else None)
            await find(desk, actor, number)  # the reason is not for somebody who may not even know that it exists
        raise
    return await current(desk, number)


def must_be_past(desk: Desk, performed_at: datetime | None) -> None:
    """Raises DomainError `validation_failed` where somebody says that it was done later than now."""
    if performed_at is not None and performed_at > desk.now() + AHEAD_AT_MOST:
        raise DomainError("validation_failed", "It cannot have been done in the future.", field="/performed_at")


def update_id(stored_key: str, fingerprint: str) -> str:
    """What the engine knows a request by; another body under the key is another update, which the workflow refuses."""
    return f"{stored_key}-{fingerprint[:8]}"


async def _command(desk: Desk, actor: Actor, number: str, form: f.ActionForm, written: dict[str, str]) -> c.Command:
    parts: dict[str, Any] = {"type": form.type, "file_ids": form.file_ids, **written}
    match form:
        case f.LocateForm():
            place = _must_locate(desk, form.location)
            demand = await current(desk, number)
            parts |= {"place": place, "routing": await _above_grid(desk, demand, place)}
        case f.RefuseForm():
            place_named = _must_locate(desk, form.location) if form.location else None
            parts |= {"basis": form.basis, "place": place_named}
        case f.HandOffForm():
            demand = await find(desk, actor, number)
            parts["routing"] = await hand_off(desk, demand, form.unit)
        case f.ReassignForm():
            parts["person"] = await _worker(desk, actor, number, form.person)
        case f.AddCoUnitsForm():
            parts["co_units"] = co_units(desk, form.co_units)
        case f.CoTaskForm() | f.CoRefuseForm():
            parts |= form.codes() | {"unit": form.unit or await _own_unit(desk, actor, number)}
        case f.SwapLeadForm():
            parts["lead"] = candidate(desk, form.unit, "swapped")
        case f.MergeForm():
            parts |= await _merged(desk, actor, number, form)
        case f.ReclassifyForm():
            parts |= await _reclassified(desk, number, form.category)
        case (
            f.SimpleForm() | f.NoteForm() | f.AttachForm() | f.ResolveForm() | f.RequestInfoForm() | f.ExtendForm()
            | f.DecideExtensionForm() | f.EscalateForm() | f.VerifyForm() | f.CallBackForm() | f.ConfirmForm()
            | f.SuperviseForm() | f.DecideFinalReplyForm()
        ):  # fmt: skip
            parts |= form.codes()
        case _:
            assert_never(form)
    return _COMMAND.validate_python(parts)


async def _merged(desk: Desk, actor: Actor, number: str, form: f.MergeForm) -> dict[str, Any]:
    """Into the demand that is handled: one that follows another itself is no primary."""
    primary = await find(desk, actor, form.primary)
    if primary.primary is not None and primary.primary != number:
        primary = await current(desk, primary.primary)
    if isinstance(word_for_followers(primary), c.LosePrimary):
        rule = "That demand will not be handled any more. Name another one, or handle this one by itself."
        raise DomainError("stage_forbids", rule, field="/primary")
    return {"primary": primary.number, "same_reporter": form.same_reporter, "place": primary.place}


def co_units(desk: Desk, named: Iterable[f.CoUnitForm]) -> tuple[CoUnit, ...]:
    """Units named by a person to help the lead. Raises DomainError `unknown_unit`."""
    return tuple(
        CoUnit(unit=o.unit, liaison=desk.district.serving_unit(o.unit).liaison, required=o.required) for o in named
    )


async def _own_unit(desk: Desk, actor: Actor, number: str) -> str:
    """The caller's unit that helps with this demand; where several do, the caller must say which."""
    demand = await find(desk, actor, number)
    own = [t.unit for t in demand.co_tasks if t.open and actor.has(Role.UNIT_LIAISON, unit=t.unit)]
    if len(own) != 1:
        raise DomainError("unknown_unit", "Name the co-unit that you mean: send `unit`.", field="/unit")
    return own[0]


def _must_locate(desk: Desk, location: f.Location) -> c.Place:
    place = locate(desk, location, desk.now())
    if place is None:
        raise DomainError("unknown_place", "The point lies outside the district.", field="/location")
    return place


async def _above_grid(desk: Desk, demand: Demand, place: c.Place) -> Routing | None:
    provider = menu.provider_of(desk, demand, place.community)
    if provider is None and desk.district.category(demand.category).handling_level == "grid":
        return None
    routing = await route_now(desk, demand, place)
    promised = demand.terms.service
    if provider is None or promised is None:
        return routing
    return menu.ask_first(desk, routing, promised.id, provider, demand.category)


async def _reclassified(desk: Desk, number: str, code: str) -> dict[str, Any]:
    promise = promise_for(desk, desk.district.category(code))  # another matter: no service of the menu any more
    demand = (await current(desk, number)).model_copy(update={"category": code, "promise": promise})
    routing = await _above_grid(desk, demand, demand.place) if demand.place else None
    return {"category": code, "promise": promise, "routing": routing}


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
