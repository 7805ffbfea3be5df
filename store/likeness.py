"""Demands that may be alike: their rows written, found missing, and looked up by place, branch and fingerprint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg import BitString

from store.pool import Pool

MOST_LOOKED_AT = 2_000
"""Rows of one place whose fingerprints are compared, the newest first: a crowded place does not make looking slow."""

FOREIGN_APART = 100
"""How far apart fingerprints of another key are taken to be: nearer than chance, so that a change of keys hides nothing."""

CHANCE_APART = 124
"""Texts with nothing in common differ in half of 256 bits, give or take eight; what is no nearer is not looked at."""

_COLUMNS = "number, branch, category, community, grid, compound, cell, opened_at, made_with, signature"


@dataclass(frozen=True)
class Mark:
    """A row of `demand_likeness`."""

    number: str
    branch: str
    category: str
    community: str | None
    grid: str | None
    compound: str | None
    cell: int | None
    opened_at: datetime
    made_with: str
    signature: BitString


@dataclass(frozen=True)
class Source:
    """What a mark is made of, and what is compared in the end; `text` and `person` are sealed."""

    number: str
    category: str
    community: str | None
    grid: str | None
    compound: str | None
    opened_at: datetime
    text: bytes | None
    person: bytes | None


@dataclass(frozen=True)
class Found(Source):
    """A candidate with its present state; `state` is the demand as JSON, `apart` the bits its fingerprint differs in."""

    stage: str
    outcome: str | None
    opened_by: str
    breached: bool
    state: str
    apart: int


_PUT = f"""
insert into demand_likeness ({_COLUMNS}) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (number) do update set branch = $2, category = $3, community = $4, grid = $5, compound = $6, cell = $7,
    made_with = $9, signature = $10
"""
# A number begins with its day, so the key of the table bounds what is looked through.
_MISSING = """
select d.number from demand d left join demand_likeness l using (number)
where d.number >= $1 and (l.number is null or l.made_with <> $2 or l.category <> d.category
    or l.community is distinct from d.community or l.grid is distinct from d.grid
    or l.compound is distinct from d.compound)
order by d.number desc limit $3
"""
_SOURCE = """d.number, d.category, d.community, d.grid, d.compound, d.opened_at, t.sealed as text, p.sealed as person"""
_SEALED = """left join demand_text t on t.id = d.number || '.0' and t.erased_at is null
    left join reporter p on p.number = d.number"""


async def put(pool: Pool, marks: Sequence[Mark]) -> None:
    """Write or replace them. Nobody waits for the disk: what is lost with the machine is found missing and made again."""
    if not marks:
        return
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("set local synchronous_commit = off")
        await connection.executemany(
            _PUT,
            [
                (m.number, m.branch, m.category, m.community, m.grid, m.compound, m.cell, m.opened_at, m.made_with, m.signature)
                for m in sorted(marks, key=lambda m: m.number)  # in one order, so that two writers cannot block each other
            ],
        )  # fmt: skip


async def missing(pool: Pool, *, since: datetime, made_with: str, limit: int) -> list[str]:
    """Demands numbered from that day on that have no mark, or one of another key, category or place; newest first."""
    rows = await pool.fetch(_MISSING, f"{since:%Y%m%d}", made_with, limit)
    return [r["number"] for r in rows]


async def sources(pool: Pool, numbers: Sequence[str]) -> list[Source]:
    rows = await pool.fetch(
        f"select {_SOURCE} from demand d {_SEALED} where d.number = any($1::text[])", list(numbers)
    )  # fmt: skip
    return [Source(**dict(r)) for r in rows]


# ---- looking up


@dataclass(frozen=True)
class Wanted:
    """Where, when and with what fingerprint to look; without `cells` everything in the grid counts as near."""

    number: str | None
    branch: str
    cells: tuple[int, ...]
    grid: str | None
    since: datetime
    until: datetime
    closed_since: datetime
    made_with: str
    signature: BitString


# What has a cell is looked up by cells; what has none, or looks from nowhere exactly, by its grid.
_NEAR = f"""
with near as (
    (select number, made_with, signature from demand_likeness
     where branch = $1 and cell = any($2::bigint[]) and opened_at between $4 and $5
     order by opened_at desc limit {MOST_LOOKED_AT})
    union all
    (select number, made_with, signature from demand_likeness
     where branch = $1 and grid = $3 and (cell is null or $2::bigint[] = '{{}}') and opened_at between $4 and $5
     order by opened_at desc limit {MOST_LOOKED_AT})
), ranked as (
    select number, case when made_with = $8 then bit_count(signature # $7)::int else {FOREIGN_APART} end apart
    from near where number is distinct from $9 order by apart, number desc limit $10
)
select {_SOURCE}, d.stage, d.outcome, d.opened_by, d.breached, d.state::text as state, r.apart
from ranked r join demand d using (number) {_SEALED}
where r.apart < {CHANCE_APART}
    and (d.closed_at is null or (d.closed_at > $6 and d.outcome not in ('out_of_scope', 'withdrawn')))
order by r.apart, d.number desc
"""


async def near(pool: Pool, wanted: Wanted, *, limit: int) -> list[Found]:
    """Of the `limit` nearest by fingerprint in the same branch and place those that are nearer than by chance, less what is
    closed and done with."""
    rows = await pool.fetch(
        _NEAR, wanted.branch, list(wanted.cells), wanted.grid, wanted.since, wanted.until, wanted.closed_since,
        wanted.signature, wanted.made_with, wanted.number, limit,
    )  # fmt: skip
    return [Found(**dict(r)) for r in rows]


_PAIRS = """
with marks as materialized (
    select number, branch, cell, grid, made_with, signature from demand_likeness
    where community = $1 and opened_at >= $2 and bit_count(signature) > 0
    order by opened_at desc limit $3
), squares as (
    select number, branch, cell + o as cell, made_with, signature from marks, unnest($4::bigint[]) o
    where cell is not null
)
(select a.number as one, b.number as other, bit_count(a.signature # b.signature)::int apart
 from squares a join marks b on a.branch = b.branch and a.cell = b.cell and a.made_with = b.made_with
 where a.number < b.number and bit_count(a.signature # b.signature) <= $5)
union all
(select a.number, b.number, bit_count(a.signature # b.signature)::int
 from marks a join marks b on a.branch = b.branch and a.grid = b.grid and a.made_with = b.made_with
 where a.number < b.number and (a.cell is null or b.cell is null) and bit_count(a.signature # b.signature) <= $5)
order by apart, one, other limit $6
"""


async def pairs(
    pool: Pool, community: str, *, since: datetime, offsets: Sequence[int], apart: int, marks: int, limit: int
) -> list[tuple[str, str]]:
    """Demands of a community that are near each other and whose fingerprints are at most `apart`, the likest first."""
    rows = await pool.fetch(_PAIRS, community, since, marks, list(offsets), apart, limit)
    return [(r["one"], r["other"]) for r in rows]


async def with_state(pool: Pool, numbers: Sequence[str]) -> list[Found]:
    """These demands as they are now, less those that were never a matter of the district."""
    rows = await pool.fetch(
        f"select {_SOURCE}, d.stage, d.outcome, d.opened_by, d.breached, d.state::text as state, 0 as apart"
        f" from demand d {_SEALED} where d.number = any($1::text[])"
        " and coalesce(d.outcome, '') not in ('out_of_scope', 'withdrawn') order by d.number",
        list(numbers),
    )
    return [Found(**dict(r)) for r in rows]
