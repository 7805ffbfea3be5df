"""Forwardings for those who look after them: what waits for whom until when, forwarded by hand, tried again, stopped."""

from __future__ import annotations

import json
from collections.abc import Sequence

import structlog

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.needs import Need
from domain.neighbours import OPEN, Neighbour, State
from domain.vocabulary import Stage
from service.desk import Desk
from service.forwarding_forms import ForwardForm
from service.reading import current, find
from service.repeats import Answered, Asked
from service.views import View, instant, person_view, unit_view
from store import forwardings as storing
from store.forwardings import Forwarding, Planned, Wanted
from store.pool import Connection

log = structlog.get_logger()


async def of_demand(desk: Desk, actor: Actor, number: str) -> list[View]:
    """Oldest first. DomainError `not_found` as in `find`."""
    await find(desk, actor, number)
    return [_view(desk, one) for one in await storing.of_demand(desk.pool, number)]


async def listed(
    desk: Desk, actor: Actor, *, states: Sequence[str] | None, neighbour: str | None, unit: str | None,
    before: int | None, limit: int,
) -> list[tuple[View, int]]:  # fmt: skip
    """Of the demands that the caller may see, the newest first, each with its key; open ones where no state is asked for."""
    grants = [g for g in actor.grants if g.role in roles.ROLES[Need.SEE_FORWARDINGS]]
    everything = any(g.community is None and g.unit is None for g in grants)
    wanted = Wanted(
        states=list(states or OPEN), neighbour=neighbour, unit=unit,
        communities=None if everything else sorted({g.community for g in grants if g.community and g.unit is None}),
        units=None if everything else sorted({g.unit for g in grants if g.unit and g.community is None}),
    )  # fmt: skip
    return [(_view(desk, one), one.id) for one in await storing.page(desk.pool, wanted, before=before, limit=limit)]


async def forward(desk: Desk, actor: Actor, number: str, form: ForwardForm, key: str | None) -> Answered:
    """Have the demand forwarded now, as its unit's liaison or a supervisor.

    Raises DomainError: `not_found`, `not_permitted`, `outside_scope`, `not_forwardable`, `forwarding_state` where it is
    under way already.
    """
    demand = await find(desk, actor, number)
    _must_steer(actor, demand, demand.unit)
    asked = Asked(desk, actor, key, f"forward {number} {form.neighbour}")
    if (repetition := await asked.repetition()) is not None:
        return repetition
    to, code = _fit(desk, demand, form.neighbour)
    async with desk.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchval("select state from demand where number = $1 for update", number)
        now_is = Demand.model_validate_json(row)
        under_way = [
            one for one in await storing.of_demand(connection, number) if one.is_open and one.resolved_at is None
        ]
        if under_way or now_is.unit != to.unit or now_is.stage is not Stage.UNIT:
            raise _not_now("It is under way to another system already, or the unit has it no more.")
        id = await storing.plan(
            connection, Planned(number, now_is.seq, to.id, to.unit, code, actor.id), desk.now()
        )  # fmt: skip
        if id is None:
            raise _not_now("It went there already, and nothing has happened since. Send `retry` to that one.")
        body = await _said(desk, connection, id)
        first = await asked.keep(connection, str(id), body)
    log.info("demand forwarded", by=actor.id, number=number, neighbour=to.id)
    return Answered(str(id), body) if first else await asked.must_repeat()


async def retry(desk: Desk, actor: Actor, id: int, key: str | None) -> Answered:
    """At once, whatever it waits for; what was given up or stopped begins anew.

    Raises DomainError: `not_found`, `not_permitted`, `outside_scope`, `forwarding_state`.
    """
    return await _steer(desk, actor, id, key, "retry")


async def stop(desk: Desk, actor: Actor, id: int, key: str | None) -> Answered:
    """Neither sent nor followed any more; the other system is not told. Raises as `retry` does."""
    return await _steer(desk, actor, id, key, "stop")


async def _steer(desk: Desk, actor: Actor, id: int, key: str | None, what: str) -> Answered:
    found = await storing.one(desk.pool, id)
    if found is None:
        raise _unknown()
    try:
        demand = await find(desk, actor, found.number)
    except DomainError:
        raise _unknown() from None
    _must_steer(actor, demand, found.unit)
    asked = Asked(desk, actor, key, f"{what} forwarding {id}")
    if (repetition := await asked.repetition()) is not None:
        return repetition
    async with desk.pool.acquire() as connection, connection.transaction():
        one = await storing.one(connection, id, lock=True)
        assert one is not None
        if what == "stop":
            if not one.is_open:
                raise _not_now("It is over already.", one.state)
            await storing.stop(connection, one, actor.id, desk.now())
        else:
            await _begin_again(desk, connection, one)
        body = await _said(desk, connection, id)
        first = await asked.keep(connection, str(id), body)
    log.info(f"forwarding {what}", by=actor.id, forwarding=id)
    return Answered(str(id), body) if first else await asked.must_repeat()


async def _begin_again(desk: Desk, connection: Connection, one: Forwarding) -> None:
    demand = await current(desk, one.number)
    others = [o for o in await storing.of_demand(connection, one.number) if o.id != one.id]
    if one.state is State.DONE or any(o.id > one.id or (o.is_open and o.resolved_at is None) for o in others):
        raise _not_now("It is done, or the demand went on its way again since.", one.state)
    if demand.unit != one.unit or demand.stage is not Stage.UNIT:
        raise _not_now("The unit has the demand no more.", one.state)
    if not any(n.id == one.neighbour for n in desk.district.neighbours):
        raise _not_now("The district pack has no such system any more.", one.state)
    await storing.again(connection, one, desk.now())


def _fit(desk: Desk, demand: Demand, neighbour: str) -> tuple[Neighbour, str]:
    to = next((n for n in desk.district.neighbours if n.id == neighbour), None)
    if to is None:
        raise DomainError("not_forwardable", "There is no such system.", field="/neighbour")
    if demand.stage is not Stage.UNIT or demand.unit != to.unit:
        raise DomainError("not_forwardable", "The demand is not with the unit that stands before that system.")
    if demand.confidential:
        raise DomainError("not_forwardable", "What is confidential stays here.")
    code = to.service_for(demand.category)
    if code is None:
        raise DomainError("not_forwardable", "That system is sent no demands of this category.")
    return to, code


def _must_steer(actor: Actor, demand: Demand, unit: str | None) -> None:
    roles.must(actor, Need.STEER_FORWARDINGS, community=demand.community, unit=unit)


def _not_now(rule: str, state: State | None = None) -> DomainError:
    return DomainError("forwarding_state", rule, **({} if state is None else {"state": str(state)}))


def _unknown() -> DomainError:
    return DomainError("not_found", "There is no such forwarding, or it is not in your scope.")


async def _said(desk: Desk, connection: Connection, id: int) -> str:
    one = await storing.one(connection, id)
    assert one is not None
    return json.dumps(_view(desk, one), ensure_ascii=False)


def _view(desk: Desk, one: Forwarding) -> View:
    """`owner` is the liaison of the unit of now. `next_at` is when something is done next, `give_up_at` when it is given
    up if it goes on failing."""
    to = next((n for n in desk.district.neighbours if n.id == one.neighbour), None)
    late = one.failing_since + to.give_up_after if one.is_open and one.failing_since and to else None
    return {
        "id": one.id, "number": one.number, "neighbour": {"id": one.neighbour, "name": to.name if to else None},
        "unit": unit_view(desk, one.unit), "owner": _owner(desk, one.unit), "state": one.state,
        "asked_by": one.asked_by, "service_code": one.service_code, "reference": one.reference,
        "service_request_id": one.their_id, "their_status": one.their_status, "attempts": one.attempts,
        "next_at": instant(one.next_at) if one.is_open else None, "give_up_at": instant(late),
        "last_error": one.last_error, "possible_double": one.possible_double, "planned_at": instant(one.planned_at),
        "sent_at": instant(one.sent_at), "heard_at": instant(one.heard_at), "resolved_at": instant(one.resolved_at),
        "ended_at": instant(one.ended_at), "ended_by": one.ended_by,
    }  # fmt: skip


def _owner(desk: Desk, unit: str) -> View | None:
    try:
        return person_view(desk, desk.district.unit(unit).liaison)
    except DomainError:
        return None
