"""Chinese map coordinates: there and back, known points, and where nothing is shifted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.gcj02 import from_gcj02, is_shifted, to_gcj02
from domain.geometry import haversine_m

INSIDE = st.tuples(st.floats(min_value=73.5, max_value=134.7), st.floats(min_value=18.2, max_value=53.5))


@given(INSIDE)
def test_there_and_back(position: tuple[float, float]) -> None:
    lon, lat = from_gcj02(to_gcj02(position))
    assert abs(lon - position[0]) < 1e-6 and abs(lat - position[1]) < 1e-6


@given(INSIDE)
def test_the_shift_is_some_hundred_metres(position: tuple[float, float]) -> None:
    assert 20 < haversine_m(position, to_gcj02(position)) < 1_500


def test_a_known_point() -> None:
    """Tiananmen, as surveyors publish it in both."""
    lon, lat = to_gcj02((116.3975, 39.9087))
    assert (lon, lat) == pytest.approx((116.40374, 39.91010), abs=2e-5)


@pytest.mark.parametrize("position", [(2.35, 48.85), (-0.1, 51.5), (151.2, -33.9)])
def test_abroad_nothing_is_shifted(position: tuple[float, float]) -> None:
    assert not is_shifted(position)
    assert to_gcj02(position) == position == from_gcj02(position)
