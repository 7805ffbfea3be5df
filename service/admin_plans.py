"""What each change of the district puts in the place of what, and which open demands it concerns.

Nothing here changes a demand: who leads one goes on with it, whatever is settled for those to come.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from domain.errors import DomainError
from domain.policies import Rotation
from domain.rotation import Roster, roster_of
from domain.rotation_changes import Entry, Skip, Swap
from domain.rotation_order import Periods
from domain.rulings import in_force as rulings_in_force
from domain.units import Resource, Retirement, Unit
from service.admin_forms import RosterForm
from service.admin_versions import Version, digest
from service.desk import Desk
from service.places import local_date
from service.publish_carry import Plan
from service.publish_district import Leave, Turn, Turns
from service.publish_in_force import InForce
from service.rotation_views import moves
from service.views import View, unit_view
from store import concerned, rosters

ONE_DAY = timedelta(days=1)
ROSTERS_AHEAD = timedelta(days=3 * 366)


def plan(
    standing: InForce, before: Version, after: BaseModel, at: datetime | None, impact: View, told: View | None = None
) -> Plan:
    """Raises DomainError `already_published` for what stands like this already."""
    body = after.model_dump_json(by_alias=True)
    if before.body is not None and digest(before.body) == digest(body):
        raise DomainError("already_published", "It stands like this already; nothing would change.")
    return Plan(
        kind=before.kind, key=before.key, version=digest(body), body=body, as_of=standing.as_of, impact=impact,
        before=before.body, effective_at=at, told=told or {},
    )  # fmt: skip


# ---- units


def unit_of(version: Version) -> Unit | None:
    return None if version.body is None else Unit.model_validate_json(version.body)


def serving(version: Version) -> Unit:
    """Raises DomainError `not_found`, `unit_retired`."""
    unit = unit_of(version)
    if unit is None:
        raise DomainError("not_found", "There is no unit with this id.")
    if unit.retired is not None:
        rule = "The unit is retired. PUT the whole unit to bring it back."
        raise DomainError("unit_retired", rule, reason=unit.retired.reason, on=unit.retired.on.isoformat())
    return unit


def with_resource(unit: Unit, resource: Resource) -> Unit:
    """The unit with this resource in the place of the one with the same id, or added."""
    if all(one.id != resource.id for one in unit.resources):
        return unit.model_copy(update={"resources": (*unit.resources, resource)})
    changed = tuple(resource if one.id == resource.id else one for one in unit.resources)
    return unit.model_copy(update={"resources": changed})


def retired(unit: Unit, reason: str, hand_over_to: str | None, on: date) -> Unit:
    return unit.model_copy(update={"retired": Retirement(on=on, reason=reason, hand_over_to=hand_over_to)})


async def tasks_of(desk: Desk, unit: str) -> View:
    """The open demands that it leads, and others that it helps with; the first of them by number."""
    found = await concerned.of_unit(desk.pool, unit)
    numbers = (*found.leads, *found.helps)[: concerned.EXAMPLES]
    return {"leads": len(found.leads), "helps": len(found.helps), "numbers": list(numbers)}


def capacity(unit: Unit | None, on: date) -> int:
    """All tasks at a time that the resources which are valid on that day allow."""
    if unit is None or unit.retired is not None:
        return 0
    valid = (r for r in unit.resources if r.valid_from <= on and (r.valid_until is None or on <= r.valid_until))
    return sum(resource.capacity for resource in valid)


def rulings_naming(desk: Desk, unit: str, at: datetime) -> list[str]:
    """Standing decisions that send demands to the unit; they pass a retired one over."""
    return [ruling.id for ruling in rulings_in_force(desk.rulings, at) if ruling.unit == unit]


# ---- stewardships


def stewarded(before: Turns | None, new: Turn, today: date) -> Turns:
    """From its first day on the new one stands alone: what was settled for that time falls away.

    Raises DomainError `days_over` when days that have passed would have another steward than they had.
    """
    known = () if before is None else before.turns
    kept = [_until(turn, new.starts_on - ONE_DAY) for turn in known if turn.starts_on < new.starts_on]
    after = Turns(turns=(*kept, new))
    if _past(after.turns, today) != _past(known, today):
        rule = "Days that have passed keep their steward. Begin today or later, or only change until when it lasts."
        raise DomainError("days_over", rule, today=today.isoformat())
    return after


def _until(turn: Turn, last: date) -> Turn:
    return turn if turn.ends_on is not None and turn.ends_on <= last else turn.model_copy(update={"ends_on": last})


def _past(turns: tuple[Turn, ...], today: date) -> list[tuple[str, date, date]]:
    ended = (_until(turn, today - ONE_DAY) for turn in turns if turn.starts_on < today)
    return [(turn.unit, turn.starts_on, turn.ends_on) for turn in ended if turn.ends_on is not None]


async def grid_impact(desk: Desk, grid: str, before: Turns | None, after: Turns, today: date) -> View:
    """`led_by_stewards` are open demands of the grid that one of its stewards leads: they stay where they are."""
    turns = () if before is None else before.turns
    units = sorted({turn.unit for turn in turns})
    still_open, led = await concerned.in_grid(desk.pool, desk.district.grid(grid).community, grid, units)
    fallen = [turn for turn in turns if all(turn.starts_on != kept.starts_on for kept in after.turns)]
    return {
        "open_demands": still_open, "led_by_stewards": led,
        "steward_today": {"before": _steward(desk, turns, today), "after": _steward(desk, after.turns, today)},
        "fall_away": [turn.model_dump(mode="json", by_alias=True) for turn in fallen],
    }  # fmt: skip


def _steward(desk: Desk, turns: tuple[Turn, ...], on: date) -> View | None:
    return unit_view(desk, next((turn.unit for turn in turns if turn.covers(on)), None))


# ---- rosters


def begins(before: Rotation, form: RosterForm, now: datetime, zone: ZoneInfo) -> datetime:
    """The midnight at which the new roster begins: the first of a period of the one before.

    Raises DomainError `turn_over` for a period that has begun, `validation_failed` for any other day.
    """
    periods, today = Periods.of(before), now.astimezone(zone).date()
    first = periods.first_day(periods.number(form.starts_on))
    following = periods.first_day(periods.number(max(today, before.starts_on)) + 1)
    facts = {"field": "/starts_on", "next_period": following.isoformat()}
    if form.starts_on <= today:
        rule = "That period has begun. Begin with the next one; enter a substitute or an override for this one."
        raise DomainError("turn_over", rule, **facts)
    if form.starts_on > today + ROSTERS_AHEAD:
        raise DomainError("validation_failed", "That is more than three years away.", **facts)
    if form.starts_on != first:
        rule = "A roster changes where a period of the one before ends. Begin on the first day of a period."
        raise DomainError("validation_failed", rule, **facts)
    return datetime.combine(form.starts_on, time(), zone)


async def roster_impact(desk: Desk, before: Rotation, after: Rotation) -> View:
    """Who chairs instead of whom in the year after the change, and which entries of the register lose their effect."""
    entries = (await rosters.entries(desk.pool, before.community)).get(before.community, ())
    bench = roster_of(desk.district, before.community).bench
    old, new = (Roster(rotation, bench, entries) for rotation in (before, after))
    first = after.starts_on
    void = [entry.id for entry in entries if entry.id in new.void and _speaks_of(entry, first)]
    return {
        "open_items": await concerned.on_agenda(desk.pool, before.community), "void_changes": void,
        "moves": moves(desk, old, new, first, first + timedelta(days=366)),
    }  # fmt: skip


def _speaks_of(entry: Entry, first: date) -> bool:
    """Whether it is about the time from that day on."""
    change = entry.change
    days = (change.period,) if isinstance(change, Skip) else ()
    return max((change.period, change.with_period) if isinstance(change, Swap) else days, default=date.min) >= first


# ---- leave


async def leave_impact(desk: Desk, person: str, leave: Leave, now: datetime) -> View:
    """Demands that the person holds now, and who is on duty in whose grids on the first day of each absence to come."""
    today = local_date(now, desk.district)
    people = tuple(p.model_copy(update={"leave": leave.leave}) if p.id == person else p for p in desk.district.people)
    after = desk.district.model_copy(update={"people": people})
    after.__dict__.pop("directory", None)
    stands_in = [
        {"grid": grid.id, "on": day.isoformat(), "person": after.duty_worker(grid.id, day)}
        for grid in after.grids
        for span in leave.leave
        if grid.duty_worker == person and (day := max(span.starts_on, today)) <= (span.ends_on or day)
    ]
    return {"holds": await concerned.held_by(desk.pool, person), "stands_in": stands_in}


def turns_in(version: Version) -> Turns | None:
    return None if version.body is None else Turns.model_validate_json(version.body)
