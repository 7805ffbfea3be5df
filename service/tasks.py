"""A grid worker's tasks: what one person owes the next step of, with the clock that presses most, what it says and where."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.actors import Actor
from domain.clocks import late_by, measure
from domain.demand import Demand
from domain.geometry import Position
from domain.lifecycle import may_see, permitted
from domain.masking import strike
from domain.privacy import Field, ReadingReason, Sight, sight, text_sight
from domain.similarity import building_named
from domain.vocabulary import ClockName, Role, Stage
from domain.worktime import Calendar, add_working
from service.clock_list import calendars_of
from service.desk import Desk
from service.words import reading
from store import personal
from store import tasks as storing

MOST = 200
SOON = timedelta(hours=2)
"""Of working time: what is due within it is due soon."""

A_YEAR = timedelta(days=366)
LOOKED_AT = 60

Kind = Literal["accept", "work", "contact", "visit", "unit", "other"]
"""待签收 · 办理中 · 单位在办而尚未联系群众 · 回访上门 · 单位在办 · 其他."""
LampState = Literal["breached", "due_soon", "running", "paused"]

_PRESSING = (
    ClockName.LOCATE, ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.DECIDE, ClockName.APPROVE,
    ClockName.FOLLOW_UP, ClockName.CALL_BACK,
)  # fmt: skip


@dataclass(frozen=True)
class Lamp:
    """One clock as it stands: `span` is what is left of it, or how late it is, in the clock's own time."""

    clock: ClockName
    state: LampState
    due_at: datetime | None
    span: timedelta


@dataclass(frozen=True)
class Task:
    """`words` is None where the person may not read them; `point` only where a place is known."""

    demand: Demand
    kind: Kind
    lamp: Lamp | None
    words: str | None
    building: str | None
    point: Position | None
    exact: bool
    permitted: tuple[str, ...]

    @property
    def number(self) -> str:
        return self.demand.number

    @property
    def late(self) -> bool:
        return self.lamp is not None and self.lamp.state == "breached"

    @property
    def soon(self) -> bool:
        return self.lamp is not None and self.lamp.state == "due_soon"


@dataclass(frozen=True)
class Door:
    """Where it is, as far as the person may know it; `exact` tells a reported point from the middle of a compound."""

    building: str | None = None
    room: str | None = None
    point: Position | None = None
    exact: bool = False


async def tasks_of(desk: Desk, actor: Actor) -> list[Task]:
    """All that the person owes, soonest due first; then what only waits for others."""
    now = desk.now()
    communities = sorted({g.community for g in actor.grants if g.role is Role.GRID_WORKER and g.community})
    rows = await storing.owed(desk.pool, actor.id, communities, limit=MOST)
    demands = [Demand.model_validate_json(row.state) for row in rows]
    latest = max((now, *(row.updated_at for row in rows)))
    known = await calendars_of(desk, {d.terms.calendar for d in demands})
    soon = add_working(desk.calendar, now, SOON)
    words, doors = await shown(desk, actor, demands)
    tasks = [
        Task(
            demand=d,
            kind=kind_of(d, actor),
            lamp=pressing(d, actor, known.get(d.terms.calendar, desk.calendar), latest, soon),
            words=words.get(d.number),
            building=doors[d.number].building,
            point=doors[d.number].point,
            exact=doors[d.number].exact,
            permitted=permitted(d, actor),
        )
        for d in demands
    ]
    return sorted(tasks, key=_in_order)


def _in_order(task: Task) -> tuple[int, float, str]:
    """What is owed by its due instant, then what stands still, then what only waits for others."""
    if task.kind == "unit":
        return 2, 0.0, task.number
    if task.lamp is None or task.lamp.due_at is None:
        return 1, 0.0, task.number
    return 0, task.lamp.due_at.timestamp(), task.number


def kind_of(d: Demand, actor: Actor) -> Kind:
    if d.stage is Stage.FEEDBACK:
        return "visit"
    if d.stage is Stage.GRID:
        return "work" if d.accepted else "accept"
    if d.stage is Stage.UNIT and d.worker == actor.id and d.holder != actor.id:
        contact = d.clocks.get(ClockName.CONTACT)
        return "contact" if contact is not None and contact.stopped_at is None else "unit"
    return "other"


def pressing(d: Demand, actor: Actor, calendar: Calendar, now: datetime, soon: datetime) -> Lamp | None:
    """Of the clocks that this person owes, the one that is due first; without one, one that stands still."""
    owed: Iterable[ClockName] = (ClockName.CONTACT,) if kind_of(d, actor) == "contact" else _PRESSING
    found = [lamp_of(d, name, calendar, now, soon) for name in owed if name in d.clocks]
    lamps = [lamp for lamp in found if lamp is not None]
    running = [lamp for lamp in lamps if lamp.due_at is not None]
    if running:
        return min(running, key=lambda lamp: lamp.due_at or now)
    return next((lamp for lamp in lamps if lamp.clock is ClockName.RESOLVE), lamps[0] if lamps else None)


def lamp_of(d: Demand, name: ClockName, calendar: Calendar, now: datetime, soon: datetime) -> Lamp | None:
    """None for a clock that has stopped."""
    clock, budget = d.clocks[name], d.terms.budget_of(name)
    if clock.stopped_at is not None:
        return None
    if clock.paused_at is not None:
        return Lamp(name, "paused", None, measure(calendar, budget, clock.paused_at, clock.due_at))
    if now >= clock.due_at:
        return Lamp(name, "breached", clock.due_at, late_by(calendar, clock, budget, now))
    state: LampState = "due_soon" if clock.due_at <= soon else "running"
    return Lamp(name, state, clock.due_at, measure(calendar, budget, now, clock.due_at))


# ---- words and doors


async def shown(desk: Desk, actor: Actor, demands: Sequence[Demand]) -> tuple[dict[str, str], dict[str, Door]]:
    """What each says and where it is, as far as this person may know; that it was shown is kept."""
    numbers = [d.number for d in demands]
    sealed_words = await storing.first_words(desk.pool, numbers)
    people = await _people(desk, numbers)
    words: dict[str, str] = {}
    for d in demands:
        author, sealed = sealed_words.get(d.number, ("", b""))
        much = text_sight(d, actor, "demand", author) if sealed else Sight.NONE
        if much > Sight.NONE:
            text = desk.sealer.open(sealed, d.number)
            words[d.number] = text if much is Sight.FULL else strike(text, people.get(d.number, {}))
    doors = {d.number: door_of(desk, actor, d, people.get(d.number, {})) for d in demands}
    if words:
        told = reading(desk, actor, "texts", ReadingReason.HANDLING, "demand")
        await personal.tell_once_an_hour(desk.pool, told, list(words))
    opened = [number for number, door in doors.items() if door.exact]
    if opened:
        told = reading(desk, actor, "reporter", ReadingReason.HANDLING, Field.POINT)
        await personal.tell_once_an_hour(desk.pool, told, opened)
    return words, doors


async def _people(desk: Desk, numbers: Sequence[str]) -> dict[str, dict[str, Any]]:
    sealed = await storing.reporters(desk.pool, numbers)
    return {number: json.loads(desk.sealer.open(one, number)) for number, one in sealed.items()}


def door_of(desk: Desk, actor: Actor, d: Demand, person: Mapping[str, Any]) -> Door:
    """The reported point for whoever may have it opened, else the middle of the compound; no more of the door than that."""
    building = person.get("building") if sight(d, actor, Field.BUILDING) > Sight.NONE else None
    lon, lat = person.get("lon"), person.get("lat")
    if lon is not None and lat is not None and sight(d, actor, Field.POINT) is Sight.FULL:
        return Door(building=building, point=(float(lon), float(lat)), exact=True)
    known = desk.district.directory.compounds
    compound = known.get(d.place.compound) if d.place and d.place.compound else None
    return Door(building=building, point=None if compound is None else (compound.lon, compound.lat))


# ---- about one task


async def door(desk: Desk, actor: Actor, d: Demand) -> Door:
    """Where one demand is; that a reported point was shown is kept."""
    _, doors = await shown(desk, actor, [d])
    return doors[d.number]


async def history(desk: Desk, actor: Actor, d: Demand, *, limit: int = 5) -> list[tuple[Demand, str | None]]:
    """The newest other demands at the same address with what each says: of the same building where one is known, else of
    the compound. Only what the person may see."""
    if d.place is None or d.place.compound is None:
        return []
    states = await storing.at_compound(
        desk.pool, d.place.compound, but=d.number, since=desk.now() - A_YEAR, limit=LOOKED_AT
    )
    others = [one for one in map(Demand.model_validate_json, states) if may_see(one, actor)]
    people = await _people(desk, [d.number, *(one.number for one in others)])
    building = _building(people.get(d.number, {}), d, actor)
    if building is not None:
        others = [one for one in others if _building(people.get(one.number, {}), one, actor) == building]
    newest = others[:limit]
    words, _ = await shown(desk, actor, newest)
    return [(one, words.get(one.number)) for one in newest]


def _building(person: Mapping[str, Any], d: Demand, actor: Actor) -> str | None:
    named = person.get("building")
    return building_named(str(named)) if named and sight(d, actor, Field.BUILDING) > Sight.NONE else None


async def usual_categories(desk: Desk, grids: Sequence[str], *, limit: int = 6) -> list[str]:
    """The leaves most often reported in these grids within the last quarter."""
    found = await storing.usual_categories(
        desk.pool, grids, since=desk.now() - timedelta(days=92), limit=limit
    )  # fmt: skip
    return [code for code in found if code in desk.district.directory.categories]


def grids_of(desk: Desk, actor: Actor) -> list[str]:
    """The grids where the person is the duty worker or stands in, those of the own grants first."""
    granted = [g.grid for g in actor.grants if g.role is Role.GRID_WORKER and g.grid]
    served = [g.id for g in desk.district.grids if g.duty_worker == actor.id]
    return list(dict.fromkeys([*granted, *served]))
