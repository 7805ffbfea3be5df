"""Finding demands by a phone number, without any table telling it."""

from __future__ import annotations

from domain import roles
from domain.actors import Actor
from domain.demand import Demand
from domain.lifecycle import may_see
from domain.needs import Need
from service.desk import Desk
from service.phone_keeper import PhoneKeeper
from service.reporter_forms import PhoneSearch
from service.views import View, demand_view
from service.words import reading
from store import personal
from store import reporter_index as storing
from store.phone_digests import PhoneDigests
from store.pool import Connection

MOST_FOUND = 100
MOST_BEFORE_A_SEARCH = 2_000


async def keep(connection: Connection, digests: PhoneDigests, number: str, phone: str | None) -> None:
    """Within the transaction that changes the reporter."""
    await storing.keep(connection, number, digests.key_id, None if phone is None else digests.of(phone))


async def search(desk: Desk, actor: Actor, form: PhoneSearch) -> View:
    """Demands in the caller's scope whose reporter left this number, newest first. That it was looked for is kept.

    `complete` is false while older demands are still being indexed. Raises DomainError `not_permitted`.
    """
    roles.must_hold(actor, Need.SEARCH_BY_PHONE)
    complete = await PhoneKeeper(desk.pool, desk.sealer, desk.phone_digests).catch_up(MOST_BEFORE_A_SEARCH)
    numbers = await storing.found(desk.pool, desk.phone_digests.all(form.phone), MOST_FOUND)
    rows = await desk.pool.fetch(
        "select state from demand where number = any($1::text[]) order by number desc", numbers
    )
    demands = [Demand.model_validate_json(row["state"]) for row in rows]
    seen = [one for one in demands if may_see(one, actor) and _searches(actor, one)]
    told = reading(desk, actor, "phone_search", form.reason, "phone")
    await personal.tell(desk.pool, told, [one.number for one in seen] or [None])
    return {"demands": [demand_view(desk, one, actor) for one in seen], "complete": complete}


def _searches(actor: Actor, demand: Demand) -> bool:
    return roles.may(actor, Need.SEARCH_BY_PHONE, community=demand.community)
