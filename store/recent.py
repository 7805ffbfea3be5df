"""Which demands changed last."""

from __future__ import annotations

from datetime import timedelta

from store.pool import Pool


async def changed_since(pool: Pool, within: timedelta) -> list[str]:
    """The numbers of demands that are not over and changed within that time before the newest change of all."""
    rows = await pool.fetch(
        "select number from demand where updated_at > (select max(updated_at) from demand) - $1::interval"
        " and coalesce((state->>'sealed')::bool, false) = false",
        within,
    )
    return [r["number"] for r in rows]
