"""No worker runs while promises break: each breach is recorded once afterwards, with its true instant, in order.

`python -m bench.outage` does the same with 1,000 demands. Here time is shorter and the demands are fewer.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bench.outage import Plan, outage_in, wrong_in
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.demand import Demand
from domain.events import ClockBreached, ClockStarted, ClockWarned, Event
from domain.ledger import Entry, append
from domain.vocabulary import ClockName

FEW = Plan(demands=60, spread=4, lead=8)
HOUR = timedelta(hours=1)
OPENED = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    overlay = tmp_path / "promises.toml"
    overlay.write_text(FEW.overlay(), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        with Stack(folder, port=0, overlay=overlay, say=lambda line: None) as running:
            yield running


async def test_every_breach_of_an_outage_is_recorded_once_with_its_true_instant(stack: Stack) -> None:
    report = await outage_in(stack, FEW)
    print("\n".join(["", *report.lines()]))
    assert report.wrong == []
    assert (report.breaches, report.broken, report.deviation) == (60, 60, 0.0)
    assert report.away > report.due_over > 0


# ---- the check itself: it must not take a wrong log for a right one


def warned(percent: int, *, late: timedelta = timedelta()) -> ClockWarned:
    return ClockWarned(clock=ClockName.ACCEPT, step=f"{percent}%", fell_at=OPENED + HOUR * (percent / 100) + late)


def broken(*, late: timedelta = timedelta()) -> ClockBreached:
    return ClockBreached(clock=ClockName.ACCEPT, due_at=OPENED + HOUR + late)


def log_of(*told: Event) -> list[Entry]:
    demand, log = append(
        Demand(number="n"), [ClockStarted(clock=ClockName.ACCEPT, due_at=OPENED + HOUR)], at=OPENED, actor="system"
    )
    return [*log, *append(demand, told, at=OPENED + 3 * HOUR, actor="system")[1]]


def test_the_check_takes_what_must_be() -> None:
    assert list(wrong_in("n", log_of(warned(50), warned(80), broken()), HOUR)) == []


@pytest.mark.parametrize(
    "log",
    [
        log_of(warned(50), warned(80)),
        log_of(warned(50), warned(80), broken(), broken()),
        log_of(warned(50), broken()),
        log_of(warned(80), warned(50), broken()),
        log_of(broken(), warned(50), warned(80)),
        log_of(warned(50), warned(80), broken(late=timedelta(microseconds=1))),
        log_of(warned(50), warned(80, late=timedelta(seconds=-1)), broken()),
        log_of(warned(50), warned(80), broken())[:-2] + log_of(warned(50), warned(80), broken())[-1:],
        [],
    ],
    ids=["none", "twice", "one reminder", "swapped", "breach first", "breach late", "reminder early", "lost", "empty"],
)
def test_the_check_finds(log: list[Entry]) -> None:
    assert list(wrong_in("n", log, HOUR))
