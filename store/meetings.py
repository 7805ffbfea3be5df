"""Agendas, minutes and sessions of joint meetings: written as their workflows tell, read a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from contracts.meeting import ItemRow, SessionRow
from domain.meeting import Decision
from domain.rulings import Ruling, ruling_id
from domain.session import Session
from store import rulings
from store.pool import Pool

_PUT_ITEM = """
insert into meeting_item (meeting, number, turn, community, reason, asked_at, ended_at, kind, chair, minute_id,
    reporters, breached, due_at, rolls, session, late, consented, recorded_by, decision)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)
on conflict (meeting, number, turn) do update set ended_at = excluded.ended_at, kind = excluded.kind,
    chair = excluded.chair, minute_id = excluded.minute_id, rolls = greatest(meeting_item.rolls, excluded.rolls),
    reporters = greatest(meeting_item.reporters, excluded.reporters),
    session = excluded.session, late = excluded.late, consented = excluded.consented,
    recorded_by = excluded.recorded_by, decision = excluded.decision
where meeting_item.ended_at is null
"""

_PUT_SESSION = """
insert into meeting_session (meeting, id, kind, state, called_at, starts_at, closed_at, version, body)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
on conflict (meeting, id) do update set kind = excluded.kind, state = excluded.state, starts_at = excluded.starts_at,
    called_at = excluded.called_at, closed_at = excluded.closed_at, version = excluded.version, body = excluded.body
where meeting_session.version < excluded.version
"""

_ITEM = """number, turn, community, reason, asked_at, ended_at, kind, chair, minute_id, rolls, session, late, consented,
    recorded_by, decision::text decision,
    reporters + breached + coalesce(greatest(floor(extract(epoch from $1 - due_at) / 86400)::int, 0), 0) heat"""

# Hottest first, of equal heat what waits longest; after the keyset ($3, $4, $5).
_OPEN = f"""
select * from (select {_ITEM} from meeting_item where meeting = $2 and ended_at is null) open
where $3::int is null or (-heat, asked_at, number) > (-$3, $4, $5)
order by -heat, asked_at, number limit $6
"""

# Newest first, after the keyset ($3, $4).
_ENDED = f"""
select {_ITEM} from meeting_item
where meeting = $2 and ended_at is not null and ($3::timestamptz is null or (ended_at, number) < ($3, $4))
order by ended_at desc, number desc limit $5
"""

_DECIDED_IN = f"select {_ITEM} from meeting_item where meeting = $2 and session = $3 order by ended_at, number"

_SESSIONS = """
select body::text body from meeting_session
where meeting = $1 and ($2::timestamptz is null or (called_at, id) < ($2, $3))
order by called_at desc, id desc limit $4
"""


@dataclass(frozen=True)
class Line:
    """A line of an agenda or of minutes; `heat` as of the instant it was asked for."""

    number: str
    turn: int
    community: str
    reason: str
    asked_at: datetime
    ended_at: datetime | None
    kind: str | None
    chair: str | None
    minute_id: str | None
    rolls: int
    session: str | None
    late: bool
    consented: bool
    recorded_by: str | None
    decision: Decision | None
    heat: int


async def put(pool: Pool, rows: Sequence[ItemRow], sessions: Sequence[SessionRow] = ()) -> None:
    """Write lines and sessions in one transaction: a line that has ended stays ended, of a session the last version
    counts. A ruling that was made with a decision is in force from it on."""
    made = [ruling for row in rows if (ruling := _ruling(row)) is not None]
    if made:
        await rulings.put(pool, made)
    async with pool.acquire() as connection, connection.transaction():
        await connection.executemany(_PUT_ITEM, [_item_values(row) for row in rows])
        await connection.executemany(_PUT_SESSION, [_session_values(row) for row in sessions])


def _item_values(r: ItemRow) -> tuple[object, ...]:
    i = r.item
    decision = r.decision.model_dump_json(exclude_defaults=True) if r.decision else None
    return (
        r.meeting, i.number, i.turn, i.community, i.reason, i.asked_at, r.ended_at, r.kind, r.chair, r.minute_id,
        i.reporters, i.breached, i.due_at, i.rolls, r.session, r.late, r.consented, r.recorded_by, decision,
    )  # fmt: skip


def _session_values(r: SessionRow) -> tuple[object, ...]:
    s = r.session
    body = s.model_dump_json(exclude_defaults=True)
    return (r.meeting, s.id, s.kind, s.state, s.called_at, s.starts_at, s.closed_at, s.version, body)


def _ruling(r: ItemRow) -> Ruling | None:
    """Of a community's meeting for that community, of the committee for the whole district."""
    d = r.decision
    if d is None or d.ruling is None or d.lead is None or r.ended_at is None:
        return None
    return Ruling(
        id=ruling_id(r.meeting, r.item.number, r.item.turn), meeting=r.meeting,
        community=r.item.community if r.item.community == r.meeting else None, category=d.ruling.category,
        unit=d.lead.unit, valid_from=r.ended_at, valid_until=d.ruling.until, decided_at=r.ended_at,
        number=r.item.number, chair=r.chair or "",
    )  # fmt: skip


async def agenda(
    pool: Pool, meeting: str, at: datetime, *, after: tuple[int, datetime, str] | None, limit: int
) -> list[Line]:
    """What waits for a decision, the hottest first; heat as of `at`, after the keyset (heat, asked_at, number)."""
    return [_line(row) for row in await pool.fetch(_OPEN, at, meeting, *(after or (None, None, None)), limit)]


async def minutes(
    pool: Pool, meeting: str, at: datetime, *, after: tuple[datetime, str] | None, limit: int
) -> list[Line]:
    """What has ended, newest first, after the keyset (ended_at, number)."""
    return [_line(row) for row in await pool.fetch(_ENDED, at, meeting, *(after or (None, None)), limit)]


async def decided_in(pool: Pool, meeting: str, session: str, at: datetime) -> list[Line]:
    """The decisions of one session, in the order in which they were taken."""
    return [_line(row) for row in await pool.fetch(_DECIDED_IN, at, meeting, session)]


def _line(row: asyncpg.Record) -> Line:
    said = dict(row)
    decision = said.pop("decision")
    return Line(**said, decision=Decision.model_validate_json(decision) if decision else None)


async def sessions(
    pool: Pool, meeting: str, *, after: tuple[datetime, str] | None, limit: int
) -> list[Session]:  # fmt: skip
    """Newest first, after the keyset (called_at, id)."""
    rows = await pool.fetch(_SESSIONS, meeting, *(after or (None, None)), limit)
    return [Session.model_validate_json(row["body"]) for row in rows]


async def session(pool: Pool, meeting: str, id: str) -> Session | None:
    body = await pool.fetchval("select body::text from meeting_session where meeting = $1 and id = $2", meeting, id)
    return None if body is None else Session.model_validate_json(body)


async def ahead(pool: Pool) -> dict[str, list[Session]]:
    """Every session that is called or open, by meeting, the earliest first."""
    rows = await pool.fetch(
        "select meeting, body::text body from meeting_session where state <> 'closed' order by starts_at, id"
    )
    found: dict[str, list[Session]] = {}
    for row in rows:
        found.setdefault(row["meeting"], []).append(Session.model_validate_json(row["body"]))
    return found
