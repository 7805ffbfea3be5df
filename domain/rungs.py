"""What each bell does: the steps of the ladder, and the clocks that only wait for an hour."""

from __future__ import annotations

from collections.abc import Callable

from domain import events as e
from domain.asking import ask_again
from domain.clocks import Alarm, rung
from domain.demand import Demand
from domain.ladder import Deed, Told, is_promised
from domain.tasks import ClockKey, unit_of
from domain.turn import STOPPED_BY_MEETING, Turn
from domain.vocabulary import ClockName, Stage


def ring(t: Turn) -> None:
    """Every bell whose instant has come, in the order of their instants."""
    while alarms := rung(t.demand, t.now, t.calendar):  # each bell stops, marks or restarts its clock, so this ends
        alarm = _next(t.demand, alarms)
        if is_promised(alarm.clock):
            _DEEDS[alarm.step.do](t, alarm)
        elif unit := unit_of(alarm.clock):
            _bind_co_unit(t, alarm.clock, unit)
        else:
            _BELLS[ClockName(alarm.clock)](t, ClockName(alarm.clock))


def _next(demand: Demand, alarms: list[Alarm]) -> Alarm:
    """The first one; but what came by now on a clock that it would stop is told before.

    Heard late, a promise that broke in between was broken: until now nobody had taken the demand away.
    """
    first = alarms[0]
    stops: set[ClockKey] = set()
    if first.step.do == "agenda":
        stops = {*STOPPED_BY_MEETING, *(key for key in demand.clocks if unit_of(key))}
    elif first.clock == ClockName.CALL_BACK and not demand.terms.of_0_1:
        stops = {ClockName.FOLLOW_UP}
    return next((a for a in alarms if a.clock in stops and a.step.do != "agenda"), first)


def told(demand: Demand, whom: tuple[Told, ...], clock: ClockKey) -> tuple[str, ...]:
    """The people that a step of this clock's ladder speaks of, each once. A co-unit holds its own part."""
    place = demand.place
    helper = next((task.liaison for task in demand.co_tasks if task.unit == unit_of(clock)), None)
    people = {
        "holder": helper or demand.holder,
        "supervisor": demand.supervisor,
        "secretary": place.secretary if place else None,
        "dispatcher": demand.dispatcher,
        "operator": demand.operator,
    }
    return tuple(dict.fromkeys(person for role in whom if (person := people[role])))


# ---- the ladder


def _remind(t: Turn, alarm: Alarm) -> None:
    _tell(t, alarm, e.ClockWarned)


def _breach(t: Turn, alarm: Alarm) -> None:
    hear = told(t.demand, alarm.step.tell, alarm.clock) if t.demand.terms.ladder else ()
    t.emit(e.ClockBreached(clock=alarm.clock, due_at=alarm.at, told=hear))
    d = t.demand
    overdue = alarm.clock is ClockName.ACCEPT and d.stage is Stage.GRID
    if overdue and d.place and d.holder != d.place.substitute:
        t.to_worker(d.place.substitute, "accept_overdue")


def _notice(t: Turn, alarm: Alarm) -> None:
    _tell(t, alarm, e.NoticeIssued)


def _far_breach(t: Turn, alarm: Alarm) -> None:
    _tell(t, alarm, e.ClockFarBreached)


def _onto_agenda(t: Turn, alarm: Alarm) -> None:
    """Overdue for too long: the joint meeting decides. Without a place there is none, what is done needs none, and of a
    duplicate it decides with the primary."""
    _tell(t, alarm, e.ClockEscalated)
    if t.demand.follows:
        return
    if t.demand.stage in (Stage.GRID, Stage.UNIT):
        t.to_meeting("overdue")
    elif t.demand.stage in (Stage.INTAKE, Stage.FEEDBACK) and t.demand.holder != t.demand.supervisor:
        t.emit(e.TakenOver(person=t.demand.supervisor, reason="overdue"))


_StepFell = type[e.ClockWarned] | type[e.NoticeIssued] | type[e.ClockFarBreached] | type[e.ClockEscalated]


def _tell(t: Turn, alarm: Alarm, event: _StepFell) -> None:
    hear = told(t.demand, alarm.step.tell, alarm.clock)
    t.emit(event(clock=alarm.clock, step=alarm.step.key, fell_at=alarm.at, told=hear))


_DEEDS: dict[Deed, Callable[[Turn, Alarm], None]] = {
    "remind": _remind,
    "breach": _breach,
    "notice": _notice,
    "agenda": _onto_agenda,
    "far_breach": _far_breach,
}

# ---- clocks that wait for an hour


def _bind(t: Turn, name: ClockName) -> None:
    t.stop(name)
    if t.demand.unit and not t.demand.lead_bound:
        t.emit(e.UnitBound(unit=t.demand.unit, by="silence"))


def _bind_co_unit(t: Turn, clock: ClockKey, unit: str) -> None:
    t.stop(clock)
    t.emit(e.CoUnitBound(unit=unit, by="silence"))


def _end_pause(t: Turn, name: ClockName) -> None:
    """At its own instant, however late that is noticed: an outage of ours gives nobody more time."""
    t.run_on(since=t.demand.clocks[name].due_at)


def _next_call_back(t: Turn, name: ClockName) -> None:
    ask_again(t)


def _review(t: Turn, name: ClockName) -> None:
    """What was shelved runs on from its review date, however late that is noticed."""
    t.stop(name)
    if not t.demand.terms.of_0_1:
        still = (n for n, clock in t.demand.clocks.items() if clock.paused_at is not None)
        t.resume(*still, since=t.demand.clocks[name].due_at)
    t.to_meeting("review", convener=t.demand.holder)


def _seal(t: Turn, name: ClockName) -> None:
    t.stop(name)
    t.emit(e.Sealed())


_BELLS: dict[ClockName, Callable[[Turn, ClockName], None]] = {
    ClockName.REFUSAL_WINDOW: _bind,
    ClockName.PAUSE: _end_pause,
    ClockName.CALL_BACK: _next_call_back,
    ClockName.REVIEW: _review,
    ClockName.REOPEN: _seal,
}
