"""The audit of `bench.webhooks` finds what it looks for."""

from __future__ import annotations

from bench.webhooks import Receiver, judge

LOGS = {"20261123-000001": ["20261123-000001-1-aaaaaaaa", "20261123-000001-2-bbbbbbbb"],
        "20261123-000002": ["20261123-000002-1-cccccccc"]}  # fmt: skip
A, B, C = LOGS["20261123-000001"][0], LOGS["20261123-000001"][1], LOGS["20261123-000002"][0]


def judged(*taken: str, forged: int = 0) -> tuple[str, list[str]]:
    return judge(Receiver("well", taken=list(taken), forged=forged), LOGS)


def test_all_of_it_in_order_is_right_whatever_comes_twice() -> None:
    line, wrong = judged(A, C, A, B, A)
    assert wrong == []
    assert "3 of 3 events, 0 missing, 0 demands out of order, 2 duplicates, 0 replaced" in line


def test_what_another_attempt_replaced_is_counted_and_not_wrong() -> None:
    line, wrong = judged(A, "20261123-000001-2-dddddddd", B, C)
    assert wrong == []
    assert "1 replaced" in line


def test_what_is_missing_disordered_or_forged_is_wrong() -> None:
    assert "1 missing" in judged(A, B)[1][0]
    assert "1 demands out of order" in judged(B, A, C)[1][0]
    assert "1 with a bad signature" in judged(A, B, C, forged=1)[1][0]
