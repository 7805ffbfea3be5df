"""Intake as one statement: the demand, its first events, its sealed texts, the key of the request, the outbox mark.

All or nothing, one commit. From the moment it returns, the demand cannot be lost: whoever finds the outbox row starts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.demand import Demand
from domain.ledger import Entry
from store.pool import Pool
from store.record import entry_arrays, row_values

_INTAKE = """
with taken as (
    insert into idempotency (principal, key, fingerprint, number, answer, created_at)
    select $26, $27, $28, $1, $29, $15 where $27::text is not null
    on conflict do nothing returning 1
), ok as (
    select 1 where $27::text is null or exists (select 1 from taken)
), row as (
    insert into demand (number, seq, head, stage, category, community, grid, compound, unit, holder, meeting, outcome,
        breached, due_at, opened_at, updated_at, closed_at, state, channel, opened_by)
    select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16, $17, $30, $31 from ok
), log as (
    insert into demand_event (number, seq, type, at, actor, performed_at, data, hash)
    select $1, e.* from ok, unnest($18::int[], $19::text[], $20::timestamptz[], $21::text[], $22::timestamptz[],
                                   $23::jsonb[], $24::text[]) e
), words as (
    insert into demand_text (id, number, kind, author, written_at, sealed)
    select $1 || '.0', $1, 'demand', $31, $15, $25 from ok
), person as (
    insert into reporter (number, sealed) select $1, $32 from ok where $32::bytea is not null
), refs as (
    insert into external_ref (system, ref, number)
    select r.*, $1 from ok, unnest($33::text[], $34::text[]) r
), mark as (
    insert into outbox (kind, number, claimed_until, attempts)
    select 'start', $1, $15::timestamptz + $35::interval, 0 from ok
)
select 1 from ok
"""


@dataclass(frozen=True)
class Intake:
    """One accepted demand on its way into the tables; `key` None means the caller sent no Idempotency-Key."""

    demand: Demand
    entries: list[Entry]
    at: datetime
    channel: str
    opened_by: str
    sealed_text: bytes
    sealed_reporter: bytes | None
    principal: str
    key: str | None
    fingerprint: str
    answer: str
    refs: tuple[tuple[str, str], ...] = ()


class RefTaken(Exception):
    """An external number already stands for another demand."""


async def insert(pool: Pool, intake: Intake, *, lease: object) -> bool:
    """True when this call took the demand in; False when its Idempotency-Key was used before (nothing is written then).

    `lease` (a timedelta) is how long the relay leaves the start to the caller. Raises RefTaken for an external number
    that another demand has.
    """
    d = intake.demand
    try:
        won = await pool.fetchval(
            _INTAKE, *row_values(d), intake.at, d.closed_at, d.model_dump_json(exclude_defaults=True),
            *entry_arrays(intake.entries), intake.sealed_text, intake.principal, intake.key, intake.fingerprint,
            intake.answer, intake.channel, intake.opened_by, intake.sealed_reporter,
            [s for s, _ in intake.refs], [r for _, r in intake.refs], lease,
        )  # fmt: skip
    except asyncpg.UniqueViolationError as taken:
        if taken.constraint_name == "external_ref_pkey":
            raise RefTaken from None
        raise
    return won is not None


@dataclass(frozen=True)
class Answered:
    number: str
    fingerprint: str
    answer: str


async def answered(pool: Pool, principal: str, key: str) -> Answered | None:
    """What was answered to this caller under this key."""
    row = await pool.fetchrow(
        "select number, fingerprint, answer from idempotency where principal = $1 and key = $2", principal, key
    )
    return None if row is None else Answered(row["number"], row["fingerprint"], row["answer"])


async def holder_of_ref(pool: Pool, refs: tuple[tuple[str, str], ...]) -> str | None:
    """The number of the demand that one of these external numbers stands for."""
    number: str | None = await pool.fetchval(
        "select number from external_ref join unnest($1::text[], $2::text[]) r(s, n) on system = s and ref = n limit 1",
        [s for s, _ in refs], [r for _, r in refs],
    )  # fmt: skip
    return number


async def next_numbers(pool: Pool, count: int) -> list[int]:
    """`count` numbers that nobody else gets. Gaps are possible: a number taken is not a demand accepted."""
    rows = await pool.fetch("select nextval('demand_number') n from generate_series(1, $1)", count)
    return [r["n"] for r in rows]
