"""The code by which a reporter gets in without an account: told to whoever submits for them, and renewed by an operator."""

from __future__ import annotations

import json

from domain.actors import Actor
from domain.lifecycle import speaks_for_reporters
from domain.needs import Need
from domain.privacy import ReadingReason
from domain.roles import must
from service.desk import Desk
from service.intake import Submitted
from service.reading import find
from service.repeats import Asked, other_body
from service.views import View
from service.words import reading
from store import links, personal


def told_with(desk: Desk, actor: Actor, taken: Submitted) -> str:
    """The answer to a submission with the code in it, for those who speak for reporters. What is kept of it has none."""
    if not speaks_for_reporters(actor):
        return taken.body
    return f'{taken.body[:-1]}, "code": "{desk.reporter_keys.code(taken.number, 0)}"}}'


async def renew(desk: Desk, actor: Actor, number: str, key: str | None) -> View:
    """Another code. The one before, every link and every session end, and that is kept. A repetition gets the same again.

    Raises DomainError: `not_found`, `not_permitted`, `outside_scope`.
    """
    demand = await find(desk, actor, number)
    must(actor, Need.RENEW_CODE, community=demand.community, owner=demand.opened_by)
    asked = Asked(desk, actor, key, f"renew the code of {number}")
    before = await asked.repetition()
    if before is None:
        async with desk.pool.acquire() as connection, connection.transaction():
            generation = await links.renew(connection, number, by=actor.id, at=desk.now())
            told = reading(desk, actor, "reporter_code", ReadingReason.IDENTITY_CHECK)
            await personal.tell(connection, told, [number])
            if not await asked.keep(connection, number, json.dumps({"generation": generation})):
                raise other_body()
    else:
        generation = json.loads(before.body)["generation"]
    return {"number": number, "code": desk.reporter_keys.code(number, generation)}
