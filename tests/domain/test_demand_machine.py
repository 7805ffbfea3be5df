"""Whatever people do to a demand, in whatever order and at whatever hour, it keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM, Actor
from domain.clocks import late_by, next_alarm, planned_due, replanned, rung, used
from domain.decide import UNHEARD, take_turn
from domain.demand import Clock, Demand, evolve
from domain.errors import DomainError
from domain.ladder import Step, is_promised
from domain.ledger import Entry, replay
from domain.lifecycle import RULES, check, permitted
from domain.promise import Promise
from domain.tasks import ClockKey, CoUnit, unit_of
from domain.turn import STOPPED_BY_MEETING
from domain.vocabulary import ClockName, DecisionKind, Outcome, Satisfied, Solved, Stage
from domain.worktime import Budget, Calendar, elapsed
from tests.domain import builders as b

COMMANDS = tuple(dict.fromkeys(rule.command for rule in RULES))
ROUTINGS = (b.a_routing(), b.a_routing("A"), b.a_routing("B", "A"), b.a_routing("A", "B", "C", "D"))
PLACES = (b.a_place(), b.another_place())
INSIDE = ("note", "attach")
PLAIN = ("hours", "calendar_days")
FELL = (e.ClockWarned, e.NoticeIssued, e.ClockEscalated, e.ClockFarBreached)
TOUCHES: dict[str, set[ClockName]] = {
    "note": set(), "attach": set(), "urge": set(), "extend": set(), "contact": {ClockName.CONTACT},
    "accept": {ClockName.ACCEPT, ClockName.REFUSAL_WINDOW},
}  # fmt: skip
"""What touches few clocks or none, and which."""

CALENDARS = (
    b.CALENDAR,
    b.another_calendar(),
    b.another_calendar(version="test-3", published_until=date(2027, 3, 31)),
    b.another_calendar(version="test-4", work=(date(2027, 3, 13), date(2027, 3, 14))),
    b.another_calendar(version="test-5", off=tuple(date(2027, 3, day) for day in range(9, 31))),
)
LADDERS: tuple[tuple[Step, ...], ...] = (
    b.a_ladder(),
    (),
    (Step(do="remind", percent=30), Step(do="agenda", after=b.a_budget(1, "hours"), clocks=(ClockName.RESOLVE,))),
)


def promises() -> tuple[Promise, ...]:
    """What another class promises: shorter, longer, by the wall clock, with another ladder."""
    terms = b.a_promise()
    day = b.a_budget(1, "working_days")
    return (
        b.with_budgets(terms, accept=b.a_budget(4), contact=day, resolve=b.a_budget(15, "working_days")),
        b.with_budgets(
            terms.model_copy(update={"ladder": LADDERS[2]}),
            accept=b.a_budget(0.5, "hours"), contact=b.a_budget(1, "hours"), resolve=b.a_budget(2, "hours"),
            unit_due=b.a_budget(2, "hours"), decide=day,
        ),
        b.with_budgets(terms.model_copy(update={"ladder": ()}), resolve=b.a_budget(9), unit_due=b.a_budget(20, "hours")),
    )  # fmt: skip


PROMISES = promises()


def said_by_others(one_of: Callable[..., Any], kind: str, demand: Demand) -> dict[str, Any]:
    """What those above the handler say, and what other demands do."""
    match kind:
        case "supervise":
            return {"deed": one_of("take_over", "order", "return"), "note_id": one_of("t-1", None)}
        case "decide_final_reply":
            return {"approved": one_of(True, False)}
        case "merge":
            place, twice = one_of(None, *PLACES), one_of(False, False, True)
            return {"primary": one_of("D-2", "D-3", demand.number), "place": place, "same_reporter": twice}
        case "join" | "leave":
            return {"number": one_of("D-4", "D-5", demand.number)}
        case "settle":
            outcome = one_of("resolved", "explained", "final_reply")
            return {"primary": one_of("D-2", "D-3"), "reply_id": "t-own", "handler": b.COLLEAGUE.id, "outcome": outcome}
        case "lose_primary":
            return {"primary": one_of("D-2", "D-3"), "heir": one_of(None, "D-3", demand.number)}
        case _:
            return {}


def a_command(draw: Any, kind: str, demand: Demand, now: datetime) -> c.Command:
    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    made: dict[str, Any] = {"type": kind, **said_by_others(one_of, kind, demand)}
    match kind:
        case "locate":
            made |= {"place": one_of(*PLACES), "routing": one_of(None, *ROUTINGS)}
        case "note":
            made |= {"note_id": one_of("t-1", None)}
        case "attach":
            made |= {"file_ids": one_of(("f-1",), ())}
        case "resolve":
            made |= {"reply_id": "t-reply", "outcome": one_of("resolved", "explained")}
        case "hand_off":
            made |= {"routing": one_of(*ROUTINGS)}
        case "refuse":
            made |= {"basis": one_of("wrong_grid", "not_our_duty"), "place": one_of(None, *PLACES)}
        case "request_info":
            made |= {"reason": "weather"}
        case "extend":
            made |= {"working_days": one_of(1, 3), "basis": "season"}
        case "decide_extension":
            made |= {"approved": one_of(True, False)}
        case "escalate":
            made |= {"reason": "repeat"}
        case "reassign":
            made |= {"person": one_of(b.COLLEAGUE.id, b.WORKER.id)}
        case "verify":
            made |= {"ok": one_of(True, False)}
        case "call_back":
            made |= {"channel": one_of("sms", "visit")}
        case "confirm":
            made |= {"contacted": True, "solved": one_of(*Solved), "satisfied": one_of(*Satisfied)}
        case "reclassify":
            made |= {"category": one_of("010101", "020202"), "promise": one_of(*PROMISES)}
            made |= {"routing": one_of(None, *ROUTINGS)}
        case "add_co_units":
            made |= {
                "co_units": [
                    CoUnit(unit=u, liaison=f"liaison-{u}", required=one_of(True, False)) for u in one_of("A", "BC")
                ]
            }
        case "co_accept" | "co_refuse" | "co_done" | "co_release":
            made |= {"unit": one_of(*b.UNITS)} | ({"basis": "no_power"} if kind == "co_refuse" else {})
        case "swap_lead":
            made |= {"lead": one_of(*map(b.a_candidate, b.UNITS))}
        case "adopt_calendar":
            made |= {"version": demand.terms.calendar}
        case "decide":
            kind_of = one_of(*DecisionKind)
            said: dict[str, Any] = {"turn": demand.turn + one_of(0, 0, 0, -1)}
            if kind_of is DecisionKind.SHELVE:
                said["review_at"] = now + timedelta(days=one_of(1, 40))
            elif kind_of in (DecisionKind.ASSIGN, DecisionKind.PROJECT):
                said["due_at"] = one_of(
                    None, now - timedelta(hours=1), *(now + timedelta(hours=h) for h in (1, 99, 999))
                )
            return b.a_decision(kind_of, demand, **said)
    return b.an_act(SYSTEM, made).command  # type: ignore[arg-type]


class Life(RuleBasedStateMachine):
    story: b.Story

    @initialize(
        place=st.sampled_from((None, *PLACES)), routing=st.sampled_from((None, *ROUTINGS)), verify=st.booleans(),
        hours=st.integers(0, 24 * 7), units=st.sampled_from(("working_days", "hours", "working_hours")),
        ladder=st.sampled_from(LADDERS), calendar=st.sampled_from(CALENDARS), asks=st.sampled_from((None, b.a_plan())),
        reach=st.sampled_from(((), ("account",), ("phone", "email"))), approves=st.booleans(),
    )  # fmt: skip
    def opened(
        self, place: Any, routing: Any, verify: bool, hours: int, units: str, ladder: Any, calendar: Calendar,
        asks: Any, reach: Any, approves: bool,
    ) -> None:  # fmt: skip
        terms = b.with_budgets(b.a_promise(verify=verify, ladder=ladder), resolve=b.a_budget(30, units))
        if asks is not None:
            terms = b.asking_by(terms, asks)
        if approves:
            terms = b.with_budgets(terms, approve=b.a_budget(2, "working_days"))
        self.story = b.Story(
            now=b.MONDAY_NINE + timedelta(hours=hours), place=place, routing=routing if place else None,
            promise=terms.model_copy(update={"calendar": calendar.version}), calendar=calendar, reach=reach,
        )  # fmt: skip

    # ---- what happens

    @rule(data=st.data(), actor=st.sampled_from(b.EVERYBODY), kind=st.sampled_from(COMMANDS))
    def anybody_asks_anything(self, data: st.DataObject, actor: Actor, kind: str) -> None:
        self._asks(data.draw, actor, kind)

    @rule(data=st.data())
    @precondition(lambda self: not self.story.demand.sealed)
    def somebody_does_what_is_permitted(self, data: st.DataObject) -> None:
        could = [(a, k) for a in b.EVERYBODY for k in permitted(self.story.demand, a) if k not in (*INSIDE, "ring")]
        kinds = sorted({k for _, k in could})
        if kinds:
            kind = data.draw(st.sampled_from(kinds))
            self._asks(data.draw, data.draw(st.sampled_from([a for a, k in could if k == kind])), kind)

    @rule(hours=st.floats(0.1, 60))
    def time_passes(self, hours: float) -> None:
        end = self.story.now + timedelta(hours=round(hours, 3))
        while (alarm := self._next()) is not None and alarm.at <= end:
            before = self._before()
            in_time = alarm.at >= self.story.now
            self.story.now = max(self.story.now, alarm.at)
            events = self.story.rings()
            self._kept(before, events)
            falls = [ev.fell_at for ev in events if isinstance(ev, FELL)]
            assert events and (not in_time or falls in ([], [alarm.at] * len(falls))), (
                "heard late with nothing in the way"
            )
        before = self._before()
        self.story.now = end
        self._kept(before, [])

    @rule(hours=st.integers(1, 24 * 20))
    def the_worker_process_is_down(self, hours: int) -> None:
        """No bell is heard before the next command or the end of the outage."""
        self.story.waits(hours=hours)

    @rule(days=st.integers(1, 30))
    @precondition(lambda self: not self.story.demand.sealed)
    def an_outage_ends(self, days: int) -> None:
        before = self._before()
        self.story.waits(days=days)
        due = self._rung()
        events = self.story.rings()
        self._kept(before, events)
        assert bool(due) == bool(events), "a bell that has come is heard once, and none that has not"
        assert not self._rung(), "nothing rings twice at one instant"

    @rule(calendar=st.sampled_from(CALENDARS))
    @precondition(lambda self: not self.story.demand.sealed)
    def a_calendar_is_published(self, calendar: Calendar) -> None:
        if self._rung():
            before = self._before()
            self._kept(before, self.story.rings())
        demand = self.story.demand
        if demand.sealed:
            return
        moving = replanned(demand, calendar)
        events = self.story.adopts(calendar)
        self._fell_truly(demand, events)
        after = self.story.demand
        assert events[0] == e.CalendarAdopted(version=calendar.version)
        assert {ev.clock: ev.due_at for ev in events[1:] if ev.due_at != demand.clocks[ev.clock].due_at} == moving  # type: ignore[union-attr]
        assert after.terms == demand.terms.model_copy(update={"calendar": calendar.version}), "a target was changed"
        quiet = {"due_at", "provisional", "done"}
        for name, clock in after.clocks.items():
            was = demand.clocks[name]
            assert clock.model_dump(exclude=quiet) == was.model_dump(exclude=quiet)
            assert set(clock.done) <= set(was.done)
            if name not in moving:
                assert clock.due_at == was.due_at and clock.done == was.done
        assert replanned(after, calendar) == {}

    # ---- what must hold after it

    def _before(self) -> tuple[Demand, datetime]:
        return self.story.demand, self.story.now

    def _next(self) -> Any:
        return next_alarm(self.story.demand, self.story.calendar)

    def _rung(self) -> list[Any]:
        return list(rung(self.story.demand, self.story.now, self.story.calendar))

    def _asks(self, draw: Any, actor: Actor, kind: str) -> None:
        before, entries = self._before(), list(self.story.entries)
        demand = before[0]
        command = a_command(draw, kind, demand, self.story.now)
        heard = demand
        if self._rung() and kind not in UNHEARD:  # bells that have come are heard before the command
            heard = take_turn(demand, b.an_act(SYSTEM, c.Ring()), self.story.now, self.story.calendar).demand
        try:
            row = check(heard, kind, actor)
        except DomainError as refused:
            row = None
            assert kind not in permitted(heard, actor)
            assert not heard.sealed or refused.code == "closed"
        else:
            assert row is not None and (kind in permitted(heard, actor)) == row.offered_to(heard, actor)
        try:
            events = self.story.does(actor, command)
        except DomainError as refused:
            assert refused.code.isidentifier() and len(refused.rule) > 20
            assert (self.story.demand, self.story.entries) == (demand, entries), "a refused command changed something"
            return
        assert kind in permitted(heard, actor), f"{kind} was taken and not offered"
        assert row is not None, f"{actor.id} was not allowed to {kind} in {demand.stage}, and did"
        assert self.story.demand.stage in row.to, f"{kind} led from {demand.stage} to {self.story.demand.stage}"
        if kind in INSIDE:
            assert (self.story.demand.clocks, self.story.demand.stage) == (heard.clocks, heard.stage)
        if kind in TOUCHES:
            clocks = self.story.demand.clocks
            assert {n for n in clocks if clocks[n] != heard.clocks.get(n)} <= TOUCHES[kind], f"{kind} touched a clock"
        self._kept(before, events)

    def _kept(self, before: tuple[Demand, datetime], events: Sequence[e.Event]) -> None:
        demand = self.story.demand
        self._fell_truly(before[0], events)
        started = {ev.clock for ev in events if isinstance(ev, e.ClockStarted)}
        moved = {ev.clock for ev in events if isinstance(ev, e.ClockExtended | e.ClockReplanned)}
        resumed = {ev.clock: ev.since for ev in events if isinstance(ev, e.ClockResumed)}
        for name, old in before[0].clocks.items():
            new = demand.clocks[name]
            if name in started:
                continue
            assert new.breached or not old.breached, f"{name}: a breach was taken back"
            assert self._used(name, new, self.story.now) >= self._used(name, old, before[1]), (
                f"{name}: elapsed time fell"
            )
            if name not in moved:
                left, was_left = self._left(name, new, self.story.now), self._left(name, old, before[1])
                assert left <= was_left, f"{name}: time left grew by {left - was_left}"
                late = resumed.get(name) or self.story.now
                still = old.running or name not in resumed or late < self.story.now
                assert still or left == was_left, f"{name}: {was_left} became {left}"
        for ev in events:
            spoken = any(isinstance(other, (e.Withdrawn, e.FeedbackGiven)) for other in events)  # after a late bell
            if isinstance(ev, e.Closed) and isinstance(events[0], e.CallBackMade) and not spoken:
                assert ev.outcome is Outcome.UNCONFIRMED
            if isinstance(ev, e.Closed) and ev.outcome is Outcome.UNREACHABLE:
                assert before[0].call_backs > 0, "nobody had tried"
        self._limits_kept(before[0], events)

    def _fell_truly(self, before: Demand, events: Sequence[e.Event]) -> None:
        """Every step at its own instant: in order within one ring, once, and on a clock that ran.

        What a late bell is about to stop is told before it: such clocks are in order for themselves.
        """
        demand, last = before, dict[str, datetime]()
        for ev in events:
            if isinstance(ev, (*FELL, e.ClockBreached)):
                clock, step = demand.clocks[ev.clock], ev.step if isinstance(ev, FELL) else "100%"
                at = ev.fell_at if isinstance(ev, FELL) else ev.due_at
                own = unit_of(ev.clock) or ev.clock in (*STOPPED_BY_MEETING, ClockName.FOLLOW_UP)
                ordered = (ev.clock,) if own else (ev.clock, "all")
                assert all(last.get(key, at) <= at <= self.story.now for key in ordered), (
                    f"{ev.clock} {step} out of order"
                )
                last |= dict.fromkeys(ordered, at)
                assert step not in clock.done, f"{ev.clock} {step} fell twice"
                assert clock.stopped_at is None and (clock.paused_at is None or at <= clock.paused_at)
                assert at >= clock.started_at
                assert not any(
                    self._inside(demand, ev.clock, s.from_at, at, s.until_at) for s in clock.shifts if s.kind == "pause"
                )
                self._share_used(demand, ev.clock, clock, step, at)
            if isinstance(ev, e.Reclassified | e.ClockReplanned | e.CalendarAdopted | e.ClockStarted):
                last = {}  # reckoned anew: what fell by the promise of before is told already
            demand = evolve(demand, ev, self.story.now)

    def _inside(self, demand: Demand, name: ClockKey, begin: datetime, at: datetime, end: datetime | None) -> bool:
        """Whether the clock's own time lies between `begin` and `at`, and between that and the end of a pause."""
        budget, none = demand.terms.budget_of(name), timedelta()
        return end is not None and self._measure(budget, begin, at) > none and self._measure(budget, at, end) > none

    def _share_used(self, demand: Demand, name: ClockKey, clock: Clock, step: str, at: datetime) -> None:
        budget = demand.terms.budget_of(name)
        if not step.endswith("%"):
            assert at > clock.due_at
            return
        if step == "100%" and at == clock.due_at:
            return
        pauses = [s for s in clock.shifts if s.kind == "pause" and s.until_at is not None]
        before = [s for s in pauses if s.from_at < at]
        run = self._measure(budget, clock.started_at, at)
        run -= sum((self._measure(budget, s.from_at, min(s.until_at, at)) for s in before if s.until_at), timedelta())
        whole = self._measure(budget, clock.started_at, clock.due_at)
        whole -= sum((self._measure(budget, s.from_at, s.until_at) for s in pauses if s.until_at), timedelta())
        off = abs(run - whole * int(step[:-1]) / 100)
        assert off <= timedelta(microseconds=2), f"{name} {step} fell at {run} of {whole}"

    def _limits_kept(self, before: Demand, events: Sequence[e.Event]) -> None:
        demand = self.story.demand
        kinds = [ev.type for ev in events]
        for ev in events:
            if isinstance(ev, e.RedoOrdered):
                assert (ev.count > demand.terms.redo_limit) == ("sent_to_meeting" in kinds)
            if isinstance(ev, e.UnitAssigned) and ev.lead.unit in before.past_units:
                assert {"meeting_decided", "redo_ordered"} & set(kinds), f"{ev.lead.unit} had it before"
        assert demand.unit_refusals < demand.terms.refusal_limit or demand.stage is Stage.MEETING

    def _left(self, name: ClockKey, clock: Clock, now: Any) -> timedelta:
        at = clock.paused_at or clock.stopped_at or now
        return self._measure(self.story.demand.terms.budget_of(name), at, clock.due_at)

    def _used(self, name: ClockKey, clock: Clock, now: datetime) -> timedelta:
        return used(self.story.calendar, clock, self.story.demand.terms.budget_of(name), now)

    def _measure(self, budget: Budget | None, start: datetime, end: datetime) -> timedelta:
        if budget is None or budget.unit in PLAIN:
            return end - start
        return elapsed(self.story.calendar, start, end)

    @invariant()
    def the_log_makes_the_demand(self) -> None:
        assert replay(b.NUMBER, self.story.entries) == self.story.demand
        assert [entry.seq for entry in self.story.entries] == list(range(1, self.story.demand.seq + 1))

    @invariant()
    def somebody_owes_the_next_step_by_a_known_instant(self) -> None:
        d = self.story.demand
        assert (d.holder is None) == (d.stage is Stage.CLOSED)
        if d.stage is not Stage.CLOSED:
            paused = d.info_reason is not None
            assert d.due_at is not None, f"nobody owes anything in {d.stage}"
            assert paused == (ClockName.PAUSE in d.clocks and d.clocks[ClockName.PAUSE].running)
            assert d.stage in (Stage.GRID, Stage.UNIT) or not paused, f"paused in {d.stage}, where nobody can resume"
            stopped = [n for n, clock in d.clocks.items() if clock.paused_at is not None]
            assert paused or d.shelved or d.follows or not stopped, f"{stopped} stand still and nobody knows why"
            assert (d.kept_holder is not None) == (d.primary is not None) or not d.follows
            assert (d.proposed is not None) <= (d.stage is Stage.MEETING and d.holder != d.proposed_by)
        elif not d.sealed:
            assert self._next() is not None and self._next().clock is ClockName.REOPEN

    @invariant()
    def a_promise_that_was_broken_is_known_to_be(self) -> None:
        if self._rung():
            return  # nobody has heard it yet
        for name, clock in self.story.demand.clocks.items():
            budget = self.story.demand.terms.budget_of(name)
            if is_promised(name) and late_by(self.story.calendar, clock, budget, self.story.now) > timedelta():
                assert clock.breached, f"{name} was due {clock.due_at} and counts as kept"

    @invariant()
    def every_due_instant_follows_from_the_start_the_budget_and_what_shifted_it(self) -> None:
        d = self.story.demand
        for name, clock in d.clocks.items():
            budget = d.terms.budget_of(name)
            if clock.stopped_at is None and budget is not None:
                assert clock.due_at == planned_due(self.story.calendar, clock, budget), name

    @invariant()
    def a_pause_is_not_for_ever(self) -> None:
        pause = self.story.demand.clocks.get(ClockName.PAUSE)
        if pause is not None and pause.running and not self._rung():
            assert pause.due_at > self.story.now

    @invariant()
    def a_clock_remembers_its_pauses_as_the_log_tells_them(self) -> None:
        stood: dict[str, list[tuple[datetime, datetime]]] = {}
        since: dict[str, datetime] = {}
        for entry in self.story.entries:
            name = str(entry.data.get("clock"))
            if entry.type == "clock_started":
                stood[name] = []
                since.pop(name, None)
            elif entry.type in ("clock_paused", "clock_stopped"):
                since[name] = entry.at
            elif entry.type == "clock_resumed":
                until = entry.data.get("since")
                stood[name].append((since.pop(name), datetime.fromisoformat(str(until)) if until else entry.at))
        for name, clock in self.story.demand.clocks.items():
            assert [(s.from_at, s.until_at) for s in clock.shifts if s.kind == "pause"] == stood[name], name

    @invariant()
    def it_closes_once_per_opening(self) -> None:
        types = self.story.types()
        closings, openings = types.count("closed"), 1 + types.count("reopened")
        assert closings == openings - (self.story.demand.stage is not Stage.CLOSED)
        assert types.count("sealed") <= 1

    @invariant()
    def it_survives_storage(self) -> None:
        d = self.story.demand
        assert Demand.model_validate_json(d.model_dump_json(exclude_defaults=True)) == d

    def teardown(self) -> None:
        """As a database would give them back: keys in another order, the same chain."""
        if not hasattr(self, "story"):
            return
        stored = [json.dumps(entry.model_dump(mode="json"), sort_keys=True) for entry in self.story.entries]
        read = [Entry.model_validate_json(json.dumps(dict(reversed(json.loads(row).items())))) for row in stored]
        assert replay(b.NUMBER, read) == self.story.demand


TestLife = Life.TestCase
TestLife.settings = settings(  # not shrunk: that takes minutes, and the steps above the failure tell the story
    max_examples=40, stateful_step_count=40, deadline=None, derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)  # fmt: skip
