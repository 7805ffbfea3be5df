"""One turn of the decider: collects events, keeps the demand they make, knows the moves several commands share."""

from __future__ import annotations

from datetime import datetime

from domain import events as e
from domain.actors import Actor
from domain.commands import Place
from domain.demand import REOPENABLE, Demand, evolve
from domain.routing import Candidate, Routing
from domain.vocabulary import ClockName, Outcome
from domain.worktime import Budget, Calendar, add_working, due, elapsed

_CHANGES_HANDS = (ClockName.LOCATE, ClockName.REFUSAL_WINDOW, ClockName.DECIDE, ClockName.REVIEW)
_HANDLING = (ClockName.CONTACT, ClockName.RESOLVE)


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

    def start(self, name: ClockName, *, due_at: datetime | None = None) -> None:
        budget = self.demand.terms.budgets.get(name)
        if due_at is None:
            assert budget is not None, f"the promise has no budget for {name}"
            due_at = due(self.calendar, self.now, budget)
        self.emit(e.ClockStarted(clock=name, due_at=due_at))

    def stop(self, *names: ClockName) -> None:
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and clock.stopped_at is None:
                if clock.paused_at is not None:  # so that its due says whether it was kept
                    self.resume(name)
                self.emit(e.ClockStopped(clock=name))

    def pause(self, *names: ClockName) -> None:
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and clock.running:
                self.emit(e.ClockPaused(clock=name))

    def resume(self, *names: ClockName) -> None:
        """Run on after a pause, or after a stop that turned out to be too early (redo): due moves by the time lost."""
        for name in names:
            clock = self.demand.clocks.get(name)
            if clock is not None and not clock.running:
                since = clock.paused_at or clock.stopped_at or self.now
                self.emit(e.ClockResumed(clock=name, due_at=self._shifted(name, clock.due_at, since)))

    def _shifted(self, name: ClockName, due_at: datetime, since: datetime) -> datetime:
        budget = self.demand.terms.budgets.get(name)
        if budget is None or budget.unit in ("hours", "calendar_days"):
            return due_at + (self.now - since)
        return add_working(self.calendar, due_at, elapsed(self.calendar, since, self.now))

    def extend(self, name: ClockName, working_days: int) -> None:
        more = Budget(amount=working_days, unit="working_days")
        self.emit(e.ClockExtended(clock=name, due_at=due(self.calendar, self.demand.clocks[name].due_at, more)))

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

    def to_unit(self, lead: Candidate, *, bound: bool = False) -> None:
        self.stop(*_CHANGES_HANDS)
        self.emit(e.UnitAssigned(lead=lead))
        if bound:
            self.emit(e.UnitBound(unit=lead.unit, by="decision"))
        else:
            self.start(ClockName.REFUSAL_WINDOW)

    def to_worker(self, person: str, reason: str) -> None:
        self.stop(*_CHANGES_HANDS)
        self.emit(e.WorkerAssigned.model_validate({"person": person, "reason": reason}))

    def to_meeting(self, reason: str, *, meeting: str | None = None, convener: str | None = None) -> None:
        place = self.demand.place
        assert place is not None, "only a located demand can reach a meeting"
        self.stop(ClockName.ACCEPT, *_CHANGES_HANDS)
        self.resume(*(n for n in _HANDLING if n in self.demand.clocks and self.demand.clocks[n].paused_at))
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
        self.stop(ClockName.FOLLOW_UP, ClockName.CALL_BACK, ClockName.REOPEN)
        count = self.demand.redos + 1
        self.emit(e.RedoOrdered.model_validate({"count": count, "reason": reason}))
        self.resume(ClockName.RESOLVE)
        if count > self.demand.terms.redo_limit:
            self.to_meeting("redo_limit")
        elif self.demand.lead is not None:
            self.to_unit(self.demand.lead, bound=True)
        else:
            assert self.demand.worker is not None
            self.to_worker(self.demand.worker, "redo")

    def close(self, outcome: Outcome, reply_id: str | None = None) -> None:
        self.stop(*list(self.demand.clocks))
        self.emit(e.Closed(outcome=outcome, reply_id=reply_id))
        if outcome in REOPENABLE:
            self.start(ClockName.REOPEN)
