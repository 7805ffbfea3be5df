"""What must still leave the database: claimed with a lease, done by deleting, found again when the lease ran out."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from domain.demand import Demand
from domain.worktime import Calendar
from store.pool import Pool

START = "start"
ADOPT = "adopt"

_CLAIM = """
update outbox set claimed_until = now() + $2::interval, attempts = attempts + 1
where id in (select id from outbox where kind = $1 and claimed_until < now() order by id
             for update skip locked limit $3)
returning number
"""


@dataclass(frozen=True)
class Pending:
    """A demand whose workflow is not known to run yet."""

    demand: Demand
    calendar: Calendar


async def claim_starts(pool: Pool, *, lease: timedelta, limit: int) -> list[Pending]:
    """Demands that nobody else is starting; they are ours for `lease`."""
    claimed = await pool.fetch(_CLAIM, START, lease, limit)
    return await pending(pool, [r["number"] for r in claimed])


async def pending(pool: Pool, numbers: list[str]) -> list[Pending]:
    """Those of `numbers` that still wait to be started."""
    if not numbers:
        return []
    rows = await pool.fetch(
        "select o.number, d.state, c.body from outbox o join demand d using (number)"
        " join calendar c on c.version = d.state->'promise'->>'calendar'"
        " where o.kind = $1 and o.number = any($2::text[]) order by o.id",
        START, numbers,
    )  # fmt: skip
    readable = []
    for r in rows:
        try:
            readable.append(Pending(Demand.model_validate_json(r["state"]), Calendar.model_validate_json(r["body"])))
        except ValidationError as broken:  # one that cannot be read must not stop the others
            await failed(pool, r["number"], f"unreadable: {broken.error_count()} errors")
    return readable


async def done(pool: Pool, numbers: list[str]) -> None:
    await pool.execute("delete from outbox where kind = $1 and number = any($2::text[])", START, numbers)


async def failed(pool: Pool, number: str, error: str) -> None:
    """Keep the reason; the row is tried again when its lease runs out."""
    await pool.execute(
        "update outbox set last_error = left($3, 200) where kind = $1 and number = $2", START, number, error
    )


# ---- demands that are to go on with another calendar

_CLAIM_ADOPTIONS = """
with claimed as (
    update outbox set claimed_until = now() + $2::interval, attempts = attempts + 1
    where id in (select id from outbox where kind = $1 and claimed_until < now() order by id
                 for update skip locked limit $3)
    returning id, number, ref
)
select claimed.id, number, ref, body from claimed join calendar on version = ref order by claimed.id
"""


@dataclass(frozen=True)
class Adoption:
    """A demand that is to go on with `calendar`; `id` is its row in the outbox."""

    id: int
    number: str
    calendar: Calendar


async def claim_adoptions(pool: Pool, *, lease: timedelta, limit: int) -> list[Adoption]:
    """Adoptions that nobody else is carrying out; they are ours for `lease`."""
    rows = await pool.fetch(_CLAIM_ADOPTIONS, ADOPT, lease, limit)
    calendars: dict[str, Calendar] = {}
    for version, body in {r["ref"]: r["body"] for r in rows}.items():
        with contextlib.suppress(ValidationError):  # those that wait for this one stay; the others go on
            calendars[version] = Calendar.model_validate_json(body)
    return [Adoption(r["id"], r["number"], calendars[r["ref"]]) for r in rows if r["ref"] in calendars]


# Rows that a publication is changing in this moment are left alone: nobody waits for another, and their lease ends.
_ADOPTED = """
delete from outbox where id in (
    select id from outbox join unnest($1::bigint[], $2::text[]) as a (id, version) using (id)
    where ref = version for update of outbox skip locked)
"""
_DROP_ENDED = """
delete from outbox where id in (
    select id from outbox where id = any($1::bigint[]) and not exists (
        select from demand where demand.number = outbox.number and coalesce((state->>'sealed')::bool, false) = false)
    for update skip locked)
returning id
"""


async def adopted(pool: Pool, adoptions: list[Adoption]) -> None:
    """Take them out; a row that has been given another calendar meanwhile stays, for that one."""
    await pool.execute(_ADOPTED, [a.id for a in adoptions], [a.calendar.version for a in adoptions])


async def drop_ended(pool: Pool, adoptions: list[Adoption]) -> set[int]:
    """Take out those whose demand is over or unknown; returns their ids."""
    return {r["id"] for r in await pool.fetch(_DROP_ENDED, [a.id for a in adoptions])}


async def adopt_later(pool: Pool, adoption: Adoption, reason: str) -> None:
    """Keep the reason; the longer it fails, the longer the next try is put off, up to ten minutes."""
    await pool.execute(
        "update outbox set last_error = left($2, 200), claimed_until = now()"
        " + least(interval '1 second' * power(2, least(attempts, 10)), interval '10 minutes') where id = $1",
        adoption.id, reason,
    )  # fmt: skip
