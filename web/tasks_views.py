"""How a worker's tasks look on the phone: one line each, what is counted on top, places in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from domain.demand import Demand
from domain.district import District
from domain.gcj02 import to_gcj02
from domain.geometry import Position
from service.tasks import Task
from web.visitor import Visitor

LINE = 60
"""Characters of a demand's first line that a list shows."""

FILTERS: Mapping[str, Callable[[Task], bool]] = {
    "all": lambda task: task.kind != "unit",
    "accept": lambda task: task.kind == "accept",
    "soon": lambda task: task.soon,
    "late": lambda task: task.late,
    "visit": lambda task: task.kind == "visit",
    "paused": lambda task: task.demand.info_reason is not None,
    "unit": lambda task: task.kind in ("unit", "contact"),
}
"""What a list shows, by the word in its address."""
ON_TOP = ("accept", "soon", "late", "visit")
BESIDE = ("all", "paused", "unit")


@dataclass(frozen=True)
class Row:
    """A task in a list. `gap` tells how sure its point is: a reported one, the middle of a compound, or none."""

    task: Task
    title: str
    category: str
    place: str

    @property
    def number(self) -> str:
        return self.task.number


def rows(visitor: Visitor, district: District, tasks: Sequence[Task]) -> list[Row]:
    return [
        Row(
            task=task,
            title=first_line(visitor, task.words),
            category=category_of(visitor, district, task.demand.category),
            place=place_of(visitor, district, task.demand, task.building),
        )
        for task in tasks
    ]


def counts(tasks: Sequence[Task]) -> dict[str, int]:
    return {name: sum(map(passes, tasks)) for name, passes in FILTERS.items()}


def first_line(visitor: Visitor, words: str | None) -> str:
    if words is None:
        return visitor.t("tasks.row.no_words")
    line = words.strip().split("\n", 1)[0].strip()
    return line if len(line) <= LINE else line[: LINE - 1] + "…"


def category_of(visitor: Visitor, district: District, code: str) -> str:
    leaf = district.directory.categories.get(code)
    return code if leaf is None else leaf.name_en if visitor.english else leaf.name


def place_of(visitor: Visitor, district: District, d: Demand, building: str | None) -> str:
    """`红旗小区 3 栋 · 第2网格`; without a compound the grid alone."""
    if d.place is None:
        return visitor.t("tasks.row.no_place")
    known = district.directory
    grid, compound = known.grids.get(d.place.grid), known.compounds.get(d.place.compound or "")
    within = d.place.grid if grid is None else grid.name
    if compound is None:
        return within
    at = compound.name if building is None else f"{compound.name} {building_words(visitor, building)}"
    community = known.communities.get(d.place.community)
    return f"{at} · {within.removeprefix(community.name) if community else within}"


def building_words(visitor: Visitor, building: str) -> str:
    """A bare number is a building's; whatever else was written stands for itself."""
    bare = building.strip().isascii() and building.strip().isalnum()
    return visitor.t("tasks.row.building", n=building.strip()) if bare else building


def map_link(point: Position, name: str) -> dict[str, Any]:
    """Where a map app finds it: Chinese maps want their own coordinates, `geo:` the plain ones."""
    lon, lat = to_gcj02(point)
    return {
        "lon": f"{lon:.6f}",
        "lat": f"{lat:.6f}",
        "wgs_lon": f"{point[0]:.6f}",
        "wgs_lat": f"{point[1]:.6f}",
        "name": name,
    }
