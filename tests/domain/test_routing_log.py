"""What a log tells of routing: made by the decider itself, and read back from stored entries."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from domain import commands as c
from domain.actors import Actor, Grant
from domain.decide import decide, submit
from domain.demand import Demand
from domain.ledger import Entry, append
from domain.routing_log import Decided, read_routing
from domain.vocabulary import DecisionKind, Role
from tests.domain import builders as b

SYSTEM = Actor(id="system", grants=(Grant(role=Role.SYSTEM),))


class Life:
    """A demand that is handed to units u1, u2, u3, and its log."""

    def __init__(self, *, routed: bool = True) -> None:
        at = b.MONDAY_NINE
        made = submit(
            b.a_submission(), b.NUMBER, at, b.CALENDAR, place=b.a_place(), screened=None, actor=b.REPORTER,
            routing=b.a_routing("u1", "u2", "u3") if routed else None,
        )  # fmt: skip
        self.at: datetime = at
        self.demand, self.entries = append(Demand(number=b.NUMBER), made.events, at=at, actor=b.REPORTER.id)

    def go(self, command: Any, actor: Actor) -> Life:
        self.at += timedelta(minutes=10)
        events = decide(self.demand, c.Act(command=command, actor=actor), self.at, b.CALENDAR)
        self.demand, new = append(self.demand, events, at=self.at, actor=actor.id)
        self.entries += [Entry.model_validate_json(e.model_dump_json()) for e in new]
        return self

    def liaison(self) -> Actor:
        assert self.demand.lead is not None
        return Actor(id=self.demand.lead.liaison, grants=(Grant(role=Role.UNIT_LIAISON, unit=self.demand.lead.unit),))

    def refuse(self) -> Life:
        return self.go(c.Refuse(basis="no_power"), self.liaison())

    def told(self) -> tuple[Decided, ...]:
        return read_routing(self.entries)


def steps(decided: Decided) -> list[tuple[str, str | None, str | None]]:
    return [(s.what, s.unit, s.detail) for s in decided.then]


def test_a_decision_is_followed_by_who_was_asked_in_turn() -> None:
    (decided,) = Life().refuse().refuse().told()
    assert decided.occasion == "submitted" and decided.routing is not None and decided.by == b.REPORTER.id
    assert steps(decided) == [
        ("offered", "u1", None), ("refused", "u1", "no_power"), ("offered", "u2", None), ("refused", "u2", "no_power"),
        ("offered", "u3", None),
    ]  # fmt: skip


def test_a_meetings_decision_is_one_of_its_own() -> None:
    life = Life().refuse().refuse().refuse()
    assert life.demand.meeting is not None
    decide_it = c.Decide(
        meeting=life.demand.meeting, turn=life.demand.turn, kind=DecisionKind.ASSIGN, chair="chair",
        lead=b.a_candidate("u9"),
    )  # fmt: skip
    first, second = life.go(decide_it, SYSTEM).told()
    assert steps(first)[-1] == ("to_meeting", None, "refused_too_often")
    assert (second.occasion, second.by, second.meeting) == ("meeting", "chair", life.demand.community)
    assert second.routing is None and second.lead is not None and second.lead.unit == "u9"
    assert steps(second) == [("offered", "u9", None), ("bound", "u9", "decision")]


def test_a_swap_of_the_lead_and_what_co_units_did() -> None:
    life = Life()
    helpers = c.AddCoUnits.model_validate(
        {"co_units": [{"unit": "h1", "liaison": "p-h1"}, {"unit": "h2", "liaison": "p-h2", "required": False}]}
    )
    life.go(helpers, life.liaison())
    life.go(c.CoDone(unit="h1"), Actor(id="p-h1", grants=(Grant(role=Role.UNIT_LIAISON, unit="h1"),)))
    life.go(
        c.CoRefuse(unit="h2", basis="no_resources"),
        Actor(id="p-h2", grants=(Grant(role=Role.UNIT_LIAISON, unit="h2"),)),
    )
    swap = c.SwapLead.model_validate({"lead": b.a_candidate("u7").model_dump()})
    first, second = life.go(swap, b.SUPERVISOR).told()
    assert steps(first) == [
        ("offered", "u1", None), ("help_asked", "h1", "required"), ("help_asked", "h2", "optional"),
        ("help_bound", "h1", "accepted"), ("help_done", "h1", None), ("help_refused", "h2", "no_resources"),
    ]  # fmt: skip
    assert (second.occasion, second.by, second.former) == ("swapped", b.SUPERVISOR.id, "u1")
    assert second.lead is not None and second.lead.unit == "u7" and steps(second) == [("offered", "u7", None)]


def test_what_happened_before_the_first_decision_is_none_of_it() -> None:
    life = Life(routed=False)
    assert life.told() == ()
    worker = Actor(id=life.demand.holder or "", grants=(Grant(role=Role.GRID_WORKER, community=life.demand.community),))
    (decided,) = life.go(c.HandOff(routing=b.a_routing("u4")), worker).told()
    assert decided.occasion == "handed_off" and steps(decided) == [("offered", "u4", None)]


def test_a_redo_is_told_as_one() -> None:
    life = Life()
    life.go(c.Resolve(reply_id="r"), life.liaison())
    again = c.Confirm.model_validate({"contacted": True, "solved": "no", "satisfied": "dissatisfied"})
    operator = Actor(id="op", grants=(Grant(role=Role.OPERATOR),))
    if life.demand.awaiting_verification:
        life.go(c.Verify(ok=True), b.SUPERVISOR)
    (decided,) = life.go(again, operator).told()
    assert [s.what for s in decided.then] == ["offered", "bound", "resolved", "redo", "bound"]
