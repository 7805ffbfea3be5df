from __future__ import annotations

import pytest

from bench.figure import Figure, Line, Side, Size, percentile
from bench.report import page, told


def _sides(*values: float) -> list[Side]:
    return [Side(value) for value in values]


def test_the_ratio_is_the_median_of_the_passes_own_ratios() -> None:
    # The second pass met a busy machine: both sides fell, and its ratio says the same as the others'.
    line = Line("x", "1/s", ours=_sides(50, 5, 48), floor=_sides(100, 10, 100), target=0.5)
    assert line.ratio == pytest.approx(0.5)
    assert line.met is True


@pytest.mark.parametrize(
    ("target", "at_least", "met"), [(0.4, True, True), (0.6, True, False), (0.6, False, True), (0.4, False, False)]
)
def test_a_target_is_a_floor_or_a_ceiling(target: float, at_least: bool, met: bool) -> None:
    assert Line("x", "ms", _sides(5), _sides(10), target=target, at_least=at_least).met is met


def test_a_target_of_our_own_value_ignores_the_floor() -> None:
    line = Line("idle", "MB", _sides(150), _sides(10), target=200, at_least=False, of_ours=True)
    assert line.ratio == pytest.approx(15)
    assert line.met is True


def test_without_a_target_nothing_is_judged() -> None:
    assert Line("x", "ms", _sides(5), _sides(10)).met is None


def test_percentile_takes_a_value_that_was_measured() -> None:
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0


def test_the_page_says_what_was_missed_and_how_to_measure_again() -> None:
    line = Line("accepted", "1/s", _sides(10), _sides(100), target=0.4)
    figure = Figure("intake", "a", "Accepted", "our side", "the other side", line)
    text = page([figure], Size(), load=1.5)
    assert "**missed**" in text
    assert "./run bench intake" in text
    assert "the machine was not idle" in text
    assert "MISSED" in told(figure)
