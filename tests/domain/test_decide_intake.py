"""受理: what happens when a demand comes in."""

from __future__ import annotations

import pytest

from domain import commands as c
from domain.actors import Actor
from domain.errors import DomainError
from domain.routing import Routing
from domain.vocabulary import ClockName, Outcome, Stage
from tests.domain import builders as b

PATROL = {"contact", "resolve", "accept"}


def test_a_demand_that_cannot_be_located_goes_to_a_named_dispatcher_with_a_clock() -> None:
    demand = b.in_intake().demand
    assert (demand.stage, demand.holder) == (Stage.INTAKE, b.DISPATCHER.id)
    assert set(demand.clocks) == {"locate", "contact", "resolve"}


def test_a_located_demand_goes_to_the_duty_worker_at_once() -> None:
    demand = b.in_grid().demand
    assert (demand.stage, demand.holder, set(demand.clocks)) == (Stage.GRID, b.WORKER.id, PATROL)


def test_what_is_above_the_grid_is_never_dumped_on_the_grid_worker() -> None:
    story = b.in_unit("A")
    assert (story.demand.stage, story.demand.holder) == (Stage.UNIT, "liaison-A")
    assert "worker_assigned" not in story.types()
    assert story.demand.worker == b.WORKER.id, "the worker stays the resident's contact"


def test_what_no_unit_covers_goes_to_the_joint_meeting() -> None:
    demand = b.in_meeting().demand
    assert (demand.stage, demand.holder, demand.meeting) == (Stage.MEETING, b.SECRETARY.id, b.COMMUNITY)
    assert demand.meeting_reason == "nobody_responsible" and demand.turn == 1


@pytest.mark.parametrize(("routing", "stage"), [(None, "grid"), (b.a_routing("A"), "unit"), (b.a_routing(), "meeting")])
def test_locating_leads_where_intake_would_have_led(routing: Routing | None, stage: str) -> None:
    story = b.in_intake()
    story.does(b.DISPATCHER, c.Locate(place=b.a_place(), routing=routing))
    assert story.demand.stage == stage and story.demand.clocks[ClockName.LOCATE].stopped_at == story.now


def test_locating_late_costs_the_resident_no_time() -> None:
    story = b.in_intake()
    promised = story.demand.clocks[ClockName.RESOLVE]
    story.lives(days=2).does(b.DISPATCHER, c.Locate(place=b.a_place()))
    assert story.demand.clocks[ClockName.RESOLVE] == promised
    assert story.demand.clocks[ClockName.LOCATE].breached


@pytest.mark.parametrize("actor", [b.WORKER, b.REPORTER, b.SECRETARY, b.STRANGER], ids=lambda a: a.id)
def test_only_the_dispatcher_operators_and_supervisors_locate(actor: Actor) -> None:
    with pytest.raises(DomainError):
        b.in_intake().does(actor, c.Locate(place=b.a_place()))


def test_somebody_elses_business_is_answered_and_closed_for_good() -> None:
    story = b.in_intake(screened="police")
    d = story.demand
    assert (d.stage, d.outcome, d.sealed, d.holder) == (Stage.CLOSED, Outcome.OUT_OF_SCOPE, True, None)
    assert d.reply_id == "screening:police" and d.clocks == {}


def test_a_demand_withdrawn_before_it_was_located_is_closed_for_good() -> None:
    story = b.in_intake()
    story.does(b.REPORTER, c.Withdraw())
    assert story.demand.outcome is Outcome.WITHDRAWN and story.demand.sealed
    assert all(clock.stopped_at for clock in story.demand.clocks.values())
    with pytest.raises(DomainError, match="closed"):
        story.does(b.REPORTER, c.Reopen())
