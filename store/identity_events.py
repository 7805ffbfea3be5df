"""What was done with accounts, sessions and keys."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Connection, Pool


@dataclass(frozen=True)
class IdentityEvent:
    """`by` is None for an attempt from outside, `person` None where nobody is meant; both are ids of people."""

    id: int
    at: datetime
    kind: str
    by: str | None
    person: str | None
    data: Mapping[str, Any]


async def keep(
    connection: Connection | Pool, kind: str, at: datetime, *, by: str | None, person: str | None, **data: Any
) -> None:
    await connection.execute(
        "insert into identity_event (at, kind, by, person, data) values ($1, $2, $3, $4, $5)",
        at, kind, by, person, json.dumps(data),
    )  # fmt: skip


async def page(
    pool: Pool, *, person: str | None, kind: str | None, before: int | None, limit: int
) -> list[IdentityEvent]:
    """Newest first, those older than the id `before`."""
    rows = await pool.fetch(
        "select id, at, kind, by, person, data from identity_event where ($1::bigint is null or id < $1)"
        " and ($2::text is null or person = $2) and ($3::text is null or kind = $3) order by id desc limit $4",
        before, person, kind, limit,
    )  # fmt: skip
    return [IdentityEvent(**{**dict(row), "data": json.loads(row["data"])}) for row in rows]
