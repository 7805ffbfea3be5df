"""The append-only history of a thing that is not a demand: an individual need, a project."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from asyncpg.pool import PoolConnectionProxy

from store.pool import Pool


@dataclass(frozen=True)
class Change:
    """One entry of a history: who, when, what; nothing personal."""

    seq: int
    type: str
    at: datetime
    actor: str
    data: Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """The table that holds it, and the column that names whose it is. Both are ours, never a caller's words."""

    table: str
    owner: str

    async def page(self, pool: Pool, id: str, *, after: int, limit: int) -> list[Change]:
        """Oldest first."""
        rows = await pool.fetch(
            f"select seq, type, at, actor, data from {self.table} where {self.owner} = $1 and seq > $2"
            " order by seq limit $3",
            id, after, limit,
        )  # fmt: skip
        return [Change(**{**dict(row), "data": json.loads(row["data"])}) for row in rows]

    async def append(self, connection: PoolConnectionProxy[Any], id: str, change: Change) -> None:
        await connection.execute(
            f"insert into {self.table} ({self.owner}, seq, type, at, actor, data) values ($1, $2, $3, $4, $5, $6)",
            id, change.seq, change.type, change.at, change.actor, json.dumps(change.data, ensure_ascii=False),
        )  # fmt: skip
