"""The clocks of a demand as the figures read them: kept, missed, or taken back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from domain.kpi_facts import Facts, Mark, Run, Where
from domain.tasks import unit_of

Data = dict[str, Any]


@dataclass(slots=True)
class Running:
    """`done` is what happened in the turn that is read; `running` the last run of each clock; `merged`: it follows another
    demand."""

    facts: Facts
    done: set[str] = field(default_factory=set)
    running: dict[str, Run] = field(default_factory=dict)
    merged: bool = False


SETTLED = "settled"
"""Resolved because the demand that it follows was: that keeps the promise to its reporter, and is nobody's work here."""
MET_BY = {
    "locate": ("demand_located",),
    "accept": ("accepted",),
    "contact": ("reporter_contacted",),
    "resolve": ("resolved", SETTLED, "closed"),
    "refusal_window": ("accepted", "unit_refused"),
    "unit_due": ("resolved",),
    "co_window": ("co_unit_bound", "co_unit_refused"),
    "co_due": ("co_unit_done",),
    "decide": ("meeting_decided",),
    "approve": ("final_reply_decided",),
    "follow_up": ("feedback_given", "call_back_made", "closed"),
}
"""What each clock waits for; one that stops for another reason was neither kept nor missed."""


def _of_unit(run: Run) -> bool:
    """Clocks of a unit's task stay with that unit, whoever has the demand when they stop."""
    return run.kind in ("refusal_window", "unit_due", "co_window", "co_due")


def _miss(r: Running, run: Run, now: datetime) -> None:
    """Note that the due instant came while the clock ran: what is done at that very instant is late, as its bell says.

    It was missed by who had it then, whoever ends it.
    """
    if run.broken_at is None and run.paused_at is None and run.stopped is None and run.due <= now:
        run.broken_at, run.where = run.due, _where(r, run)


def _where(r: Running, run: Run) -> Where:
    return replace(r.facts.where, unit=run.where.unit) if _of_unit(run) else r.facts.where


def hear(r: Running, at: datetime) -> None:
    """What was missed before this turn, before anything in it moves the demand: bells may be heard late, and together."""
    for run in r.running.values():
        _miss(r, run, at)


def _clock_started(r: Running, data: Data, mark: Mark) -> None:
    clock, due_at = data["clock"], datetime.fromisoformat(data["due_at"])
    unit = unit_of(clock)
    where = replace(r.facts.where, unit=unit) if unit else r.facts.where
    r.running[clock] = run = Run(clock, mark, due_at, mark, where)
    r.facts.runs.append(run)


def _clock_stopped(r: Running, data: Data, mark: Mark) -> None:
    run = r.running[data["clock"]]
    _miss(r, run, mark.at)
    unit = unit_of(run.clock)
    run.stopped, run.paused_at, run.waived = mark, None, r.merged
    run.met = any((f"{what}:{unit}" if unit else what) in r.done for what in MET_BY.get(run.kind, ()))
    if run.broken_at is None:
        run.where = _where(r, run)


def _clock_paused(r: Running, data: Data, mark: Mark) -> None:
    run = r.running[data["clock"]]
    _miss(r, run, mark.at)
    run.paused_at = mark.at


def _clock_due(r: Running, data: Data, mark: Mark) -> None:
    """Resumed, extended or reckoned anew; a miss before that stays one."""
    run = r.running[data["clock"]]
    _miss(r, run, mark.at)
    run.due_at, run.due_set = datetime.fromisoformat(data["due_at"]), mark


def _clock_resumed(r: Running, data: Data, mark: Mark) -> None:
    _clock_due(r, data, mark)
    run = r.running[data["clock"]]
    run.paused_at, run.stopped, run.met, run.waived = None, None, False, False


def _clock_breached(r: Running, data: Data, mark: Mark) -> None:
    run = r.running[data["clock"]]
    if run.broken_at is None:
        run.broken_at, run.where = max(datetime.fromisoformat(data["due_at"]), run.due_set.at), _where(r, run)


def still_running(r: Running, until: datetime) -> None:
    """What `until` leaves running lies where the demand lies, and may have been missed by then."""
    for run in r.facts.runs:
        if run.stopped is None and run.broken_at is None:
            run.where = _where(r, run)
            _miss(r, run, until)


def _merged(r: Running, data: Data, mark: Mark) -> None:
    r.merged = True


def _unmerged(r: Running, data: Data, mark: Mark) -> None:
    r.merged = False


def _only_done(r: Running, data: Data, mark: Mark) -> None:
    """Says by its being there that a clock was kept."""


READ: dict[str, Callable[[Any, Data, Mark], None]] = {
    "clock_started": _clock_started,
    "clock_stopped": _clock_stopped,
    "clock_paused": _clock_paused,
    "clock_resumed": _clock_resumed,
    "clock_extended": _clock_due,
    "clock_replanned": _clock_due,
    "clock_breached": _clock_breached,
    "merged": _merged,
    "unmerged": _unmerged,
    "final_reply_decided": _only_done,
    "call_back_made": _only_done,
}
