"""Agenda lines and minutes."""

from __future__ import annotations

from contracts.meeting import ItemRow
from store.pool import Pool

_PUT = """
insert into meeting_item (meeting, number, turn, community, reason, asked_at, ended_at, kind, chair, minute_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (meeting, number, turn) do update set ended_at = excluded.ended_at, kind = excluded.kind,
    chair = excluded.chair, minute_id = excluded.minute_id
where meeting_item.ended_at is null and excluded.ended_at is not null
"""


async def put(pool: Pool, rows: list[ItemRow]) -> None:
    """Write agenda lines; a line that has ended stays ended."""
    values = [
        (r.meeting, r.item.number, r.item.turn, r.item.community, r.item.reason, r.item.asked_at, r.ended_at, r.kind,
         r.chair, r.minute_id)
        for r in rows
    ]  # fmt: skip
    await pool.executemany(_PUT, values)
