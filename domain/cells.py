"""Squares of about 250 m that the map is ruled into: rough enough to tell no door, fine enough to look up who is near."""

from __future__ import annotations

from math import ceil, cos, floor, radians

from domain.geometry import Position

CELL_DEGREES = 0.00225
METRES_A_DEGREE = 111_195.0
ROW = 1_000_000
"""A cell's number is its row times this, plus its column."""


def cell_of(point: Position) -> int:
    lon, lat = point
    return floor((lat + 90) / CELL_DEGREES) * ROW + floor((lon + 180) / CELL_DEGREES)


def cells_within(point: Position, metres: float) -> tuple[int, ...]:
    """The cells that a circle of that radius may touch, up to the 85th parallel."""
    lon, lat = point
    high = metres / METRES_A_DEGREE
    wide = high / cos(radians(min(85.0, abs(lat) + high)))
    south, west = cell_of((lon - wide, lat - high)) // ROW, cell_of((lon - wide, lat - high)) % ROW
    north, east = cell_of((lon + wide, lat + high)) // ROW, cell_of((lon + wide, lat + high)) % ROW
    return tuple(row * ROW + column for row in range(south, north + 1) for column in range(west, east + 1))


def offsets_within(lat: float, metres: float) -> tuple[int, ...]:
    """What to add to a cell's number for the cells that a circle around any of its points may touch, near this latitude."""
    rows = ceil(metres / METRES_A_DEGREE / CELL_DEGREES)
    columns = ceil(metres / METRES_A_DEGREE / cos(radians(min(85.0, abs(lat) + 1))) / CELL_DEGREES)
    return tuple(r * ROW + c for r in range(-rows, rows + 1) for c in range(-columns, columns + 1))
