"""Calendar versions, kept for as long as a demand's promise names them."""

from __future__ import annotations

from domain.worktime import Calendar
from store.pool import Pool


async def keep(pool: Pool, calendar: Calendar) -> None:
    await pool.execute(
        "insert into calendar (version, body) values ($1, $2) on conflict do nothing",
        calendar.version, calendar.model_dump_json(),
    )  # fmt: skip
