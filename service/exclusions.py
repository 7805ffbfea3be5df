"""Leaving a demand out of the rates of a month: asked by staff, decided by a supervisor who is not the one that asked.

ExclusionForm ──ask──> exclusion, event `asked`
Decision ──decide──> locked ──> domain.exclusions.decide ──> exclusion, event, answer under its Idempotency-Key
"""

from __future__ import annotations

import json
from decimal import Decimal
from zoneinfo import ZoneInfo

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.exclusions import BASES, Decision, Exclusion, ExclusionState
from domain.exclusions import decide as decided
from domain.kpi_words import rates_of, words_of
from domain.needs import Need
from domain.rates import cases_in
from domain.roles import may, must_hold, reach
from service.desk import Desk
from service.exclusion_forms import ExclusionForm
from service.rate_answers import number
from service.rates import Days, definition_of
from service.reading import find
from service.repeats import Answered, Asked, other_body
from service.views import View, instant, person_view
from store import exclusions as storing
from store.exclusions import Wanted
from store.histories import Change
from store.rates import log_of

_EVENTS = {"approve": "approved", "refuse": "refused", "withdraw": "withdrawn", "revoke": "revoked"}


async def ask(desk: Desk, actor: Actor, demand: str, form: ExclusionForm, key: str | None) -> Answered:
    """Raises DomainError: `not_found` for the demand, `not_permitted`, `validation_failed`, `exclusion_overlaps`,
    `idempotency_key_reused`."""
    asked = Asked(desk, actor, key, f"exclude {demand} {form.model_dump_json()}")
    before = await asked.repetition()
    if before is not None:
        return before
    found = await find(desk, actor, demand)
    must_hold(actor, Need.ASK_EXCLUSION)
    now = desk.now()
    _must_fit(desk, found, form)
    async with storing.changing(desk.pool) as transaction:
        figures = tuple(dict.fromkeys(form.figures))
        other = await transaction.overlapping(demand, form.month, figures)
        if other is not None:
            before = await asked.repetition()  # a twin of this request may have been through by now
            if before is not None:
                return before
            rule = (
                "Another exclusion of this demand names one of these figures for the month: it is in facts.exclusion."
            )
            raise DomainError("exclusion_overlaps", rule, exclusion=other)
        exclusion = Exclusion(
            id=await transaction.next_id(), number=demand, month=form.month, figures=figures, basis=form.basis,
            document=form.document, community=found.community, asked_by=actor.id, asked_at=now,
        )  # fmt: skip
        said = form.model_dump(mode="json", exclude_none=True) | {"number": demand}
        body = json.dumps(_view(desk, exclusion), ensure_ascii=False)
        await transaction.insert(exclusion)
        await transaction.record(exclusion.id, Change(seq=1, type="asked", at=now, actor=actor.id, data=said))
        if not await asked.keep(transaction.connection, exclusion.id, body):
            raise other_body()  # taken meanwhile by a request about something else
    return Answered(exclusion.id, body)


async def decide(desk: Desk, actor: Actor, id: str, decision: Decision, key: str | None) -> Answered:
    """Approve, refuse, revoke or withdraw; answers with the exclusion as it is afterwards.

    Raises DomainError: `not_found`, `idempotency_key_reused`, and whatever the rules refuse.
    """
    asked = Asked(desk, actor, key, f"exclusion {id} {decision.model_dump_json()}")
    async with storing.changing(desk.pool) as transaction:
        exclusion = await transaction.lock(id)
        if exclusion is None or not _sees(actor, exclusion):
            raise _no_exclusion()
        before = await asked.repetition()  # under the lock: a twin of this request has been through by now
        if before is not None:
            return before
        now = desk.now()
        after = decided(exclusion, decision, actor, now)
        said = decision.model_dump(mode="json", exclude={"kind"}, exclude_none=True)
        change = Change(seq=after.seq, type=_EVENTS[decision.kind], at=now, actor=actor.id, data=said)
        body = json.dumps(_view(desk, after), ensure_ascii=False)
        await transaction.save(after)
        await transaction.record(id, change)
        if not await asked.keep(transaction.connection, id, body):
            raise other_body()
    return Answered(id, body)


def _must_fit(desk: Desk, demand: Demand, form: ExclusionForm) -> None:
    known = known_figures(desk)
    if wrong := [figure for figure in form.figures if figure not in known]:
        rule = "A demand is left out of rates: take those of facts.known."
        raise DomainError("validation_failed", rule, field="/figures", unknown=wrong, known=known)
    period = Days.of_month(form.month).period(desk.district)
    if desk.now() < period.start or demand.opened_at is None or demand.opened_at >= period.end:
        raise DomainError("validation_failed", "The month has not begun, or the demand came after it.", field="/month")


def known_figures(desk: Desk) -> list[str]:
    """Rates of any definition of the pack."""
    return list(dict.fromkeys(figure for d in desk.district.rates.definitions for figure in rates_of(d)))


def figures_to_exclude(desk: Desk) -> list[View]:
    """What may be named, with its words."""
    definition = definition_of(desk, None)
    known = ((figure, words_of(figure, definition)) for figure in known_figures(desk))
    return [{"id": figure, "zh": words.zh, "en": words.en} for figure, words in known]


# ---- reading


async def exclusion(desk: Desk, actor: Actor, id: str) -> View:
    """One exclusion with its log, and what it leaves out by the definition in force. DomainError `not_found`."""
    found = await storing.one(desk.pool, id)
    if found is None or not _sees(actor, found):
        raise _no_exclusion()
    changes = await storing.HISTORY.page(desk.pool, id, after=0, limit=10)
    log = [
        {"seq": c.seq, "type": c.type, "at": instant(c.at), "by": person_view(desk, c.actor), "data": dict(c.data)}
        for c in changes
    ]
    return _view(desk, found) | {"effect": await _effect(desk, found), "events": log}


async def exclusions(desk: Desk, actor: Actor, wanted: Wanted, *, before: str | None, limit: int) -> list[View]:
    """Newest first: all for supervisors, auditors and admins, those of their community for its people, and own ones.

    Raises DomainError `not_permitted` for everybody else.
    """
    found = await storing.page(desk.pool, scoped(actor, wanted), before=before, limit=limit)
    return [_view(desk, one) for one in found]


def scoped(actor: Actor, wanted: Wanted) -> Wanted:
    """The filter, narrowed to what the caller may see. Raises DomainError `not_permitted`."""
    must_hold(actor, Need.SEE_EXCLUSIONS)
    own = reach(actor, Need.SEE_EXCLUSIONS)
    if own.everywhere:
        return wanted
    return Wanted(wanted.state, wanted.month, wanted.number, own.communities, actor.id)


def _sees(actor: Actor, x: Exclusion) -> bool:
    return may(actor, Need.SEE_EXCLUSIONS, community=x.community, owner=x.asked_by)


async def _effect(desk: Desk, x: Exclusion) -> View:
    """Cases of the month that it takes, or would take, out of each figure, and what they are worth there."""
    definition, zone = definition_of(desk, None), ZoneInfo(desk.district.timezone)
    period = Days.of_month(x.month).period(desk.district, desk.now())
    entries = await log_of(desk.pool, x.number)
    found = [c for c in cases_in(x.number, entries, definition, period, zone=zone) if not c.excluded]
    mine = {figure: [case for case in found if case.figure == figure] for figure in x.figures}
    return {
        figure: {"denominator": len(cases), "numerator": number(sum((c.value for c in cases), Decimal(0)))}
        for figure, cases in mine.items()
    }


def _view(desk: Desk, x: Exclusion) -> View:
    definition = definition_of(desk, None)
    words = BASES[x.basis]
    return {
        "id": x.id, "number": x.number, "month": x.month, "state": x.state,
        "figures": [{"id": f, "zh": words_of(f, definition).zh, "en": words_of(f, definition).en} for f in x.figures],
        "basis": {"id": x.basis, "zh": words.zh, "en": words.en}, "document": x.document, "community": x.community,
        "asked_by": person_view(desk, x.asked_by), "asked_at": instant(x.asked_at),
        "decided_by": person_view(desk, x.decided_by), "decided_at": instant(x.decided_at),
        "revoked_by": person_view(desk, x.revoked_by), "revoked_at": instant(x.revoked_at),
        "counts": x.state is ExclusionState.APPROVED, "seq": x.seq,
    }  # fmt: skip


def _no_exclusion() -> DomainError:
    return DomainError("not_found", "There is no exclusion with this id, or it is not in your scope.")
