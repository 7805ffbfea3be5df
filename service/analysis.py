"""What a page of analysis shows besides single figures: months beside one another, grids on a map, hours of the week.

The figures of a month are those of `GET /rates?month=…`, computed in one pass for all groupings and kept for a while: a
month that is over for ten minutes, the present one for one. Nothing here ranks across property grades.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from domain.actors import Actor
from domain.errors import DomainError
from domain.kpi_definition import Definition
from domain.kpi_words import figures_of, rates_of
from domain.places import PropertyGrade
from domain.rates import Dimension, Key, Sums
from service.desk import Desk
from service.places import local_date
from service.rate_answers import figure_view, name_of, number, value_of
from service.rate_frames import grouping, inputs_of
from service.rate_ranks import ranked
from service.rates import Asked, Days, Scope, Side, definition_of, scope_of, sides
from service.views import View, instant
from store import analysis as counting

GROUPINGS: tuple[tuple[Dimension, ...], ...] = ((), ("community",), ("property_grade", "grid"), ("unit",))
LEAGUE = GROUPINGS[2]
GRADES: tuple[str, ...] = get_args(PropertyGrade)
MONTHS = 6
KEPT_OVER, KEPT_PRESENT = timedelta(minutes=10), timedelta(minutes=1)
MOST_KEPT = 60


@dataclass(frozen=True)
class Chosen:
    """What the page is about; `community` None is all that the caller may see."""

    month: str
    community: str | None = None
    version: str | None = None


@dataclass(frozen=True)
class Month:
    """The figures of one month by each of GROUPINGS, as of `as_of`."""

    days: Days
    definition: Definition
    as_of: datetime
    sides: tuple[Side, ...]

    def whole(self, community: str | None) -> Sums:
        return self.sides[0].sums(()) if community is None else self.sides[1].sums((community,))


_Key = tuple[int, str, str, Scope]
_kept: dict[_Key, tuple[datetime, Month]] = {}
_one_at_a_time = asyncio.Lock()


async def month_of(desk: Desk, actor: Actor, month: str, version: str | None) -> Month:
    """Raises DomainError `not_permitted`, `unknown_definition`."""
    scope, definition, now = scope_of(actor), definition_of(desk, version), desk.now()
    key = id(desk), month, definition.version, scope
    async with _one_at_a_time:
        kept, days = _kept.get(key), Days.of_month(month)
        over = days.period(desk.district).end < now
        if kept is None or now - kept[0] > (KEPT_OVER if over else KEPT_PRESENT):
            if len(_kept) >= MOST_KEPT:
                _kept.pop(min(_kept, key=lambda one: _kept[one][0]))
            kept = _kept[key] = (now, await _computed(desk, days, definition, scope, now))
    return kept[1]


async def _computed(desk: Desk, days: Days, definition: Definition, scope: Scope, now: datetime) -> Month:
    period = days.period(desk.district, now)
    frame = (await inputs_of(desk, period, now)).frame()
    wanted = [grouping(desk, by, frame) for by in GROUPINGS]
    return Month(days, definition, period.end, tuple(await sides(desk, definition, period, wanted, frame, scope)))


# ---- months beside one another


async def trend(desk: Desk, actor: Actor, chosen: Chosen, figures: tuple[str, ...]) -> list[View]:
    """The chosen month and those before it, oldest first, each with these figures."""
    months = [chosen.month]
    while len(months) < MONTHS:
        months.append(f"{Days.of_month(months[-1]).month_before.first:%Y-%m}")
    found = [await month_of(desk, actor, month, chosen.version) for month in reversed(months)]
    return [
        {
            "month": f"{one.days.first:%Y-%m}",
            "as_of": instant(one.as_of),
            "figures": {id: figure_of(one, one.whole(chosen.community), id) for id in figures},
        }
        for one in found
    ]


def figure_of(month: Month, sums: Sums, id: str) -> View:
    """As in the answer of `GET /rates`."""
    view: View = {"value": number(value_of(id, sums, month.definition))}
    return view if id == "composite" else view | figure_view(sums[id])


# ---- groups


def check_figure(definition: Definition, figure: str) -> str:
    """Raises DomainError `invalid_filter` for what is no rate, by which groups could be put in order."""
    known = [*rates_of(definition), "composite"]
    if figure not in known:
        raise DomainError("invalid_filter", "`figure` names a rate of facts.known, or the composite.", known=known)
    return figure


def league(desk: Desk, now: Month, before: Month, chosen: Chosen, figure: str) -> list[View]:
    """The grids of each property grade with their places in it, best first; grids without a grade come last, unranked.

    Within one community the places are those among its own grids.
    """
    asked = Asked(now.days, LEAGUE, rank=check_figure(now.definition, figure))
    grades: dict[str | None, list[View]] = {}
    for key, place in ranked(asked, now.definition, _within(desk, now.sides[2], chosen.community)) or []:
        grade, grid = key
        if grid is None:
            continue
        view: View = {"id": grid, "name": name_of(desk, "grid", grid), "place": place, "key": [grade or "", grid]}
        view |= figure_of(now, now.sides[2].sums(key), figure)
        view["before"] = number(value_of(figure, before.sides[2].sums(key), before.definition))
        grades.setdefault(grade, []).append(view)
    return [
        {"grade": grade, "name": name_of(desk, "property_grade", grade), "grids": rows}
        for grade, rows in grades.items()
    ]


def _within(desk: Desk, side: Side, community: str | None) -> Side:
    if community is None:
        return side
    grids = {grid.id for grid in desk.district.grids_of(community)}
    tally = type(side.tally)(side.tally.definition, {k: v for k, v in side.tally.groups.items() if k[1] in grids})
    return Side(tally, side.grouping, side.frame)


def units(desk: Desk, month: Month, community: str | None, figures: tuple[str, ...]) -> list[View]:
    """Member units by name, never by a figure: their work lies in places of different grades."""
    side, known = month.sides[3], desk.district.directory.units
    keys: list[Key] = [key for key in side.tally.groups if key[0] is not None]
    found = [
        {
            "id": key[0], "name": name_of(desk, "unit", key[0]) or key[0],
            "figures": {id: figure_of(month, side.sums(key), id) for id in figures},
        }
        for key in keys
        if community is None or (key[0] in known and community in known[str(key[0])].communities)
    ]  # fmt: skip
    return sorted(found, key=lambda one: str(one["name"]))


def unit_figures(definition: Definition) -> tuple[str, ...]:
    wanted = ("load", "open_tasks", "handled_per_day", "capacity_used", "refusal", "on_time_unit_due", "resolution")
    known = figures_of(definition)
    return tuple(id for id in wanted if id in known)


# ---- places and hours


async def grids(desk: Desk, actor: Actor, community: str | None = None) -> View:
    """Each grid with what is open there now and what of it is overdue, without duplicates. DomainError `not_permitted`."""
    scope = scope_of(actor)
    found = await counting.open_by_grid(desk.pool, _counted(scope, community))
    nowhere = found.get(None, (0, 0))
    listed = desk.district.grids if community is None else desk.district.grids_of(community)
    return {
        "as_of": instant(desk.now()),
        "grids": [
            {
                "id": grid.id, "name": grid.name, "community": grid.community,
                "open": found.get(grid.id, (0, 0))[0], "overdue": found.get(grid.id, (0, 0))[1],
            }
            for grid in listed
            if scope.everything or scope.units or grid.community in scope.communities
        ],
        "not_located": {"open": nowhere[0], "overdue": nowhere[1]},
    }  # fmt: skip


async def hours(desk: Desk, actor: Actor, month: str, community: str | None = None) -> View:
    """How many demands were taken in at each hour of each weekday (1: Monday) of a month. DomainError `not_permitted`."""
    scope, now, zone = scope_of(actor), desk.now(), desk.district.timezone
    days = Days.of_month(month)
    period = days.period(desk.district, now)
    found = await counting.opened_by_hour(
        desk.pool, _counted(scope, community), zone, f"{days.first:%Y%m%d}", period.start, period.end
    )
    return {
        "as_of": instant(period.end), "month": month, "total": sum(found.values()),
        "hours": [{"weekday": day, "hour": hour, "opened": n} for (day, hour), n in sorted(found.items())],
    }  # fmt: skip


def _counted(scope: Scope, community: str | None) -> counting.Within:
    if scope.everything:
        return counting.Within(community=community)
    return counting.Within(sorted(scope.communities), sorted(scope.units), community)


def this_month(desk: Desk) -> str:
    return f"{local_date(desk.now(), desk.district):%Y-%m}"


def definitions_by_id(view: View) -> dict[str, Any]:
    """Of `rate_answers.definitions`, each figure by its id."""
    return {one["id"]: one for one in view["figures"]}
