"""Reading demands: one, its log, or a page of them, within what the caller may see."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from contracts.demand import READ
from domain import roles
from domain.actors import Actor, reporter_of
from domain.demand import Demand
from domain.errors import DomainError
from domain.lifecycle import may_see
from domain.needs import Need
from domain.outside_log import outside_actor, outside_data
from gateways.temporal.engine import NotRunning, read
from service.desk import Desk
from service.views import View, demand_view, instant
from store import queries


async def find(desk: Desk, actor: Actor, number: str, *, strong: bool = False) -> Demand:
    """The demand from its row, or with `strong` from the workflow itself (while that runs).

    Raises DomainError `not_found`, also for what the caller may not see: its existence is not given away.
    """
    demand = await _strong(desk, number) if strong else None
    if demand is None:
        row = await desk.pool.fetchval("select state from demand where number = $1", number)
        if row is not None:
            demand = Demand.model_validate_json(row)
    if demand is None or not may_see(demand, actor):
        raise DomainError("not_found", "There is no demand with this number, or it is not in your scope.")
    return demand


async def current(desk: Desk, number: str) -> Demand:
    """The demand whoever asks: for somebody who acts, because acting may take it out of that person's scope.

    Raises DomainError `not_found`.
    """
    row = await desk.pool.fetchval("select state from demand where number = $1", number)
    if row is None:
        raise DomainError("not_found", "There is no demand with this number, or it is not in your scope.")
    return Demand.model_validate_json(row)


async def visible(desk: Desk, actor: Actor, numbers: Iterable[str]) -> list[Demand]:
    """Those of the demands that lie in the caller's scope, by number."""
    asked = "select state from demand where number = any($1::text[]) order by number"
    rows = await desk.pool.fetch(asked, sorted(set(numbers)))
    found = (Demand.model_validate_json(row["state"]) for row in rows)
    return [demand for demand in found if may_see(demand, actor)]


async def seen(desk: Desk, actor: Actor, numbers: Iterable[str]) -> set[str]:
    """The numbers of those."""
    return {demand.number for demand in await visible(desk, actor, numbers)}


async def _strong(desk: Desk, number: str) -> Demand | None:
    try:
        return await read(desk.temporal, number, READ, result=Demand)
    except NotRunning:
        return None


def scoped(actor: Actor, wanted: queries.Filter) -> queries.Filter:
    """The filter, narrowed to what `may_see` says: a grant reaches its community, or its unit, or everything.

    One of a unit within one community has no list of its own: it would be wider than what that person may see."""
    grants = [g for g in actor.grants if g.role in roles.INSIDE]
    if any(g.community is None and g.unit is None for g in grants):
        return wanted
    communities = tuple(sorted({g.community for g in grants if g.community and g.unit is None}))
    units = tuple(sorted({g.unit for g in grants if g.unit and g.community is None and g.role in roles.STAFF}))
    changes: dict[str, Any] = {"communities": communities, "units": units, "person": actor.id}
    return queries.Filter(**{**wanted.__dict__, **changes})


async def listed(
    desk: Desk, actor: Actor, wanted: queries.Filter, *, order: str, after: Sequence[Any] | None, limit: int
) -> list[View]:
    """A page of views, newest or soonest due first; one more than `limit` tells that there is another page."""
    rows = await queries.demands(
        desk.engine, scoped(actor, wanted), order=order, after=list(after) if after else None, limit=limit
    )
    return [demand_view(desk, Demand.model_validate(row.state), actor) for row in rows]


async def log_of(desk: Desk, actor: Actor, number: str, *, after: int, limit: int) -> list[View]:
    """The demand's events in order, each with its hash; who reads the whole of it can check the chain."""
    demand = await find(desk, actor, number)
    rows = await queries.events(desk.engine, number, after=after, limit=limit)
    entries: list[View] = [
        {
            "seq": r.seq, "type": r.type, "at": instant(r.at), "actor": r.actor,
            "performed_at": instant(r.performed_at), "data": r.data, "hash": r.hash,
        }
        for r in rows
    ]  # fmt: skip
    if roles.holds(actor, Need.SEE_WHOLE_LOG):
        return entries
    reporters = frozenset((demand.opened_by, reporter_of(number)))
    confidential = demand.confidential and actor.id not in reporters
    own = reporters if actor.id in reporters else frozenset()
    return [
        one | {
            "actor": outside_actor(one["actor"], own),
            "data": outside_data(one["type"], one["data"], confidential=confidential),
        }
        for one in entries
    ]  # fmt: skip
