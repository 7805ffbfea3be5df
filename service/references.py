"""A demand's numbers in other systems (12345, 城管, 141, 信访): added, taken away, and found again by any of them."""

from __future__ import annotations

import json

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.needs import Need
from service.desk import Desk
from service.forms import ExternalRef
from service.reading import find
from service.reference_taken import reference_taken
from service.repeats import Answered, Asked
from service.views import View
from store import references as storing


async def references_of(desk: Desk, actor: Actor, number: str) -> list[View]:
    """By system. DomainError `not_found` as in `find`."""
    await find(desk, actor, number)
    return _view(await storing.of_demand(desk.pool, number))


async def add(desk: Desk, actor: Actor, number: str, form: ExternalRef, key: str | None) -> Answered:
    """Adding it twice is adding it once; answers with all the demand has.

    Raises DomainError: `not_found`, `not_permitted`, `external_ref_taken` (which names the other demand to who may see
    it), `too_many_references`, `idempotency_key_reused`.
    """
    await _must_keep(desk, actor, number)
    asked = Asked(desk, actor, key, f"add reference {number} {form.model_dump_json()}")
    before = await asked.repetition()
    if before is not None:
        return before
    async with desk.pool.acquire() as connection, connection.transaction():
        holder = await storing.add(connection, number, form.system, form.number)
        if holder is None:
            rule = f"A demand has at most {storing.MOST} numbers in other systems. Take one away first."
            raise DomainError("too_many_references", rule, most=storing.MOST)
        if holder != number:
            raise await reference_taken(desk, actor, holder)
        body = json.dumps(_view(await storing.of_demand(connection, number)), ensure_ascii=False)
        first = await asked.keep(connection, number, body)
    return Answered(number, body) if first else await asked.must_repeat()


async def remove(desk: Desk, actor: Actor, number: str, ref: ExternalRef) -> None:
    """Raises DomainError: `not_found` also where the demand does not have it, `not_permitted`."""
    await _must_keep(desk, actor, number)
    async with desk.pool.acquire() as connection:
        if not await storing.remove(connection, number, ref.system, ref.number):
            raise DomainError("not_found", "The demand has no such number in that system.")


async def _must_keep(desk: Desk, actor: Actor, number: str) -> Demand:
    demand = await find(desk, actor, number)
    roles.must_hold(actor, Need.KEEP_REFERENCES)
    return demand


def _view(found: list[tuple[str, str]]) -> list[View]:
    return [{"system": system, "number": ref} for system, ref in found]
