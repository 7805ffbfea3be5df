"""Rulings of joint meetings: written by whoever records a decision, read by every process that routes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from domain.rulings import Ruling
from store.pool import Pool

_COLUMNS = "id, meeting, community, category, unit, valid_from, valid_until, decided_at, number, chair"

_PUT = f"""
insert into ruling ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict (id) do nothing
"""

_REVOKE = f"""
update ruling set valid_until = least(valid_until, $2), revoked_at = $3, revoked_by = $4, revoke_reason = $5
where id = $1 and revoked_at is null and (valid_until is null or valid_until > $2)
returning {_COLUMNS}, revoked_at, revoked_by, revoke_reason
"""

# The newest first, after the keyset ($1, $2); the rest of the parameters narrow the list or are null.
_PAGE = f"""
select {_COLUMNS}, revoked_at, revoked_by, revoke_reason from ruling
where ($1::timestamptz is null or (decided_at, id) < ($1, $2))
    and ($3::text is null or community = $3 or community is null)
    and ($4::text is null or starts_with($4, category) or starts_with(category, $4))
    and ($5::text is null or unit = $5)
    and ($6::timestamptz is null or (valid_from <= $6 and (valid_until is null or valid_until > $6)))
order by decided_at desc, id desc limit $7
"""


@dataclass(frozen=True)
class Kept:
    """A ruling as it stands in the table; `revoked_*` are None unless somebody ended it."""

    ruling: Ruling
    revoked_at: datetime | None
    revoked_by: str | None
    revoke_reason: str | None


@dataclass(frozen=True)
class Wanted:
    """Which rulings a list shows; None means any. `community` also finds those for the whole district, `category` those
    that speak of any part of it; `in_force_at` leaves out what is not in force at that instant."""

    community: str | None = None
    category: str | None = None
    unit: str | None = None
    in_force_at: datetime | None = None


async def put(pool: Pool, rows: Sequence[Ruling]) -> None:
    """Keep rulings; one that is kept already stays as it is, also when it was revoked since."""
    values = [
        (r.id, r.meeting, r.community, r.category, r.unit, r.valid_from, r.valid_until, r.decided_at, r.number, r.chair)
        for r in rows
    ]
    await pool.executemany(_PUT, values)


async def not_over(pool: Pool, at: datetime) -> tuple[Ruling, ...]:
    """Those in force at `at` or later, newest first."""
    rows = await pool.fetch(
        f"select {_COLUMNS} from ruling where valid_until is null or valid_until > $1 order by decided_at desc, id desc",
        at,
    )
    return tuple(Ruling(**dict(row)) for row in rows)


async def page(
    pool: Pool, wanted: Wanted, *, after: tuple[datetime, str] | None, limit: int
) -> list[Kept]:  # fmt: skip
    """Newest first, those after the keyset (`decided_at`, id)."""
    w, (decided_at, id) = wanted, after or (None, None)
    rows = await pool.fetch(_PAGE, decided_at, id, w.community, w.category, w.unit, w.in_force_at, limit)
    return [_kept(row) for row in rows]


async def one(pool: Pool, id: str) -> Kept | None:
    row = await pool.fetchrow(f"select {_COLUMNS}, revoked_at, revoked_by, revoke_reason from ruling where id = $1", id)
    return None if row is None else _kept(row)


async def revoke(pool: Pool, id: str, *, until: datetime, at: datetime, by: str, reason: str) -> Kept | None:
    """End it at `until`; None when it was revoked before or ends earlier anyway."""
    row = await pool.fetchrow(_REVOKE, id, until, at, by, reason)
    return None if row is None else _kept(row)


def _kept(row: asyncpg.Record) -> Kept:
    said = dict(row)
    revoked = {name: said.pop(name) for name in ("revoked_at", "revoked_by", "revoke_reason")}
    return Kept(Ruling(**said), **revoked)
