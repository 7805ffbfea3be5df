"""What a joint meeting looks at besides its agenda: demands that it put aside, and what the items are about."""

from __future__ import annotations

from collections.abc import Sequence

from domain.demand import Demand
from store.pool import Pool

MOST = 500

# Put aside until a review, or with a final reply that waits for approval: with the meeting, and not on its agenda.
_RESTING = """
select state::text state from demand
where meeting = $1 and stage = 'meeting' and (state ->> 'shelved' = 'true' or state ->> 'proposed' is not null)
order by number limit $2
"""


async def resting(pool: Pool, meeting: str) -> list[Demand]:
    rows = await pool.fetch(_RESTING, meeting, MOST)
    return [Demand.model_validate_json(row["state"]) for row in rows]


async def demands(pool: Pool, numbers: Sequence[str]) -> dict[str, Demand]:
    """By number; what is not there is left out."""
    rows = await pool.fetch("select state::text state from demand where number = any($1::text[])", list(numbers))
    found = (Demand.model_validate_json(row["state"]) for row in rows)
    return {one.number: one for one in found}
