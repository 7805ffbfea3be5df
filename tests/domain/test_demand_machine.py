"""Whatever people do to a demand, in whatever order and at whatever hour, it keeps its promises."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM, Actor
from domain.clocks import next_alarm, rung
from domain.decide import take_turn
from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.ledger import Entry, replay
from domain.lifecycle import RULES, check, permitted
from domain.vocabulary import ClockName, DecisionKind, Outcome, Satisfied, Solved, Stage
from domain.worktime import elapsed
from tests.domain import builders as b

COMMANDS = tuple(dict.fromkeys(rule.command for rule in RULES))
ROUTINGS = (b.a_routing(), b.a_routing("A"), b.a_routing("B", "A"), b.a_routing("A", "B", "C", "D"))
PLACES = (b.a_place(), b.another_place())
INSIDE = ("note", "attach")
PLAIN = ("hours", "calendar_days")
PROMISED = (
    ClockName.LOCATE, ClockName.ACCEPT, ClockName.CONTACT, ClockName.RESOLVE, ClockName.DECIDE, ClockName.FOLLOW_UP,
)  # fmt: skip


def a_command(draw: Any, kind: str, demand: Demand, now: Any) -> c.Command:
    def one_of(*values: Any) -> Any:
        return draw(st.sampled_from(values))

    made: dict[str, Any] = {"type": kind}
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
        case "decide":
            kind_of = one_of(*DecisionKind)
            late = {"turn": demand.turn + one_of(0, 0, 0, -1)}
            return b.a_decision(kind_of, demand, **late, **(
                {"review_at": now + timedelta(days=one_of(1, 40))} if kind_of is DecisionKind.SHELVE else {}
            ))  # fmt: skip
    return b.an_act(SYSTEM, made).command  # type: ignore[arg-type]


class Life(RuleBasedStateMachine):
    story: b.Story

    @initialize(
        place=st.sampled_from((None, *PLACES)), routing=st.sampled_from((None, *ROUTINGS)), verify=st.booleans(),
        hours=st.integers(0, 24 * 7), units=st.sampled_from(("working_days", "hours", "working_hours")),
    )  # fmt: skip
    def opened(self, place: Any, routing: Any, verify: bool, hours: int, units: str) -> None:
        terms = b.a_promise(verify=verify)
        budgets = {**terms.budgets, ClockName.RESOLVE: b.a_budget(30, units)}
        self.story = b.Story(
            now=b.MONDAY_NINE + timedelta(hours=hours), place=place, routing=routing if place else None,
            promise=terms.model_copy(update={"budgets": budgets}),
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
        while (alarm := next_alarm(self.story.demand)) is not None and alarm.at <= end:
            before = self._before()
            self.story.now = max(self.story.now, alarm.at)
            self._kept(before, self.story.rings())
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
        due = rung(self.story.demand, self.story.now)
        events = self.story.rings()
        self._kept(before, events)
        assert bool(due) == bool(events), "a bell that has come is heard once, and none that has not"
        assert not rung(self.story.demand, self.story.now), "nothing rings twice at one instant"

    # ---- what must hold after it

    def _before(self) -> tuple[Demand, Any]:
        return self.story.demand, self.story.now

    def _asks(self, draw: Any, actor: Actor, kind: str) -> None:
        before, entries = self._before(), list(self.story.entries)
        demand = before[0]
        command = a_command(draw, kind, demand, self.story.now)
        heard = demand
        if rung(demand, self.story.now):  # bells that have come are heard before the command
            heard = take_turn(demand, b.an_act(SYSTEM, c.Ring()), self.story.now, b.CALENDAR).demand
        try:
            row = check(heard, kind, actor)
        except DomainError as refused:
            row = None
            assert kind not in permitted(heard, actor)
            assert not heard.sealed or refused.code == "closed"
        else:
            assert kind in permitted(heard, actor)
        try:
            events = self.story.does(actor, command)
        except DomainError as refused:
            assert refused.code.isidentifier() and len(refused.rule) > 20
            assert (self.story.demand, self.story.entries) == (demand, entries), "a refused command changed something"
            return
        assert row is not None, f"{actor.id} was not allowed to {kind} in {demand.stage}, and did"
        assert self.story.demand.stage in row.to, f"{kind} led from {demand.stage} to {self.story.demand.stage}"
        if kind in INSIDE:
            assert (self.story.demand.clocks, self.story.demand.stage) == (heard.clocks, heard.stage)
        self._kept(before, events)

    def _kept(self, before: tuple[Demand, Any], events: Sequence[e.Event]) -> None:
        demand = self.story.demand
        started = {ev.clock for ev in events if isinstance(ev, e.ClockStarted | e.ClockExtended)}
        resumed = {ev.clock for ev in events if isinstance(ev, e.ClockResumed)}
        for name, old in before[0].clocks.items():
            new = demand.clocks[name]
            if any(isinstance(ev, e.ClockStarted) and ev.clock == name for ev in events):
                continue
            assert new.breached or not old.breached, f"{name}: a breach was taken back"
            if name not in started:
                left, was_left = self._left(name, new, self.story.now), self._left(name, old, before[1])
                assert left <= was_left, f"{name}: elapsed time fell by {left - was_left}"
                assert name not in resumed or old.running or left == was_left, f"{name}: {was_left} became {left}"
        for ev in events:
            spoken = any(isinstance(other, (e.Withdrawn, e.FeedbackGiven)) for other in events)  # after a late bell
            if isinstance(ev, e.Closed) and isinstance(events[0], e.CallBackMade) and not spoken:
                assert ev.outcome is Outcome.UNCONFIRMED
        self._limits_kept(before[0], events)

    def _limits_kept(self, before: Demand, events: Sequence[e.Event]) -> None:
        demand = self.story.demand
        kinds = [ev.type for ev in events]
        for ev in events:
            if isinstance(ev, e.RedoOrdered):
                assert (ev.count > demand.terms.redo_limit) == ("sent_to_meeting" in kinds)
            if isinstance(ev, e.UnitAssigned) and ev.lead.unit in before.past_units:
                assert {"meeting_decided", "redo_ordered"} & set(kinds), f"{ev.lead.unit} had it before"
        assert demand.unit_refusals < demand.terms.refusal_limit or demand.stage is Stage.MEETING

    def _left(self, name: ClockName, clock: Clock, now: Any) -> timedelta:
        at = clock.paused_at or clock.stopped_at or now
        budget = self.story.demand.terms.budgets.get(name)
        if budget is None or budget.unit in PLAIN:
            left: timedelta = clock.due_at - at
            return left
        return elapsed(b.CALENDAR, at, clock.due_at)

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
            assert paused or d.due_at is not None
            assert d.stage in (Stage.GRID, Stage.UNIT) or not paused, f"paused in {d.stage}, where nobody can resume"
            stopped = [n for n, clock in d.clocks.items() if clock.paused_at is not None]
            assert paused or d.shelved or not stopped, f"{stopped} stand still and nobody knows why"
        elif not d.sealed:
            assert next_alarm(d) is not None and next_alarm(d).clock is ClockName.REOPEN  # type: ignore[union-attr]

    @invariant()
    def a_promise_that_was_broken_is_known_to_be(self) -> None:
        for name, clock in self.story.demand.clocks.items():
            ended = clock.paused_at or clock.stopped_at
            if name in PROMISED and ended is not None and ended >= clock.due_at:
                assert clock.breached, f"{name} was due {clock.due_at}, ended {ended}, and counts as kept"

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
