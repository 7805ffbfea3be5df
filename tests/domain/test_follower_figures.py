"""What a duplicate adds to the figures: its reporter's own answers and promise, and nobody's work."""

from __future__ import annotations

from datetime import timedelta

from domain import commands as c
from domain.actors import SYSTEM
from domain.vocabulary import Outcome
from tests.domain import builders as b
from tests.domain.counting import MARCH, counted, share, worth

PRIMARY = "D-2"


def settled(story: b.Story, outcome: Outcome = Outcome.RESOLVED) -> b.Story:
    """Merged, and its primary done the next day."""
    story.does(b.SUPERVISOR, c.Merge(primary=PRIMARY))
    story.lives(days=1).does(
        SYSTEM,
        c.Settle.model_validate({"primary": PRIMARY, "reply_id": "t-copy", "outcome": outcome, "handler": "worker"}),
    )
    return story


def test_its_reporter_was_not_contacted_for_it_and_need_not_be() -> None:
    assert share(settled(b.in_grid()), "response") == (0, 0)
    late = b.in_grid().lives(days=3)  # missed before it was merged
    assert share(settled(late), "response") == (0, 1)
    taken = b.in_grid()
    taken.does(b.WORKER, c.Accept())
    taken.does(b.WORKER, c.Contact())
    assert share(settled(taken), "response") == (1, 1)


def test_the_promise_to_its_reporter_is_kept_and_nobodys_task_is() -> None:
    story = settled(b.in_unit("A"))
    assert share(story, "on_time_resolve") == (1, 1)
    assert counted(story, "on_time_unit_due") == []
    assert share(settled(b.in_grid(), Outcome.FINAL_REPLY), "on_time_resolve") == (1, 1)


def test_its_own_work_is_not_on_the_spot_and_not_handled() -> None:
    story = settled(b.in_grid())
    assert counted(story, "on_the_spot") == []
    assert counted(story, "handled_per_day", loads=("handled_per_day",)) == []
    assert counted(story, "open_tasks", loads=("open_tasks",)) == []


def test_its_answer_is_its_own() -> None:
    story = settled(b.in_grid())
    story.does(b.REPORTER, b.satisfied())
    assert share(story, "satisfaction") == share(story, "resolution") == (1, 1)
    assert share(story, "redo") == (0, 1)


def test_while_it_follows_nobody_has_it_in_hand_and_afterwards_somebody_again() -> None:
    story = b.in_unit("A")
    story.does(b.LIAISONS["A"], c.Accept())
    story.does(b.SUPERVISOR, c.Merge(primary=PRIMARY))
    until = type(MARCH)(MARCH.start, story.now + timedelta(minutes=1))
    assert counted(story, "open_tasks", until, loads=("open_tasks",)) == []
    story.waits(hours=1).does(b.SUPERVISOR, c.Unmerge())
    until = type(MARCH)(MARCH.start, story.now + timedelta(minutes=1))
    (case,) = counted(story, "open_tasks", until, loads=("open_tasks",))
    assert (case.where.unit, worth(case)) == ("A", 1)
    assert len(counted(story, "load")) == 1, "no new task"


def test_a_mere_repetition_stands_beside() -> None:
    story = b.in_grid()
    story.does(b.SUPERVISOR, c.Merge(primary=PRIMARY, same_reporter=True))
    assert {case.excluded for case in counted(story, "response")} <= {"duplicate"}
    assert len(counted(story, "opened")) == len(counted(story, "closed")) == 1


def test_nobody_met_is_no_answer_either() -> None:
    story = b.in_feedback().lives(hours=1)
    story.does(b.OPERATOR, c.CallBack(channel="phone", result="no_answer"))
    story.lives(days=20)
    for figure in ("resolution", "satisfaction"):
        assert [case.excluded for case in counted(story, figure)] == [str(story.demand.outcome)]
    assert story.demand.outcome in (Outcome.UNCONFIRMED, Outcome.UNREACHABLE)
