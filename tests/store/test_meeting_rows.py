"""Lines of agendas and sessions as rows: written again or too late they change nothing; rulings come with decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from contracts.meeting import ItemRow, SessionRow
from domain.meeting import Decision, Item, RulingMade
from domain.routing import Candidate
from domain.session import Session, SessionKind
from domain.vocabulary import DecisionKind
from store import meetings
from store.pool import Pool

NOW = datetime(2027, 3, 8, 1, 0, tzinfo=UTC)
LEAD = Candidate(unit="u-gas", liaison="p-1", reason="meeting")


def a_line(meeting: str, number: str = "20270308-000001", rolls: int = 0, **row: Any) -> ItemRow:
    item = Item(number=number, turn=1, community=meeting, reason="several_units", asked_at=NOW, rolls=rolls)
    return ItemRow(meeting=meeting, item=item, **row)


def decided(meeting: str, **more: Any) -> ItemRow:
    decision = Decision(number="20270308-000001", kind=DecisionKind.ASSIGN, lead=LEAD, **more)
    return a_line(
        meeting, ended_at=NOW + timedelta(hours=1), kind="assign", chair="p-9", session="s-1", recorded_by="p-8",
        decision=decision,
    )  # fmt: skip


def a_session(version: int, **more: Any) -> SessionRow:
    session = Session(
        id="s-1", kind=SessionKind.EXTRA, called_at=NOW, called_by="p-8", starts_at=NOW, cutoff_at=NOW, quorum=3,
        version=version, **more,
    )  # fmt: skip
    return SessionRow(meeting="m-sessions", session=session)


async def test_a_line_that_has_ended_stays_ended_whatever_arrives_late(pool: Pool) -> None:
    meeting, at = "m-lines", NOW + timedelta(days=1)
    await meetings.put(pool, [a_line(meeting), a_line(meeting, rolls=2), a_line(meeting, rolls=1)])
    (line,) = await meetings.agenda(pool, meeting, at, after=None, limit=9)
    assert (line.rolls, line.decision) == (2, None)
    for late in (decided(meeting), a_line(meeting, rolls=3), a_line(meeting, ended_at=at, kind="withdrawn")):
        await meetings.put(pool, [late])
    assert await meetings.agenda(pool, meeting, at, after=None, limit=9) == []
    (line,) = await meetings.decided_in(pool, meeting, "s-1", at)
    assert (line.kind, line.chair, line.recorded_by) == ("assign", "p-9", "p-8")
    assert line.decision is not None and line.decision.lead == LEAD


async def test_of_a_session_the_last_version_counts(pool: Pool) -> None:
    for row in (a_session(2, decided=1), a_session(1), a_session(2, decided=7)):
        await meetings.put(pool, [], [row])
    found = await meetings.session(pool, "m-sessions", "s-1")
    assert found is not None and (found.version, found.decided) == (2, 1)
    assert [one.id for one in (await meetings.ahead(pool))["m-sessions"]] == ["s-1"]


async def test_a_ruling_is_kept_once_for_the_community_or_for_the_whole_district(pool: Pool) -> None:
    ruling = RulingMade(category="0401", until=NOW + timedelta(days=365))
    for _ in range(2):
        await meetings.put(pool, [decided("m-rules", ruling=ruling)])
    of_district = decided("m-rules", ruling=ruling).model_copy(update={"meeting": "m-committee"})
    await meetings.put(pool, [of_district])
    rows = await pool.fetch(
        "select meeting, community, unit, valid_from from ruling where meeting like 'm-%' order by 1"
    )
    from_then = NOW + timedelta(hours=1)
    assert [tuple(r) for r in rows] == [
        ("m-committee", None, "u-gas", from_then), ("m-rules", "m-rules", "u-gas", from_then)
    ]  # fmt: skip


async def test_the_order_in_the_table_is_the_order_of_the_rules(pool: Pool) -> None:
    meeting, at = "m-heat", NOW + timedelta(days=20)
    hot = (
        {"breached": 3},
        {"due_at": NOW - timedelta(days=9)},
        {"due_at": at + timedelta(hours=1)},
        {"reporters": 2},
        {},
    )
    items = [
        Item(number=f"2027-{n}", turn=1, community="c", reason="repeat", asked_at=NOW - timedelta(days=n), **more)
        for n, more in enumerate(hot)
    ]  # fmt: skip
    await meetings.put(pool, [ItemRow(meeting=meeting, item=item) for item in items])
    lines = await meetings.agenda(pool, meeting, at, after=None, limit=9)
    expected = sorted(items, key=lambda item: (-item.heat(at), item.asked_at, item.number))
    assert [(line.number, line.heat) for line in lines] == [(item.number, item.heat(at)) for item in expected]
