"""What must still leave the database: claimed with a lease, done by deleting, found again when the lease ran out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from pydantic import ValidationError

from domain.demand import Demand
from domain.worktime import Calendar
from store.pool import Pool

START = "start"

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
