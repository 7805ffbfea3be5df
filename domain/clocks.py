"""When the clocks of a demand ring, and how a due instant follows from its start. Pure.

Each clock is measured in its own time: working time where its budget is in working hours or days, plain time otherwise.
The workflow keeps exactly one timer, to the first alarm.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.ladder import BREACH, Step, is_promised
from domain.tasks import ClockKey
from domain.worktime import Budget, Calendar, add_working, due, elapsed, outside_published

ZERO = timedelta(0)


class Alarm(NamedTuple):
    at: datetime
    clock: ClockKey
    step: Step


class _Memo:
    """The alarms last worked out. One command asks for those of the same demand four times over."""

    last: tuple[Demand, Calendar, list[Alarm]] | None = None


def alarms(demand: Demand, calendar: Calendar) -> list[Alarm]:
    """The next bell of every clock that runs, soonest first.

    One that stands still rings for what came before its pause: reckoned anew, it can turn out to be broken already.
    """
    last = _Memo.last
    if last is None or last[0] is not demand or last[1] is not calendar:  # both are frozen: the same is equal
        last = _Memo.last = (demand, calendar, _alarms(demand, calendar))
    return list(last[2])


def _alarms(demand: Demand, calendar: Calendar) -> list[Alarm]:
    if demand.sealed:
        return []
    found = (_first(demand, calendar, n, c) for n, c in demand.clocks.items() if c.stopped_at is None)
    return sorted((a for a in found if a is not None and _heard(demand.clocks[a.clock], a.at)), key=_in_order)


def next_alarm(demand: Demand, calendar: Calendar) -> Alarm | None:
    return next(iter(alarms(demand, calendar)), None)


def rung(demand: Demand, now: datetime, calendar: Calendar) -> list[Alarm]:
    """Those of the next bells whose instant has come by `now`, in the order of their instants."""
    return [alarm for alarm in alarms(demand, calendar) if alarm.at <= now]


def ahead(demand: Demand, calendar: Calendar, name: ClockKey) -> list[Alarm]:
    """Every step of this clock that has not fallen yet, soonest first; none while it stands still."""
    clock = demand.clocks[name]
    if demand.sealed or not clock.running:
        return []
    found = (_alarm(demand, calendar, name, step) for step in _to_fall(demand, name, clock))
    return sorted((alarm for alarm in found if alarm is not None), key=_in_order)


def _heard(clock: Clock, at: datetime) -> bool:
    return clock.paused_at is None or at <= clock.paused_at


def _in_order(alarm: Alarm) -> tuple[datetime, str, int]:
    return alarm.at, alarm.clock, alarm.step.percent or 0


def _first(demand: Demand, calendar: Calendar, name: ClockKey, clock: Clock) -> Alarm | None:
    steps = _to_fall(demand, name, clock)
    early = [s for s in steps if s.percent is not None and s.percent <= 100]
    for step in sorted(early, key=lambda s: s.percent or 0):
        if alarm := _alarm(demand, calendar, name, step):
            return alarm  # the due instant comes before all that follows it: most alarms cost one computation
    found = (_alarm(demand, calendar, name, step) for step in steps)
    return min((alarm for alarm in found if alarm is not None), key=_in_order, default=None)


def _alarm(demand: Demand, calendar: Calendar, name: ClockKey, step: Step) -> Alarm | None:
    """When it falls; None beyond the calendar's horizon, for a bell that nobody can wait for must not stop the others."""
    try:
        return Alarm(falls_at(calendar, demand.clocks[name], demand.terms.budget_of(name), step), name, step)
    except DomainError:
        return None


def _to_fall(demand: Demand, name: ClockKey, clock: Clock) -> list[Step]:
    if not is_promised(name):
        return [BREACH]
    ladder = demand.terms.ladder
    if not ladder:
        return [] if clock.breached else [BREACH]
    steps = [s for s in ladder if not s.clocks or name in s.clocks]
    if not any(s.percent == 100 for s in steps):
        steps.append(BREACH)
    return [s for s in steps if s.key not in clock.done]


def is_plain(budget: Budget | None) -> bool:
    """Whether a clock with this budget runs by the wall clock; one without a budget waits for a fixed instant."""
    return budget is None or budget.unit in ("hours", "calendar_days")


def measure(calendar: Calendar, budget: Budget | None, start: datetime, end: datetime) -> timedelta:
    """The time from `start` to `end` as a clock with this budget counts it."""
    return end - start if is_plain(budget) else elapsed(calendar, start, end)


def _pauses(clock: Clock) -> list[tuple[datetime, datetime]]:
    return [(s.from_at, s.until_at) for s in clock.shifts if s.kind == "pause" and s.until_at is not None]


def stood_still(calendar: Calendar, clock: Clock, budget: Budget | None) -> timedelta:
    """The clock's own time in its pauses that have ended."""
    return sum((measure(calendar, budget, begin, end) for begin, end in _pauses(clock)), ZERO)


def used(calendar: Calendar, clock: Clock, budget: Budget | None, now: datetime) -> timedelta:
    """The clock's own time that has run, pauses left out, until `now` or until it was paused or stopped."""
    end = min(t for t in (clock.paused_at, clock.stopped_at, now) if t is not None)
    return measure(calendar, budget, clock.started_at, end) - stood_still(calendar, clock, budget)


def span(calendar: Calendar, clock: Clock, budget: Budget | None) -> timedelta:
    """All the time that the clock has, in its own time: the budget with its extensions."""
    return measure(calendar, budget, clock.started_at, clock.due_at) - stood_still(calendar, clock, budget)


def late_by(calendar: Calendar, clock: Clock, budget: Budget | None, now: datetime) -> timedelta:
    """How far a clock is past its due instant, in its own time; zero if it is not."""
    end = min(t for t in (clock.paused_at, clock.stopped_at, now) if t is not None)
    return max(measure(calendar, budget, clock.due_at, end), ZERO) if end > clock.due_at else ZERO


def falls_at(calendar: Calendar, clock: Clock, budget: Budget | None, step: Step) -> datetime:
    """The instant at which a step of the ladder falls. Pauses have moved `due_at` already and move the rest alike."""
    if step.after is not None:
        at = due(calendar, clock.due_at, step.after)
        in_a_pause = (end for begin, end in _pauses(clock) if begin < at < end)
        return next(in_a_pause, at)  # counted in days, it may lie in a pause that has moved the due instant
    assert step.percent is not None
    if step.percent == 100:
        return _breaks_at(calendar, clock, budget)
    at = _reached(calendar, clock, budget, span(calendar, clock, budget) * (step.percent / 100))
    return at if step.percent < 100 else max(at, _breaks_at(calendar, clock, budget))


def _breaks_at(calendar: Calendar, clock: Clock, budget: Budget | None) -> datetime:
    """The due instant; reckoned anew, a clock may have broken before a pause, which then did not move that."""
    pauses = _pauses(clock)
    if not pauses:
        return clock.due_at
    at = _reached(calendar, clock, budget, span(calendar, clock, budget))
    return at if measure(calendar, budget, at, pauses[-1][0]) > ZERO else clock.due_at


def _reached(calendar: Calendar, clock: Clock, budget: Budget | None, amount: timedelta) -> datetime:
    """The first instant at which the clock has run for `amount` of its own time."""
    at, left = clock.started_at, amount
    for begin, end in _pauses(clock):
        ran = measure(calendar, budget, at, begin)
        if left <= ran:
            break
        at, left = end, left - ran
    return moved(calendar, at, budget, left)


def moved(calendar: Calendar, due_at: datetime, budget: Budget | None, stood: timedelta) -> datetime:
    """`due_at` after the clock stood still for `stood` of its own time."""
    return due_at + stood if is_plain(budget) else add_working(calendar, due_at, stood)


def planned_due(calendar: Calendar, clock: Clock, budget: Budget) -> datetime:
    """The due instant from scratch: the budget from the start, then every shift in order."""
    at = due(calendar, clock.started_at, budget)
    for shift in clock.shifts:
        if shift.kind == "pause":
            assert shift.until_at is not None
            at = moved(calendar, at, budget, measure(calendar, budget, shift.from_at, shift.until_at))
        elif shift.kind == "extension":
            at = due(calendar, at, Budget(amount=shift.working_days or 1, unit="working_days"))
        else:
            assert shift.until_at is not None
            at = shift.until_at
    return at


def is_provisional(calendar: Calendar, budget: Budget | None, start: datetime, due_at: datetime) -> bool:
    """Whether that promise rests on days whose holidays are not published yet."""
    return not is_plain(budget) and outside_published(calendar, start, due_at)


def replanned(demand: Demand, calendar: Calendar) -> dict[ClockKey, datetime]:
    """Clocks that have not stopped and whose due instant would be another under `calendar`, with that instant."""
    found: dict[ClockKey, datetime] = {}
    for name, clock in demand.clocks.items():
        budget = demand.terms.budget_of(name)
        if clock.stopped_at is None and budget is not None:
            at = planned_due(calendar, clock, budget)
            if at != clock.due_at:
                found[name] = at
    return found
