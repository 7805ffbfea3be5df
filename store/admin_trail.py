"""Who changed what in the district, and when: publications, rulings and the register of the rotation, as one list."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store.pool import Pool

# `ref` is unique and, for equal instants, puts the entries of each table in the order in which they were made.
_TRAIL = """
select published_at as at, 'p' || lpad(id::text, 19, '0') ref, kind, key, published_by as by, effective_at,
    jsonb_build_object('id', id, 'version', version, 'body', body, 'changes', impact->'changes') data
from publication
union all
select decided_at, 'r' || id, 'ruling', id, chair, valid_from,
    jsonb_build_object('community', community, 'category', category, 'unit', unit, 'until', valid_until, 'number', number,
        'meeting', meeting)
from ruling
union all
select revoked_at, 'r' || id || '-revoked', 'ruling', id, revoked_by, valid_until,
    jsonb_build_object('revoked', true, 'reason', revoke_reason)
from ruling where revoked_at is not null
union all
select made_at, 'c' || lpad(id::text, 19, '0'), 'rotation_change', community, made_by, made_at,
    jsonb_build_object('id', id, 'body', body, 'reason', reason)
from roster_change
union all
select revoked_at, 'c' || lpad(id::text, 19, '0') || '-revoked', 'rotation_change', community, revoked_by, revoked_at,
    jsonb_build_object('id', id, 'revoked', true)
from roster_change where revoked_at is not null
"""

_PAGE = f"""
select * from ({_TRAIL}) trail
where ($1::text is null or kind = $1) and ($2::text is null or key = $2)
    and ($3::timestamptz is null or (at, ref) < ($3, $4))
order by at desc, ref desc limit $5
"""


@dataclass(frozen=True)
class Change:
    """One entry; `data` is of its kind."""

    at: datetime
    ref: str
    kind: str
    key: str
    by: str
    effective_at: datetime
    data: Mapping[str, Any]


async def page(
    pool: Pool, *, kind: str | None, key: str | None, after: tuple[datetime, str] | None, limit: int
) -> list[Change]:
    """Newest first, those after the keyset (at, ref)."""
    rows = await pool.fetch(_PAGE, kind, key, *(after or (None, None)), limit)
    return [Change(**{**dict(row), "data": json.loads(row["data"])}) for row in rows]
