"""Keeping the answer of a request under its Idempotency-Key, in the transaction that carries the request out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from asyncpg.pool import PoolConnectionProxy


async def keep_answer(
    connection: PoolConnectionProxy[Any],
    principal: str,
    key: str,
    fingerprint: str,
    id: str,
    answer: str,
    at: datetime,
) -> bool:
    """False when the key was used before; one that is being used at this moment is waited for."""
    done = await connection.execute(
        "insert into idempotency (principal, key, fingerprint, number, answer, created_at)"
        " values ($1, $2, $3, $4, $5, $6) on conflict do nothing",
        principal, key, fingerprint, id, answer, at,
    )  # fmt: skip
    return done.endswith(" 1")
