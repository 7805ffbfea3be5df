"""Bells that nobody heard for days: what they did stands in the log as if they had been heard at their instants."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

import tests.domain.builders as b
from domain import commands as c
from domain.clocks import next_alarm
from domain.demand import Shift
from domain.ledger import replay
from domain.vocabulary import ClockName

RESOLVE, PAUSE = ClockName.RESOLVE, ClockName.PAUSE


def heard_step_by_step(story: b.Story, until: datetime) -> b.Story:
    """A worker that is always there."""
    while (alarm := next_alarm(story.demand, b.CALENDAR)) is not None and alarm.at <= until:
        story.now = max(story.now, alarm.at)
        story.rings()
    story.now = until
    return story


def fell(story: b.Story) -> list[tuple[object, object, object]]:
    types = ("clock_warned", "clock_breached", "notice_issued", "clock_escalated", "clock_far_breached")
    return [
        (e.type, e.data["clock"], e.data.get("fell_at") or e.data["due_at"]) for e in story.entries if e.type in types
    ]


@pytest.mark.parametrize("days", [1, 5, 12])
def test_an_outage_gives_a_paused_clock_no_more_time(days: int) -> None:
    """The limit of the pause passes while no worker runs; so may what comes after it."""
    there, away = b.paused(), b.paused()
    limit = there.demand.clocks[PAUSE].due_at
    until = limit + timedelta(days=days)
    heard_step_by_step(there, until)
    away.now = until
    away.rings()
    assert away.demand.clocks[RESOLVE].due_at == there.demand.clocks[RESOLVE].due_at
    assert away.demand.clocks[RESOLVE].shifts == (
        Shift(kind="pause", from_at=there.demand.clocks[PAUSE].started_at, until_at=limit),
    )
    assert fell(away) == fell(there)
    assert replay(away.demand.number, away.entries) == away.demand


def test_a_pause_that_somebody_ends_says_no_other_instant_than_its_own() -> None:
    story = b.paused().waits(hours=30)
    story.does(b.WORKER, c.Resume())
    resumed = [e for e in story.entries if e.type == "clock_resumed"]
    assert resumed and all("since" not in e.data for e in resumed)
