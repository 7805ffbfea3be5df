"""Links and sessions of reporters, found by the hash of their token alone; and the generation of a demand's code."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.demand import Demand
from domain.resident_door import PassKind
from store.pool import Connection, Pool

_FOUND = """
select p.number, p.kind, p.asked_at, p.expires_at, d.state,
    p.generation < coalesce(a.generation, 0) as renewed
from reporter_pass p join demand d on d.number = p.number left join reporter_access a on a.number = p.number
where p.token_hash = $1
"""
# One row for a number that there is not as well, so that both are the same to look for.
_STANDING = """
select coalesce(a.generation, 0) as generation, d.state
from (select $1::text as number) n left join reporter_access a using (number) left join demand d using (number)
"""
_RENEW = """
insert into reporter_access as a (number, generation, renewed_at, renewed_by) values ($1, 1, $2, $3)
on conflict (number) do update set generation = a.generation + 1, renewed_at = $2, renewed_by = $3
returning generation
"""
_OVER = """
delete from reporter_pass p where (p.kind = 'session' and p.expires_at < $1)
    or exists (select from demand d where d.number = p.number and d.closed_at < $2)
"""


@dataclass(frozen=True)
class Found:
    """A pass with the demand of now. `renewed`: the code was renewed since it was made, so it counts no more."""

    number: str
    kind: PassKind
    asked_at: datetime | None
    expires_at: datetime | None
    renewed: bool
    demand: Demand


@dataclass(frozen=True)
class New:
    token_hash: bytes
    number: str
    kind: PassKind
    generation: int
    notice: int | None = None
    asked_at: datetime | None = None
    expires_at: datetime | None = None


async def by_token(pool: Pool, token_hash: bytes) -> Found | None:
    row = await pool.fetchrow(_FOUND, token_hash)
    if row is None:
        return None
    return Found(
        row["number"], row["kind"], row["asked_at"], row["expires_at"], row["renewed"],
        Demand.model_validate_json(row["state"]),
    )  # fmt: skip


async def standing(pool: Pool, number: str) -> tuple[int, str | None]:
    """The generation of its code, and the demand as JSON; None where there is none."""
    row = await pool.fetchrow(_STANDING, number)
    assert row is not None, "it is asked from one row"
    return row["generation"], row["state"]


async def generation(pool: Pool, number: str) -> int:
    found: int | None = await pool.fetchval("select generation from reporter_access where number = $1", number)
    return found or 0


async def of_notice(pool: Pool, notice: int) -> set[bytes]:
    """The hashes of the links that this notice has been given."""
    rows = await pool.fetch("select token_hash from reporter_pass where notice = $1", notice)
    return {row["token_hash"] for row in rows}


async def keep(pool: Pool, new: New, at: datetime) -> None:
    """Keeping it again changes nothing."""
    await pool.execute(
        "insert into reporter_pass (token_hash, number, kind, notice, generation, asked_at, created_at, expires_at)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing",
        new.token_hash, new.number, new.kind, new.notice, new.generation, new.asked_at, at, new.expires_at,
    )  # fmt: skip


async def end_session(pool: Pool, token_hash: bytes) -> None:
    await pool.execute("delete from reporter_pass where token_hash = $1 and kind = 'session'", token_hash)


async def renew(connection: Connection, number: str, *, by: str, at: datetime) -> int:
    """From now on only what is made with the generation that this returns counts."""
    made: int = await connection.fetchval(_RENEW, number, at, by)
    return made


async def forget(pool: Pool, *, ended_before: datetime, closed_before: datetime) -> int:
    """Remove sessions that ended by then, and all of demands that were closed by then; how many."""
    done = await pool.execute(_OVER, ended_before, closed_before)
    return int(done.rpartition(" ")[2])


async def given_answer(pool: Pool, number: str, since: datetime) -> tuple[datetime, str] | None:
    """When the three questions were first answered since then, and the answers as JSON."""
    row = await pool.fetchrow(
        "select at, data::text as data from demand_event where number = $1 and type = 'feedback_given' and at >= $2"
        " order by seq limit 1",
        number, since,
    )  # fmt: skip
    return None if row is None else (row["at"], row["data"])
