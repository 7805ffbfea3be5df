"""The living lists: open demands by need, what a unit could take, and what its open tasks are about."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from store.pool import Pool

# Heat as of an agenda: one for the reporter, each broken clock, each whole day that the resolve clock is overdue.
_BY_NEED = """
select d.category, count(*) "open", count(*) filter (where d.breached) breached,
    min(d.opened_at) oldest_at, (array_agg(d.number order by d.opened_at, d.number))[1] oldest,
    min(d.due_at) filter (where d.due_at > $1) next_due_at,
    min(c.due_at) filter (where c.due_at <= $1) overdue_since,
    (array_agg(d.number order by c.due_at, d.number) filter (where c.due_at <= $1))[1] most_overdue,
    sum(1 + jsonb_array_length(jsonb_path_query_array(d.state, '$.clocks.* ? (@.breached == true)'))
        + coalesce(greatest(floor(extract(epoch from $1 - c.due_at) / 86400), 0), 0))::int heat
from demand d left join clock c on c.number = d.number and c.name = 'resolve'
where d.stage <> 'closed' and ($2::text is null or d.community = $2) and ($3::text is null or d.grid = $3)
    and ($4::text is null or starts_with(d.category, $4))
    and ($5::text is null or d.opened_by = $5 or d.holder = $5 or d.community = any($6::text[])
        or d.unit = any($7::text[]))
group by d.category order by heat desc, d.category
"""

# Soonest due first, after the keyset ($5, $6); nobody is bound to them yet, and the unit never had them.
_COULD_TAKE = """
select number, stage, category, community, grid, opened_at, due_at, breached from demand
where community = any($1::text[]) and category ^@ any($2::text[])
    and (stage in ('grid', 'meeting') or (stage = 'unit' and not coalesce((state->>'lead_bound')::bool, false)))
    and not coalesce(state->'past_units' ? $3, false) and unit is distinct from $3
    and ($6::text is null or case when $5::timestamptz is null then due_at is null and number > $6
        else due_at > $5 or (due_at = $5 and number > $6) or due_at is null end)
order by due_at asc nulls last, number limit $4
"""


@dataclass(frozen=True)
class Scope:
    """Whose demands count: `person` None means all; else what that person opened or holds, and these places and units."""

    person: str | None = None
    communities: tuple[str, ...] = ()
    units: tuple[str, ...] = ()


@dataclass(frozen=True)
class Need:
    """The open demands of one category; `most_overdue` is late since `overdue_since`."""

    category: str
    open: int
    breached: int
    oldest_at: datetime
    oldest: str
    next_due_at: datetime | None
    overdue_since: datetime | None
    most_overdue: str | None
    heat: int


@dataclass(frozen=True)
class Takeable:
    """An open demand as somebody may see who has nothing to do with it yet."""

    number: str
    stage: str
    category: str
    community: str
    grid: str
    opened_at: datetime
    due_at: datetime | None
    breached: bool


async def by_need(
    pool: Pool, scope: Scope, *, at: datetime, community: str | None, grid: str | None, category: str | None
) -> list[Need]:
    """Open demands by category, the hottest first; `category` is a code or a prefix."""
    rows = await pool.fetch(
        _BY_NEED, at, community, grid, category, scope.person, list(scope.communities), list(scope.units)
    )
    return [Need(**dict(row)) for row in rows]


async def could_take(
    pool: Pool, unit: str, *, communities: Collection[str], categories: Collection[str],
    after: tuple[datetime | None, str] | None, limit: int,
) -> list[Takeable]:  # fmt: skip
    """Open demands of these communities under these codes or prefixes that the unit neither has nor had."""
    due_at, number = after or (None, None)
    rows = await pool.fetch(_COULD_TAKE, list(communities), list(categories), unit, limit, due_at, number)
    return [Takeable(**dict(row)) for row in rows]


async def categories_of(pool: Pool, numbers: Collection[str]) -> dict[str, str]:
    """What these demands are filed under, by number."""
    rows = await pool.fetch("select number, category from demand where number = any($1::text[])", list(numbers))
    return {row["number"]: row["category"] for row in rows}
