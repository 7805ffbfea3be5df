"""Clocks across demands: which promise is about to break, who holds it, what its ladder does next."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from domain import roles
from domain.actors import Actor
from domain.clocks import ahead, late_by, measure
from domain.demand import Demand
from domain.ladder import is_promised
from domain.needs import Need
from domain.rungs import told
from domain.tasks import CO_DUE, CO_WINDOW, budget_name, unit_of
from domain.vocabulary import ClockName
from domain.worktime import Calendar, add_working
from service.clock_answers import BELLS, RESIDENTS_SEE, iso_duration
from service.desk import Desk
from service.reading import scoped
from service.views import View, instant, person_view, unit_view
from store import calendars, clock_queries
from store.clock_queries import OWED, STATES, ClockFilter, Key, Ticking
from store.queries import Filter

ZERO = timedelta(0)
EVERY = (*ClockName, CO_DUE, CO_WINDOW)


@dataclass(frozen=True)
class Wanted:
    """What a caller asks for; `within` is in working hours. No `kinds` means every clock that somebody owes.

    `once` takes of each demand the one clock that worries most. Without `kinds` no open demand is missing then: where nobody
    owes anything just now (a resident is being called back), it is the clock that is waited for.
    """

    state: clock_queries.State | Literal["all"] = "all"
    kinds: tuple[str, ...] = ()
    within: float = 2.0
    sla_class: str | None = None
    once: bool = False
    demands: Filter = field(default_factory=Filter)


async def listed(desk: Desk, actor: Actor, wanted: Wanted, *, after: Key | None, limit: int) -> list[tuple[View, Key]]:
    """A page of clocks in the caller's scope with the key of each, soonest due first and paused ones last."""
    return [(view, key) for view, _, key in await found(desk, actor, wanted, after=after, limit=limit)]


async def found(
    desk: Desk, actor: Actor, wanted: Wanted, *, after: Key | None, limit: int
) -> list[tuple[View, Demand, Key]]:
    """The same, each with its demand."""
    now = desk.now()
    chosen = _chosen(desk, actor, wanted, now)
    rows = await clock_queries.clocks(desk.engine, chosen, after=after, limit=limit)
    demands = [Demand.model_validate(row.state) for row in rows]
    known = await calendars_of(desk, {d.terms.calendar for d in demands})
    inside = not _only_resident(actor)
    views = [
        # The clocks of two machines differ a little: what has happened is never ahead of the answer.
        _view(desk, row, d, known.get(d.terms.calendar, desk.calendar), max(now, row.updated_at), chosen.soon, inside)
        for row, d in zip(rows, demands, strict=True)
    ]
    return list(zip(views, demands, (row.key for row in rows), strict=True))


async def summary(desk: Desk, actor: Actor, wanted: Wanted) -> View:
    """How many clocks in the caller's scope are in each state, in all and by kind: as many as `listed` has rows."""
    now = desk.now()
    chosen = _chosen(desk, actor, wanted, now)
    counted = await clock_queries.counts(desk.engine, chosen)
    by_kind = {kind: counted.get(kind, dict.fromkeys(STATES, 0)) for kind in chosen.kinds}
    totals: View = {state: sum(of_kind[state] for of_kind in by_kind.values()) for state in STATES}
    return {**totals, "as_of": instant(now), "due_soon_until": instant(chosen.soon), "clocks": by_kind}


def _chosen(desk: Desk, actor: Actor, wanted: Wanted, now: datetime) -> ClockFilter:
    kinds: Iterable[str] = wanted.kinds or (EVERY if wanted.once else OWED)
    if _only_resident(actor):
        kinds = (kind for kind in kinds if kind in RESIDENTS_SEE)
    return ClockFilter(
        state=wanted.state, kinds=tuple(dict.fromkeys(kinds)),
        soon=add_working(desk.calendar, now, timedelta(hours=wanted.within)),
        demands=scoped(actor, wanted.demands), sla_class=wanted.sla_class, once=wanted.once,
    )  # fmt: skip


def _only_resident(actor: Actor) -> bool:
    return not roles.holds(actor, Need.SEE_INSIDE)


async def calendars_of(desk: Desk, versions: set[str]) -> dict[str, Calendar]:
    """The calendars that demands were promised under; nearly always the one in force."""
    found = {desk.calendar.version: desk.calendar}
    for version in versions - found.keys():
        calendar = await calendars.load(desk.pool, version)
        if calendar is not None:
            found[version] = calendar
    return found


def _view(desk: Desk, row: Ticking, d: Demand, calendar: Calendar, now: datetime, soon: datetime, inside: bool) -> View:
    """One clock with its demand. Durations are in the clock's own time."""
    c, name = row.clock, row.clock.name
    clock, budget = d.clocks[name], d.terms.budget_of(name)
    remaining = None if c.due_at is None else max(measure(calendar, budget, now, c.due_at), ZERO)
    return {
        "number": c.number,
        "clock": name,
        "state": _state(row, soon),
        "due_at": instant(c.due_at),
        "started_at": instant(c.started_at),
        "paused_at": instant(c.paused_at),
        "breached": c.breached,
        "breached_by": iso_duration(late_by(calendar, clock, budget, now)) if c.breached else None,
        "remaining": None if remaining is None else iso_duration(remaining),
        "warned": c.warned,
        "provisional": c.provisional,
        "told_next": _told_next(d, calendar, name, inside),
        "co_unit": unit_view(desk, unit_of(name)),
        **_of_demand(desk, d),
    }


def _of_demand(desk: Desk, d: Demand) -> dict[str, Any]:
    place, category = d.place, desk.district.category(d.category)
    return {
        "stage": d.stage,
        "community": place.community if place else None,
        "grid": place.grid if place else None,
        "unit": unit_view(desk, d.unit),
        "category": {"code": d.category, "name": category.name},
        "sla_class": d.terms.sla_class,
        "holder": person_view(desk, d.holder),
    }


def _state(row: Ticking, soon: datetime) -> clock_queries.State:
    if row.clock.due_at is None:
        return "paused"
    if row.clock.breached:
        return "breached"
    return "due_soon" if row.clock.due_at <= soon else "running"


def _told_next(d: Demand, calendar: Calendar, name: str, inside: bool) -> View | None:
    """The next step of the ladder, or the bell of a clock that only waits; who hears of it is for the district."""
    following = ahead(d, calendar, name)
    if not following:
        return None
    alarm, tells = following[0], inside and is_promised(name) and bool(d.terms.ladder)
    return {
        "at": instant(alarm.at),
        "step": alarm.step.key,
        "do": alarm.step.do if is_promised(name) else BELLS[budget_name(name)],
        "tell": list(told(d, alarm.step.tell, name)) if tells else [],
    }
