"""The sentences of a routing decision, also of one that an earlier release recorded without its inputs."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any, get_args

from domain.routing import Candidate, Inputs, PassedOver, Routing, Why
from domain.routing_log import Decided
from service.routing_words import Words

AT = datetime(2027, 3, 8, 1, 0, tzinfo=UTC)
ZH = Words(lambda what, id: f"<{id}>", "Asia/Shanghai", english=False)
EN = Words(lambda what, id: f"<{id}>", "Asia/Shanghai", english=True)


def decided(**routing: Any) -> Decided:
    made = Routing.model_validate({"version": "r1", "rule": "default", **routing})
    return Decided(seq=1, at=AT, by="p", occasion="submitted", routing=made)


def a_candidate(reason: str, **more: Any) -> Candidate:
    return Candidate(unit="u", liaison="p", reason=reason, **more)


INPUTS = Inputs(category="010101", community="c", grid="g")


def test_a_decision_of_the_first_release_claims_nothing_that_it_did_not_record() -> None:
    old = decided(rule="resource", candidates=(a_candidate("resource", score=0.5),))
    assert ZH.explanation(old) == "资源覆盖该类诉求的单位中空闲比例最大，派给<u>（联络员 <p>）。"
    assert EN.explanation(old) == (
        "of the units that cover the category it has the largest share free, <u> (liaison <p>) is asked."
    )


def test_what_came_to_nothing_before_is_said_and_nothing_after() -> None:
    said = ZH.sentences(decided(rule="rule:x", candidates=(a_candidate("rule:x"),), on=date(2027, 3, 8), inputs=INPUTS))
    assert said[0] == "<c>·<010101>（010101）：r1 版派单规则 x 命中，派给<u>（联络员 <p>）。"
    assert said[1:] == ["此前各步：没有适用的联席会议常设决定。"]


def test_a_steward_that_is_there_is_never_said_to_be_missing() -> None:
    inputs = INPUTS.model_copy(update={"steward": "s"})
    nobody = ZH.explanation(decided(inputs=INPUTS))
    known = ZH.explanation(
        decided(inputs=inputs, passed_over=(PassedOver(unit="s", reason="steward", why="no_resource"),))
    )
    assert "该网格没有包联单位" in nobody and "提交联席会议" in nobody
    assert "该网格没有包联单位" not in known and "包联单位<s>：资源不覆盖该类诉求" in known


def test_a_unit_that_is_full_and_responsible_is_told_so() -> None:
    full = decided(rule="ruling:r9", candidates=(a_candidate("ruling:r9", load=5, capacity=4),), inputs=INPUTS)
    assert "联席会议常设决定 r9 适用" in ZH.explanation(full)
    assert "在办 5 件（该类容量 4 件），已满负荷但仍由其负责" in ZH.explanation(full)
    assert "5 in hand (room for 4), full but responsible all the same" in EN.explanation(full)


def test_what_is_not_listed_is_counted() -> None:
    over = decided(
        passed_over=(PassedOver(unit="s", reason="resource", why="no_capacity", load=2, capacity=2),), more=7
    )
    assert "未采用：<s>：已满负荷，在办 2 件（该类容量 2 件）；另有 7 个单位。" in ZH.explanation(over)


def test_every_code_has_words_in_both_languages() -> None:
    for why in get_args(Why):
        one = decided(passed_over=(PassedOver(unit="s", reason="resource", why=why),))
        assert why not in ZH.explanation(one) and why not in EN.explanation(one), why


def test_instants_are_by_the_local_clock() -> None:
    assert ZH.title(2, decided()) == "第 2 次派单 2027-03-08 09:00（受理时）"
    assert EN.title(2, decided()) == "Decision 2, 2027-03-08 09:00 (on submission)"
