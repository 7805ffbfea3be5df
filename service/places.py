"""From what a caller says about where it is to the place that the rules need."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from domain.commands import Place
from domain.district import District
from domain.errors import DomainError
from domain.places import Grid
from service.desk import Desk
from service.forms import Location

OVERLOADED = 30  # open demands; a duty worker above this gives way to the least loaded of the community


def local_date(at: datetime, district: District) -> date:
    return at.astimezone(ZoneInfo(district.timezone)).date()


def locate(desk: Desk, location: Location | None, at: datetime) -> Place | None:
    """The place with its people, or None when it must be found by the dispatcher (no location, or out of the district).

    Raises DomainError `unknown_place` for a grid or compound that the district does not have.
    """
    if location is None:
        return None
    d = desk.district
    try:
        if location.grid is not None:
            return _place(desk, d.grid(location.grid), None, at)
        if location.compound is not None:
            compound = d.compound(location.compound)
            return _place(desk, d.grid(compound.grid), compound.id, at)
    except DomainError:
        rule = "This district has no such grid or compound. Take one from /api/v1/grids, or send a point, or nothing."
        raise DomainError("unknown_place", rule, field="/location") from None
    assert location.lat is not None and location.lon is not None
    grid = d.grid_at(location.lat, location.lon)
    return None if grid is None else _place(desk, grid, None, at)


def _place(desk: Desk, grid: Grid, compound: str | None, at: datetime) -> Place:
    d = desk.district
    worker = d.duty_worker(grid.id, local_date(at, d))
    if desk.loads.people.get(worker, 0) >= OVERLOADED:
        worker = min((g.duty_worker for g in d.grids_of(grid.community)), key=lambda w: desk.loads.people.get(w, 0))
    substitute = grid.substitute if grid.substitute != worker else grid.duty_worker
    return Place(
        community=grid.community, grid=grid.id, compound=compound, worker=worker, substitute=substitute,
        secretary=desk.staffing.secretaries[grid.community],
    )  # fmt: skip
