"""A unit's desk: what it is offered, what it handles, what it helps others with — each with the clock that presses the unit."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from domain.actors import Actor
from domain.demand import Demand
from domain.lifecycle import permitted
from domain.tasks import CoTask, co_clocks
from domain.units import Unit
from domain.vocabulary import ClockName, Role, Stage
from domain.worktime import add_working
from service.clock_list import calendars_of
from service.desk import Desk
from service.first_lines import first_lines
from service.reading import visible
from service.tasks import SOON, Lamp, lamp_of
from store import unit_tasks

Part = Literal["lead", "co"]


@dataclass(frozen=True)
class UnitTask:
    """`offered` while the unit may still refuse; `others` are the units on the same demand; `line` is None where hidden."""

    demand: Demand
    part: Part
    offered: bool
    lamp: Lamp | None
    line: str | None
    permitted: tuple[str, ...]
    others: tuple[CoTask, ...]
    waits_for: tuple[str, ...]
    """Required co-units that the lead waits for."""

    @property
    def number(self) -> str:
        return self.demand.number


def units_of(desk: Desk, actor: Actor) -> list[Unit]:
    """The units that this person speaks for, in the order of the grants."""
    ids = dict.fromkeys(g.unit for g in actor.grants if g.role is Role.UNIT_LIAISON and g.unit)
    return [desk.district.unit(id) for id in ids]


async def tasks_of(desk: Desk, actor: Actor, unit: str) -> list[UnitTask]:
    """The open tasks of one unit, due first; those that stand still come last."""
    now = desk.now()
    numbers = [number for _, number in await unit_tasks.tasks(desk.pool, {unit})]
    demands = await visible(desk, actor, numbers)
    lines = await first_lines(desk, actor, demands)
    known = await calendars_of(desk, {d.terms.calendar for d in demands})
    soon = add_working(desk.calendar, now, SOON)
    found = []
    for d in demands:
        calendar = known.get(d.terms.calendar, desk.calendar)
        lamps = [lamp_of(d, name, calendar, now, soon) for name in _clocks(d, unit) if name in d.clocks]
        found.append(
            _task(d, actor, unit, next((lamp for lamp in lamps if lamp is not None), None), lines.get(d.number))
        )
    return sorted(found, key=lambda task: (not task.offered, _due(task), task.number))


def _clocks(d: Demand, unit: str) -> tuple[ClockName, ...]:
    """The window while it is open, then the unit's own due."""
    if _leads(d, unit):
        return ClockName.REFUSAL_WINDOW, ClockName.UNIT_DUE, ClockName.RESOLVE
    return co_clocks(unit)  # type: ignore[return-value]  # keys of clocks are names or texts (domain/tasks.py)


def _leads(d: Demand, unit: str) -> bool:
    return d.stage is Stage.UNIT and d.unit == unit


def _task(d: Demand, actor: Actor, unit: str, lamp: Lamp | None, line: str | None) -> UnitTask:
    lead = _leads(d, unit)
    own = next((t for t in d.co_tasks if t.unit == unit), None)
    offered = (lead and not d.lead_bound) or (not lead and own is not None and own.state == "offered")
    return UnitTask(
        demand=d, part="lead" if lead else "co", offered=offered, lamp=lamp, line=line, permitted=permitted(d, actor),
        others=tuple(t for t in d.co_tasks if t.unit != unit),
        waits_for=tuple(t.unit for t in d.co_tasks if lead and t.required and t.open),
    )  # fmt: skip


def _due(task: UnitTask) -> datetime:
    return (task.lamp.due_at if task.lamp else None) or datetime.max.replace(tzinfo=UTC)
