"""Making a routing decision: which loads it counts by, and which rulings are in force.

At intake in memory, by `desk.loads` and `desk.rulings`, without a round trip. On hand-off, once located and when it is
reclassified, the tasks of the community's units are counted first, by one indexed query.
"""

from __future__ import annotations

from datetime import datetime

from domain.capacity import Account
from domain.categories import Category
from domain.commands import Place
from domain.demand import Demand
from domain.dispatch import capacity_of, route
from domain.errors import DomainError
from domain.routing import Candidate, Routing
from domain.rulings import in_force
from service.desk import Desk
from service.places import local_date
from store import unit_tasks


def route_at_intake(desk: Desk, place: Place, category: Category, now: datetime) -> Routing:
    """By what this process knows: the count of a few seconds ago and what it has taken in itself since.

    What other processes took in or ended meanwhile is missing, at most the last five seconds of each.
    """
    return _route(desk, place, category, desk.loads.units, now)


async def route_now(desk: Desk, demand: Demand, place: Place) -> Routing:
    """By all tasks that are committed at this moment, without those of the demand itself.

    Nothing is reserved: decisions under way at the same moment do not see each other, and a unit may get one more each.
    """
    units = {unit.id for unit in desk.district.units_of(place.community)}
    rows = await unit_tasks.tasks(desk.pool, units)
    account = Account.of((unit, number) for unit, number in rows if number != demand.number)
    return _route(desk, place, desk.district.category(demand.category), account, desk.now(), without=demand.past_units)


def _route(
    desk: Desk, place: Place, category: Category, account: Account, now: datetime, *, without: tuple[str, ...] = ()
) -> Routing:
    d = desk.district
    rulings = in_force(desk.rulings, now) if desk.rulings else ()
    return route(
        d, place=place, category=category, on=local_date(now, d), loads=account.loads, without=without, rulings=rulings
    )


async def hand_off(desk: Desk, demand: Demand, unit: str | None) -> Routing:
    """The decision for a hand-off; with `unit` that one is asked first, because a person says so.

    Raises DomainError: `stage_forbids` before the demand is located, `unknown_unit`.
    """
    if demand.place is None:
        raise DomainError("stage_forbids", "It must be located first.", stage=demand.stage)
    routing = await route_now(desk, demand, demand.place)
    if unit is None:
        return routing
    return _chosen(desk, routing, demand, await _load_of(desk, unit, demand), unit)


def _chosen(desk: Desk, routing: Routing, demand: Demand, load: int, unit: str) -> Routing:
    first = candidate(desk, unit, "chosen")
    capacity = capacity_of(desk.district.unit(unit), demand.category, local_date(desk.now(), desk.district))
    first = first.model_copy(update={"load": load, "capacity": capacity})
    return routing.model_copy(
        update={
            "rule": "chosen",
            "candidates": (first, *(x for x in routing.candidates if x.unit != unit)),
            "passed_over": tuple(x for x in routing.passed_over if x.unit != unit),
        }
    )


async def _load_of(desk: Desk, unit: str, demand: Demand) -> int:
    rows = await unit_tasks.tasks(desk.pool, [desk.district.unit(unit).id])
    return sum(number != demand.number for _, number in rows)


def candidate(desk: Desk, unit: str, reason: str) -> Candidate:
    """A unit named by a person. Raises DomainError `unknown_unit`."""
    return Candidate(unit=unit, liaison=desk.district.serving_unit(unit).liaison, reason=reason)
