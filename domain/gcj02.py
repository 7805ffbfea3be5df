"""Chinese map coordinates (GCJ-02, 火星坐标) from and to WGS-84, for handing a place over to a map app. Pure.

Inside mainland China the maps shift every point by some hundred metres; outside they do not. The shift is a sum of a plane
and sines over the offset from (105° E, 35° N), in metres, brought to degrees on the Krasovsky ellipsoid.
"""

from __future__ import annotations

from math import cos, fabs, pi, radians, sin, sqrt

from domain.geometry import Position

_AXIS_M, _ECCENTRICITY2 = 6_378_245.0, 0.006_693_421_622_965_943
"""Krasovsky 1940: semi-major axis, first eccentricity squared."""

_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
_CLOSE = 1e-10
"""Degrees: a hundredth of a millimetre."""


def is_shifted(position: Position) -> bool:
    """Whether the maps shift points there."""
    lon, lat = position
    return _WEST <= lon <= _EAST and _SOUTH <= lat <= _NORTH


def to_gcj02(position: Position) -> Position:
    """Where a Chinese map draws a WGS-84 position."""
    if not is_shifted(position):
        return position
    lon, lat = position
    east, north = _shift_m(lon - 105.0, lat - 35.0)
    phi = radians(lat)
    bulge = 1 - _ECCENTRICITY2 * sin(phi) ** 2
    meridian = _AXIS_M * (1 - _ECCENTRICITY2) / (bulge * sqrt(bulge))
    parallel = _AXIS_M / sqrt(bulge) * cos(phi)
    return lon + east / parallel * 180 / pi, lat + north / meridian * 180 / pi


def from_gcj02(position: Position) -> Position:
    """The WGS-84 position that a Chinese map draws there: found by taking the shift back until it fits."""
    guess = position
    for _ in range(32):
        drawn = to_gcj02(guess)
        off_lon, off_lat = drawn[0] - position[0], drawn[1] - position[1]
        guess = guess[0] - off_lon, guess[1] - off_lat
        if fabs(off_lon) < _CLOSE and fabs(off_lat) < _CLOSE:
            break
    return guess


def _shift_m(x: float, y: float) -> tuple[float, float]:
    """Metres to the east and to the north; `x`, `y` in degrees from the origin."""
    root = sqrt(fabs(x))
    ripple = 20 * sin(6 * pi * x) + 20 * sin(2 * pi * x)
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east += (ripple + 20 * sin(pi * x) + 40 * sin(pi * x / 3) + 150 * sin(pi * x / 12) + 300 * sin(pi * x / 30)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north += (
        (ripple + 20 * sin(pi * y) + 40 * sin(pi * y / 3) + 160 * sin(pi * y / 12) + 320 * sin(pi * y / 30)) * 2 / 3
    )
    return east, north
