"""The order of the day, with a sketch of the way on the grid's own outline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import cos, radians

from fastapi import APIRouter, Request, Response

from domain.day_plan import Step, Stop, plan
from domain.geometry import Position
from domain.needs import Need
from service import tasks
from service.desk import Desk
from web.need import page
from web.page import Known, PageRoute, desk_of, render
from web.tasks_views import Row, rows

router = APIRouter(route_class=PageRoute, include_in_schema=False)

WIDTH, EDGE = 640.0, 24.0
"""Of the sketch, in its own units."""


@dataclass(frozen=True)
class Mark:
    """A place of the sketch with the turns that are done there."""

    x: float
    y: float
    turns: tuple[int, ...]

    @property
    def label(self) -> str:
        return (
            f"{self.turns[0]}"
            if len(self.turns) == 1
            else f"{self.turns[0]}–{self.turns[-1]}"
            if _runs(self.turns)
            else f"{self.turns[0]}+"
        )


def _runs(turns: Sequence[int]) -> bool:
    return list(turns) == list(range(turns[0], turns[0] + len(turns)))


@dataclass(frozen=True)
class Sketch:
    """Outlines and marks as an SVG draws them: `areas` and `way` are lists of points."""

    height: float
    areas: tuple[str, ...]
    way: str
    marks: tuple[Mark, ...]


@router.get("/tasks/plan")
@page(Need.ACT_ON_DEMAND)
async def day_plan(request: Request, visitor: Known) -> Response:
    """What is due first first, and within that the nearest next."""
    desk = desk_of(request)
    found = [task for task in await tasks.tasks_of(desk, visitor.staff) if task.kind != "unit"]
    stops = [Stop(task.number, task.lamp.due_at if task.lamp else None, task.point) for task in found]
    steps = plan(stops, desk.now(), desk.district.timezone)
    by_number = {row.number: row for row in rows(visitor, desk.district, found)}
    turns = {step.stop.number: turn for turn, step in enumerate(steps, 1)}
    walked = sum(step.walk_m or 0.0 for step in steps)
    bands = [(band, list(within)) for band, within in groupby(steps, key=lambda step: step.band)]
    return render(
        request, visitor, "tasks/plan.html", bands=bands, rows=by_number, turns=turns, walked=walked,
        sketch=_sketch(desk, steps, by_number), placeless=sum(step.stop.point is None for step in steps),
    )  # fmt: skip


def _sketch(desk: Desk, steps: Sequence[Step], by_number: dict[str, Row]) -> Sketch | None:
    """The grids in which there is something to do, and the way through them. None where no place is known."""
    placed = [(turn, step.stop.point) for turn, step in enumerate(steps, 1) if step.stop.point is not None]
    if not placed:
        return None
    demands = (by_number[step.stop.number].task.demand for step in steps)
    grids = dict.fromkeys(d.place.grid for d in demands if d.place)
    rings = [desk.district.grid(grid).ring for grid in grids]
    corners = [point for ring in rings for point in ring] + [point for _, point in placed]
    west, south = min(lon for lon, _ in corners), min(lat for _, lat in corners)
    east, north = max(lon for lon, _ in corners), max(lat for _, lat in corners)
    flat = cos(radians((south + north) / 2))
    scale = (WIDTH - 2 * EDGE) / max((east - west) * flat, (north - south), 1e-6)

    def at(point: Position) -> tuple[float, float]:
        return EDGE + (point[0] - west) * flat * scale, EDGE + (north - point[1]) * scale

    def drawn(points: Sequence[Position]) -> str:
        return " ".join(f"{x:.1f},{y:.1f}" for x, y in map(at, points))

    places: dict[Position, list[int]] = {}
    for turn, point in placed:
        places.setdefault(point, []).append(turn)
    marks = tuple(Mark(*at(point), tuple(turns)) for point, turns in places.items())
    height = (north - south) * scale + 2 * EDGE
    return Sketch(height, tuple(map(drawn, rings)), drawn([point for _, point in placed]), marks)
