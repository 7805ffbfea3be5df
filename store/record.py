"""The projection: one statement appends a transition's events and moves the demand's row on.

It runs before the workflow's own history is committed, so an attempt may be recorded that never was: the worker died, the
task came too late, and the next attempt decides anew, perhaps in another order. Therefore the last attempt wins. Attempts
are told apart by their instant, the start of their workflow task, which only grows. What follows the row's own hash is
taken; a later attempt replaces the tail that an earlier one left; an earlier one that arrives late changes nothing
(docs/decisions/0006-the-last-attempt-wins.md).

The demand's row is what attempts wait for one another on. The statement of the one that waited still sees the other
tables as they were before, and misses what the first one added to them: it says so, and is sent once more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from domain.demand import Demand
from domain.ledger import Entry
from store.clocks import COLUMNS, ticking
from store.pool import Pool

_APPEND = f"""
with moved as (
    update demand set seq = $2, head = $3, stage = $4, category = $5, community = $6, grid = $7, compound = $8,
        unit = $9, holder = $10, meeting = $11, outcome = $12, breached = $13, due_at = $14, updated_at = $15,
        closed_at = $16, state = $17
    where number = $1 and (head = $18 or updated_at <= $15)
    returning number, state, old.ctid <> (select seen.ctid from demand seen where seen.number = $1) as waited
), cut as (
    delete from demand_event where number = $1 and seq > $2 and exists (select from moved)
), log as (
    insert into demand_event (number, seq, type, at, actor, performed_at, data, hash)
    select moved.number, e.*
    from moved, unnest($19::int[], $20::text[], $21::timestamptz[], $22::text[], $23::timestamptz[], $24::jsonb[],
                       $25::text[]) as e (seq, type, at, actor, performed_at, data, hash)
    on conflict (number, seq) do update set type = excluded.type, at = excluded.at, actor = excluded.actor,
        performed_at = excluded.performed_at, data = excluded.data, hash = excluded.hash,
        epoch = default, xid = default, recorded_at = default
    where demand_event.hash <> excluded.hash
), ticking as ({ticking("moved")}), stopped as (
    delete from clock where number = $1 and exists (select from moved) and name not in (select name from ticking)
), kept as (
    insert into clock ({COLUMNS})
    select * from ticking t where not exists (
        select from clock k where k.number = $1 and k.name = t.name
        and (k.due_at, k.started_at, k.paused_at, k.breached, k.warned, k.provisional) is not distinct from
            (t.due_at, t.started_at, t.paused_at, t.breached, t.warned, t.provisional)
    )
    on conflict (number, name) do update set due_at = excluded.due_at, started_at = excluded.started_at,
        paused_at = excluded.paused_at, breached = excluded.breached, warned = excluded.warned,
        provisional = excluded.provisional
)
select waited from moved
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


async def record(pool: Pool, demand: Demand, entries: list[Entry], *, after: str, at: datetime) -> None:
    """Make `entries` the end of the log and `demand` its row and clocks, for the attempt of instant `at`. One commit.

    `after` is the hash that the first entry follows. Without entries (`after` the demand's own head) it takes back
    whatever the log holds beyond `demand.seq`.
    """
    state = demand.model_dump_json(exclude_defaults=True)
    values = (*row_values(demand), at, demand.closed_at, state, after, *turned(entry_values(entries), 7))
    while await pool.fetchval(_APPEND, *values):
        pass


def turned(rows: Sequence[tuple[object, ...]], width: int) -> list[list[object]]:
    """Rows as columns, as `unnest` takes them; `width` columns also where there is no row."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]
