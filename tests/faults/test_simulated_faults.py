"""A dozen demands lived to their end while servers die: nothing lost, nothing doubled, every log in order."""

from __future__ import annotations

from bench.simulation.faults import Wanted
from bench.simulation.run import Options, simulate_in
from devstack.stack import Stack


async def test_the_worker_dies_in_the_middle(stack: Stack) -> None:
    report = await simulate_in(stack, Options(demands=12, seed=21, faults=Wanted(kill_worker=1)))
    assert report.wrong == []
    assert (report.accepted, report.closed, report.sealed) == (12, 12, 12)
    assert [fault.split(" (")[0] for fault in report.faults] == ["kill -9 worker"]


async def test_intake_goes_on_while_temporal_is_away(stack: Stack) -> None:
    report = await simulate_in(stack, Options(demands=12, seed=22, faults=Wanted(stop_temporal=3)))
    assert report.wrong == []
    assert (report.accepted, report.closed, report.sealed) == (12, 12, 12)
    assert report.accepted_without_temporal >= 4


async def test_the_api_dies_in_the_middle(stack: Stack) -> None:
    report = await simulate_in(stack, Options(demands=12, seed=23, faults=Wanted(kill_api=1)))
    assert report.wrong == []
    assert (report.accepted, report.closed, report.sealed) == (12, 12, 12)
