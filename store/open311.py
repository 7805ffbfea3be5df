"""Demands as Open311 reads them: one statement a list, whatever is in it; nothing personal but what is asked for.

Numbers begin with the local date, so a span of days is a range of the primary key. What changed in a span is found by the
instant at which its events were written down, which no poller can miss: `recorded_at`, under a BRIN index that costs
nothing to keep (docs/decisions/0015-open311-polls-by-recording-time.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.open311 import CHANGES, Standing
from domain.vocabulary import Outcome, Stage
from store.pool import Pool

# The state is taken apart once a row: it is long, and each look at it unpacks the whole of it.
_COLUMNS = """
    p.number, p.stage, p.category, p.community, p.grid, p.compound, p.unit, p.meeting, p.outcome, p.channel, p.opened_by,
    p.opened_at, p.updated_at, p.closed_at,
    case when s.clocks #>> '{resolve,paused_at}' is null then (s.clocks #>> '{resolve,due_at}')::timestamptz end due_at,
    coalesce(s.accepted, false) accepted, coalesce(s.lead_bound, false) bound, s.info_reason is not null paused,
    coalesce(s.awaiting_verification, false) verifying, coalesce(s.shelved, false) shelved, coalesce(s.redos, 0) redos,
    coalesce(s.confidential, false) confidential, s."primary", s.reply_id
"""
_TAKEN_APART = """cross join lateral jsonb_to_record(p.state) as s (
    accepted bool, lead_bound bool, info_reason text, awaiting_verification bool, shelved bool, redos int,
    confidential bool, "primary" text, reply_id text, clocks jsonb
)"""

# $1 the caller, who sees whatever it opened itself; $2 categories that nobody else sees.
_SEEN = """(d.opened_by = $1 or (d.category <> all($2::text[])
    and d.number not in (select c.number from demand c where c.confidential)))"""

_SEARCH = f"""
from demand d where {_SEEN}
    and (d.opened_by = $1 or d.number not in (select f.number from demand f where f.primary_number is not null))
    and ($3::text is null or d.number >= $3) and ($4::text is null or d.number < $4)
    and ($5::timestamptz is null or d.opened_at >= $5) and ($6::timestamptz is null or d.opened_at < $6)
    and ($7::text[] is null or d.category = any($7)) and ($8::bool is null or (d.stage = 'closed') = $8)
    and ($9::text[] is null or d.grid = any($9)) and ($10::text is null or d.community = $10)
    and ($11::timestamptz is null or d.number in (
        select e.number from demand_event e
        where e.recorded_at >= $11 and ($12::timestamptz is null or e.recorded_at < $12) and e.type = any($13::text[])
    ))
"""

_UPDATES = f"""
select e.number, e.seq, e.type, e.at, e.recorded_at, e.data, e.hash, d.category, d.opened_by, d.opened_at,
    (select min(r.ref) from external_ref r where r.number = e.number and r.system = $7) client_ref
from demand_event e join demand d using (number)
where e.recorded_at >= $3 and e.recorded_at < $4 and e.type = any($5::text[]) and {_SEEN}
    and ($6::text is null or e.number = $6)
order by e.recorded_at, e.number, e.seq limit $8
"""

TOLD = sorted({"demand_submitted", "reclassified", "demand_located", *CHANGES})
"""The events after which a request reads differently to an Open311 client."""


@dataclass(frozen=True, kw_only=True)
class Search:
    """What is asked for; None means any. `viewer` is the caller's id, empty for the public; ends are exclusive."""

    viewer: str = ""
    private: tuple[str, ...]
    first: str | None = None
    beyond: str | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    categories: list[str] | None = None
    closed: bool | None = None
    grids: list[str] | None = None
    community: str | None = None
    changed_from: datetime | None = None
    changed_until: datetime | None = None

    def values(self) -> tuple[object, ...]:
        return (
            self.viewer, list(self.private), self.first, self.beyond, self.opened_from, self.opened_until,
            self.categories, self.closed, self.grids, self.community, self.changed_from, self.changed_until, TOLD,
        )  # fmt: skip


async def search(pool: Pool, wanted: Search, *, limit: int, offset: int) -> list[Standing]:
    """A page, the newest first."""
    query = (
        f"with p as (select d.* {_SEARCH} order by d.number desc limit $14 offset $15)"
        f" select {_COLUMNS} from p {_TAKEN_APART} order by p.number desc"
    )
    return [_standing(row) for row in await pool.fetch(query, *wanted.values(), limit, offset)]


async def count(pool: Pool, wanted: Search) -> int:
    total: int = await pool.fetchval(f"select count(*) {_SEARCH}", *wanted.values())
    return total


async def named(pool: Pool, viewer: str, private: Sequence[str], numbers: Sequence[str]) -> list[Standing]:
    """These demands, also duplicates, as far as the caller may know of them; the newest first."""
    query = (
        f"with p as (select d.* from demand d where {_SEEN} and d.number = any($3::text[]))"
        f" select {_COLUMNS} from p {_TAKEN_APART} order by p.number desc"
    )
    return [_standing(row) for row in await pool.fetch(query, viewer, list(private), list(numbers))]


def _standing(row: Any) -> Standing:
    values = dict(row)
    values["stage"] = Stage(values["stage"])
    values["outcome"] = Outcome(values["outcome"]) if values["outcome"] else None
    return Standing(**values)


@dataclass(frozen=True)
class Told:
    """An event that may be told, with what its demand adds. `ref` is the caller's own number of it."""

    number: str
    seq: int
    type: str
    at: datetime
    recorded_at: datetime
    data: dict[str, Any]
    hash: str
    category: str
    opened_by: str
    opened_at: datetime
    ref: str | None


async def updates(
    pool: Pool, viewer: str, private: Sequence[str], *, since: datetime, until: datetime, number: str | None,
    system: str, limit: int,
) -> list[Told]:  # fmt: skip
    """What was written down from `since` to just before `until`, in that order; `system` finds the caller's numbers."""
    rows = await pool.fetch(_UPDATES, viewer, list(private), since, until, sorted(CHANGES), number, system, limit)
    return [_told(row) for row in rows]


def _told(row: Any) -> Told:
    values = dict(row)
    values["ref"] = values.pop("client_ref")
    values["data"] = json.loads(values["data"])
    return Told(**values)


async def histories(pool: Pool, numbers: Sequence[str]) -> dict[str, list[Told]]:
    """The events of these demands that may be told, in their order."""
    rows = await pool.fetch(
        "select e.number, e.seq, e.type, e.at, e.recorded_at, e.data, e.hash, d.category, d.opened_by, d.opened_at,"
        " null::text client_ref from demand_event e join demand d using (number)"
        " where e.number = any($1::text[]) and e.type = any($2::text[]) order by e.number, e.seq",
        list(numbers), sorted(CHANGES),
    )  # fmt: skip
    found: dict[str, list[Told]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(_told(row))
    return found


async def answered_since(pool: Pool, principal: str, keys: Sequence[str], since: datetime) -> tuple[str, str] | None:
    """(number, answer) of what this caller sent under one of the keys, if that is not longer ago than `since`."""
    row = await pool.fetchrow(
        "select number, answer from idempotency where principal = $1 and key = any($2::text[]) and created_at > $3"
        " order by created_at limit 1",
        principal, list(keys), since,
    )  # fmt: skip
    return None if row is None else (row["number"], row["answer"])


async def is_noted(pool: Pool, number: str, note: str) -> bool:
    """Whether the demand's log has this note."""
    found: bool = await pool.fetchval(
        "select exists(select from demand_event where number = $1 and type = 'note_added' and data->>'note_id' = $2)",
        number, note,
    )  # fmt: skip
    return found


async def waits_for_start(pool: Pool, number: str) -> bool | None:
    """Whether the demand's workflow is still to be started; None where there is no such demand."""
    waits: bool | None = await pool.fetchval(
        "select exists(select from outbox o where o.number = d.number and o.kind = 'start') from demand d where number = $1",
        number,
    )
    return waits
