"""Exclusions in the database: changed one at a time under a lock, every change kept as an event.

What counted at some instant is read from those events, not from the present state.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg.pool import PoolConnectionProxy

from domain.exclusions import Approved, Exclusion, ExclusionState
from store.histories import Change, History
from store.pool import Pool

HISTORY = History("exclusion_event", "exclusion")

_COLUMNS = (
    "id, number, month, figures, basis, document, community, state, asked_by, asked_at, decided_by, decided_at, revoked_by,"
    " revoked_at, seq"
)

# Newest first, before the id $1; the other parameters narrow the list or are null. $5 and $6: whose a caller may see.
_PAGE = f"""
select {_COLUMNS} from exclusion
where ($1::text is null or id < $1) and ($2::text is null or state = $2) and ($3::text is null or month = $3)
    and ($4::text is null or number = $4) and ($5::text[] is null or community = any($5) or asked_by = $6)
order by id desc limit $7
"""

_APPROVED = """
select x.id, x.number, x.month, x.figures, x.basis from exclusion x
where x.month >= $1 and x.month <= $2
    and exists (select from exclusion_event e where e.exclusion = x.id and e.type = 'approved' and e.at <= $3)
    and not exists (select from exclusion_event e where e.exclusion = x.id and e.type = 'revoked' and e.at <= $3)
order by x.id
"""

_OVERLAPS = """
select id from exclusion where number = $1 and month = $2 and figures && $3::text[] and state = any($4::text[])
order by id limit 1
"""

OPEN = (ExclusionState.ASKED, ExclusionState.APPROVED)


@dataclass(frozen=True)
class Wanted:
    """Which exclusions a list shows; None means any. `communities`: those, and what `asked_by` asked for."""

    state: str | None = None
    month: str | None = None
    number: str | None = None
    communities: Collection[str] | None = None
    asked_by: str | None = None


async def one(pool: Pool, id: str) -> Exclusion | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from exclusion where id = $1", id)
    return None if row is None else Exclusion.model_validate(dict(row))


async def page(pool: Pool, wanted: Wanted, *, before: str | None, limit: int) -> list[Exclusion]:
    """Newest first."""
    w = wanted
    communities = None if w.communities is None else sorted(w.communities)
    rows = await pool.fetch(_PAGE, before, w.state, w.month, w.number, communities, w.asked_by, limit)
    return [Exclusion.model_validate(dict(row)) for row in rows]


async def approved(pool: Pool, first_month: str, last_month: str, at: datetime) -> list[Approved]:
    """What was approved, and not revoked, at `at` for the local months from one to the other."""
    rows = await pool.fetch(_APPROVED, first_month, last_month, at)
    return [Approved.model_validate(dict(row)) for row in rows]


class Changing:
    """One transaction on exclusions."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self.connection = connection

    async def next_id(self) -> str:
        """An id nobody else gets; ids grow with time."""
        number: int = await self.connection.fetchval("select nextval('exclusion_number')")
        return f"exc-{number:06d}"

    async def lock(self, id: str) -> Exclusion | None:
        row = await self.connection.fetchrow(f"select {_COLUMNS} from exclusion where id = $1 for update", id)
        return None if row is None else Exclusion.model_validate(dict(row))

    async def overlapping(self, number: str, month: str, figures: Collection[str]) -> str | None:
        """One that is asked or approved and names one of these figures; nobody adds another until the commit."""
        await self.connection.execute("select pg_advisory_xact_lock(hashtextextended($1, 17))", number)
        found: str | None = await self.connection.fetchval(_OVERLAPS, number, month, list(figures), list(OPEN))
        return found

    async def insert(self, x: Exclusion) -> None:
        await self.connection.execute(
            f"insert into exclusion ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
            x.id, x.number, x.month, list(x.figures), x.basis, x.document, x.community, x.state, x.asked_by, x.asked_at,
            x.decided_by, x.decided_at, x.revoked_by, x.revoked_at, x.seq,
        )  # fmt: skip

    async def save(self, x: Exclusion) -> None:
        await self.connection.execute(
            "update exclusion set state = $2, decided_by = $3, decided_at = $4, revoked_by = $5, revoked_at = $6, seq = $7"
            " where id = $1",
            x.id, x.state, x.decided_by, x.decided_at, x.revoked_by, x.revoked_at, x.seq,
        )  # fmt: skip

    async def record(self, exclusion: str, change: Change) -> None:
        await HISTORY.append(self.connection, exclusion, change)


@asynccontextmanager
async def changing(pool: Pool) -> AsyncIterator[Changing]:
    """Commits at the end, or undoes everything when something is raised."""
    async with pool.acquire() as connection, connection.transaction():
        yield Changing(connection)
