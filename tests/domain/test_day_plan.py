"""The order of a day: due first, nearest next within a band, and nothing left out."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.day_plan import BANDS, Stop, band_of, plan

ZONE = "Asia/Shanghai"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # 10:00 there


def stop(number: str, hours: float | None, point: tuple[float, float] | None = (105.91, 29.36)) -> Stop:
    return Stop(number, None if hours is None else NOW + timedelta(hours=hours), point)


def test_bands_are_of_the_local_day() -> None:
    assert band_of(NOW, NOW, ZONE) == "overdue"
    assert band_of(NOW + timedelta(hours=13, minutes=59), NOW, ZONE) == "today"
    assert band_of(NOW + timedelta(hours=14), NOW, ZONE) == "tomorrow"
    assert band_of(NOW + timedelta(hours=38), NOW, ZONE) == "later"
    assert band_of(None, NOW, ZONE) == "unset"


def test_within_a_band_the_nearest_is_next() -> None:
    near, middle, far = (105.910, 29.36), (105.912, 29.36), (105.918, 29.36)
    steps = plan([stop("a", 1, near), stop("b", 2, far), stop("c", 3, middle)], NOW, ZONE)
    assert [step.stop.number for step in steps] == ["a", "c", "b"]
    assert steps[0].walk_m is None
    assert 180 < (steps[1].walk_m or 0) < 210


def test_an_overdue_one_far_away_goes_before_a_near_one_of_tomorrow() -> None:
    steps = plan([stop("near", 20, (105.9, 29.3)), stop("late", -5, (105.99, 29.4))], NOW, ZONE, start=(105.9, 29.3))
    assert [(step.stop.number, step.band) for step in steps] == [("late", "overdue"), ("near", "tomorrow")]


def test_without_a_place_it_comes_last_in_its_band() -> None:
    steps = plan([stop("nowhere", 1, None), stop("here", 2), stop("paused", None)], NOW, ZONE)
    assert [step.stop.number for step in steps] == ["here", "nowhere", "paused"]
    assert steps[1].walk_m is None


@given(st.lists(st.tuples(st.one_of(st.none(), st.floats(-90, 90)), st.booleans(), st.floats(0, 0.05)), max_size=15))
def test_every_stop_once_and_the_bands_in_order(drawn: list[tuple[float | None, bool, float]]) -> None:
    stops = [
        stop(f"{n:03}", hours, (105.9 + off, 29.36) if placed else None) for n, (hours, placed, off) in enumerate(drawn)
    ]
    steps = plan(stops, NOW, ZONE)
    assert sorted(step.stop.number for step in steps) == [one.number for one in stops]
    order = [BANDS.index(step.band) for step in steps]
    assert order == sorted(order)
