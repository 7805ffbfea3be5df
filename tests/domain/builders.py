"""A small district's people, promises and demands with good defaults, for tests of the rules.

`a_demand(stage)` has come to its stage by the product's own commands, never by hand; `Story` tells one on from there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM, Actor, Grant
from domain.clocks import next_alarm
from domain.decide import submit, take_turn
from domain.demand import Demand
from domain.ledger import Entry, seal
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.turn import Turn
from domain.vocabulary import Channel, ClockName, DecisionKind, Role, Satisfied, Solved, Stage
from domain.worktime import Budget, Calendar

MONDAY_NINE = datetime(2027, 3, 8, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai, the first window opens
NUMBER = "D-1"
COMMUNITY, COMMITTEE = "c1", "district"


def an_actor(id: str, role: Role, **scope: str) -> Actor:
    return Actor(id=id, grants=(Grant(role=role, **scope),))


WORKER = an_actor("worker", Role.GRID_WORKER, community=COMMUNITY, grid="g1")
SUBSTITUTE = an_actor("substitute", Role.GRID_WORKER, community=COMMUNITY, grid="g2")
COLLEAGUE = an_actor("colleague", Role.GRID_WORKER, community=COMMUNITY, grid="g3")
STRANGER = an_actor("stranger", Role.GRID_WORKER, community="c2", grid="h1")
SECRETARY = an_actor("secretary", Role.COMMUNITY_SECRETARY, community=COMMUNITY)
OTHER_SECRETARY = an_actor("other-secretary", Role.COMMUNITY_SECRETARY, community="c2")
SUPERVISOR = an_actor("supervisor", Role.SUPERVISOR)
OPERATOR = an_actor("operator", Role.OPERATOR)
DISPATCHER = an_actor("dispatcher", Role.OPERATOR, community=COMMUNITY)
CHAIR = an_actor("chair", Role.CHAIR, community=COMMUNITY)
AUDITOR = an_actor("auditor", Role.AUDITOR)
ADMIN = an_actor("admin", Role.ADMIN)
INTEGRATOR = an_actor("integrator", Role.INTEGRATOR)
REPORTER = an_actor("resident-0001", Role.RESIDENT)
NEIGHBOUR = an_actor("resident-0002", Role.RESIDENT)
UNITS = ("A", "B", "C", "D")
LIAISONS = {unit: an_actor(f"liaison-{unit}", Role.UNIT_LIAISON, unit=unit) for unit in UNITS}
EVERYBODY = (
    WORKER, SUBSTITUTE, COLLEAGUE, STRANGER, SECRETARY, OTHER_SECRETARY, SUPERVISOR, OPERATOR, DISPATCHER, CHAIR,
    AUDITOR, ADMIN, INTEGRATOR, REPORTER, NEIGHBOUR, *LIAISONS.values(), SYSTEM,
)  # fmt: skip


def a_calendar() -> Calendar:
    """Two windows a day, a spring holiday, and a Saturday that is worked for it."""
    return Calendar.model_validate(
        {
            "version": "test-1", "off": ["2027-04-05"], "work": ["2027-04-10"],
            "published_from": date(2027, 1, 1), "published_until": date(2028, 12, 31),
        }
    )  # fmt: skip


CALENDAR = a_calendar()


def a_budget(amount: float, unit: str = "working_hours") -> Budget:
    return Budget.model_validate({"amount": amount, "unit": unit})


def a_promise(**changes: Any) -> Promise:
    budgets = {
        ClockName.LOCATE: a_budget(4), ClockName.ACCEPT: a_budget(2), ClockName.CONTACT: a_budget(1, "working_days"),
        ClockName.RESOLVE: a_budget(7, "working_days"), ClockName.REFUSAL_WINDOW: a_budget(1, "working_days"),
        ClockName.DECIDE: a_budget(10, "working_days"), ClockName.FOLLOW_UP: a_budget(2, "working_days"),
        ClockName.CALL_BACK: a_budget(1, "working_days"), ClockName.REOPEN: a_budget(7, "calendar_days"),
    }  # fmt: skip
    terms: dict[str, Any] = {
        "pack": "p1", "sla_class": "ordinary", "calendar": CALENDAR.version, "committee": COMMITTEE, "verify": False,
        "budgets": budgets,
    }  # fmt: skip
    return Promise.model_validate(terms | changes)


def a_place(**changes: str) -> c.Place:
    people = {"worker": WORKER.id, "substitute": SUBSTITUTE.id, "secretary": SECRETARY.id}
    return c.Place.model_validate({"community": COMMUNITY, "grid": "g1", **people, **changes})


def another_place() -> c.Place:
    return a_place(grid="g3", worker=COLLEAGUE.id)


def a_candidate(unit: str = "A", **changes: Any) -> Candidate:
    return Candidate.model_validate({"unit": unit, "liaison": f"liaison-{unit}", "reason": "resource", **changes})


def a_routing(*units: str) -> Routing:
    return Routing(version="1", rule="resource", candidates=tuple(a_candidate(u) for u in units))


def a_submission(**changes: Any) -> e.DemandSubmitted:
    said: dict[str, Any] = {
        "channel": Channel.RESIDENT, "category": "010101", "confidential": False, "opened_by": REPORTER.id,
        "dispatcher": DISPATCHER.id, "supervisor": SUPERVISOR.id, "operator": OPERATOR.id, "promise": a_promise(),
    }  # fmt: skip
    return e.DemandSubmitted.model_validate(said | changes)


def an_act(actor: Actor, command: c.Command, **changes: Any) -> c.Act:
    return c.Act(command=command, actor=actor, **changes)


def a_decision(kind: DecisionKind, demand: Demand, **changes: Any) -> c.Decide:
    """The meeting's answer to the demand's present visit, with what its kind needs."""
    needs: dict[DecisionKind, dict[str, Any]] = {
        DecisionKind.ASSIGN: {"lead": a_candidate("D")},
        DecisionKind.PROJECT: {"lead": a_candidate("D"), "project": "project-1"},
        DecisionKind.SHELVE: {"review_at": datetime(2030, 1, 7, 1, 0, tzinfo=UTC)},
        DecisionKind.ESCALATE: {"upper_meeting": COMMITTEE, "convener": SUPERVISOR.id},
        DecisionKind.FINAL_REPLY: {"reply_id": "t-final"},
    }
    said: dict[str, Any] = {"meeting": demand.meeting or COMMUNITY, "turn": demand.turn, "kind": kind, "chair": "chair"}
    return c.Decide.model_validate(said | needs.get(kind, {}) | changes)


def satisfied() -> c.Confirm:
    return c.Confirm(contacted=True, solved=Solved.YES, satisfied=Satisfied.SATISFIED)


def not_solved() -> c.Confirm:
    return c.Confirm(contacted=True, solved=Solved.NO, satisfied=Satisfied.DISSATISFIED)


def resolved() -> c.Resolve:
    return c.Resolve(reply_id="t-reply")


class Story:
    """One demand, its log and its time. Every step goes through `take_turn` and `seal`, as in the workflow."""

    def __init__(
        self, *, now: datetime = MONDAY_NINE, place: c.Place | None = None, routing: Routing | None = None,
        screened: str | None = None, **submission: Any,
    ) -> None:  # fmt: skip
        self.now = now
        self.demand, self.entries = Demand(number=NUMBER), list[Entry]()
        said = a_submission(**submission)
        self._take(submit(
            said, NUMBER, now, CALENDAR, place=place, routing=routing, screened=screened, actor=REPORTER
        ))  # fmt: skip

    def does(self, actor: Actor, command: c.Command, **changes: Any) -> list[e.Event]:
        turn = take_turn(self.demand, an_act(actor, command, **changes), self.now, CALENDAR)
        self._take(turn, changes.get("performed_at"))
        return turn.events

    def waits(self, **time: float) -> Story:
        """Time goes by and no bell is heard, as while the worker process is down."""
        self.now += timedelta(**time)
        return self

    def rings(self) -> list[e.Event]:
        return self.does(SYSTEM, c.Ring())

    def lives(self, **time: float) -> Story:
        """Time goes by, and every bell rings at its instant."""
        end = self.now + timedelta(**time)
        while (alarm := next_alarm(self.demand)) is not None and alarm.at <= end:
            self.now = max(self.now, alarm.at)
            self.rings()
        self.now = end
        return self

    def decides(self, kind: DecisionKind, **changes: Any) -> list[e.Event]:
        return self.does(SYSTEM, a_decision(kind, self.demand, **changes))

    def types(self) -> list[str]:
        return [entry.type for entry in self.entries]

    def _take(self, turn: Turn, performed_at: datetime | None = None) -> None:
        self.demand, entries = seal(
            turn.demand, turn.events, at=self.now, actor=turn.actor.id, performed_at=performed_at
        )  # fmt: skip
        self.entries += entries


def in_intake(**changes: Any) -> Story:
    return Story(**changes)


def in_grid(**changes: Any) -> Story:
    return Story(place=a_place(), **changes)


def in_unit(*units: str, **changes: Any) -> Story:
    return Story(place=a_place(), routing=a_routing(*(units or UNITS)), **changes)


def in_meeting(**changes: Any) -> Story:
    return Story(place=a_place(), routing=a_routing(), **changes)


def in_committee(**changes: Any) -> Story:
    story = in_meeting(**changes)
    story.decides(DecisionKind.ESCALATE)
    return story


def shelved(days: int = 30, **changes: Any) -> Story:
    story = in_meeting(**changes)
    story.decides(DecisionKind.SHELVE, review_at=story.now + timedelta(days=days))
    return story


def in_feedback(**changes: Any) -> Story:
    story = in_grid(**changes)
    story.does(WORKER, resolved())
    return story


def in_closed(**changes: Any) -> Story:
    story = in_feedback(**changes)
    story.does(REPORTER, satisfied())
    return story


def in_sealed() -> Story:
    story = in_intake()
    story.does(REPORTER, c.Withdraw())
    return story


STAGES = {
    Stage.INTAKE: in_intake, Stage.GRID: in_grid, Stage.UNIT: in_unit, Stage.MEETING: in_meeting,
    Stage.FEEDBACK: in_feedback, Stage.CLOSED: in_closed,
}  # fmt: skip


def a_demand(stage: Stage, **changes: Any) -> Demand:
    return STAGES[stage](**changes).demand


def redone(story: Story, times: int) -> Story:
    """Resolved and found not solved, `times` times, by whoever holds it."""
    for _ in range(times):
        holder = next(a for a in EVERYBODY if a.id == story.demand.holder)
        story.does(holder, resolved())
        story.does(REPORTER, not_solved())
    return story
