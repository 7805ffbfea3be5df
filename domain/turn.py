"""One turn of the decider: collects events, keeps the demand they make, knows the moves several commands share."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from domain import events as e
from domain.actors import Actor
from domain.clocks import is_provisional, measure, moved, planned_due
from domain.commands import Place
from domain.demand import REOPENABLE, Demand, evolve
from domain.routing import Candidate, Routing
from domain.tasks import ClockKey, CoUnit, co_clocks
from domain.vocabulary import ClockName, Outcome
from domain.worktime import Budget, Calendar, due

_CHANGES_HANDS = (
    ClockName.LOCATE, ClockName.REFUSAL_WINDOW, ClockName.UNIT_DUE, ClockName.DECIDE, ClockName.APPROVE, ClockName.REVIEW,
)  # fmt: skip
STOPPED_BY_MEETING = (ClockName.ACCEPT, ClockName.PAUSE, *_CHANGES_HANDS)
HANDLING = (ClockName.CONTACT, ClockName.RESOLVE, ClockName.UNIT_DUE)
"""The clocks that stand still while somebody else is awaited."""
OF_CLASS = (ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.UNIT_DUE)
"""The clocks that a class has a budget of its own for, and that may run when it changes."""


class Turn:
    def __init__(self, demand: Demand, now: datetime, calendar: Calendar, actor: Actor) -> None:
        self.demand = demand
        self.now = now
        self.calendar = calendar
        self.actor = actor
        self.events: list[e.Event] = []

    def emit(self, event: e.Event) -> None:
        self.events.append(event)
        self.demand = evolve(self.demand, event, self.now)

    # ---- clocks

    def start(self, name: ClockKey, *, due_at: datetime | None = None) -> None:
        budget = self.demand.terms.budget_of(name)
        if due_at is None:
            assert budget is not None, f"the promise has no budget for {name}"
            due_at = due(self.calendar, self.now, budget)
        self.emit(e.ClockStarted(clock=name, due_at=due_at, provisional=self._provisional(name, due_at)))

    def start_if_promised(self, name: ClockKey) -> None:
        """For clocks that promises of earlier versions do not know."""
        if self.demand.terms.budget_of(name) is not None:
            self.start(name)

    def stop(self, *names: ClockKey) -> None:
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and clock.stopped_at is None:
                if clock.paused_at is not None:  # so that its due says whether it was kept
                    self.resume(name)
                self.emit(e.ClockStopped(clock=name))

    def pause(self, *names: ClockKey) -> None:
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and clock.running:
                self.emit(e.ClockPaused(clock=name))

    def resume(self, *names: ClockKey, since: datetime | None = None) -> None:
        """Run on after a pause, or after a stop that turned out to be too early (redo): due moves by the time lost.

        `since` is when it ran on, if that was before now.
        """
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and not clock.running:
                began = clock.paused_at or clock.stopped_at or self.now
                late = max(since, began) if since else None
                until = late or self.now
                budget = self.demand.terms.budget_of(name)
                due_at = moved(self.calendar, clock.due_at, budget, measure(self.calendar, budget, began, until))
                provisional = self._provisional(name, due_at)
                self.emit(e.ClockResumed(clock=name, due_at=due_at, since=late, provisional=provisional))
                if clock.stopped_at is not None:  # a calendar adopted meanwhile passed it by
                    self.replan((name,), "calendar")

    def run_on(self, *, since: datetime | None = None) -> None:
        """What was awaited is there, or was awaited long enough."""
        self.emit(e.InfoReceived())
        self.stop(ClockName.PAUSE)
        self.resume(*(name for name, clock in self.demand.clocks.items() if clock.paused_at is not None), since=since)

    def extend(self, name: ClockKey, working_days: int) -> None:
        more = Budget(amount=working_days, unit="working_days")
        due_at = due(self.calendar, self.demand.clocks[name].due_at, more)
        said = None if self.demand.terms.of_0_1 else working_days
        provisional = self._provisional(name, due_at)
        self.emit(e.ClockExtended(clock=name, due_at=due_at, working_days=said, provisional=provisional))

    def replan(self, names: Iterable[ClockKey], by: Literal["reclassified", "calendar"]) -> None:
        """Reckon clocks that have not stopped from their start again, pauses and extensions kept."""
        if by == "calendar" and self.demand.terms.of_0_1:
            return  # what moved its clocks before was not kept
        for name in names:
            clock, budget = self.demand.clocks.get(name), self.demand.terms.budget_of(name)
            if clock is None or clock.stopped_at is not None or budget is None:
                continue
            due_at = planned_due(self.calendar, clock, budget)
            provisional = is_provisional(self.calendar, budget, clock.started_at, due_at)
            if (by == "reclassified" and name in OF_CLASS) or (due_at, provisional) != (
                clock.due_at,
                clock.provisional,
            ):
                self.emit(e.ClockReplanned(clock=name, due_at=due_at, provisional=provisional, by=by))

    def _provisional(self, name: ClockKey, due_at: datetime) -> bool:
        terms = self.demand.terms
        return not terms.of_0_1 and is_provisional(self.calendar, terms.budget_of(name), self.now, due_at)

    # ---- moves between stages

    def place(self, place: Place, routing: Routing | None) -> None:
        """Located: to the grid's worker, or straight to a unit where the matter is above the grid (小马拉大车)."""
        self.stop(ClockName.LOCATE)
        self.emit(e.DemandLocated(place=place))
        if ClockName.ACCEPT not in self.demand.clocks:
            self.start(ClockName.ACCEPT)
        if routing is None:
            self.emit(e.WorkerAssigned(person=place.worker, reason="duty"))
        else:
            self.hand_off(routing)

    def hand_off(self, routing: Routing) -> None:
        self.emit(e.HandedOff(routing=routing))
        self.next_unit()

    def next_unit(self) -> None:
        """The next candidate; a unit that had it before, or nobody left, means the joint meeting."""
        if not self.demand.waiting:
            self.to_meeting("nobody_left" if self.demand.past_units else "nobody_responsible")
        elif self.demand.waiting[0].unit in self.demand.past_units:
            self.to_meeting("returned_to_same_unit")
        else:
            self.to_unit(self.demand.waiting[0])

    def to_unit(self, lead: Candidate, *, bound: bool = False, again: bool = False) -> None:
        """`bound`: there is nothing to refuse; `again`: the same task goes on (redo), and so does its due."""
        self.release("leads", lead.unit)
        self.stop(*(name for name in _CHANGES_HANDS if not (again and name is ClockName.UNIT_DUE)))
        self.emit(e.UnitAssigned(lead=lead))
        if bound:
            self.emit(e.UnitBound(unit=lead.unit, by="decision"))
        else:
            self.start(ClockName.REFUSAL_WINDOW)
        if again and ClockName.UNIT_DUE in self.demand.clocks:
            self.resume(ClockName.UNIT_DUE)
        else:
            self.start_if_promised(ClockName.UNIT_DUE)

    def ask_help(self, co: CoUnit, *, bound: bool = False) -> None:
        """A part of the task for another unit; `bound` by a meeting's decision, there is nothing to refuse."""
        window, own_due = co_clocks(co.unit)
        self.emit(e.CoUnitAsked(co_unit=co))
        if bound:
            self.emit(e.CoUnitBound(unit=co.unit, by="decision"))
        else:
            self.start_if_promised(window)
        self.start_if_promised(own_due)

    def release(self, reason: Literal["taken_back", "leads", "left_units"], *units: str) -> None:
        """End the open parts of `units`; without any, all."""
        for task in self.demand.co_tasks:
            if task.open and (not units or task.unit in units):
                self.stop(*co_clocks(task.unit))
                self.emit(e.CoUnitReleased(unit=task.unit, reason=reason))

    def to_worker(self, person: str, reason: str) -> None:
        self.stop(*_CHANGES_HANDS)
        self.emit(e.WorkerAssigned.model_validate({"person": person, "reason": reason}))

    def to_meeting(self, reason: str, *, meeting: str | None = None, convener: str | None = None) -> None:
        place = self.demand.place
        assert place is not None, "only a located demand can reach a meeting"
        self.release("left_units")
        self.stop(*STOPPED_BY_MEETING)
        self.resume(*(n for n in HANDLING if n in self.demand.clocks and self.demand.clocks[n].paused_at))
        self.emit(
            e.SentToMeeting(
                meeting=meeting or self.demand.meeting or place.community,
                convener=convener or place.secretary,
                turn=self.demand.turn + 1,
                reason=reason,
            )
        )
        self.start(ClockName.DECIDE)

    def redo(self, reason: str) -> None:
        """Back to whoever handled it, history kept; past the limit the joint meeting takes over."""
        if self.demand.primary is not None:
            self.emit(e.Unmerged(primary=self.demand.primary, reason="redo"))
        self.stop(ClockName.FOLLOW_UP, ClockName.CALL_BACK, ClockName.REOPEN)
        count = self.demand.redos + 1
        self.emit(e.RedoOrdered.model_validate({"count": count, "reason": reason}))
        self.resume(ClockName.RESOLVE)
        if count > self.demand.terms.redo_limit:
            self.to_meeting("redo_limit")
        elif self.demand.lead is not None:
            self.to_unit(self.demand.lead, bound=True, again=True)
        else:
            assert self.demand.worker is not None
            self.to_worker(self.demand.worker, "redo")

    def close(self, outcome: Outcome, reply_id: str | None = None) -> None:
        self.release("left_units")
        self.stop(*list(self.demand.clocks))
        self.emit(e.Closed(outcome=outcome, reply_id=reply_id))
        if outcome in REOPENABLE:
            self.start(ClockName.REOPEN)
