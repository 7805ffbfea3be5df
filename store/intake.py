"""Intake as one statement: the demand, its events and clocks, its sealed texts, the key of the request, the outbox mark.

All or nothing, one commit. From the moment it returns, the demand cannot be lost: whoever finds the outbox row starts it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from domain.demand import Demand
from domain.ledger import Entry
from store.clocks import COLUMNS, ticking
from store.pool import Pool
from store.record import entry_values, row_values, turned

MOST_AT_ONCE = 64

_INTAKE = f"""
with given as (
    select * from unnest(
        $1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
        $10::text[], $11::text[], $12::text[], $13::bool[], $14::timestamptz[], $15::timestamptz[],
        $16::timestamptz[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[],
        $23::text[], $24::bytea[], $25::bytea[]
    ) as g (number, seq, head, stage, category, community, grid, compound, unit, holder, meeting, outcome, breached,
            due_at, at, closed_at, state, channel, opened_by, principal, key, fingerprint, answer, words, person)
), taken as (
    insert into idempotency (principal, key, fingerprint, number, answer, created_at)
    select principal, key, fingerprint, number, answer, at from given where key is not null order by principal, key
    on conflict do nothing returning number
), ok as (
    select number, seq, head, stage, category, community, grid, compound, unit, holder, meeting, outcome, breached,
        due_at, at, closed_at, state::jsonb as state, channel, opened_by, words, person
    from given where key is null or number in (select number from taken)
), demands as (
    insert into demand (number, seq, head, stage, category, community, grid, compound, unit, holder, meeting, outcome,
        breached, due_at, opened_at, updated_at, closed_at, state, channel, opened_by)
    select number, seq, head, stage, category, community, grid, compound, unit, holder, meeting, outcome, breached,
        due_at, at, at, closed_at, state, channel, opened_by from ok
), log as (
    insert into demand_event (number, seq, type, at, actor, performed_at, data, hash)
    select * from unnest($26::text[], $27::int[], $28::text[], $29::timestamptz[], $30::text[], $31::timestamptz[],
                         $32::jsonb[], $33::text[]) as e (number, seq, type, at, actor, performed_at, data, hash)
    where e.number in (select number from ok)
), clocks as (
    insert into clock ({COLUMNS}) {ticking("ok")}
), texts as (
    insert into demand_text (id, number, kind, author, written_at, sealed)
    select number || '.0', number, 'demand', opened_by, at, words from ok
), reporters as (
    insert into reporter (number, sealed) select number, person from ok where person is not null
), refs as (
    insert into external_ref (number, system, ref)
    select * from unnest($34::text[], $35::text[], $36::text[]) as r (number, system, ref)
    where r.number in (select number from ok)
), marks as (
    insert into outbox (kind, number, claimed_until, attempts) select 'start', number, at + $37::interval, 0 from ok
)
select number from ok
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


class Writer:
    """Takes demands in, many in one commit: while one commit is under way, those that arrive wait for the next.

    A lone demand is written at once; sixteen at a time share a handful of commits. Each caller gets its own verdict.
    """

    def __init__(self, pool: Pool, *, lease: timedelta) -> None:
        """`lease` is how long the relay leaves the start of a demand to whoever took it in."""
        self._pool = pool
        self._lease = lease
        self._waiting: list[tuple[Intake, asyncio.Future[bool]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def insert(self, intake: Intake) -> bool:
        """True when this call took the demand in; False when its Idempotency-Key was used before (nothing is written).

        Raises RefTaken for an external number that another demand has, and what asyncpg raises.
        """
        verdict: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((intake, verdict))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        return await verdict

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            if not await self._write(batch):
                for one in batch:
                    await self._write([one])

    async def _write(self, batch: list[tuple[Intake, asyncio.Future[bool]]]) -> bool:
        """False when one of several spoilt it for all: nothing is written then, and each must be tried alone."""
        try:
            rows = await self._pool.fetch(_INTAKE, *_columns([i for i, _ in batch]), self._lease)
        except (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError) as clash:
            if len(batch) > 1:
                return False
            taken = getattr(clash, "constraint_name", "") == "external_ref_pkey"
            _fail(batch, RefTaken() if taken else clash)
        except Exception as broken:  # whatever it is, every caller must hear of it
            _fail(batch, broken)
        else:
            won = {r["number"] for r in rows}
            for intake, verdict in batch:
                if not verdict.done():
                    verdict.set_result(intake.demand.number in won)
        return True


def _fail(batch: list[tuple[Intake, asyncio.Future[bool]]], error: Exception) -> None:
    for _, verdict in batch:
        if not verdict.done():  # a caller that hung up no longer listens
            verdict.set_exception(error)


def _columns(batch: list[Intake]) -> list[list[object]]:
    demands = [
        (
            *row_values(i.demand), i.at, i.demand.closed_at, i.demand.model_dump_json(exclude_defaults=True), i.channel,
            i.opened_by, i.principal, i.key, i.fingerprint, i.answer, i.sealed_text, i.sealed_reporter,
        )
        for i in batch
    ]  # fmt: skip
    entries = [(i.demand.number, *values) for i in batch for values in entry_values(i.entries)]
    refs = [(i.demand.number, system, ref) for i in batch for system, ref in i.refs]
    return [*turned(demands, 25), *turned(entries, 8), *turned(refs, 3)]


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
