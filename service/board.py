"""The supervisor's board: demands in the order of worry, each with the clock that worries most; and how many there are.

What a row says comes from the demand's own state. A list and its count are asked with the same `Wanted` (open demands, by
their clocks) or the same `Filter` (opened or closed on a day).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.actors import Actor
from domain.clocks import late_by, measure, used
from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.ladder import is_promised
from domain.lifecycle import check, permitted
from domain.tasks import ClockKey, unit_of
from domain.vocabulary import ClockName, Role
from domain.worktime import Calendar, add_working
from service import clock_list
from service.clock_answers import iso_duration
from service.clock_list import Wanted, calendars_of
from service.desk import Desk
from service.first_lines import first_lines
from service.places import local_date
from service.reading import scoped
from service.views import View, instant, person_view, unit_view
from store import queries
from store.clock_queries import Key
from store.queries import Filter

IN_BULK = ("urge", "reassign", "extend", "decide_extension")
ZERO = timedelta(0)


async def open_rows(
    desk: Desk, actor: Actor, wanted: Wanted, *, after: Key | None, limit: int
) -> list[tuple[View, Key]]:
    """Open demands by the clock of each that worries most, soonest due first and paused ones last; each with its key."""
    found = await clock_list.found(desk, actor, replace(wanted, once=True), after=after, limit=limit)
    demands = [demand for _, demand, _ in found]
    lines = await first_lines(desk, actor, demands)
    known = await calendars_of(desk, {d.terms.calendar for d in demands})
    return [
        (
            row(desk, actor, d, lines.get(d.number)) | _lamp(desk, view, d, known.get(d.terms.calendar, desk.calendar)),
            key,
        )
        for view, d, key in found
    ]


async def open_count(desk: Desk, actor: Actor, wanted: Wanted) -> View:
    """How many rows `open_rows` has in each state; `all` of them together."""
    counted = await clock_list.summary(desk, actor, replace(wanted, once=True))
    return {**counted, "all": counted["running"] + counted["breached"] + counted["paused"]}


async def day_rows(desk: Desk, actor: Actor, wanted: Filter, *, after: str | None, limit: int) -> list[View]:
    """Demands of a day, newest first, whatever stage they are in."""
    found = await queries.demands(
        desk.engine, scoped(actor, wanted), order="opened", after=[after] if after else None, limit=limit
    )
    demands = [Demand.model_validate(one.state) for one in found]
    lines = await first_lines(desk, actor, demands)
    known = await calendars_of(desk, {d.terms.calendar for d in demands})
    soon = add_working(desk.calendar, desk.now(), timedelta(hours=2))
    return [
        row(desk, actor, d, lines.get(d.number))
        | _stands(d, known.get(d.terms.calendar, desk.calendar), desk.now(), soon)
        for d in demands
    ]


async def day_count(desk: Desk, actor: Actor, wanted: Filter) -> int:
    """How many rows `day_rows` has in all its pages."""
    return await queries.count(desk.engine, scoped(actor, wanted))


def today(desk: Desk) -> tuple[datetime, datetime]:
    """The first instant of the local day and of the next one."""
    zone, day = ZoneInfo(desk.district.timezone), local_date(desk.now(), desk.district)
    return datetime.combine(day, time(), zone), datetime.combine(day + timedelta(days=1), time(), zone)


def row(desk: Desk, actor: Actor, d: Demand, line: str | None) -> View:
    """What a list says of a demand beside its clock. `heat` counts reporters; `refused` says of what bulk could send by
    which code the rules refuse it to this caller."""
    place, directory = d.place, desk.district.directory
    category = directory.categories.get(d.category)
    return {
        "number": d.number, "line": line, "stage": d.stage, "outcome": d.outcome, "paused": d.info_reason,
        "category": {"code": d.category, "name": getattr(category, "name", d.category),
                     "name_en": getattr(category, "name_en", d.category)},
        "sla_class": d.terms.sla_class, "community": _named(directory.communities, place.community if place else None),
        "grid": _named(directory.grids, place.grid if place else None),
        "compound": _named(directory.compounds, place.compound if place else None),
        "unit": unit_view(desk, d.unit), "holder": person_view(desk, d.holder), "accepted": d.accepted,
        "heat": 1 + len(d.followers), "redos": d.redos, "confidential": d.confidential,
        "opened_at": instant(d.opened_at), "closed_at": instant(d.closed_at), "primary": d.primary,
        "extension_asked": d.extension_asked, "permitted": list(permitted(d, actor)), "refused": _refused(d, actor),
    }  # fmt: skip


def _refused(d: Demand, actor: Actor) -> dict[str, str]:
    codes: dict[str, str] = {}
    for command in IN_BULK:
        try:
            check(d, command, actor)
        except DomainError as refused:
            codes[command] = refused.code
    return codes


def people_named(desk: Desk, people: Iterable[str]) -> list[str]:
    views = (person_view(desk, person) for person in people)
    return [str(view["name"]) for view in views if view and view["name"]]


def _named(known: Any, id: str | None) -> View | None:
    if id is None:
        return None
    found = known.get(id)
    return {"id": id, "name": getattr(found, "name", id), "name_en": getattr(found, "name_en", None)}


# ---- the lamp


def _lamp(desk: Desk, clock: View, d: Demand, calendar: Calendar) -> View:
    """Of a row of `clock_list`: its state, the span that it speaks of, and what is told next."""
    span = clock["breached_by"] if clock["state"] == "breached" else clock["remaining"]
    if clock["state"] == "paused":
        at = d.clocks[clock["clock"]].paused_at
        assert at is not None
        span = iso_duration(standing(d, clock["clock"], calendar, at, at)[1])
    return {
        "clock": clock["clock"], "state": clock["state"], "span": span, "due_at": clock["due_at"],
        "co_unit": clock["co_unit"], "told_next": clock["told_next"], "provisional": clock["provisional"],
        "told_names": people_named(desk, clock["told_next"]["tell"]) if clock["told_next"] else [],
    }  # fmt: skip


def _stands(d: Demand, calendar: Calendar, now: datetime, soon: datetime) -> View:
    """The same of any demand, from its own clocks: of a closed one how the promise of the solution was kept."""
    worst = _worst((name, c) for name, c in d.clocks.items() if is_promised(name) and c.stopped_at is None)
    name = worst or (ClockName.RESOLVE if ClockName.RESOLVE in d.clocks else None)
    if name is None:
        return {"clock": None, "state": None, "span": None, "due_at": None, "co_unit": None, "told_next": None,
                "provisional": False}  # fmt: skip
    state, span = standing(d, name, calendar, now, soon)
    due = None if d.clocks[name].paused_at else instant(d.clocks[name].due_at)
    return {
        "clock": str(name), "state": state, "span": iso_duration(span), "due_at": due, "co_unit": None,
        "told_next": None, "provisional": d.clocks[name].provisional,
    }  # fmt: skip


def standing(
    d: Demand, name: ClockKey, calendar: Calendar, now: datetime, soon: datetime
) -> tuple[str, timedelta]:  # fmt: skip
    """running, due_soon, breached, paused (with what is left or late), kept (with what it took), failed (late by)."""
    clock, budget = d.clocks[name], d.terms.budget_of(name)
    late = late_by(calendar, clock, budget, now)
    if clock.stopped_at is not None:
        return ("failed", late) if clock.breached else ("kept", used(calendar, clock, budget, now))
    if clock.paused_at is not None:
        return "paused", max(measure(calendar, budget, clock.paused_at, clock.due_at), ZERO)
    if clock.breached or clock.due_at <= now:
        return "breached", late
    left = max(measure(calendar, budget, now, clock.due_at), ZERO)
    return ("due_soon" if clock.due_at <= soon else "running"), left


def _worst(clocks: Iterable[tuple[ClockKey, Clock]]) -> ClockKey | None:
    ranked = sorted(clocks, key=lambda one: (one[1].paused_at is not None, not one[1].breached, one[1].due_at, one[0]))
    return ranked[0][0] if ranked else None


# ---- what filters and forms offer


def people_by_community(desk: Desk, communities: Sequence[str]) -> dict[str, list[View]]:
    """The grid workers of each: to whom a demand there may be given."""
    return {
        community: [
            {"id": p.id, "name": p.name}
            for p in desk.district.directory.holders.get((Role.GRID_WORKER, community), ())
        ]
        for community in communities
    }  # fmt: skip


def worst_clock(d: Demand) -> str | None:
    """Of those that somebody owes and that have not ended, or else that only wait for an hour; what is paused counts
    before all others."""
    going = [(name, c) for name, c in d.clocks.items() if c.stopped_at is None]
    clocks = [(name, c) for name, c in going if is_promised(name)] or going
    paused = [(name, c) for name, c in clocks if c.paused_at is not None]
    worst = _worst(paused if d.info_reason and paused else clocks)
    return None if worst is None else str(worst)


async def lamps(desk: Desk, d: Demand) -> dict[str, tuple[str, str]]:
    """Of each clock how it stands and the span that tells it, ISO 8601: see `standing`."""
    calendar = (await calendars_of(desk, {d.terms.calendar})).get(d.terms.calendar, desk.calendar)
    soon = add_working(desk.calendar, desk.now(), timedelta(hours=2))
    stand = {str(name): standing(d, name, calendar, desk.now(), soon) for name in d.clocks}
    return {name: (state, iso_duration(span)) for name, (state, span) in stand.items()}


def unit_of_clock(desk: Desk, name: str) -> View | None:
    """The co-unit whose clock it is."""
    return unit_view(desk, unit_of(name))
