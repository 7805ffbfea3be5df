"""Plane geometry on WGS-84 longitude and latitude, good for a district of some kilometres.

Ray casting is exact enough here: a district is far from the poles and from the date line.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt

# Mean Earth radius in metres (IUGG).
EARTH_RADIUS_M = 6_371_008.8

Position = tuple[float, float]
"""(longitude, latitude) in degrees: the order of GeoJSON (RFC 7946 §3.1.1)."""


@dataclass(frozen=True, slots=True)
class Polygon:
    """One closed ring, prepared for many point queries.

    `edges` run from south to north whatever the ring's direction, so two neighbours that share an edge compute the very
    same crossing: a point on their border belongs to exactly one of them.
    """

    west: float
    south: float
    east: float
    north: float
    edges: tuple[tuple[float, float, float, float], ...]

    def contains(self, lon: float, lat: float) -> bool:
        if lon < self.west or lon > self.east or lat < self.south or lat > self.north:
            return False
        inside = False
        for x1, y1, x2, y2 in self.edges:
            if y1 <= lat < y2 and lon < x1 + (x2 - x1) * (lat - y1) / (y2 - y1):
                inside = not inside
        return inside


def polygon(ring: Sequence[Position]) -> Polygon:
    """Prepare a closed ring (first position repeated at the end)."""
    upward = (
        (a[0], a[1], b[0], b[1]) if a[1] < b[1] else (b[0], b[1], a[0], a[1]) for a, b in pairwise(ring) if a[1] != b[1]
    )
    lons, lats = [lon for lon, _ in ring], [lat for _, lat in ring]
    return Polygon(min(lons), min(lats), max(lons), max(lats), tuple(upward))


def crosses_itself(ring: Sequence[Position]) -> bool:
    """Whether two edges of a closed ring that are not neighbours meet."""
    segments = list(pairwise(ring))
    last = len(segments) - 1
    for i, (a, b) in enumerate(segments):
        for j in range(i + 2, last + 1):
            if (i, j) != (0, last) and _meet(a, b, *segments[j]):
                return True
    return False


def _meet(a: Position, b: Position, c: Position, d: Position) -> bool:
    if max(a[0], b[0]) < min(c[0], d[0]) or max(c[0], d[0]) < min(a[0], b[0]):
        return False
    return _side(a, b, c) * _side(a, b, d) <= 0 and _side(c, d, a) * _side(c, d, b) <= 0


def _side(a: Position, b: Position, p: Position) -> float:
    return (b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])


def haversine_m(a: Position, b: Position) -> float:
    """Great-circle distance in metres between two positions."""
    (lon1, lat1), (lon2, lat2) = ((radians(lon), radians(lat)) for lon, lat in (a, b))
    h = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin((lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(h))
