"""Who is told of what: the rules of the reference district over whole lives of demands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import cache
from itertools import groupby

import pytest

from domain import commands as c
from domain.demand import Demand
from domain.notice_rules import EVENTS, NoticeRule, NoticeSettings, Undeliverable
from domain.notices import Happening, Meant, happenings, meant
from domain.tasks import CoUnit
from domain.vocabulary import Channel, DecisionKind
from service.pack import load_pack
from tests.domain import builders as b
from tests.service.breaking import PACK


@cache
def settings() -> NoticeSettings:
    return load_pack(PACK).notices.settings


def said(story: b.Story) -> list[tuple[Happening, tuple[Meant, ...]]]:
    """Every event of the story with whom it is told to."""
    wanted = {entry.seq: entry.hash for entry in story.entries}
    return [(h, meant(settings(), h)) for h in happenings(b.NUMBER, story.entries, wanted)]


def told(story: b.Story, *, type: str | None = None) -> list[tuple[str, str, str | None]]:
    """(type of event, rule, person) of everything, or of one type of event."""
    return [(h.type, one.rule.id, one.person) for h, all in said(story) for one in all if type in (None, h.type)]


def through_units() -> b.Story:
    """Refused, helped with, resolved, not solved, done again."""
    story = b.in_unit("A", "B")
    story.does(b.LIAISONS["A"], c.Refuse(basis="no_power"))
    story.does(b.LIAISONS["B"], c.Accept())
    story.does(b.LIAISONS["B"], c.AddCoUnits(co_units=(CoUnit(unit="C", liaison="liaison-C"),)))
    story.waits(hours=1).does(b.LIAISONS["C"], c.CoDone(unit="C"))
    return b.redone(story.waits(hours=1), 3)


def late() -> b.Story:
    """Nobody does anything until the meeting looks at it, which sends it back."""
    story = b.in_grid().lives(days=40)
    story.decides(DecisionKind.RETURN_TO_GRID)
    return story.lives(days=40)


def asked() -> b.Story:
    """Nobody answers: asked by every rung of the ladder, closed without an answer, reopened, withdrawn."""
    story = b.in_feedback(promise=b.asking_by(b.a_promise(verify=True), b.a_plan()), reach=("phone", "email"))
    story.does(b.SUPERVISOR, c.Verify(ok=True))
    story.lives(days=6).does(b.REPORTER, c.Reopen())
    story.waits(hours=1).does(b.REPORTER, c.Withdraw())
    return story


def supervised() -> b.Story:
    story = b.in_grid()
    for deed in ("order", "take_over", "return"):
        story.waits(minutes=5).does(b.SUPERVISOR, c.Supervise.model_validate({"deed": deed, "note_id": "n-1"}))
    story.waits(hours=1).does(b.WORKER, c.Accept())
    story.does(b.WORKER, c.Extend(working_days=2, basis="season"))
    story.does(b.SUPERVISOR, c.DecideExtension(approved=True))
    return story.lives(days=30)


def refused_and_located() -> b.Story:
    story = b.in_intake()
    story.waits(minutes=5).does(b.DISPATCHER, c.Locate(place=b.a_place()))
    story.waits(minutes=5).does(b.WORKER, c.Refuse(basis="wrong_grid"))
    story.waits(minutes=5).does(b.DISPATCHER, c.Locate(place=b.another_place()))
    story.waits(minutes=5).does(b.SUPERVISOR, c.Reassign(person=b.SUBSTITUTE.id))
    return story


def merged_and_back() -> b.Story:
    story = b.following()
    story.waits(hours=1).does(b.OPERATOR, c.Unmerge())
    return story


OWED_BY = ("holder", "asked")

LIVES: dict[str, Callable[[], b.Story]] = {
    "units": through_units, "late": late, "asked": asked, "supervised": supervised, "located": refused_and_located,
    "merged": merged_and_back, "proposed": b.proposed, "committee": b.in_committee, "shelved": lambda: b.shelved().lives(days=40),
    "emergency": lambda: b.in_unit("A", promise=b.a_promise(sla_class="emergency")).lives(days=20),
}  # fmt: skip


@pytest.mark.parametrize("life", LIVES)
def test_each_change_of_hands_is_told_to_the_new_hands_once_and_nobody_hears_of_their_own_deeds(life: str) -> None:
    changes, before = 0, Demand(number=b.NUMBER)
    for (_, actor), turn in groupby(said(LIVES[life]()), key=lambda one: (one[0].at, one[0].actor)):
        events = list(turn)
        after = events[-1][0].after
        assert actor not in [one.person for _, all in events for one in all]
        if after.holder not in (None, before.holder, actor):
            changes += 1
            owed = [
                h.type for h, all in events for one in all if one.person == after.holder and one.audience in OWED_BY
            ]
            assert len(owed) == 1, (after.holder, owed)
        before = after
    assert changes, "nothing changed hands: the life tells nothing"


@pytest.mark.parametrize("life", LIVES)
def test_nobody_is_told_of_one_event_twice(life: str) -> None:
    for _, all in said(LIVES[life]()):
        people = [one.person for one in all]
        assert len(people) == len(set(people))


def test_a_worker_who_takes_it_over_himself_is_not_told() -> None:
    story = b.in_grid().waits(minutes=1)
    story.does(b.SUBSTITUTE, c.Accept())
    assert told(story, type="worker_assigned") == [
        ("worker_assigned", "assigned", b.WORKER.id), ("worker_assigned", "moved", b.WORKER.id),
    ]  # fmt: skip


def test_whoever_held_it_before_hears_that_it_has_gone_but_not_who_held_it_in_passing() -> None:
    story = b.in_grid().waits(minutes=1)
    story.does(b.WORKER, c.Refuse(basis="wrong_grid", place=b.another_place()))
    assert [one for one in told(story) if one[1] == "moved"] == []  # the worker did it; the dispatcher never had it
    story.waits(minutes=1).does(b.SUPERVISOR, c.Reassign(person=b.SUBSTITUTE.id))
    assert ("worker_assigned", "moved", b.COLLEAGUE.id) in told(story)


def test_the_people_of_the_ladder_are_told_what_the_event_says() -> None:
    story = b.in_grid().lives(days=3)
    steps = {h.type: [one.person for one in all if one.audience == "told"] for h, all in said(story)}
    assert steps["clock_warned"] == [b.SUBSTITUTE.id]  # it was passed on when the worker did not accept it
    assert set(steps["clock_breached"]) == {b.SUBSTITUTE.id, b.SUPERVISOR.id}


def test_the_reporter_hears_what_concerns_them_and_nothing_else() -> None:
    life = [rule for _, rule, person in told(asked()) if person is None]
    assert life == ["received", "questions", "questions-by-sms", "closed", "closed-for-good"]
    assert [rule for _, rule, person in told(b.paused()) if person is None] == ["received"]  # the weather is not theirs


def test_what_is_for_somebody_else_is_answered_once() -> None:
    story = b.in_intake(screened="fire")
    assert [rule for _, rule, person in told(story) if person is None] == ["closed-for-good"]


def test_calls_and_visits_are_told_to_whom_they_are_owed_by() -> None:
    owed = [(rule, person) for type, rule, person in told(asked()) if type == "reporter_asked" and person]
    assert owed == [("ask-the-reporter", b.OPERATOR.id), ("ask-the-reporter", b.SUBSTITUTE.id)]


def test_a_duplicate_is_told_to_its_reporter_and_to_whoever_need_not_go_on() -> None:
    assert told(b.following(), type="merged") == [("merged", "moved", b.WORKER.id), ("merged", "merged", None)]


def test_of_the_intake_of_what_comes_in_bulk_nobody_is_told_but_of_what_follows() -> None:
    story = b.in_grid(channel=Channel.IMPORT)
    assert told(story) == []
    story.waits(minutes=1).does(b.SUPERVISOR, c.Reassign(person=b.SUBSTITUTE.id))
    assert ("worker_assigned", "assigned", b.SUBSTITUTE.id) in told(story)


def test_an_emergency_is_told_by_rules_of_its_own() -> None:
    story = b.in_unit("A", promise=b.a_promise(sla_class="emergency"))
    assert [(one.rule.id, one.rule.urgent, one.rule.reach) for _, all in said(story) for one in all if one.person] == [
        ("emergency-assigned", True, "all")
    ]


def test_a_unit_that_let_its_window_pass_hears_that_it_is_responsible() -> None:
    story = b.in_unit("A").lives(days=3)
    assert ("unit_bound", "responsible-by-silence", "liaison-A") in told(story)


def test_what_could_not_be_delivered_is_told_to_its_owner() -> None:
    demand = b.in_grid().demand
    lost = Undeliverable(channel="email", audience="reporter")
    h = Happening(b.NUMBER, 3, b.MONDAY_NINE + timedelta(days=1), "system", lost, demand, demand)
    assert [(one.rule.id, one.person) for one in meant(settings(), h, owner="operator")] == [
        ("undeliverable", "operator")
    ]
    assert meant(settings(), h) == ()


def test_one_that_was_replaced_by_a_later_attempt_is_left_for_the_later_one() -> None:
    story = b.in_grid()
    wanted = {entry.seq: entry.hash for entry in story.entries} | {2: "another"}
    assert [h.seq for h in happenings(b.NUMBER, story.entries, wanted)] == [
        n for n in range(1, len(story.entries) + 1) if n != 2
    ]


def rule(**changes: object) -> NoticeRule:
    return NoticeRule.model_validate(
        {"id": "r", "events": ["urged"], "audiences": ["holder"], "template": "t", **changes}
    )


def test_a_rule_holds_where_all_that_it_says_holds() -> None:
    story = b.in_grid()
    story.does(b.REPORTER, c.Urge())
    event = EVENTS["urged"]()
    where = {"stage": story.demand.stage, "category": "010101", "sla_class": "ordinary"}
    for fits in ({}, {"stages": ["grid", "unit"]}, {"categories": ["01", "02"]}, {"classes": ["ordinary"]}):
        assert rule(**fits).holds(event, **where)  # type: ignore[arg-type]
    for not_fits in ({"stages": ["unit"]}, {"categories": ["0102"]}, {"classes": ["complex"]}):
        assert not rule(**not_fits).holds(event, **where)  # type: ignore[arg-type]


def test_the_first_rule_that_names_a_person_counts() -> None:
    story = b.in_grid().waits(minutes=1)
    story.does(b.REPORTER, c.Urge())
    rules = (
        rule(id="elsewhere", categories=["09"]), rule(id="first"), rule(id="second", audiences=["holder", "supervisor"]),
    )  # fmt: skip
    few = NoticeSettings(version="1", rules=rules)
    last = list(happenings(b.NUMBER, story.entries, {story.entries[-1].seq: story.entries[-1].hash}))[-1]
    assert [(one.rule.id, one.person) for one in meant(few, last)] == [
        ("first", b.WORKER.id),
        ("second", b.SUPERVISOR.id),
    ]
