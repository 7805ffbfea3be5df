"""When the next bell of a demand rings. The workflow keeps exactly one timer, to the first alarm."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from domain.demand import Demand
from domain.vocabulary import ClockName


class Alarm(NamedTuple):
    at: datetime
    clock: ClockName


def alarms(demand: Demand) -> list[Alarm]:
    """Every bell that is set, soonest first: clocks that run and have not been broken yet."""
    if demand.sealed:
        return []
    return sorted(Alarm(c.due_at, n) for n, c in demand.clocks.items() if c.running and not c.breached)


def next_alarm(demand: Demand) -> Alarm | None:
    return next(iter(alarms(demand)), None)


def rung(demand: Demand, now: datetime) -> list[ClockName]:
    """The clocks whose instant has come by `now`, in the order of their instants."""
    return [alarm.clock for alarm in alarms(demand) if alarm.at <= now]
