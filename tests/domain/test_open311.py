"""Our stages in Open311's words, the fields of forms, and texts that carry what came with them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.categories import Category, CategoryGroup
from domain.events import Event
from domain.open311 import CHANGES, TAKEN, Standing, Status, change_of, status_of
from domain.open311_faults import FAULTS, Fault
from domain.open311_services import Attribute, Option, Service, answers, instant_of
from domain.open311_text import MARK, joined, one_line, taken_apart, writable
from domain.vocabulary import Outcome, Stage

AT = datetime(2026, 9, 1, tzinfo=UTC)
NEW = Standing(
    number="20260901-000001", stage=Stage.INTAKE, category="120101", community=None, grid=None, compound=None, unit=None,
    meeting=None, outcome=None, channel="open311", opened_by="p", opened_at=AT, updated_at=AT, closed_at=None, due_at=None,
    accepted=False, bound=False, paused=False, verifying=False, shelved=False, redos=0, confidential=False, primary=None,
    reply_id=None,
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({}, Status.OPEN),
        ({"stage": Stage.GRID}, Status.OPEN),
        ({"stage": Stage.GRID, "accepted": True}, Status.IN_PROGRESS),
        ({"stage": Stage.GRID, "accepted": True, "paused": True}, Status.IN_PROGRESS),
        ({"stage": Stage.UNIT}, Status.OPEN),
        ({"stage": Stage.UNIT, "bound": True}, Status.IN_PROGRESS),
        ({"stage": Stage.GRID, "redos": 1}, Status.REOPEN),
        ({"stage": Stage.MEETING}, Status.INTERNAL_REFERRAL),
        ({"stage": Stage.MEETING, "shelved": True}, Status.ACTION_SCHEDULED),
        ({"stage": Stage.FEEDBACK, "verifying": True}, Status.INVESTIGATING),
        ({"stage": Stage.FEEDBACK}, Status.IN_PROGRESS),
        ({"stage": Stage.GRID, "primary": "1"}, Status.DUPLICATE),
        ({"stage": Stage.CLOSED, "outcome": Outcome.FINAL_REPLY}, Status.NO_FURTHER_ACTION),
        ({"stage": Stage.CLOSED, "outcome": Outcome.OUT_OF_SCOPE}, Status.NOT_OURS),
        ({"stage": Stage.CLOSED, "outcome": Outcome.WITHDRAWN, "primary": "1"}, Status.CANCELLED),
    ],
)
def test_the_status_of_each_stage(changes: dict[str, object], status: Status) -> None:
    found, words = status_of(replace(NEW, **changes))  # type: ignore[arg-type]
    assert found is status and all(words)


def test_every_way_to_end_has_a_status_and_an_update() -> None:
    for outcome in Outcome:
        closed = replace(NEW, stage=Stage.CLOSED, outcome=outcome)
        change = change_of("closed", {"outcome": outcome})
        assert change is not None and change.status is status_of(closed)[0]
        assert closed.is_closed and closed.code == f"closed:{outcome}"


def test_only_events_that_there_are_are_told_and_nothing_inside_is() -> None:
    known = {model.model_fields["type"].default for model in get_args(get_args(Event)[0])}
    assert CHANGES.keys() <= known
    assert change_of("note_added", {"note_id": "x"}) is None
    assert not {name for name in CHANGES if name.startswith(("clock_", "note", "files", "co_", "call_back"))}
    assert {str(status) for status in Status} <= TAKEN


def test_a_closed_one_changed_when_it_was_closed() -> None:
    later = datetime(2026, 9, 9, tzinfo=UTC)
    closed = replace(NEW, stage=Stage.CLOSED, outcome=Outcome.RESOLVED, closed_at=AT, updated_at=later)
    assert closed.changed_at == AT and replace(NEW, updated_at=later).changed_at == later


def test_every_fault_has_a_status_and_two_languages() -> None:
    for code in FAULTS:
        fault = Fault(code, "lat")
        assert fault.status in (400, 403, 404, 405, 429, 500, 503)
        assert fault.said(english=True).isascii() and not fault.said(english=False).isascii()


@pytest.mark.parametrize("text", ["2026-09-01T00:00:00Z", "2026-09-01T08:00:00+08:00", "2026-09-01T08:00:00 08:00"])
def test_instants(text: str) -> None:
    assert instant_of(text) == AT


@pytest.mark.parametrize(
    "text", ["", "2026-09-01", "2026-09-01T00:00:00", "2026-09-01T00:00:00.1Z", "2026-02-30T00:00:00Z", "1999-01-01T00:00:00Z",
             "2026-09-01T24:00:00Z", "٢٠٢٦-09-01T00:00:00Z", "2026-09-01T00:00:00+99:99"],
)  # fmt: skip
def test_no_instants(text: str) -> None:
    assert instant_of(text) is None


def service(*attributes: Attribute) -> Service:
    leaf = Category(
        code="010101", name="垃圾", name_en="Waste", handling_level="grid", sla_class="ordinary", verification="none"
    )
    return Service(
        leaf, CategoryGroup(code="01", name="环境", name_en="Environment"), "", "realtime", False, attributes
    )


def test_answers_to_fields() -> None:
    options = (Option(key="a", name="甲"), Option(key="b", name="乙"))
    asked = service(
        Attribute(code="one", datatype="singlevaluelist", description="一", values=options, required=True),
        Attribute(code="many", datatype="multivaluelist", description="多", values=options),
        Attribute(code="n", datatype="number", description="数"),
        Attribute(code="at", datatype="datetime", description="时"),
        Attribute(code="s", description="字"),
        Attribute(code="info", description="请注意", variable=False, required=True),
    )
    said, faults = answers(
        asked, {"one": ["a"], "many": ["b", "a", "b"], "n": ["-2.5"], "at": ["2026-09-01T00:00:00Z"], "s": ["x"]}
    )
    assert not faults and said["one"] == "甲" and said["many"] == "乙、甲" and said["n"] == "-2.5"
    _, faults = answers(asked, {"one": ["a", "b"], "many": ["c"], "n": ["1e9"], "at": ["heute"], "s": ["x" * 501]})
    assert [fault.code for fault in faults] == ["400012"] * 5
    _, faults = answers(asked, {"one": [""]})
    assert [(fault.code, fault.about) for fault in faults] == [("400011", "attribute[one]")]


LINE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=20)


@given(
    st.text(max_size=200).map(writable),
    st.lists(st.tuples(st.sampled_from(["x", "floor"]), LINE), max_size=4),
    st.lists(LINE, max_size=3),
)
def test_what_came_along_can_be_taken_apart_again(
    description: str, fields: list[tuple[str, str]], pictures: list[str]
) -> None:
    lines = [(f"标签〔{code}〕", value) for code, value in fields] + [("附图", url) for url in pictures]
    sent = taken_apart(joined(description, lines))
    if lines:
        assert sent.description == description and sent.pictures == tuple(pictures)
        assert sent.attributes == tuple(("标签", code, one_line(value)) for code, value in fields)
    elif MARK not in description:
        assert sent.description == description and not sent.pictures


@given(st.text())
def test_what_is_left_of_a_text_can_be_written_as_xml(text: str) -> None:
    clean = writable(text)
    assert all(c in "\t\n" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c >= "\U00010000" for c in clean)
    assert writable(clean) == clean
