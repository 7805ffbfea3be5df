"""The table of rules has no dead end, nobody is named whom nobody is, and what is offered is what is accepted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import get_args

import pytest

from domain import commands as c
from domain.actors import Actor
from domain.clocks import rung
from domain.decide import _HANDLERS
from domain.demand import _EVOLVE, Demand
from domain.errors import DomainError
from domain.events import Event
from domain.ladder import PROMISED, Deed
from domain.lifecycle import _IS, RULES, TABLE, Who, check, may_see, permitted
from domain.rungs import _BELLS, _DEEDS
from domain.vocabulary import ClockName, Role, Stage
from service.pack import load_pack
from tests.domain import builders as b

PACK = Path(__file__).resolve().parents[2] / "config" / "shengli-road"
COMMANDS = tuple(dict.fromkeys(rule.command for rule in RULES))
COMMAND_TYPES = {model.model_fields["type"].default for model in get_args(get_args(c.Command)[0])}
EVENT_TYPES = {model.model_fields["type"].default for model in get_args(get_args(Event)[0])}
SITUATIONS = {
    "intake": b.in_intake, "grid": b.in_grid, "unit": b.in_unit, "meeting": b.in_meeting, "committee": b.in_committee,
    "shelved": b.shelved, "feedback": b.in_feedback, "to verify": lambda: b.in_feedback(promise=b.a_promise(verify=True)),
    "closed": b.in_closed, "sealed": b.in_sealed,
}  # fmt: skip


def ways_out(stage: Stage) -> set[Stage]:
    """Where commands lead that are about moving: a rule whose targets are its own stages keeps a demand where it is."""
    rules = (rule for rule in RULES if stage in rule.stages and set(rule.to) != set(rule.stages))
    return {to for rule in rules for to in rule.to} - {stage}


def test_no_row_of_the_table_hides_another() -> None:
    doubled = [row for row, n in Counter((s, r.command) for r in RULES for s in r.stages).items() if n > 1]
    assert not doubled
    assert len(TABLE) == sum(len(rule.stages) for rule in RULES)


def test_every_stage_can_be_reached_from_intake() -> None:
    seen, todo = {Stage.INTAKE}, [Stage.INTAKE]
    while todo:
        new = ways_out(todo.pop()) - seen
        seen |= new
        todo += new
    assert seen == set(Stage)


@pytest.mark.parametrize("stage", [s for s in Stage if s is not Stage.CLOSED])
def test_from_every_open_stage_the_end_can_be_reached_without_the_reporter_giving_up(stage: Stage) -> None:
    seen, todo = {stage}, [stage]
    while todo:
        here = todo.pop()
        rules = (r for r in RULES if here in r.stages and r.command != "withdraw" and set(r.to) != set(r.stages))
        new = {to for rule in rules for to in rule.to} - seen
        seen |= new
        todo += new
    assert ways_out(stage) and Stage.CLOSED in seen


def test_every_command_has_a_row_and_a_handler_and_nothing_else_has_one() -> None:
    assert set(COMMANDS) == set(_HANDLERS) == COMMAND_TYPES


def test_every_event_that_changes_a_demand_is_an_event() -> None:
    assert set(_EVOLVE) <= EVENT_TYPES
    silent = EVENT_TYPES - set(_EVOLVE)
    assert silent == {
        "demand_screened", "reporter_contacted", "note_added", "files_attached", "urged", "feedback_given", "withdrawn",
        "reopened", "lead_swapped", "final_reply_decided",
    }, "an event without effect on the demand is either meant (name it here) or forgotten in demand.py"  # fmt: skip


def test_every_rule_names_people_and_every_kind_of_person_is_known() -> None:
    assert all(rule.who and rule.to for rule in RULES)
    assert set(_IS) == set(Who)
    assert {who for rule in RULES for who in rule.who} == set(Who), "a kind of person that no rule lets act"


def test_the_reference_district_has_somebody_for_every_rule() -> None:
    district = load_pack(PACK)
    held = {grant.role for person in district.people for grant in person.grants}
    needed = {Role.OPERATOR, Role.GRID_WORKER, Role.UNIT_LIAISON, Role.CHAIR, Role.COMMUNITY_SECRETARY, Role.SUPERVISOR}
    assert needed <= held
    for grid in district.grids:
        worker, substitute = district.person(grid.duty_worker).actor, district.person(grid.substitute).actor
        assert worker.has(Role.GRID_WORKER, community=grid.community)
        assert substitute.has(Role.GRID_WORKER, community=grid.community) and substitute.id != worker.id
    for unit in district.units:
        assert district.person(unit.liaison).actor.has(Role.UNIT_LIAISON, unit=unit.id), unit.id
    for community in district.communities:
        assert district.person(district.secretary(community.id)).actor.has(
            Role.COMMUNITY_SECRETARY, community=community.id
        )  # fmt: skip


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("actor", b.EVERYBODY, ids=lambda a: a.id)
def test_what_is_offered_is_what_is_accepted(situation: str, actor: Actor) -> None:
    demand = SITUATIONS[situation]().demand
    accepted = []
    for command in COMMANDS:
        try:
            rule = check(demand, command, actor)
        except DomainError:
            continue
        assert rule is TABLE[demand.stage, command]
        accepted.append(command)
    assert tuple(accepted) == permitted(demand, actor)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_refusal_says_a_rule_a_person_can_act_on(situation: str) -> None:
    demand = SITUATIONS[situation]().demand
    for actor in b.EVERYBODY:
        for command in set(COMMANDS) - set(permitted(demand, actor)):
            with pytest.raises(DomainError) as refused:
                check(demand, command, actor)
            assert len(refused.value.rule.split()) >= 4 and refused.value.rule[-1] in ".:`abcdefghijklmnopqrstuvwxyz_"
            assert refused.value.code in (
                "closed", "stage_forbids", "not_holder", "not_permitted", "outside_scope", "refusal_window_over",
            )  # fmt: skip


def test_nobody_outside_can_ring_or_speak_for_the_meeting() -> None:
    for make in SITUATIONS.values():
        demand = make().demand
        for actor in b.EVERYBODY[:-1]:
            assert not {"ring", "decide", "adopt_calendar"} & set(permitted(demand, actor))


def test_people_of_another_community_can_neither_act_nor_see() -> None:
    for situation in ("grid", "unit", "meeting", "feedback", "closed"):
        demand = SITUATIONS[situation]().demand
        for actor in (b.STRANGER, b.OTHER_SECRETARY, b.NEIGHBOUR):
            assert permitted(demand, actor) == () and not may_see(demand, actor), (situation, actor.id)


def test_a_unit_that_never_had_it_can_neither_act_nor_see() -> None:
    story = b.in_unit("A", "B")
    assert permitted(story.demand, b.LIAISONS["B"]) == () and not may_see(story.demand, b.LIAISONS["B"])
    story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    assert may_see(story.demand, b.LIAISONS["B"]) and "accept" in permitted(story.demand, b.LIAISONS["B"])


def test_auditors_and_administrators_look_and_do_not_touch() -> None:
    for make in SITUATIONS.values():
        demand = make().demand
        for actor in (b.AUDITOR, b.ADMIN):
            assert permitted(demand, actor) == () and may_see(demand, actor)


def test_a_worker_who_opened_it_on_patrol_is_not_its_reporter() -> None:
    story = b.in_feedback(opened_by=b.WORKER.id)
    assert not {"confirm", "withdraw"} & set(permitted(story.demand, b.WORKER))


def test_the_handler_is_told_that_it_is_somebody_else_who_verifies() -> None:
    story = b.in_feedback(promise=b.a_promise(verify=True))
    assert "verify" not in permitted(story.demand, b.WORKER)
    assert "verify" in permitted(story.demand, b.COLLEAGUE)
    assert "verify" in permitted(story.demand, b.SUPERVISOR)


def test_a_substitute_who_resolved_it_cannot_verify_it() -> None:
    story = b.in_grid(promise=b.a_promise(verify=True))
    story.does(b.SUBSTITUTE, b.resolved())
    assert "verify" not in permitted(story.demand, b.SUBSTITUTE)
    with pytest.raises(DomainError, match=r"not_permitted|not_holder|outside_scope"):
        story.does(b.SUBSTITUTE, c.Verify(ok=True))


# ---- every clock that is started leads somewhere

OVERDUE = {
    ClockName.LOCATE: b.in_intake, ClockName.ACCEPT: b.in_grid, ClockName.CONTACT: b.in_grid,
    ClockName.RESOLVE: b.in_grid, ClockName.REFUSAL_WINDOW: b.in_unit, ClockName.DECIDE: b.in_meeting,
    ClockName.APPROVE: b.proposed,
    ClockName.FOLLOW_UP: lambda: b.in_feedback(promise=b.a_promise(verify=True)), ClockName.CALL_BACK: b.in_feedback,
    ClockName.REVIEW: b.shelved, ClockName.REOPEN: b.in_closed, ClockName.UNIT_DUE: b.in_unit, ClockName.PAUSE: b.paused,
}  # fmt: skip


@pytest.mark.parametrize("clock", ClockName)
def test_every_clock_that_runs_out_leads_somewhere(clock: ClockName) -> None:
    story: b.Story = OVERDUE[clock]()
    before: Demand = story.demand
    story.now = story.demand.clocks[clock].due_at
    assert clock in {alarm.clock for alarm in rung(story.demand, story.now, story.calendar)}
    assert story.rings() and rung(story.demand, story.now, story.calendar) == []
    assert clock in _BELLS or (story.demand.clocks[clock].breached and not before.clocks[clock].breached)


def test_every_clock_is_promised_or_rings_for_itself_and_every_step_does_something() -> None:
    assert set(_BELLS) | set(PROMISED) == set(ClockName) and not set(_BELLS) & set(PROMISED)
    assert set(_DEEDS) == set(get_args(Deed))
