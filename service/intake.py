"""Submitting a demand: one database commit, answered at once; the workflow starts right after it, in the background."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.actors import Actor
from domain.call_backs import Reach
from domain.categories import Category, SlaClass
from domain.decide import submit as first_turn
from domain.demand import Demand
from domain.district import District
from domain.errors import DomainError
from domain.events import DemandSubmitted, FilesAttached
from domain.ladder import ladder_for
from domain.ledger import Entry, seal
from domain.menu import Service
from domain.policies import Sla
from domain.promise import Promise
from domain.resident_door import WALK_IN
from domain.vocabulary import ClockName, Role, Stage
from domain.worktime import Budget
from service import files, menu
from service.desk import Desk
from service.forms import SubmitForm
from service.places import locate
from service.reference_taken import reference_taken
from service.routing_decisions import route_at_intake
from service.views import demand_view
from store import intake as storing

FALLBACK_CATEGORY = "120202"  # the leaf for whatever no keyword speaks of


@dataclass(frozen=True)
class Submitted:
    """`body` is the JSON answer, byte for byte the same for every repetition; `repeated` tells whether this is one."""

    number: str
    body: str
    repeated: bool


def key_of(actor: Actor, key: str) -> str:
    """What stands for an Idempotency-Key in tables and histories: keys are callers' words and may say too much."""
    return hashlib.sha256(f"{actor.id}\n{key}".encode()).hexdigest()[:32]


def fingerprint_of(form: object) -> str:
    return hashlib.sha256(str(form).encode()).hexdigest()[:32]


async def submit(desk: Desk, actor: Actor, form: SubmitForm, key: str | None) -> Submitted:
    """Take a demand in. With an Idempotency-Key a repetition gets the first answer and nothing happens twice.

    Raises DomainError: `unknown_category`, `unknown_place`, `unknown_service`, `service_not_offered`,
    `external_ref_taken`, `idempotency_key_reused`.
    """
    with desk.starter.submission():
        return await _submit(desk, actor, form, key)


async def _submit(desk: Desk, actor: Actor, form: SubmitForm, key: str | None) -> Submitted:
    now = desk.now()
    fingerprint = fingerprint_of(form.model_dump_json())
    stored_key = None if key is None else key_of(actor, key)
    number = await desk.number()
    if form.file_ids and form.location is None:
        form = form.model_copy(update={"location": await files.photographed_at(desk, actor, form.file_ids)})
    demand, entries = _open(desk, actor, form, number, now)
    if demand.unit is not None:
        desk.loads.units.take(demand.unit, number)  # before anything is awaited: the next one shall see it
    body = json.dumps(demand_view(desk, demand, actor), ensure_ascii=False)
    taken = storing.Intake(
        demand=demand, entries=entries, at=now, channel=form.channel, opened_by=actor.id,
        sealed_text=desk.sealer.seal(form.text, number), sealed_reporter=_sealed_reporter(desk, form, number),
        principal=actor.id, key=stored_key, fingerprint=fingerprint, answer=body,
        refs=tuple((r.system, r.number) for r in form.external_refs),
    )  # fmt: skip
    won = False
    try:
        if form.file_ids:
            await files.attach(desk, actor, number, form.file_ids, command="submit", key=stored_key or number)
        won = await desk.writer.insert(taken)
    except storing.RefTaken:
        await files.take_back(desk, number, form.file_ids)
        return await _ref_taken(desk, actor, taken)
    except DomainError:
        if stored_key is None or await storing.answered(desk.pool, actor.id, stored_key) is None:
            raise
        return await _repetition(desk, actor, stored_key, fingerprint)  # so its files belong to the first one
    finally:
        if not won and demand.unit is not None:
            desk.loads.units.give_back(demand.unit, number)
    if not won:
        assert stored_key is not None
        await files.take_back(desk, number, form.file_ids)
        return await _repetition(desk, actor, stored_key, fingerprint)
    desk.starter.soon(demand, desk.calendar)
    desk.likenesses.soon(number)
    return Submitted(number, body, repeated=False)


async def _repetition(desk: Desk, actor: Actor, key: str, fingerprint: str) -> Submitted:
    before = await storing.answered(desk.pool, actor.id, key)
    assert before is not None, "a key that was taken has an answer"
    if before.fingerprint != fingerprint:
        raise DomainError("idempotency_key_reused", "This Idempotency-Key was used with another body. Take a new key.")
    return Submitted(before.number, before.answer, repeated=True)


async def _ref_taken(desk: Desk, actor: Actor, taken: storing.Intake) -> Submitted:
    if taken.key is not None and await storing.answered(desk.pool, actor.id, taken.key):
        return await _repetition(desk, actor, taken.key, taken.fingerprint)
    raise await reference_taken(desk, actor, await storing.holder_of_ref(desk.pool, taken.refs))


def _open(desk: Desk, actor: Actor, form: SubmitForm, number: str, now: datetime) -> tuple[Demand, list[Entry]]:
    d, staff = desk.district, desk.staffing
    service = None if form.service is None else d.service(form.service)
    category, category_by = _category(d, form, service)
    place = locate(desk, form.location, now)
    screening = d.screen(form.text)
    routing = None
    if place is not None and (service is not None or category.handling_level != "grid"):
        routing = route_at_intake(desk, place, category, now)
        if service is not None:
            provider = menu.must_provide(desk, service, place.community)
            routing = menu.ask_first(desk, routing, service.id, provider, category.code)
    submitted = DemandSubmitted(
        channel=form.channel, category=category.code, category_by=category_by, confidential=form.confidential,
        opened_by=actor.id, dispatcher=staff.dispatchers[place.community] if place else staff.operator,
        supervisor=staff.supervisor, operator=staff.operator, promise=promise_for(desk, category, service),
        reach=_reach(actor, form),
    )  # fmt: skip
    turn = first_turn(
        submitted, number, now, desk.calendar, place=place, routing=routing,
        screened=screening.rule if screening else None, actor=actor,
    )  # fmt: skip
    if form.file_ids and turn.demand.stage is not Stage.CLOSED:
        turn.emit(FilesAttached(file_ids=form.file_ids))
    return seal(turn.demand, turn.events, at=now, actor=actor.id)


def _reach(actor: Actor, form: SubmitForm) -> tuple[Reach, ...]:
    """How the reporter can be asked how it went: what they left, or the account they sent it from."""
    resident = any(g.role is Role.RESIDENT for g in actor.grants) and not actor.id.startswith(WALK_IN)
    own: tuple[Reach, ...] = ("account",) if resident else ()
    left = form.reporter.model_dump(exclude_none=True) if form.reporter is not None else {}
    return (*own, *(one for one in ("phone", "email") if one in left))


def _category(
    d: District, form: SubmitForm, service: Service | None
) -> tuple[Category, Literal["caller", "suggestion", "default"]]:
    if service is not None:
        if form.category not in (None, service.category):
            rule = "The service has a category of its own. Leave `category` out, or leave `service` out."
            raise DomainError("validation_failed", rule, field="/category", category=service.category)
        return d.category(service.category), "caller"
    return category_of(d, form.text, form.category)


def category_of(
    d: District, text: str, said: str | None
) -> tuple[Category, Literal["caller", "suggestion", "default"]]:
    """What the caller says, or what the text speaks of. Raises DomainError `unknown_category`."""
    if said is not None:
        return d.category(said), "caller"
    suggested = d.suggest_categories(text, limit=1)
    if suggested:
        return d.category(suggested[0].code), "suggestion"
    return d.category(FALLBACK_CATEGORY), "default"


def promise_for(desk: Desk, category: Category, service: Service | None = None) -> Promise:
    d, sla = desk.district, desk.district.sla
    return Promise(
        pack=d.version, sla_class=category.sla_class, calendar=desk.calendar.version, committee=d.id,
        verify=category.verification == "other_person", budgets=budgets_for(sla, category.sla_class),
        redo_limit=sla.redo_limit, refusal_limit=sla.refusal_limit, call_backs=sla.call_back.attempts,
        call_back_plan=sla.call_back.plan, evidence=category.evidence,
        ladder=ladder_for(
            sla.ladders, category=category.code, level=category.handling_level, sla_class=category.sla_class
        ),
        service=None if service is None else menu.offer(service),
    )  # fmt: skip


def budgets_for(sla: Sla, sla_class: SlaClass) -> dict[ClockName, Budget]:
    """The time that every clock of a demand of this class gets."""
    targets = sla.targets(sla_class)
    optional: dict[ClockName, Budget] = {}
    if sla.call_back.plan is None:
        optional[ClockName.CALL_BACK] = sla.call_back.interval  # a plan says for each rung when it is
    if sla.final_reply_approve is not None:
        optional[ClockName.APPROVE] = sla.final_reply_approve
    return optional | {
        ClockName.LOCATE: sla.locate, ClockName.ACCEPT: targets.accept, ClockName.CONTACT: targets.contact,
        ClockName.RESOLVE: targets.resolve, ClockName.FOLLOW_UP: targets.follow_up,
        ClockName.REFUSAL_WINDOW: sla.refusal_window, ClockName.DECIDE: sla.meeting_decide,
        ClockName.REOPEN: sla.reopen_window, ClockName.UNIT_DUE: sla.unit_due_for(sla_class), ClockName.PAUSE: sla.pause_limit,
    }  # fmt: skip


def _sealed_reporter(desk: Desk, form: SubmitForm, number: str) -> bytes | None:
    said: dict[str, str] = {}
    if form.reporter is not None:
        said |= form.reporter.model_dump(exclude_none=True)
    if form.location is not None:
        said |= form.location.model_dump(include={"building", "room", "lat", "lon"}, exclude_none=True)
    return desk.sealer.seal(json.dumps(said, ensure_ascii=False), number) if said else None
