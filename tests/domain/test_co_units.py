"""协办: who is asked to help, what silence means, what the lead waits for, and when a part ends by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from domain import commands as c
from domain import events as e
from domain.actors import Actor
from domain.capacity import Account
from domain.clocks import measure
from domain.demand import Clock, Demand
from domain.errors import DomainError
from domain.ledger import Entry, replay
from domain.lifecycle import permitted
from domain.tasks import CoUnit, co_clocks
from domain.vocabulary import ClockName, DecisionKind, Role, Stage
from domain.worktime import due
from tests.domain import builders as b

LEAD, HELPER = b.LIAISONS["A"], b.LIAISONS["B"]
WINDOW, DUE = co_clocks("B")
NOT_OURS = c.CoRefuse(unit="B", basis="not_our_duty")


def a_co_unit(unit: str = "B", **more: Any) -> CoUnit:
    return CoUnit(unit=unit, liaison=f"liaison-{unit}", **more)


def asking(*units: str | CoUnit) -> c.AddCoUnits:
    return c.AddCoUnits(co_units=tuple(u if isinstance(u, CoUnit) else a_co_unit(u) for u in units))


def helped(*units: str | CoUnit, **changes: Any) -> b.Story:
    """A leads it, and the units are asked to help."""
    story = b.in_unit("A", "C", "D", **changes)
    story.does(LEAD, asking(*(units or ("B",))))
    return story


def under_way(*units: str | CoUnit, **changes: Any) -> b.Story:
    """The lead has accepted it and spoken with the resident."""
    story = helped(*units, **changes)
    for command in (c.Accept(), c.Contact()):
        story.does(LEAD, command)
    return story


def parts(story: b.Story) -> dict[str, str]:
    return {task.unit: task.state for task in story.demand.co_tasks}


def clock(story: b.Story, name: str) -> Clock:
    return story.demand.clocks[name]


def refusal(story: b.Story, actor: Actor, command: c.Command) -> str:
    before = story.demand
    with pytest.raises(DomainError) as refused:
        story.does(actor, command)
    assert story.demand == before, "a refused command changes nothing"
    return refused.value.code


def told(story: b.Story, type: str, name: str) -> list[dict[str, Any]]:
    return [entry.data for entry in story.entries if entry.type == type and entry.data["clock"] == name]


# ---- asking


def test_a_unit_that_is_asked_has_a_window_and_a_due_of_its_own_and_the_lead_stays_in_charge() -> None:
    story = b.in_unit("A", "C").waits(minutes=30)
    before = story.demand
    story.does(LEAD, asking("B", a_co_unit("C", required=False)))
    assert [(t.unit, t.liaison, t.required, t.state) for t in story.demand.co_tasks] == [
        ("B", "liaison-B", True, "offered"), ("C", "liaison-C", False, "offered"),
    ]  # fmt: skip
    budgets = story.demand.terms.budgets
    assert clock(story, WINDOW).due_at == due(b.CALENDAR, story.now, budgets[ClockName.REFUSAL_WINDOW])
    assert clock(story, DUE).due_at == due(b.CALENDAR, story.now, budgets[ClockName.UNIT_DUE])
    assert (story.demand.holder, story.demand.unit, story.demand.due_at) == (LEAD.id, "A", before.due_at)
    assert {name: story.demand.clocks[name] for name in before.clocks} == before.clocks


@pytest.mark.parametrize("who", [LEAD, b.SUPERVISOR, b.SECRETARY, b.an_actor("second", Role.UNIT_LIAISON, unit="A")])
def test_the_lead_and_those_above_it_ask(who: Actor) -> None:
    story = b.in_unit("A")
    story.does(who, asking("B"))
    assert parts(story) == {"B": "offered"}


@pytest.mark.parametrize("who", [HELPER, b.REPORTER, b.WORKER, b.OPERATOR, b.OTHER_SECRETARY, b.AUDITOR])
def test_nobody_else_asks(who: Actor) -> None:
    assert refusal(b.in_unit("A"), who, asking("B")) in ("outside_scope", "not_permitted", "not_holder")


def test_only_a_unit_has_co_units() -> None:
    assert refusal(b.in_grid(), b.WORKER, asking("B")) == "stage_forbids"
    assert refusal(b.in_meeting(), b.SECRETARY, asking("B")) == "stage_forbids"


def test_the_lead_is_not_asked_to_help_itself_and_nobody_is_asked_twice() -> None:
    story = b.in_unit("A")
    assert refusal(story, LEAD, asking("B", "A")) == "stage_forbids"
    assert refusal(story, LEAD, asking("B", "B")) == "stage_forbids"
    story.does(LEAD, asking("B"))
    assert refusal(story, LEAD, asking("C", "B")) == "stage_forbids"
    assert parts(story) == {"B": "offered"}


# ---- answering


def test_silence_makes_a_co_unit_responsible_at_the_end_of_its_window() -> None:
    story = helped()
    ends = clock(story, WINDOW).due_at
    story.lives(seconds=(ends - story.now).total_seconds() - 1)
    assert parts(story) == {"B": "offered"}
    story.lives(seconds=1)
    said = next(entry for entry in story.entries if entry.type == "co_unit_bound")
    assert (said.at, said.data, said.actor) == (ends, {"unit": "B", "by": "silence"}, "system")
    assert parts(story) == {"B": "bound"} and clock(story, WINDOW).stopped_at == ends
    assert clock(story, DUE).running and refusal(story, HELPER, NOT_OURS) == "refusal_window_over"


def test_a_refusal_after_the_window_is_too_late_even_if_the_bell_was_not_heard_before() -> None:
    story = helped()
    ends = clock(story, WINDOW).due_at
    story.now = ends + timedelta(hours=3)
    assert refusal(story, HELPER, NOT_OURS) == "refusal_window_over"
    events = story.does(HELPER, c.CoDone(unit="B"))
    assert [x.type for x in events if "co_unit" in x.type] == ["co_unit_bound", "co_unit_done"]
    assert next(x for x in events if isinstance(x, e.CoUnitBound)).by == "silence"
    assert clock(story, WINDOW).due_at == ends, "the instant from which it was bound stays on record"


def test_a_refusal_in_the_last_moment_counts_and_keeps_the_lead_from_nothing() -> None:
    story = helped()
    story.lives(seconds=(clock(story, WINDOW).due_at - story.now).total_seconds() - 1)
    events = story.does(HELPER, NOT_OURS)
    assert events[-1] == e.CoUnitRefused(unit="B", basis="not_our_duty")
    assert parts(story) == {"B": "refused"}
    assert not clock(story, WINDOW).running and not clock(story, DUE).running
    assert (story.demand.unit, story.demand.unit_refusals) == ("A", 0), "it is no refusal of the lead's"
    story.does(LEAD, b.resolved())
    assert story.demand.stage is Stage.FEEDBACK


def test_a_refusal_names_a_basis_of_the_list() -> None:
    for said in ({}, {"basis": "wrong_grid"}, {"basis": "no time"}):
        with pytest.raises(ValidationError):
            c.CoRefuse.model_validate({"unit": "B", **said})


def test_what_was_accepted_is_neither_accepted_again_nor_refused() -> None:
    story = helped()
    story.does(HELPER, c.CoAccept(unit="B"))
    assert parts(story) == {"B": "bound"} and not clock(story, WINDOW).running
    assert refusal(story, HELPER, c.CoAccept(unit="B")) == "stage_forbids"
    assert refusal(story, HELPER, NOT_OURS) == "refusal_window_over"


@pytest.mark.parametrize("accepted", [True, False])
def test_done_is_an_answer_too(accepted: bool) -> None:
    story = helped()
    if accepted:
        story.does(HELPER, c.CoAccept(unit="B"))
    story.does(HELPER, c.CoDone(unit="B"))
    assert story.types().count("co_unit_bound") == 1 and parts(story) == {"B": "done"}
    assert not clock(story, WINDOW).running and not clock(story, DUE).running
    assert refusal(story, HELPER, c.CoDone(unit="B")) in ("not_permitted", "outside_scope")


def test_a_part_is_for_the_units_own_people() -> None:
    story = helped("B", "C")
    for who in (LEAD, b.SUPERVISOR, b.LIAISONS["D"], b.REPORTER):
        assert refusal(story, who, c.CoAccept(unit="B")) in ("outside_scope", "not_permitted"), who
    assert refusal(story, b.LIAISONS["C"], c.CoDone(unit="B")) == "outside_scope"
    story.does(b.an_actor("second", Role.UNIT_LIAISON, unit="B"), c.CoAccept(unit="B"))
    assert parts(story) == {"B": "bound", "C": "offered"}


def test_an_answer_is_offered_to_whom_it_is_open() -> None:
    story = helped("B", "C")
    answers = {"co_accept", "co_refuse", "co_done"}

    def offered(unit: str) -> set[str]:
        return answers & set(permitted(story.demand, b.LIAISONS[unit]))

    assert offered("B") == offered("C") == answers and not offered("A") and not offered("D")
    story.does(HELPER, c.CoAccept(unit="B"))
    assert (offered("B"), offered("C")) == ({"co_done"}, answers)
    story.does(HELPER, c.CoDone(unit="B"))
    assert not offered("B")


# ---- the lead waits, takes back, asks again


def test_the_lead_waits_for_required_parts_and_lets_the_others_go() -> None:
    story = helped("B", "C", a_co_unit("D", required=False))
    assert refusal(story, LEAD, b.resolved()) == "co_task_open"
    story.does(HELPER, c.CoDone(unit="B"))
    assert refusal(story, LEAD, b.resolved()) == "co_task_open"
    story.does(LEAD, c.CoRelease(unit="C"))
    story.does(LEAD, b.resolved())
    assert parts(story) == {"B": "done", "C": "released", "D": "released"}
    assert not any(":" in name and kept.running for name, kept in story.demand.clocks.items())


def test_a_part_is_taken_back_once_by_those_who_ask_for_one() -> None:
    story = helped("B", "C")
    assert refusal(story, HELPER, c.CoRelease(unit="B")) == "outside_scope"
    assert refusal(story, LEAD, c.CoRelease(unit="D")) == "stage_forbids"
    for who, unit in ((b.SUPERVISOR, "B"), (LEAD, "C")):
        assert story.does(who, c.CoRelease(unit=unit))[-1] == e.CoUnitReleased(unit=unit, reason="taken_back")
        assert refusal(story, who, c.CoRelease(unit=unit)) == "stage_forbids"


@pytest.mark.parametrize("ended", ["refused", "done", "released"])
def test_a_unit_is_asked_again_with_a_window_of_its_own(ended: str) -> None:
    story = helped("B", "C")
    ends: dict[str, tuple[Actor, c.Command]] = {
        "refused": (HELPER, NOT_OURS),
        "done": (HELPER, c.CoDone(unit="B")),
        "released": (LEAD, c.CoRelease(unit="B")),
    }
    story.does(*ends[ended])
    story.waits(hours=3)
    story.does(LEAD, asking("B"))
    assert parts(story) == {"C": "offered", "B": "offered"}, "one part for a unit"
    assert clock(story, WINDOW).running and clock(story, WINDOW).started_at == story.now
    assert clock(story, DUE).running and clock(story, DUE).started_at == story.now


# ---- the lead changes


def test_a_swapped_lead_leaves_the_helpers_and_the_residents_clocks_alone() -> None:
    story = helped("B", "C")
    story.does(LEAD, c.Accept())
    story.does(HELPER, c.CoAccept(unit="B"))
    before = story.waits(hours=2).demand
    events = story.does(b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("D")))
    assert events[0] == e.LeadSwapped(unit="A")
    assert (story.demand.unit, story.demand.holder) == ("D", "liaison-D")
    assert parts(story) == {"B": "bound", "C": "offered"}
    kept = (ClockName.RESOLVE, ClockName.CONTACT, ClockName.ACCEPT, DUE, *co_clocks("C"))
    assert {name: clock(story, name) for name in kept} == {name: before.clocks[name] for name in kept}
    assert clock(story, ClockName.REFUSAL_WINDOW).started_at == story.now, "the new lead may refuse"
    assert clock(story, ClockName.UNIT_DUE).started_at == story.now and not story.demand.lead_bound
    assert refusal(story, LEAD, b.resolved()) == "outside_scope"
    story.does(b.LIAISONS["D"], c.CoRelease(unit="C"))
    story.does(HELPER, c.CoDone(unit="B"))
    story.does(b.LIAISONS["D"], b.resolved())


def test_a_co_unit_that_leads_from_now_on_is_not_its_own_helper() -> None:
    story = helped("B", "C")
    events = story.does(b.SECRETARY, c.SwapLead(lead=b.a_candidate("B")))
    assert e.CoUnitReleased(unit="B", reason="leads") in events
    assert parts(story) == {"B": "released", "C": "offered"} and story.demand.unit == "B"
    assert not clock(story, WINDOW).running and not clock(story, DUE).running
    assert refusal(story, HELPER, c.SwapLead(lead=b.a_candidate("D"))) in ("not_permitted", "outside_scope")


def test_a_co_unit_that_a_refusal_makes_the_lead_is_not_its_own_helper() -> None:
    story = b.in_unit("A", "B")
    story.does(LEAD, asking("B"))
    story.does(LEAD, c.Refuse(basis="not_our_duty"))
    assert (story.demand.unit, parts(story)) == ("B", {"B": "released"})
    story.does(HELPER, b.resolved())
    assert story.demand.stage is Stage.FEEDBACK


def test_nobody_gets_it_back_by_a_swap_and_nobody_swaps_what_is_paused() -> None:
    story = helped()
    assert refusal(story, b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("A"))) == "stage_forbids"
    story.does(b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("D")))
    assert refusal(story, b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("A"))) == "stage_forbids"
    story.does(b.LIAISONS["D"], c.RequestInfo(reason="weather"))
    assert refusal(story, b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("C"))) == "stage_forbids"
    for who in (b.LIAISONS["D"], b.REPORTER, b.WORKER, b.OTHER_SECRETARY):
        assert refusal(story, who, c.SwapLead(lead=b.a_candidate("C"))) in (
            "not_permitted",
            "outside_scope",
            "not_holder",
        )


# ---- the demand leaves the units


def _third_refusal(story: b.Story) -> None:
    for unit in "ACD":
        story.does(b.LIAISONS[unit], c.Refuse(basis="no_power"))


@pytest.mark.parametrize(
    "leaves",
    [
        lambda s: s.does(LEAD, c.Escalate(reason="beyond_power")),
        lambda s: s.does(b.REPORTER, c.Withdraw()),
        lambda s: s.does(LEAD, c.RequestInfo(reason="weather")) and s.does(LEAD, c.Escalate(reason="several_units")),
        lambda s: s.lives(days=60),
        _third_refusal,
    ],
    ids=["escalated", "withdrawn", "escalated while paused", "overdue", "refused three times"],
)  # fmt: skip
def test_leaving_the_units_ends_every_part(leaves: Any) -> None:
    story = helped("B", a_co_unit("D", required=False))
    leaves(story)
    assert story.demand.stage in (Stage.MEETING, Stage.CLOSED)
    assert set(parts(story).values()) == {"released"}
    assert not any(":" in name and not kept.stopped_at for name, kept in story.demand.clocks.items())


def test_the_parts_of_a_meetings_decision_are_bound_at_once() -> None:
    story = b.in_meeting()
    story.decides(DecisionKind.ASSIGN, lead=b.a_candidate("A"), co_units=(a_co_unit(), a_co_unit("A"), a_co_unit("C")))
    assert story.demand.unit == "A" and parts(story) == {"B": "bound", "C": "bound"}, "the lead does not help itself"
    bound = [entry.data for entry in story.entries if entry.type == "co_unit_bound"]
    assert bound == [{"unit": "B", "by": "decision"}, {"unit": "C", "by": "decision"}]
    assert WINDOW not in story.demand.clocks and clock(story, DUE).running
    assert refusal(story, HELPER, NOT_OURS) == "refusal_window_over"
    assert refusal(story, LEAD, b.resolved()) == "co_task_open"


# ---- clocks


def test_reminders_of_a_part_go_to_the_unit_that_owes_it() -> None:
    story = under_way()
    story.lives(days=9)
    assert [x["told"] for x in told(story, "clock_warned", DUE)] == [["liaison-B"], ["liaison-B"]]
    assert [x["told"] for x in told(story, "clock_breached", DUE)] == [["liaison-B", "supervisor"]]
    assert [x["told"] for x in told(story, "notice_issued", DUE)] == [["liaison-B", "supervisor"]]
    assert [x["told"] for x in told(story, "clock_warned", ClockName.UNIT_DUE)] == [[LEAD.id], [LEAD.id]]
    assert clock(story, DUE).breached and story.demand.breached
    assert not told(story, "clock_warned", WINDOW) and not told(story, "clock_breached", WINDOW)


def test_a_late_part_is_done_and_stays_late() -> None:
    story = under_way()
    story.lives(days=9)
    story.does(HELPER, c.CoDone(unit="B"))
    assert parts(story) == {"B": "done"} and clock(story, DUE).breached
    before = len(story.entries)
    story.lives(days=2)
    later = story.entries[before:]
    assert not [entry for entry in later if entry.data.get("clock") == DUE], "nobody is urged about it any more"


def test_a_pause_stops_the_due_of_a_part_and_moves_it_by_exactly_the_time_it_stood() -> None:
    story = under_way()
    story.lives(hours=5)
    before = clock(story, DUE)
    story.does(LEAD, c.RequestInfo(reason="awaiting_material"))
    began = story.now
    assert clock(story, DUE).paused_at == began
    assert clock(story, WINDOW).running, "the co-unit can say no meanwhile, and its silence counts"
    story.lives(days=3, hours=1)
    assert parts(story) == {"B": "bound"} and not clock(story, DUE).breached
    story.does(LEAD, c.Resume())
    budget = story.demand.terms.budget_of(DUE)
    assert budget is not None and clock(story, DUE).running
    stood = measure(b.CALENDAR, budget, began, story.now)
    assert stood == measure(b.CALENDAR, budget, before.due_at, clock(story, DUE).due_at) > timedelta(0)
    moved = story.demand.clocks[ClockName.UNIT_DUE]
    assert [(s.from_at, s.until_at) for s in clock(story, DUE).shifts] == [
        (s.from_at, s.until_at) for s in moved.shifts
    ]


def test_a_part_done_during_a_pause_is_done_in_time() -> None:
    story = under_way()
    story.does(LEAD, c.RequestInfo(reason="weather"))
    story.lives(days=8)
    story.does(HELPER, c.CoDone(unit="B"))
    assert parts(story) == {"B": "done"} and not clock(story, DUE).breached
    assert clock(story, DUE).stopped_at == story.now and clock(story, DUE).paused_at is None


def test_a_new_calendar_moves_the_due_of_a_part() -> None:
    story = under_way()
    calendar = b.another_calendar()  # nobody works on 10 March
    story.adopts(calendar)
    budget = story.demand.terms.budgets[ClockName.UNIT_DUE]
    assert clock(story, DUE).due_at == due(calendar, clock(story, DUE).started_at, budget)
    assert clock(story, DUE).due_at - due(b.CALENDAR, clock(story, DUE).started_at, budget) > timedelta(0)


def test_a_demand_of_before_has_parts_without_a_due() -> None:
    story = helped(promise=b.an_old_promise())
    assert WINDOW in story.demand.clocks and DUE not in story.demand.clocks
    assert refusal(story, LEAD, b.resolved()) == "co_task_open"
    story.lives(days=3)
    assert parts(story) == {"B": "bound"}
    story.does(HELPER, c.CoDone(unit="B"))
    story.does(LEAD, b.resolved())
    assert story.demand.stage is Stage.FEEDBACK


# ---- what it takes of a unit's capacity


def _tasks(demand: Demand) -> set[str]:
    lead = {demand.unit} if demand.stage is Stage.UNIT and demand.unit else set[str]()
    return lead | {task.unit for task in demand.co_tasks if task.open}


def _account(entries: list[Entry]) -> list[dict[str, int]]:
    """The loads after each event of one demand."""
    account, loads, held = Account(), list[dict[str, int]](), set[str]()
    for n in range(len(entries)):
        tasks = _tasks(replay(b.NUMBER, entries[: n + 1]))
        for unit in held - tasks:
            account.give_back(unit, b.NUMBER)
        for unit in tasks - held:
            account.take(unit, b.NUMBER)
        held = tasks
        loads.append(dict(account.loads))
    return loads


def test_capacity_returns_to_its_start_whatever_the_parts_came_to() -> None:
    story = helped("B", "C", "D")
    assert _account(story.entries)[-1] == {"A": 1, "B": 1, "C": 1, "D": 1}
    story.does(HELPER, c.CoDone(unit="B"))
    story.does(b.LIAISONS["C"], c.CoRefuse(unit="C", basis="no_resources"))
    assert _account(story.entries)[-1] == {"A": 1, "D": 1}
    story.does(b.SUPERVISOR, c.SwapLead(lead=b.a_candidate("D")))
    assert _account(story.entries)[-1] == {"D": 1}, "who leads it has one task of it, not two"
    story.does(b.LIAISONS["D"], asking("C"))
    story.does(b.LIAISONS["D"], c.Escalate(reason="several_units"))
    loads = _account(story.entries)
    assert loads[-1] == {} and all(0 < n <= 1 for one in loads for n in one.values())


def test_the_log_alone_makes_the_same_demand() -> None:
    """Events travel as JSON: the clocks of co-units have names of their own there."""
    story = under_way("B", "C")
    story.lives(days=9)
    story.does(HELPER, c.CoDone(unit="B"))
    assert replay(b.NUMBER, story.entries) == story.demand
    entries = TypeAdapter(list[Entry])
    again = entries.validate_json(entries.dump_json(story.entries))
    assert replay(b.NUMBER, again) == story.demand
    assert Demand.model_validate_json(story.demand.model_dump_json()) == story.demand
