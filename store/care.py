"""Individual needs in the database. What names a person lies sealed; whoever has it opened leaves a row first."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.care import Entry, Reach
from store.histories import Change, History
from store.pool import Pool

PERSON = "care_person"

_COLUMNS = """id, community, grid, care_group "group", needs, check_in_days, responsible, created_at, updated_at, seq,
    last_check_in_at, last_result, ended_at"""

# Within the reach ($1, $2, $3), after the id $4; the other parameters narrow the list or are null.
_PAGE = f"""
select {_COLUMNS} from care_entry
where ($1 or community = any($2::text[]) or grid = any($3::text[])) and ended_at is null and ($4::text is null or id > $4)
    and ($5::text is null or community = $5) and ($6::text is null or grid = $6)
    and ($7::text is null or care_group = $7) and ($8::text is null or responsible = $8)
    and ($9::bool is null or $9 = (
        (coalesce(last_check_in_at, created_at) at time zone $10)::date + check_in_days < $11::date))
order by id limit $12
"""

_INSERT = """
insert into care_entry (id, community, grid, care_group, needs, check_in_days, responsible, sealed, created_at, updated_at, seq)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, 1)
"""

_UPDATE = """
update care_entry set community = $2, grid = $3, care_group = $4, needs = $5, check_in_days = $6, responsible = $7,
    updated_at = $8, seq = $9, last_check_in_at = $10, last_result = $11, ended_at = $12,
    sealed = case when $12::timestamptz is not null then null else coalesce($13, sealed) end
where id = $1
"""


HISTORY = History("care_event", "entry")


@dataclass(frozen=True)
class Wanted:
    """Which entries a list shows; None means any. `overdue`: whose next check-in lies before the local date `on`."""

    community: str | None = None
    grid: str | None = None
    group: str | None = None
    responsible: str | None = None
    overdue: bool | None = None


@dataclass(frozen=True)
class Reading:
    at: datetime
    actor: str


async def next_id(pool: Pool) -> str:
    number: int = await pool.fetchval("select nextval('care_number')")
    return f"care-{number:06d}"


async def one(pool: Pool, id: str) -> Entry | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from care_entry where id = $1", id)
    return None if row is None else _entry(row)


async def page(
    pool: Pool, reach: Reach, wanted: Wanted, *, on: date, zone: str, after: str | None, limit: int
) -> list[Entry]:
    """Running entries, oldest first."""
    w = wanted
    rows = await pool.fetch(
        _PAGE, reach.everywhere, sorted(reach.communities), sorted(reach.grids), after, w.community, w.grid, w.group,
        w.responsible, w.overdue, zone, on, limit,
    )  # fmt: skip
    return [_entry(row) for row in rows]


async def open_person(pool: Pool, id: str, *, by: str, at: datetime, request_id: str | None = None) -> bytes | None:
    """What is sealed of an entry; that it was read stands in the audit, in the same commit. None when nothing is left."""
    sealed: bytes | None = await pool.fetchval(
        "with found as (select sealed from care_entry where id = $1 and sealed is not null),"
        " told as (insert into personal_read (at, actor, what, reason, fields, request_id, subject)"
        " select $3, $2, $4, 'handling', '{}', $5, $1 from found)"
        " select sealed from found",
        id, by, at, PERSON, request_id,
    )  # fmt: skip
    return sealed


async def readings(pool: Pool, id: str, *, before: int | None, limit: int) -> list[tuple[int, Reading]]:
    """Who had it opened, newest first, each with its place in the order."""
    rows = await pool.fetch(
        "select id, at, actor from personal_read where what = $1 and subject = $2 and ($3::bigint is null or id < $3)"
        " order by id desc limit $4",
        PERSON, id, before, limit,
    )  # fmt: skip
    return [(row["id"], Reading(row["at"], row["actor"])) for row in rows]


class Changing:
    """One transaction on one entry; nobody else changes it meanwhile."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self.connection = connection

    async def lock(self, id: str) -> Entry | None:
        row = await self.connection.fetchrow(f"select {_COLUMNS} from care_entry where id = $1 for update", id)
        return None if row is None else _entry(row)

    async def insert(self, e: Entry, sealed: bytes) -> None:
        await self.connection.execute(
            _INSERT, e.id, e.community, e.grid, e.group, list(e.needs), e.check_in_days, e.responsible, sealed,
            e.created_at,
        )  # fmt: skip

    async def save(self, e: Entry, sealed: bytes | None = None) -> None:
        """`sealed` replaces what was sealed; an ended entry keeps nothing of it."""
        await self.connection.execute(
            _UPDATE, e.id, e.community, e.grid, e.group, list(e.needs), e.check_in_days, e.responsible, e.updated_at,
            e.seq, e.last_check_in_at, e.last_result, e.ended_at, sealed,
        )  # fmt: skip

    async def record(self, entry: str, change: Change) -> None:
        await HISTORY.append(self.connection, entry, change)


@asynccontextmanager
async def changing(pool: Pool) -> AsyncIterator[Changing]:
    """Commits at the end, or undoes everything when something is raised."""
    async with pool.acquire() as connection, connection.transaction():
        yield Changing(connection)


def _entry(row: asyncpg.Record) -> Entry:
    return Entry.model_validate(dict(row))
