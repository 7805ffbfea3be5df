"""Projects: who may do what, how progress is reckoned, and that what has ended stays ended until it is reopened."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from domain.actors import Actor, Grant
from domain.errors import DomainError
from domain.project_steps import Step, may_steer, take
from domain.projects import Project, ProjectState
from domain.vocabulary import Role

NOW = datetime(2027, 3, 1, 2, tzinfo=UTC)
STEP: TypeAdapter[Step] = TypeAdapter(Step)


def actor(role: Role, **scope: str) -> Actor:
    return Actor(id=f"p-{role}", grants=(Grant(role=role, **scope),))


SECRETARY = actor(Role.COMMUNITY_SECRETARY, community="c")
LEAD, OTHER_UNIT = actor(Role.UNIT_LIAISON, unit="u-lead"), actor(Role.UNIT_LIAISON, unit="u-other")


def project(**more: Any) -> Project:
    values = {"id": "prj-000001", "community": "c", "title": "补路", "lead_unit": "u-lead", "opened_by": "p", "seq": 1}
    return Project.model_validate({**values, "opened_at": NOW, **more})


def after(p: Project, *steps: dict[str, Any], by: Actor = SECRETARY) -> Project:
    for n, step in enumerate(steps):
        p = take(p, STEP.validate_python(step), by, NOW + timedelta(minutes=n))
    return p


def milestone(title: str = "勘察", due_on: str = "2027-03-10") -> dict[str, Any]:
    return {"type": "add_milestone", "title": title, "due_on": due_on}


def progress(milestone: int, percent: int) -> dict[str, Any]:
    return {"type": "progress", "milestone": milestone, "percent": percent}


def refused(p: Project, step: dict[str, Any], by: Actor = SECRETARY) -> str:
    with pytest.raises(DomainError) as error:
        after(p, step, by=by)
    return error.value.code


def test_progress_is_the_mean_of_the_milestones_and_whole_once_done() -> None:
    p = after(project(), milestone(), milestone("施工", "2027-04-01"), milestone("验收", "2027-05-01"))
    assert (p.progress, p.seq) == (0, 4)
    p = after(p, progress(1, 100), progress(2, 50))
    assert p.progress == 50
    assert (p.milestones[0].done_by, p.milestones[0].done_at) == (SECRETARY.id, NOW)
    taken_back = after(p, progress(1, 99))
    assert (taken_back.milestones[0].done_at, taken_back.milestones[0].done_by) == (None, None)
    assert after(project(), {"type": "close"}).progress == 100, "one without milestones is done when somebody says so"


def test_it_is_overdue_by_itself_or_by_a_milestone_and_never_once_ended() -> None:
    p = after(project(due_on=date(2027, 6, 1)), milestone(due_on="2027-03-10"))
    assert [p.overdue(date(2027, 3, d)) for d in (10, 11)] == [False, True]
    finished = after(p, progress(1, 100))
    assert [finished.overdue(day) for day in (date(2027, 6, 1), date(2027, 6, 2))] == [False, True]
    assert not after(finished, {"type": "close"}).overdue(date(2028, 1, 1))
    assert not after(p, {"type": "drop", "reason": "no_funds"}).overdue(date(2028, 1, 1))


def test_it_closes_only_when_every_milestone_is_finished_or_gone() -> None:
    p = after(project(), milestone(), milestone("施工"))
    with pytest.raises(DomainError) as error:
        after(p, {"type": "close"})
    assert (error.value.code, error.value.facts["milestones"]) == ("project_unfinished", [1, 2])
    done = after(p, progress(1, 100), {"type": "remove_milestone", "milestone": 2}, {"type": "close"})
    assert (done.state, done.closed_at is not None) == (ProjectState.DONE, True)
    assert refused(p.model_copy(update={"milestones": after(p, progress(1, 10)).milestones}),
                   {"type": "remove_milestone", "milestone": 1}) == "stage_forbids"  # fmt: skip


@pytest.mark.parametrize("ended", [{"type": "drop", "reason": "merged"}, {"type": "close"}])
def test_nothing_happens_to_what_has_ended_but_reopening(ended: dict[str, Any]) -> None:
    p = after(project(), ended)
    for step in (milestone(), ended, {"type": "link_demand", "number": "20270301-000001"}):
        assert refused(p, step) == "project_ended"
    again = after(p, {"type": "reopen"})
    assert (again.state, again.closed_at, after(again, milestone()).seq) == (ProjectState.OPEN, None, p.seq + 2)
    assert refused(again, {"type": "reopen"}) == "stage_forbids"


def test_demands_are_linked_once_and_what_a_meeting_gave_stays() -> None:
    p = project(decided=("20270301-000009",))
    linked = after(p, {"type": "link_demand", "number": "20270301-000001"})
    assert linked.demands == ("20270301-000001", "20270301-000009")
    for number in linked.demands:
        assert refused(linked, {"type": "link_demand", "number": number}) == "stage_forbids"
    assert after(linked, {"type": "unlink_demand", "number": "20270301-000001"}).demands == p.demands
    for number in ("20270301-000009", "20270301-000002"):
        assert refused(p, {"type": "unlink_demand", "number": number}) == "stage_forbids"


def test_an_activity_is_planned_announced_held_in_this_order() -> None:
    plan = {"type": "plan_activity", "kind": "clean_up", "title": "清扫", "planned_on": "2027-03-20", "unit": "u-other"}
    p = after(project(), plan)
    assert (p.activities[0].state, p.activities[0].seq) == ("planned", 1)
    assert refused(p, {"type": "finish_activity", "activity": 1}) == "stage_forbids"
    p = after(p, {"type": "announce_activity", "activity": 1}, by=OTHER_UNIT)
    assert p.activities[0].state == "announced"
    held = after(p, {"type": "finish_activity", "activity": 1}, by=OTHER_UNIT)
    assert held.activities[0].state == "done"
    assert refused(held, {"type": "cancel_activity", "activity": 1}) == "stage_forbids"
    assert after(p, {"type": "cancel_activity", "activity": 1}).activities[0].state == "cancelled"
    assert refused(p, plan | {"unit": None}) == "validation_failed"
    assert refused(p, {"type": "announce_activity", "activity": 7}) == "validation_failed"


STEER = {Role.SUPERVISOR, Role.CHAIR, Role.COMMUNITY_SECRETARY}


@pytest.mark.parametrize("role", list(Role))
def test_only_the_meetings_people_steer_and_only_where_they_belong(role: Role) -> None:
    here, elsewhere, whole = actor(role, community="c"), actor(role, community="d"), actor(role)
    assert may_steer("c", here) is (role in STEER)
    assert not may_steer("c", elsewhere)
    assert may_steer("c", whole) is (role in STEER)
    assert may_steer(None, whole) is (role in STEER - {Role.COMMUNITY_SECRETARY})
    assert not may_steer(None, here)
    if role not in STEER:
        assert refused(project(), milestone(), by=here) == "not_permitted"


def test_the_lead_units_liaison_reports_progress_and_nothing_else() -> None:
    p = after(project(), milestone())
    assert after(p, progress(1, 30), by=LEAD).progress == 30
    assert refused(p, progress(1, 30), by=OTHER_UNIT) == "not_permitted"
    for step in (milestone(), {"type": "close"}, {"type": "move_milestone", "milestone": 1, "due_on": "2028-01-01"}):
        assert refused(p, step, by=LEAD) == "not_permitted"


@pytest.mark.parametrize(
    "day", [20270301, 1e9, "1700000000", "2027-02-30", "1999-12-31", "2200-01-01", "tomorrow", True]
)
def test_a_date_is_written_as_a_date(day: object) -> None:
    with pytest.raises(ValidationError):
        STEP.validate_python(milestone() | {"due_on": day})


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 100)), max_size=12))
def test_progress_stays_between_nothing_and_everything(reports: list[tuple[int, int]]) -> None:
    p = after(project(), *(milestone(str(n)) for n in range(4)), *(progress(n, percent) for n, percent in reports))
    last = dict(reports)
    assert p.progress == sum(last.values()) // 4
    assert {m.seq for m in p.milestones if m.done_at} == {n for n, percent in last.items() if percent == 100}
    assert p.seq == 1 + 4 + len(reports)
