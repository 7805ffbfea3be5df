"""成员单位: refusal, silence, and the end of passing it round."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain import commands as c
from domain.errors import DomainError
from domain.vocabulary import ClockName, DecisionKind, Role, Stage
from tests.domain import builders as b

NO = c.Refuse(basis="not_our_duty")
WINDOW = ClockName.REFUSAL_WINDOW


def test_a_refusal_goes_to_the_next_candidate_and_resets_no_clock_of_the_resident() -> None:
    story = b.in_unit("A", "B")
    before = story.demand.clocks
    story.waits(hours=2).does(b.LIAISONS["A"], NO)
    assert (story.demand.unit, story.demand.holder) == ("B", "liaison-B")
    assert story.demand.clocks[ClockName.RESOLVE] == before[ClockName.RESOLVE]
    assert story.demand.clocks[WINDOW].started_at == story.now, "the next unit has a window of its own"


def test_the_third_refusal_goes_to_the_joint_meeting_by_itself() -> None:
    story = b.in_unit("A", "B", "C", "D")
    for unit in "AB":
        story.does(b.LIAISONS[unit], NO)
        assert story.demand.stage is Stage.UNIT
    story.does(b.LIAISONS["C"], NO)
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "refused_too_often")
    assert story.demand.past_units == ("A", "B", "C")


def test_a_demand_that_would_return_to_a_unit_goes_to_the_joint_meeting() -> None:
    story = b.in_unit("A", "B", "A")
    story.does(b.LIAISONS["A"], NO)
    story.demand = story.demand.model_copy(update={"waiting": (b.a_candidate("A"),)})  # as another hand-off would bring
    story.does(b.LIAISONS["B"], NO)
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "returned_to_same_unit")


def test_a_hand_off_to_a_unit_that_had_it_goes_to_the_joint_meeting() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], NO)
    story.decides(DecisionKind.RETURN_TO_GRID)
    story.does(b.WORKER, c.HandOff(routing=b.a_routing("A")))
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "returned_to_same_unit")


def test_when_nobody_is_left_it_goes_to_the_joint_meeting() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], NO)
    assert (story.demand.stage, story.demand.meeting_reason) == (Stage.MEETING, "nobody_left")


def test_silence_makes_a_unit_responsible() -> None:
    story = b.in_unit("A")
    story.lives(days=3)
    assert story.demand.lead_bound and story.demand.unit == "A"
    with pytest.raises(DomainError, match="refusal_window_over"):
        story.does(b.LIAISONS["A"], NO)


def test_a_refusal_after_the_window_is_too_late_even_if_the_bell_was_not_heard_before() -> None:
    story = b.in_unit("A", "B")
    story.now = story.demand.clocks[WINDOW].due_at
    with pytest.raises(DomainError, match="refusal_window_over"):
        story.does(b.LIAISONS["A"], NO)


def test_a_refusal_in_the_last_moment_of_the_window_counts() -> None:
    story = b.in_unit("A", "B")
    story.now = story.demand.clocks[WINDOW].due_at - timedelta(seconds=1)
    story.does(b.LIAISONS["A"], NO)
    assert story.demand.unit == "B"


def test_accepting_makes_a_unit_responsible() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Accept())
    with pytest.raises(DomainError, match="refusal_window_over"):
        story.does(b.LIAISONS["A"], NO)


def test_a_unit_refuses_with_a_basis_of_units() -> None:
    with pytest.raises(DomainError, match="basis_required"):
        b.in_unit("A").does(b.LIAISONS["A"], c.Refuse(basis="wrong_grid"))


def test_a_unit_does_not_leave_its_pause_to_the_next_one() -> None:
    story = b.in_unit("A", "B")
    story.does(b.LIAISONS["A"], c.RequestInfo(reason="awaiting_material"))
    with pytest.raises(DomainError, match="stage_forbids"):
        story.does(b.LIAISONS["A"], NO)


def test_another_colleague_of_the_unit_may_act_for_it_and_another_unit_may_not() -> None:
    story = b.in_unit("A")
    with pytest.raises(DomainError, match="outside_scope"):
        story.does(b.LIAISONS["B"], c.Accept())
    story.does(b.an_actor("second", Role.UNIT_LIAISON, unit="A"), c.Accept())
    assert story.demand.accepted


def test_the_grid_worker_stays_the_residents_contact() -> None:
    story = b.in_unit("A")
    story.does(b.WORKER, c.Contact())
    assert not story.demand.clocks[ClockName.CONTACT].running
    with pytest.raises(DomainError, match=r"not_holder|outside_scope"):
        story.does(b.WORKER, b.resolved())
