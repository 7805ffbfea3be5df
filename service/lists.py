"""The resource list 资源清单 and the demand list 需求清单 as living views, and the match between them in both directions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime

from domain import roles
from domain.actors import Actor
from domain.capacity import Account
from domain.errors import DomainError
from domain.matching import About, Match, Use, matches, use_of
from domain.needs import Need
from domain.units import Resource, Unit
from service import menu
from service.desk import Desk
from service.places import local_date
from service.reading import find, scoped
from service.views import View, instant, person_view, unit_view
from store import lists as storing
from store import unit_tasks
from store.lists import Scope, Takeable
from store.queries import Filter


async def resources(
    desk: Desk, actor: Actor, *, community: str | None, unit: str | None, category: str | None, on: date | None
) -> list[View]:
    """Every resource with what is in use of it now; valid on `on`, or all of them, with their validity, without it.

    Raises DomainError: `unknown_community`, `unknown_unit`.
    """
    d = desk.district
    serving = (unit for unit in d.units if unit.retired is None)
    units: Iterable[Unit] = serving if community is None else d.units_of(community)
    if unit is not None:
        wanted = d.unit(unit)
        units = [u for u in units if u.id == wanted.id]
    day = on or local_date(desk.now(), d)
    units = [u for u in units if u.resources]
    tasks = await _tasks_of(desk, units)
    views: list[View] = []
    for one in units:
        use = use_of(one, tasks[one.id], day)
        shown = (r for r in one.resources if _speaks_of(r, category) and (on is None or _valid(r, on)))
        views += [_resource_view(desk, one, r, use, len(tasks[one.id]), day) for r in shown]
    return views if roles.holds(actor, Need.SEE_LOADS) else [view | _NO_LOAD for view in views]


_NO_LOAD = dict.fromkeys(("in_use", "free", "unit_tasks", "unit_tasks_without_resource"))
"""How busy a unit is is not said to everybody."""


async def _tasks_of(desk: Desk, units: Iterable[Unit]) -> dict[str, list[str]]:
    """The categories of the open tasks of each unit, led or helped with."""
    rows = await unit_tasks.tasks(desk.pool, {u.id for u in units})
    categories = await storing.categories_of(desk.pool, {number for _, number in rows})
    tasks: defaultdict[str, list[str]] = defaultdict(list)
    for unit, number in rows:
        tasks[unit].append(categories[number])
    return tasks


def _speaks_of(r: Resource, category: str | None) -> bool:
    return category is None or any(category.startswith(c) or c.startswith(category) for c in r.categories)


def _valid(r: Resource, on: date) -> bool:
    return r.valid_from <= on and (r.valid_until is None or on <= r.valid_until)


def _resource_view(desk: Desk, unit: Unit, r: Resource, use: Use, tasks: int, on: date) -> View:
    return {
        **_resource(r, on), "unit": unit_view(desk, unit.id), "kind": unit.kind, "communities": unit.communities,
        "liaison": person_view(desk, unit.liaison), "in_use": use.of[r.id], "free": max(0, r.capacity - use.of[r.id]),
        "unit_tasks": tasks, "unit_tasks_without_resource": use.other,
    }  # fmt: skip


def _resource(r: Resource, on: date) -> View:
    valid = "valid" if _valid(r, on) else "not_yet" if on < r.valid_from else "expired"
    return {
        "id": r.id, "what": r.what, "categories": r.categories, "capacity": r.capacity, "validity": valid,
        "valid_from": r.valid_from.isoformat(), "valid_until": r.valid_until.isoformat() if r.valid_until else None,
    }  # fmt: skip


async def needs(
    desk: Desk, actor: Actor, *, community: str | None, grid: str | None, category: str | None
) -> list[View]:
    """Open demands of the caller's scope by category, the hottest need first."""
    scope = scoped(actor, Filter())
    mine = Scope(scope.person, scope.communities or (), scope.units)
    now = desk.now()
    found = await storing.by_need(desk.pool, mine, at=now, community=community, grid=grid, category=category)
    return [_need_view(desk, one, now) for one in found]


def _need_view(desk: Desk, n: storing.Need, now: datetime) -> View:
    overdue = None
    if n.most_overdue is not None and n.overdue_since is not None:
        days = (now - n.overdue_since).days
        overdue = {"number": n.most_overdue, "due_at": instant(n.overdue_since), "days": days}
    return {
        "category": _category(desk, n.category), "open": n.open, "breached": n.breached, "heat": n.heat,
        "oldest": {"number": n.oldest, "opened_at": instant(n.oldest_at)}, "most_overdue": overdue,
        "next_due_at": instant(n.next_due_at),
    }  # fmt: skip


def _category(desk: Desk, code: str) -> View:
    path = desk.district.directory.categories.get(code)
    if path is None:  # the tree has lost it since
        return {"code": code, "name": None, "path": []}
    return {"code": code, "name": path.name, "path": [g.name for g in desk.district.category_path(code)]}


# ---- the match


async def resources_for(desk: Desk, actor: Actor, number: str) -> View:
    """Which units' resources meet a demand, those that could take it first, each with its reasons.

    Raises DomainError: `not_found` as in `find`, `not_permitted` for residents, `stage_forbids` before it is located.
    """
    demand = await find(desk, actor, number)
    roles.must(actor, Need.SEE_ROUTING)
    place, d = demand.place, desk.district
    if place is None:
        raise DomainError("stage_forbids", "It must be located first.", stage=demand.stage)
    on = local_date(desk.now(), d)
    units = d.units_of(place.community)
    rows = await unit_tasks.tasks(desk.pool, {unit.id for unit in units})
    loads = Account.of((unit, n) for unit, n in rows if n != number).loads
    steward, provider = d.steward_of(place.grid, on), menu.provider_of(desk, demand, place.community)
    about = About(
        category=demand.category, on=on, lead=demand.unit, past=demand.past_units,
        steward=steward.id if steward else None, provider=provider.id if provider else None,
    )  # fmt: skip
    return {
        "number": number, "category": _category(desk, demand.category), "on": on.isoformat(),
        "matches": [_match_view(desk, m, on) for m in matches(units, about, loads)],
    }  # fmt: skip


def _match_view(desk: Desk, m: Match, on: date) -> View:
    return {
        "unit": unit_view(desk, m.unit.id), "kind": m.unit.kind, "liaison": person_view(desk, m.unit.liaison),
        "fits": m.fits, "reasons": m.reasons, "capacity": m.capacity, "load": m.load, "free": m.free,
        "resources": [_resource(r, on) for r in m.resources],
    }  # fmt: skip


async def demands_for(
    desk: Desk, actor: Actor, unit: str, *, after: tuple[datetime | None, str] | None, limit: int
) -> list[View]:
    """Which open demands this unit could take, what is due soonest first: of its resources that are valid today.

    Raises DomainError: `unknown_unit`, `outside_scope` for anybody but its liaison, a secretary of its communities (who
    sees those of the own community) and supervisors.
    """
    found = desk.district.unit(unit)
    on = local_date(desk.now(), desk.district)
    categories = {c for r in found.resources if _valid(r, on) for c in r.categories}
    rows = await storing.could_take(
        desk.pool, unit, communities=_reach(actor, found), categories=categories, after=after, limit=limit
    )
    return [_takeable_view(desk, row) for row in rows]


def _reach(actor: Actor, unit: Unit) -> list[str]:
    reach = [c for c in unit.communities if roles.may(actor, Need.SEE_UNIT_MATCHES, community=c, unit=unit.id)]
    if not reach:
        raise roles.refusal(actor, Need.SEE_UNIT_MATCHES)
    return reach


def _takeable_view(desk: Desk, t: Takeable) -> View:
    return {
        "number": t.number, "stage": t.stage, "category": _category(desk, t.category), "community": t.community,
        "grid": t.grid, "opened_at": instant(t.opened_at), "due_at": instant(t.due_at), "breached": t.breached,
    }  # fmt: skip
