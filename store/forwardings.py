"""Forwardings: planned once for each assignment, claimed with a lease, settled by whoever holds the claim.

A claim counts as long as nobody has claimed the row after it: `claims` is the fence. What is over is only opened again by a
person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from domain.neighbours import OPEN, State, reference_of
from store.pool import Connection, Pool

_OPEN = f"state in ({', '.join(repr(str(s)) for s in OPEN)})"
_COLUMNS = """id, number, seq, neighbour, unit, service_code, reference, asked_by, state, attempts, claims, unsure,
    possible_double, planned_at, next_at, claimed_until, failing_since, last_error, sent_at, heard_at, their_id, token,
    their_status, their_change, old_change, seen, resolved_at, ended_at, ended_by"""


@dataclass(frozen=True)
class Forwarding:
    """A row; see `ForwardingRow`."""

    id: int
    number: str
    seq: int
    neighbour: str
    unit: str
    service_code: str
    reference: str
    asked_by: str
    state: State
    attempts: int
    claims: int
    unsure: bool
    possible_double: bool
    planned_at: datetime
    next_at: datetime
    claimed_until: datetime | None
    failing_since: datetime | None
    last_error: str | None
    sent_at: datetime | None
    heard_at: datetime | None
    their_id: str | None
    token: str | None
    their_status: str | None
    their_change: str | None
    old_change: str | None
    seen: tuple[str, ...]
    resolved_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None

    @property
    def is_open(self) -> bool:
        return self.state in OPEN


def _of(row: asyncpg.Record) -> Forwarding:
    return Forwarding(**{**dict(row), "state": State(row["state"]), "seen": tuple(row["seen"])})


# ---- planned

_ROUND = "select count(*) from forwarding where number = $1 and neighbour = $2"
_SUPERSEDE = f"""
update forwarding set state = case when resolved_at is null then 'stopped' else 'done' end, ended_at = $3,
    ended_by = 'system', last_error = case when resolved_at is null then 'superseded' else last_error end
where number = $1 and (seq, neighbour) <> ($2, $4) and {_OPEN}
"""
_PLAN = """
insert into forwarding (number, seq, neighbour, unit, service_code, reference, asked_by, state, attempts, claims, unsure,
    possible_double, planned_at, next_at, seen)
values ($1, $2, $3, $4, $5, $6, $7, 'waiting', 0, 0, false, false, $8, $8, '{}')
on conflict do nothing returning id
"""


@dataclass(frozen=True)
class Planned:
    number: str
    seq: int
    neighbour: str
    unit: str
    service_code: str
    asked_by: str


async def plan(connection: Connection, one: Planned, at: datetime) -> int | None:
    """Part of the caller's transaction. None where this assignment was planned before. What went there earlier of the same
    demand is over with it."""
    await connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 19))", one.number)
    if await connection.fetchval(
        "select true from forwarding where (number, seq, neighbour) = ($1, $2, $3)", one.number, one.seq, one.neighbour
    ):
        return None
    await connection.execute(_SUPERSEDE, one.number, one.seq, at, one.neighbour)
    round: int = 1 + await connection.fetchval(_ROUND, one.number, one.neighbour)
    id: int | None = await connection.fetchval(
        _PLAN, one.number, one.seq, one.neighbour, one.unit, one.service_code, reference_of(one.number, round),
        one.asked_by, at,
    )  # fmt: skip
    return id


# ---- worked at

_CLAIM = f"""
update forwarding set claimed_until = $2::timestamptz + $3::interval, claims = claims + 1
where id in (select id from forwarding where neighbour = $1 and next_at <= $2 and {_OPEN}
                 and (claimed_until is null or claimed_until <= $2)
             order by next_at, id limit $4 for update skip locked)
returning {_COLUMNS}
"""


async def due(pool: Pool, at: datetime) -> list[str]:
    """Neighbours that something is due for."""
    rows = await pool.fetch(
        f"select distinct neighbour from forwarding where next_at <= $1 and {_OPEN}"
        " and (claimed_until is null or claimed_until <= $1) order by 1",
        at,
    )
    return [row["neighbour"] for row in rows]


async def claim(pool: Pool, neighbour: str, at: datetime, lease: timedelta, most: int) -> list[Forwarding]:
    """The next ones that nobody is at; ours for `lease`."""
    return [_of(row) for row in await pool.fetch(_CLAIM, neighbour, at, lease, most)]


async def keep(where: Pool | Connection, one: Forwarding, **changes: Any) -> bool:
    """Write down what has come of it so far; the claim goes on. False where somebody else has it by now, or it was stopped."""
    return await _write(where, one, changes)


async def settle(where: Pool | Connection, one: Forwarding, next_at: datetime, **changes: Any) -> bool:
    """As `keep`, and give the claim back until `next_at`."""
    return await _write(where, one, {**changes, "next_at": next_at, "claimed_until": None})


async def end(where: Pool | Connection, one: Forwarding, state: State, at: datetime, **changes: Any) -> bool:
    """As `keep`, and it is over."""
    over = {"state": str(state), "ended_at": at, "ended_by": "system", "claimed_until": None}
    return await _write(where, one, {**over, **changes})


async def _write(where: Pool | Connection, one: Forwarding, changes: dict[str, Any]) -> bool:
    names = list(changes)
    sets = ", ".join(f"{name} = ${n}" for n, name in enumerate(names, 3))
    done: str = await where.execute(
        f"update forwarding set {sets} where id = $1 and claims = $2 and {_OPEN}", one.id, one.claims, *changes.values()
    )
    return done == "UPDATE 1"


async def earlier(pool: Pool, one: Forwarding) -> Forwarding | None:
    """The last time that this demand reached the same neighbour before."""
    row = await pool.fetchrow(
        f"select {_COLUMNS} from forwarding where number = $1 and neighbour = $2 and id < $3 and their_id is not null"
        " order by id desc limit 1",
        one.number, one.neighbour, one.id,
    )  # fmt: skip
    return None if row is None else _of(row)


# ---- looked at, and steered by people


async def of_demand(pool: Pool | Connection, number: str) -> list[Forwarding]:
    rows = await pool.fetch(f"select {_COLUMNS} from forwarding where number = $1 order by id", number)
    return [_of(row) for row in rows]


async def one(where: Pool | Connection, id: int, *, lock: bool = False) -> Forwarding | None:
    row = await where.fetchrow(
        f"select {_COLUMNS} from forwarding where id = $1" + (" for update" if lock else ""), id
    )  # fmt: skip
    return None if row is None else _of(row)


@dataclass(frozen=True)
class Wanted:
    """None means any; `communities` and `units` together say what may be seen, both None meaning everything."""

    states: Sequence[str] | None = None
    neighbour: str | None = None
    unit: str | None = None
    communities: Sequence[str] | None = None
    units: Sequence[str] | None = None


_PAGE = """
select {columns} from forwarding f
where ($1::text[] is null or state = any($1)) and ($2::text is null or neighbour = $2) and ($3::text is null or unit = $3)
    and ($4::text[] is null or unit = any($5::text[])
        or exists (select from demand d where d.number = f.number and d.community = any($4)))
    and ($6::bigint is null or id < $6)
order by id desc limit $7
"""


async def page(pool: Pool, wanted: Wanted, *, before: int | None, limit: int) -> list[Forwarding]:
    """The newest first."""
    rows = await pool.fetch(
        _PAGE.format(columns=_COLUMNS), wanted.states, wanted.neighbour, wanted.unit,
        wanted.communities, wanted.units or [], before, limit,
    )  # fmt: skip
    return [_of(row) for row in rows]


async def again(connection: Connection, one: Forwarding, at: datetime) -> None:
    """From now on it is tried again, or followed where it has reached them; a claim of before counts no more."""
    state = State.SENT if one.their_id or one.token else State.WAITING
    await connection.execute(
        "update forwarding set state = $2, next_at = $3, claimed_until = null, claims = claims + 1, attempts = 0,"
        " failing_since = null, heard_at = case when $2 = 'sent' then $3::timestamptz end, ended_at = null,"
        " ended_by = null where id = $1",
        one.id, str(state), at,
    )  # fmt: skip


async def stop(connection: Connection, one: Forwarding, by: str, at: datetime) -> None:
    await connection.execute(
        "update forwarding set state = 'stopped', claimed_until = null, claims = claims + 1, ended_at = $3, ended_by = $2"
        " where id = $1",
        one.id, by, at,
    )  # fmt: skip
