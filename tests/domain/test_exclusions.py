"""Who may leave what out of the rates, and what that does to a figure."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from domain import commands as c
from domain.actors import Actor
from domain.errors import DomainError
from domain.exclusions import BASES, Basis, Decision, Exclusion, Exclusions, decide, leaving_out
from domain.kpi_cases import UNANSWERED
from domain.rates import Tally, cases_in
from domain.vocabulary import Outcome, Role
from tests.domain import builders as b
from tests.domain.counting import APRIL, MARCH, SHANGHAI, the_definition

NOW = datetime(2027, 4, 2, 1, 0, tzinfo=UTC)
OTHER = b.an_actor("other-supervisor", Role.SUPERVISOR)
ELSEWHERE = b.an_actor("elsewhere", Role.SUPERVISOR, community="c2")
APPROVE, REVOKE = Decision(kind="approve"), Decision(kind="revoke", reason="查无此事")
REFUSE, WITHDRAW = Decision(kind="refuse", reason="依据不足"), Decision(kind="withdraw")


def asked(by: Actor = b.SECRETARY, **changes: Any) -> Exclusion:
    said = {
        "id": "exc-000001", "number": b.NUMBER, "month": "2027-03", "figures": ("response", "redo"),
        "basis": "force_majeure", "community": "c1", "asked_by": by.id, "asked_at": NOW,
    }  # fmt: skip
    return Exclusion.model_validate(said | changes)


def refusal(exclusion: Exclusion, decision: Decision, actor: Actor) -> str:
    with pytest.raises(DomainError) as refused:
        decide(exclusion, decision, actor, NOW)
    return refused.value.code


def test_it_is_asked_approved_and_revoked() -> None:
    approved = decide(asked(), APPROVE, b.SUPERVISOR, NOW)
    assert (approved.state, approved.decided_by, approved.decided_at, approved.seq) == (
        "approved",
        "supervisor",
        NOW,
        2,
    )
    revoked = decide(approved, REVOKE, OTHER, NOW + timedelta(days=1))
    assert (revoked.state, revoked.decided_by, revoked.revoked_by, revoked.seq) == (
        "revoked", "supervisor", "other-supervisor", 3,
    )  # fmt: skip


def test_who_asked_does_not_decide() -> None:
    own = asked(b.SUPERVISOR)
    assert refusal(own, APPROVE, b.SUPERVISOR) == refusal(own, REFUSE, b.SUPERVISOR) == "second_person_required"
    assert decide(own, WITHDRAW, b.SUPERVISOR, NOW).state == "withdrawn"
    assert decide(own, APPROVE, OTHER, NOW).state == "approved"


@pytest.mark.parametrize("actor", [b.SECRETARY, b.AUDITOR, b.ADMIN, b.OPERATOR, b.WORKER, b.REPORTER, ELSEWHERE])
def test_only_a_supervisor_of_the_place_decides(actor: Actor) -> None:
    assert refusal(asked(b.OPERATOR), APPROVE, actor) == "not_permitted"
    assert refusal(decide(asked(), APPROVE, b.SUPERVISOR, NOW), REVOKE, actor) == "not_permitted"


def test_nobody_else_withdraws_it() -> None:
    assert refusal(asked(), WITHDRAW, b.SUPERVISOR) == "not_permitted"


@pytest.mark.parametrize("over", [REFUSE, WITHDRAW, APPROVE])
def test_what_is_decided_is_decided(over: Decision) -> None:
    actor = b.SECRETARY if over is WITHDRAW else b.SUPERVISOR
    ended = decide(asked(), over, actor, NOW)
    for again in (APPROVE, REFUSE):
        assert refusal(ended, again, b.SUPERVISOR) == "exclusion_decided"
    if over is not APPROVE:
        assert refusal(ended, REVOKE, b.SUPERVISOR) == "exclusion_decided"


def test_refusing_and_revoking_say_why() -> None:
    assert refusal(asked(), Decision(kind="refuse"), b.SUPERVISOR) == "validation_failed"
    approved = decide(asked(), APPROVE, b.SUPERVISOR, NOW)
    assert refusal(approved, Decision(kind="revoke"), b.SUPERVISOR) == "validation_failed"


def test_every_basis_has_words_and_none_is_called_like_an_ending() -> None:
    assert set(BASES) == set(Basis)
    assert not set(BASES) & {*Outcome, *UNANSWERED}


# ---- in the figures


def a_redone_story() -> b.Story:
    story = b.redone(b.in_grid(), 1)
    story.does(b.WORKER, b.resolved())
    story.does(b.REPORTER, b.satisfied())
    return story.lives(days=8)


def tally(story: b.Story, *approved: Exclusion, **changes: Any) -> Tally:
    found = Tally(the_definition(**changes))
    cases = cases_in(
        b.NUMBER, story.entries, found.definition, MARCH, zone=SHANGHAI, exclusions=Exclusions(approved)
    )  # fmt: skip
    for case in cases:
        found.add((), case)
    return found


def test_it_takes_the_named_figures_of_the_month_out_and_no_other() -> None:
    story = a_redone_story()
    plain, without = tally(story).groups[()], tally(story, asked()).groups[()]
    assert plain["redo"].value == Decimal("0.5")
    assert (without["redo"].denominator, dict(without["redo"].excluded)) == (0, {"force_majeure": 2})
    for id in plain.keys() - {"redo", "response"}:
        assert plain[id] == without[id], id


@pytest.mark.parametrize("change", [{"month": "2027-04"}, {"number": "D-2"}, {"figures": ("refusal",)}])
def test_another_month_demand_or_figure_stays(change: dict[str, Any]) -> None:
    story = a_redone_story()
    assert tally(story, asked(**change)).groups[()]["redo"] == tally(story).groups[()]["redo"]


def test_the_month_is_local() -> None:
    story = b.in_grid(now=datetime(2027, 3, 31, 15, 59, tzinfo=UTC), channel="patrol")  # 23:59 in Shanghai
    story.waits(hours=0.02).does(b.WORKER, b.resolved())
    approved = asked(month="2027-04", figures=("on_the_spot",))
    cases = cases_in(
        b.NUMBER, story.entries, the_definition(), APRIL, zone=SHANGHAI, exclusions=Exclusions([approved])
    )  # fmt: skip
    assert [(c.exclusion, c.value) for c in cases if c.figure == "on_the_spot"] == [("exc-000001", Decimal(0))]


def test_what_is_out_for_its_ending_stays_under_that() -> None:
    story = b.in_grid()
    story.does(b.REPORTER, c.Withdraw())
    found = tally(story, asked()).groups[()]["response"].excluded
    assert dict(found) == {"withdrawn": 1}


def test_the_first_one_of_several_counts() -> None:
    first, second = asked(figures=("redo",)), asked(id="exc-000002", basis="access_refused")
    assert leaving_out([first, second], "2027-03", "redo") is first
    assert leaving_out([first, second], "2027-03", "response") is second
    assert leaving_out([first, second], "2027-05", "redo") is None
