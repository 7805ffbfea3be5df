"""Calendar versions, kept for as long as a demand's promise names them."""

from __future__ import annotations

from domain.worktime import Calendar
from store.pool import Pool


async def keep(pool: Pool, calendar: Calendar) -> None:
    await pool.execute(
        "insert into calendar (version, body) values ($1, $2) on conflict do nothing",
        calendar.version, calendar.model_dump_json(),
    )  # fmt: skip


async def load(pool: Pool, version: str) -> Calendar | None:
    """The calendar of a version, None for one that was never kept."""
    body = await pool.fetchval("select body from calendar where version = $1", version)
    return None if body is None else Calendar.model_validate_json(body)
