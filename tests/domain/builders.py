"""A small district's people, promises and demands with good defaults, for tests of the rules.

`a_demand(stage)` has come to its stage by the product's own commands, never by hand; `Story` tells one on from there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from domain import commands as c
from domain import events as e
from domain.actors import SYSTEM, Actor, Grant
from domain.call_backs import CallBackPlan
from domain.clocks import next_alarm, rung
from domain.decide import submit, take_turn
from domain.demand import Demand
from domain.ladder import Step
from domain.ledger import Entry, seal
from domain.promise import Promise
from domain.routing import Candidate, Routing
from domain.turn import Turn
from domain.vocabulary import Channel, ClockName, DecisionKind, Role, Satisfied, Solved, Stage
from domain.worktime import Budget, Calendar

MONDAY_NINE = datetime(2027, 3, 8, 1, 0, tzinfo=UTC)  # 09:00 in Shanghai, the first window opens
NUMBER = "D-1"
COMMUNITY, COMMITTEE = "c1", "district"


RATES: dict[str, Any] = {
    "in_force": "r1",
    "definitions": (
        {
            "version": "r1", "weights": {"response": 0.3, "resolution": 0.35, "satisfaction": 0.35}, "partly": 0.5,
            "satisfied": ("satisfied", "basically_satisfied"), "excluded": ("out_of_scope", "duplicate", "withdrawn"),
            "clocks": (
                "locate", "accept", "contact", "resolve", "refusal_window", "unit_due", "co_window", "co_due", "decide",
                "follow_up",
            ),
            "contact_not_needed": ("patrol",), "settles": ("assign", "project", "return_to_grid", "final_reply"),
        },
    ),
}  # fmt: skip
"""What the figures count in a small district."""


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


def another_calendar(**changes: Any) -> Calendar:
    """The same weeks with other holidays: it is worked on 5 April and not on 10 March, nor on 6 and 7 May."""
    said = {"version": "test-2", "off": (date(2027, 3, 10), date(2027, 5, 6), date(2027, 5, 7)), "work": ()}
    return CALENDAR.model_copy(update=said | changes)


def a_budget(amount: float, unit: str = "working_hours") -> Budget:
    return Budget.model_validate({"amount": amount, "unit": unit})


def a_ladder() -> tuple[Step, ...]:
    """The ladder that the reference district has for most of its demands."""
    rungs: tuple[dict[str, Any], ...] = (
        {"do": "remind", "percent": 50},
        {"do": "remind", "percent": 80},
        {"do": "breach", "percent": 100, "tell": ("holder", "supervisor")},
        {"do": "notice", "after": a_budget(1, "working_days"), "tell": ("holder", "supervisor")},
        {
            "do": "agenda", "after": a_budget(5, "working_days"), "tell": ("holder", "supervisor", "secretary"),
            "clocks": ("locate", "accept", "contact", "resolve", "unit_due", "follow_up"),
        },
        {"do": "far_breach", "percent": 300, "tell": ("supervisor",)},
    )  # fmt: skip
    return tuple(Step.model_validate(rung) for rung in rungs)


def a_promise(**changes: Any) -> Promise:
    """`ladder=()` is one of a district that has none."""
    budgets = {
        ClockName.LOCATE: a_budget(4), ClockName.ACCEPT: a_budget(2), ClockName.CONTACT: a_budget(1, "working_days"),
        ClockName.RESOLVE: a_budget(7, "working_days"), ClockName.REFUSAL_WINDOW: a_budget(1, "working_days"),
        ClockName.DECIDE: a_budget(10, "working_days"), ClockName.FOLLOW_UP: a_budget(2, "working_days"),
        ClockName.CALL_BACK: a_budget(1, "working_days"), ClockName.REOPEN: a_budget(7, "calendar_days"),
        ClockName.UNIT_DUE: a_budget(5, "working_days"), ClockName.PAUSE: a_budget(10, "working_days"),
    }  # fmt: skip
    terms: dict[str, Any] = {
        "pack": "p1", "sla_class": "ordinary", "calendar": CALENDAR.version, "committee": COMMITTEE, "verify": False,
        "budgets": budgets, "ladder": a_ladder(),
    }  # fmt: skip
    return Promise.model_validate(terms | changes)


def an_old_promise(**changes: Any) -> Promise:
    """As release 0.1 made them: no ladder, no limit of pauses, no due of a unit's task."""
    terms = a_promise(ladder=(), **changes)
    known = {n: budget for n, budget in terms.budgets.items() if n not in (ClockName.PAUSE, ClockName.UNIT_DUE)}
    return terms.model_copy(update={"budgets": known})


def a_plan(**changes: Any) -> CallBackPlan:
    """Link at once, a message, a call, a visit, each half a working day after the one before."""
    half = a_budget(4)
    steps: tuple[dict[str, Any], ...] = (
        {"channel": "link"}, {"channel": "sms", "after": half}, {"channel": "phone", "after": half},
        {"channel": "visit", "after": half},
    )  # fmt: skip
    return CallBackPlan.model_validate({"steps": steps, "ends": a_budget(1, "working_days"), **changes})


def asking_by(terms: Promise, plan: CallBackPlan) -> Promise:
    budgets = {name: budget for name, budget in terms.budgets.items() if name is not ClockName.CALL_BACK}
    return terms.model_copy(update={"call_back_plan": plan, "budgets": budgets})


def with_budgets(terms: Promise, **budgets: Budget) -> Promise:
    """The promise with other budgets, by the names of their clocks."""
    changed = {**terms.budgets, **{ClockName(name): budget for name, budget in budgets.items()}}
    return terms.model_copy(update={"budgets": changed})


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
    """One demand, its log, its time and its calendar. Every step goes through `take_turn` and `seal`, as in the workflow."""

    def __init__(
        self, *, now: datetime = MONDAY_NINE, place: c.Place | None = None, routing: Routing | None = None,
        screened: str | None = None, calendar: Calendar = CALENDAR, **submission: Any,
    ) -> None:  # fmt: skip
        self.now, self.calendar = now, calendar
        self.demand, self.entries = Demand(number=NUMBER), list[Entry]()
        said = a_submission(**submission)
        self._take(submit(
            said, NUMBER, now, calendar, place=place, routing=routing, screened=screened, actor=REPORTER
        ))  # fmt: skip

    def does(self, actor: Actor, command: c.Command, **changes: Any) -> list[e.Event]:
        turn = take_turn(self.demand, an_act(actor, command, **changes), self.now, self.calendar)
        self._take(turn, changes.get("performed_at"))
        return turn.events

    def adopts(self, calendar: Calendar) -> list[e.Event]:
        """What has come rings by the calendar of before, then the new one counts."""
        if rung(self.demand, self.now, self.calendar):
            self.rings()
        self.calendar = calendar
        return self.does(SYSTEM, c.AdoptCalendar(version=calendar.version))

    def waits(self, **time: float) -> Story:
        """Time goes by and no bell is heard, as while the worker process is down."""
        self.now += timedelta(**time)
        return self

    def rings(self) -> list[e.Event]:
        return self.does(SYSTEM, c.Ring())

    def lives(self, **time: float) -> Story:
        """Time goes by, and every bell rings at its instant."""
        end = self.now + timedelta(**time)
        while (alarm := next_alarm(self.demand, self.calendar)) is not None and alarm.at <= end:
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


def proposed(**changes: Any) -> Story:
    """A final reply of the community's meeting that waits for approval."""
    terms = with_budgets(a_promise(), approve=a_budget(2, "working_days"))
    story = in_meeting(**{"promise": terms, **changes})
    story.decides(DecisionKind.FINAL_REPLY)
    return story


def following(start: Story | None = None, primary: str = "D-2") -> Story:
    """A demand that follows another one."""
    story = start or in_grid()
    story.does(OPERATOR, c.Merge(primary=primary, place=a_place()))
    return story


def shelved(days: int = 30, **changes: Any) -> Story:
    story = in_meeting(**changes)
    story.decides(DecisionKind.SHELVE, review_at=story.now + timedelta(days=days))
    return story


def paused(**changes: Any) -> Story:
    """Accepted and waiting for something; with the resident's contact made."""
    story = in_grid(**changes)
    for command in (c.Accept(), c.Contact(), c.RequestInfo(reason="weather")):
        story.does(WORKER, command)
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
