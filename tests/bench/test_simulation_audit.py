"""The audit of the simulation finds nothing in a sound log, and finds each fault that it is there for."""

from __future__ import annotations

from datetime import timedelta

from bench.simulation.audit import Log
from bench.simulation.audit_units import check_capacity, check_unit_tasks, counted
from domain import commands as c
from domain import events as e
from domain.ledger import append
from domain.tasks import CoUnit
from domain.vocabulary import Outcome, Stage
from tests.domain import builders as b

PART = CoUnit(unit="B", liaison="liaison-B")
ASKED = e.CoUnitAsked(co_unit=PART)


def log_of(story: b.Story) -> Log:
    return Log(story.demand.number, story.entries)


def forged(*events: e.Event, story: b.Story | None = None) -> Log:
    """A log whose hashes are right and whose events the rules would never have made, each an hour after the other."""
    story = story or b.in_unit("A")
    demand, entries, at = story.demand, list(story.entries), story.now
    for event in events:
        at += timedelta(hours=1)
        demand, more = append(demand, [event], at=at, actor="p-1")
        entries += more
    return Log(b.NUMBER, entries)


def findings(log: Log) -> str:
    return "\n".join([*check_unit_tasks(log), *check_capacity([log])[0]])


def lived() -> b.Story:
    """Asked, refused, bound by silence, done, released, and closed by its reporter."""
    story = b.in_unit("A")
    parts = (PART, CoUnit(unit="C", liaison="liaison-C"), CoUnit(unit="D", liaison="liaison-D", required=False))
    story.does(b.LIAISONS["A"], c.AddCoUnits(co_units=parts))
    story.does(b.LIAISONS["B"], c.CoRefuse(unit="B", basis="no_power"))
    story.lives(days=2)
    story.does(b.LIAISONS["C"], c.CoDone(unit="C"))
    story.does(b.LIAISONS["A"], b.resolved())
    story.does(b.REPORTER, b.satisfied())
    return story


def test_a_sound_log_has_no_findings() -> None:
    log = log_of(lived())
    assert log.demand.stage is Stage.CLOSED and findings(log) == ""
    assert counted([log]) == {"asked": 3, "bound by silence": 2, "refused": 1, "done": 1, "released": 1}
    assert check_capacity([log])[1] == {"A": 1, "B": 1, "C": 1, "D": 1}


def test_a_part_that_outlives_the_unit_stage_is_found() -> None:
    away = e.SentToMeeting(meeting="c1", convener="secretary", turn=1, reason="several_units")
    assert "B still help after event" in findings(forged(ASKED, away))


def test_a_task_that_is_not_given_back_or_given_back_twice_is_found() -> None:
    story = lived()
    kept = [entry for entry in story.entries if entry.type != "co_unit_done"]
    log = log_of(story)
    log.entries = kept
    assert "C: 1 tasks are left in its account" in findings(log)
    twice = forged(ASKED, e.CoUnitDone(unit="B"), e.CoUnitReleased(unit="B", reason="taken_back"))
    assert "B: its account falls to -1" in findings(twice) and "it counts -1 times as a task of B" in findings(twice)


def test_a_unit_that_leads_and_helps_is_found() -> None:
    log = forged(ASKED, e.LeadSwapped(unit="A"), e.UnitAssigned(lead=b.a_candidate("B")))
    assert "B leads and helps" in findings(log) and "it counts 2 times as a task of B" in findings(log)


def test_an_open_demand_without_a_due_instant_is_found() -> None:
    story = b.in_unit("A")
    running: list[e.Event] = [
        e.ClockStopped(clock=name) for name, clock in story.demand.clocks.items() if clock.running
    ]
    assert "liaison-A owes it, until None" in findings(forged(*running, e.Urged(), story=story))


def test_a_refusal_or_a_silence_outside_its_window_is_found() -> None:
    story = b.in_unit("A")
    opens: list[e.Event] = [
        ASKED,
        e.ClockStarted(clock="co_window:B", due_at=story.now + timedelta(hours=3, minutes=30)),
    ]
    early, late = e.CoUnitBound(unit="B", by="silence"), e.CoUnitRefused(unit="B", basis="no_power")
    assert "B was bound by silence in event" in findings(forged(*opens, early))
    assert "after its window" in findings(forged(*opens, e.Urged(), late))
    assert findings(forged(*opens, late)) == "", "inside the window"


def test_a_lead_that_did_not_wait_is_found() -> None:
    story = b.in_unit("A")
    ends: list[e.Event] = [
        e.CoUnitReleased(unit="B", reason="left_units"), e.Resolved(reply_id="t", outcome=Outcome.RESOLVED, by="liaison-A"),
    ]  # fmt: skip
    demand, entries = append(story.demand, [ASKED], at=story.now, actor="p-1")
    _, more = append(demand, ends, at=story.now + timedelta(hours=1), actor="p-1")
    assert "while B had a required part" in findings(Log(b.NUMBER, [*story.entries, *entries, *more]))
