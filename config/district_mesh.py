"""A mesh of grid cells for an invented district: shared corners, so no gap and no overlap."""

from __future__ import annotations

import math
import random
from itertools import pairwise
from typing import Any

METRES_PER_DEGREE = 111_195.08
JITTER, BEND = 0.15, 0.08
"""How far corners and the middles of edges stray, as a share of the smallest cell."""

Point = tuple[float, float]


class Mesh:
    """A lattice of shared, jittered corners and bent edges: no gap, no overlap, and the area asked for."""

    def __init__(self, area: dict[str, Any], draw: random.Random) -> None:
        self.origin = (area["lon"], area["lat"])
        xs, ys = _steps(area["columns"]), [-y for y in _steps(area["rows"])]
        # The district is about 1.9 times as wide as it is high.
        xs = [x * 1.9 * -ys[-1] / xs[-1] for x in xs]
        size = (min(_gaps(xs)), min(_gaps(ys)))

        def shaken(x: float, y: float, share: float) -> Point:
            return (
                x + size[0] * share * (2 * draw.random() - 1),
                y + size[1] * share * (2 * draw.random() - 1),
            )

        corners = {(c, r): shaken(x, y, JITTER) for c, x in enumerate(xs) for r, y in enumerate(ys)}
        self.nodes: dict[tuple[float, float], Point] = {(c, r): here for (c, r), here in corners.items()}
        for (c, r), here in corners.items():
            for step in ((1, 0), (0, 1)):
                there = corners.get((c + step[0], r + step[1]))
                if there:
                    middle = ((here[0] + there[0]) / 2, (here[1] + there[1]) / 2)
                    self.nodes[c + step[0] / 2, r + step[1] / 2] = shaken(*middle, BEND)
        self._settle(len(xs) - 1, len(ys) - 1, area["km2"] * 1e6)

    def ring(self, c: int, r: int) -> list[Point]:
        """Counter-clockwise (RFC 7946 §3.1.6) from the north-western corner."""
        steps = ((0, 0), (0, 0.5), (0, 1), (0.5, 1), (1, 1), (1, 0.5), (1, 0), (0.5, 0), (0, 0))
        return [self.nodes[c + dc, r + dr] for dc, dr in steps]

    def _settle(self, columns: int, rows: int, square_metres: float) -> None:
        """Scale to the area asked for, centre on the origin, and turn metres into degrees."""
        area = sum(abs(_shoelace(self.ring(c, r))) for c in range(columns) for r in range(rows))
        scale = math.sqrt(square_metres / area)
        middle = [(min(axis) + max(axis)) / 2 for axis in zip(*self.nodes.values(), strict=True)]
        lon, lat = self.origin
        for key, (x, y) in self.nodes.items():
            north, east = (y - middle[1]) * scale, (x - middle[0]) * scale
            shrink = METRES_PER_DEGREE * math.cos(math.radians(lat))
            self.nodes[key] = (round(lon + east / shrink, 6), round(lat + north / METRES_PER_DEGREE, 6))


def _steps(sizes: list[float]) -> list[float]:
    return [sum(sizes[:n]) for n in range(len(sizes) + 1)]


def _gaps(axis: list[float]) -> list[float]:
    return [abs(b - a) for a, b in pairwise(axis)]


def _shoelace(ring: list[Point]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in pairwise(ring)) / 2
