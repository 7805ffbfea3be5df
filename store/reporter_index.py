"""The index by which a phone number is found among the sealed reporters."""

from __future__ import annotations

from collections.abc import Sequence

from store.pool import Connection, Pool

_MISSING = """
select r.number, r.sealed from reporter r left join reporter_index i on i.number = r.number and i.kind = 'phone'
where r.number > $1 and (i.number is null or i.key_id <> $2) order by r.number limit $3
"""
# Only while the reporter is what the digest was made of: one that is corrected or erased meanwhile has its own.
_PUT = """
insert into reporter_index (number, kind, key_id, digest)
select g.number, 'phone', $2, g.digest from unnest($1::text[], $3::text[], $4::bytea[]) g (number, digest, sealed)
    join reporter r on r.number = g.number and r.sealed = g.sealed
order by g.number
on conflict (number, kind) do update set key_id = excluded.key_id, digest = excluded.digest
"""


async def missing(pool: Pool, *, key_id: str, after: str, limit: int) -> list[tuple[str, bytes]]:
    """(number, sealed) of reporters that have no digest of this key, in the order of their numbers."""
    rows = await pool.fetch(_MISSING, after, key_id, limit)
    return [(row["number"], row["sealed"]) for row in rows]


async def put(pool: Pool, key_id: str, digests: Sequence[tuple[str, str | None, bytes]]) -> None:
    """(number, digest, what it was made of) of each."""
    numbers, made, sealed = [d[0] for d in digests], [d[1] for d in digests], [d[2] for d in digests]
    await pool.execute(_PUT, numbers, key_id, made, sealed)


async def keep(connection: Connection, number: str, key_id: str, digest: str | None) -> None:
    """Within the transaction that changes the reporter."""
    await connection.execute(
        "insert into reporter_index (number, kind, key_id, digest) values ($1, 'phone', $2, $3)"
        " on conflict (number, kind) do update set key_id = excluded.key_id, digest = excluded.digest",
        number, key_id, digest,
    )  # fmt: skip


async def found(pool: Pool, digests: Sequence[str], limit: int) -> list[str]:
    """Demands whose reporter left a number of one of these digests, newest first."""
    rows = await pool.fetch(
        "select distinct number from reporter_index where digest = any($1::text[]) order by number desc limit $2",
        list(digests), limit,
    )  # fmt: skip
    return [row["number"] for row in rows]
