"""The projection: one statement appends a transition's events and moves the demand's row on."""

from __future__ import annotations

import json

from domain.demand import Demand
from domain.ledger import Entry
from store.pool import Pool

_APPEND = """
with moved as (
    update demand set seq = $2, head = $3, stage = $4, category = $5, community = $6, grid = $7, compound = $8,
        unit = $9, holder = $10, meeting = $11, outcome = $12, breached = $13, due_at = $14, updated_at = $15,
        closed_at = $16, state = $17
    where number = $1 and seq < $2
)
insert into demand_event (number, seq, type, at, actor, performed_at, data, hash)
select $1, * from unnest($18::int[], $19::text[], $20::timestamptz[], $21::text[], $22::timestamptz[], $23::jsonb[],
                         $24::text[])
on conflict do nothing
"""


def row_values(d: Demand) -> tuple[object, ...]:
    """The columns of `demand` that follow from its state, in the order of the statements."""
    place = d.place
    return (
        d.number, d.seq, d.head, d.stage, d.category, d.community, place.grid if place else None,
        place.compound if place else None, d.unit, d.holder, d.meeting, d.outcome, d.breached, d.due_at,
    )  # fmt: skip


def entry_values(entries: list[Entry]) -> list[tuple[object, ...]]:
    """One tuple for each entry, in the order of the columns of `demand_event` after `number`."""
    return [
        (e.seq, e.type, e.at, e.actor, e.performed_at, json.dumps(e.data, ensure_ascii=False), e.hash) for e in entries
    ]


async def record(pool: Pool, demand: Demand, entries: list[Entry]) -> None:
    """Append `entries` and set the row to `demand`, unless that has been done already. One round trip, one commit."""
    state = demand.model_dump_json(exclude_defaults=True)
    columns = [list(column) for column in zip(*entry_values(entries), strict=True)]
    await pool.execute(_APPEND, *row_values(demand), entries[-1].at, demand.closed_at, state, *columns)
