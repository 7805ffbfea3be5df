"""The log alone makes the demand, and nobody can change a line of it unnoticed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from domain import commands as c
from domain.ledger import Entry, append, replay
from domain.vocabulary import DecisionKind
from tests.domain import builders as b


def a_long_story() -> b.Story:
    story = b.in_unit("A", "B")
    story.does(b.LIAISONS["A"], c.Refuse(basis="no_power", note_id="t-1"))
    story.waits(hours=3).does(b.LIAISONS["B"], c.RequestInfo(reason="weather"))
    story.waits(days=2).does(b.LIAISONS["B"], c.Resume())
    story.does(b.LIAISONS["B"], c.Escalate(reason="several_units"))
    story.decides(DecisionKind.SHELVE, review_at=story.now + timedelta(days=9))
    story.lives(days=9).decides(DecisionKind.RETURN_TO_GRID)
    story.does(b.WORKER, b.resolved(), performed_at=story.now - timedelta(minutes=5))
    story.does(b.REPORTER, b.satisfied())
    return story.lives(days=8)


STORY = a_long_story()


def through_the_database(entries: list[Entry]) -> list[Entry]:
    """Keys in another order, instants in UTC whatever zone they came in, other spacing: what jsonb and timestamptz do."""
    rows = [json.loads(entry.model_dump_json()) for entry in entries]
    shuffled = [{**row, "data": dict(sorted(row["data"].items(), reverse=True))} for row in rows]
    read = [Entry.model_validate_json(json.dumps(row, indent=1)) for row in shuffled]
    utc = timezone.utc  # noqa: UP017 another object than datetime.UTC would be is the point of reading back
    return [
        entry.model_copy(
            update={
                "at": entry.at.astimezone(utc),
                "performed_at": entry.performed_at.astimezone(utc) if entry.performed_at else None,
            }
        )
        for entry in read
    ]


def test_the_log_makes_the_demand() -> None:
    assert replay(b.NUMBER, STORY.entries) == STORY.demand
    assert [entry.seq for entry in STORY.entries] == list(range(1, len(STORY.entries) + 1))


def test_a_stored_log_still_verifies() -> None:
    assert replay(b.NUMBER, through_the_database(STORY.entries)) == STORY.demand


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_what_a_device_did_in_its_own_time_zone_still_verifies_after_storage(zone: str) -> None:
    story = b.in_grid()
    story.does(b.WORKER, c.Accept(), performed_at=story.now.astimezone(ZoneInfo(zone)))
    assert replay(b.NUMBER, through_the_database(story.entries)) == story.demand


def test_a_due_instant_in_another_time_zone_still_verifies_after_storage() -> None:
    story = b.in_meeting()
    review = (story.now + timedelta(days=5)).astimezone(ZoneInfo("Asia/Shanghai"))
    story.decides(DecisionKind.SHELVE, review_at=review)
    assert replay(b.NUMBER, through_the_database(story.entries)) == story.demand


def test_appending_event_by_event_gives_the_same_chain() -> None:
    story = b.in_grid()
    before = story.demand
    events = story.does(b.WORKER, b.resolved())
    whole, _ = append(before, events, at=story.now, actor=b.WORKER.id)
    piece = before
    for event in events:
        piece, _ = append(piece, [event], at=story.now, actor=b.WORKER.id)
    assert whole == piece == story.demand


FORGERIES: dict[str, Callable[[list[Entry]], list[Entry]]] = {
    "an event left out": lambda log: log[:4] + log[5:],
    "an event left out and the rest renumbered": lambda log: log[:4]
    + [e.model_copy(update={"seq": e.seq - 1}) for e in log[5:]],
    "two events swapped": lambda log: [*log[:4], log[5], log[4], *log[6:]],
    "an event doubled": lambda log: [*log[:5], *log[4:]],
    "somebody else did it": lambda log: [*log[:5], log[5].model_copy(update={"actor": "someone"}), *log[6:]],
    "it was another time": lambda log: [
        *log[:5], log[5].model_copy(update={"at": log[5].at + timedelta(microseconds=1)}), *log[6:],
    ],
    "done at another time": lambda log: [*log[:5], log[5].model_copy(update={"performed_at": b.MONDAY_NINE}), *log[6:]],
    "another value": lambda log: [*log[:5], log[5].model_copy(update={"data": {**log[5].data, "x": 1}}), *log[6:]],
    "another kind": lambda log: [*log[:5], log[5].model_copy(update={"type": "urged", "data": {}}), *log[6:]],
    "the beginning left out": lambda log: log[1:],
}  # fmt: skip


@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_log_is_noticed(forgery: str) -> None:
    with pytest.raises(ValueError, match="D-1: event"):
        replay(b.NUMBER, FORGERIES[forgery](list(STORY.entries)))


def test_a_log_belongs_to_its_demand() -> None:
    with pytest.raises(ValueError, match="D-2: event 1"):
        replay("D-2", STORY.entries)


def test_events_carry_codes_and_ids_and_no_words_of_people() -> None:
    words = {value for entry in STORY.entries for value in entry.data.values() if isinstance(value, str)}
    assert all(value.isascii() and " " not in value for value in words)
