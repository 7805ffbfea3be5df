"""What is personal of a demand, read only together with the row that says who read it: one statement, one commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, Pool


@dataclass(frozen=True)
class Reading:
    """Who opens what, and why; never what it says."""

    at: datetime
    actor: str
    what: str
    reason: str
    fields: tuple[str, ...] = ()
    request_id: str | None = None


@dataclass(frozen=True)
class Read(Reading):
    """A reading as it is kept; `id` is its place in the order."""

    id: int = 0
    subject: str | None = None


_COLUMNS = "at, actor, what, reason, fields, request_id"
_TOLD = f"insert into personal_read ({_COLUMNS}, subject)"

_TOLD_LATELY = f"""
{_TOLD} select $1, $2, $3, $4, $5, $6, s from unnest($7::text[]) s
where not exists (
    select from personal_read p
    where p.subject = s and p.actor = $2 and p.what = $3 and p.at > $1::timestamptz - interval '1 hour'
)
"""

_REPORTER = f"""
with found as (select sealed from reporter where number = $1),
told as ({_TOLD} select $2, $3, $4, $5, $6, $7, $1 from found)
select sealed from found
"""


def _said(reading: Reading) -> tuple[Any, ...]:
    return (reading.at, reading.actor, reading.what, reading.reason, list(reading.fields), reading.request_id)


async def tell(where: Pool | Connection, reading: Reading, subjects: Sequence[str | None]) -> None:
    """Keep that this was read of each of them."""
    await where.execute(
        f"{_TOLD} select $1, $2, $3, $4, $5, $6, s from unnest($7::text[]) s", *_said(reading), list(subjects)
    )  # fmt: skip


async def tell_once_an_hour(pool: Pool, reading: Reading, subjects: Sequence[str]) -> None:
    """Keep that a list showed something of each: once an hour, because a list that follows events shows it again and
    again."""
    await pool.execute(_TOLD_LATELY, *_said(reading), list(subjects))


async def reporter(pool: Pool, number: str, reading: Reading) -> bytes | None:
    """What is sealed of the reporter; that it was read is kept with it. None where nothing is kept."""
    sealed: bytes | None = await pool.fetchval(_REPORTER, number, *_said(reading))
    return sealed


async def erased_at(where: Pool | Connection, number: str) -> datetime | None:
    at: datetime | None = await where.fetchval("select done_at from erasure where number = $1", number)
    return at


# ---- correcting


async def lock_reporter(connection: Connection, number: str) -> bytes | None:
    """What is sealed; nobody else corrects or erases it until the end of the transaction, whether there is anything or not."""
    await lock_persons(connection, [number])
    sealed: bytes | None = await connection.fetchval("select sealed from reporter where number = $1", number)
    return sealed


async def lock_persons(connection: Connection, numbers: Sequence[str]) -> None:
    """In one order, so that two that want several do not wait for each other."""
    await connection.execute(
        "select pg_advisory_xact_lock(hashtextextended(n, 15)) from (select unnest($1::text[]) n order by 1) s",
        list(numbers),
    )  # fmt: skip


async def save_reporter(connection: Connection, number: str, sealed: bytes) -> None:
    await connection.execute(
        "insert into reporter (number, sealed) values ($1, $2) on conflict (number) do update set sealed = $2",
        number, sealed,
    )  # fmt: skip


# ---- the record of readings


_PAGE = f"""
select id, {_COLUMNS}, subject from personal_read r
where ($1::text is null or actor = $1) and ($2::text is null or subject = $2) and ($3::bigint is null or id < $3)
    and ($4::text[] is null
        or exists (select from demand d where d.number = r.subject and d.community = any($4))
        or exists (select from care_entry c where c.id = r.subject and c.community = any($4)))
order by id desc limit $5
"""


async def page(
    pool: Pool, *, person: str | None, subject: str | None, communities: Sequence[str] | None, before: int | None,
    limit: int,
) -> list[Read]:  # fmt: skip
    """Newest first; with `communities` only what is about demands and entries of these."""
    within = None if communities is None else list(communities)
    rows = await pool.fetch(_PAGE, person, subject, before, within, limit)
    return [Read(**{**dict(row), "fields": tuple(row["fields"])}) for row in rows]
