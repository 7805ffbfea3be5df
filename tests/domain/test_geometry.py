from math import cos, pi, sin

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import LinearRing, Point
from shapely import Polygon as Oracle

from domain.geometry import Position, crosses_itself, haversine_m, polygon

SQUARE: list[Position] = [(0.0, 0.0), (4.0, 0.0), (4.0, 4.0), (0.0, 4.0), (0.0, 0.0)]
BOWTIE: list[Position] = [(0.0, 0.0), (4.0, 4.0), (4.0, 0.0), (0.0, 4.0), (0.0, 0.0)]


@st.composite
def star_rings(draw: st.DrawFn) -> list[Position]:
    """Rings without a crossing: one corner per direction, at any distance from the middle, either way round."""
    radii = draw(st.lists(st.floats(0.2, 1.0), min_size=3, max_size=12))
    step = 2 * pi / len(radii)
    ring = [(106 + r * cos(n * step), 29 + r * sin(n * step)) for n, r in enumerate(radii)]
    ring = ring if draw(st.booleans()) else ring[::-1]
    return [*ring, ring[0]]


@given(star_rings(), st.floats(104.8, 107.2), st.floats(27.8, 30.2))
def test_a_point_is_inside_exactly_when_shapely_says_so(ring: list[Position], lon: float, lat: float) -> None:
    oracle, point = Oracle(ring), Point(lon, lat)
    assume(oracle.exterior.distance(point) > 1e-9)
    assert polygon(ring).contains(lon, lat) == oracle.contains(point)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.001, 0.999))
def test_a_point_on_a_shared_border_belongs_to_exactly_one_neighbour(top: float, bottom: float, share: float) -> None:
    a, b = (105 + bottom, 29.0), (105 + top, 30.0)
    west = polygon([(104.0, 29.0), a, b, (104.0, 30.0), (104.0, 29.0)])
    east = polygon([a, (107.0, 29.0), (107.0, 30.0), b, a])
    lon, lat = a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
    assert west.contains(lon, lat) != east.contains(lon, lat)


def test_every_point_of_a_common_edge_is_in_one_of_two_squares() -> None:
    west = polygon([(0.0, 0.0), (1.1, 0.3), (0.9, 1.7), (0.0, 2.0), (0.0, 0.0)])
    east = polygon([(1.1, 0.3), (2.0, 0.0), (2.0, 2.0), (0.9, 1.7), (1.1, 0.3)])
    for n in range(1, 1000):
        lat = 0.3 + 1.4 * n / 1000
        lon = 1.1 - 0.2 * n / 1000
        assert west.contains(lon, lat) != east.contains(lon, lat)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=4, max_size=7, unique=True))
def test_a_ring_that_shapely_calls_simple_does_not_cross_itself(corners: list[tuple[int, int]]) -> None:
    ring: list[Position] = [(float(x), float(y)) for x, y in [*corners, corners[0]]]
    oracle = Oracle(ring)
    if oracle.is_valid:
        assert not crosses_itself(ring)
    if crosses_itself(ring):
        assert not LinearRing(ring).is_simple or not oracle.is_valid


def test_a_bowtie_crosses_itself_and_a_square_does_not() -> None:
    assert crosses_itself(BOWTIE)
    assert not crosses_itself(SQUARE)


@pytest.mark.parametrize(
    ("a", "b", "metres"),
    [
        ((105.92, 29.35), (105.92, 29.35), 0),
        ((105.92, 29.0), (105.92, 30.0), 111_195),
        ((105.0, 60.0), (106.0, 60.0), 55_596),
        # Both poles: half the way round.
        ((0.0, 90.0), (0.0, -90.0), 20_015_115),
    ],
)
def test_distances_on_the_globe(a: Position, b: Position, metres: float) -> None:
    assert haversine_m(a, b) == pytest.approx(metres, abs=2)
    assert haversine_m(a, b) == haversine_m(b, a)
