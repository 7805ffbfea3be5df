"""All that is kept of one demand, as of one instant."""

from __future__ import annotations

import json
from typing import NamedTuple

from domain.demand import Demand
from domain.ledger import Entry
from store.pool import Pool
from store.texts import KeptText


class Kept(NamedTuple):
    demand: Demand
    entries: tuple[Entry, ...]
    texts: tuple[KeptText, ...]


async def whole(pool: Pool, number: str) -> Kept | None:
    """Its row, log and texts in one snapshot: a command that is recorded meanwhile is in all of them or in none."""
    async with pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        state = await connection.fetchval("select state from demand where number = $1", number)
        if state is None:
            return None
        events = await connection.fetch(
            "select seq, type, at, actor, data::text as data, performed_at, hash from demand_event"
            " where number = $1 order by seq",
            number,
        )
        texts = await connection.fetch(
            "select id, kind, author, written_at, sealed, erased_at from demand_text where number = $1"
            " order by written_at, id",
            number,
        )
    entries = tuple(Entry.model_validate({**e, "data": json.loads(e["data"])}) for e in events)
    return Kept(Demand.model_validate_json(state), entries, tuple(KeptText(**dict(text)) for text in texts))
