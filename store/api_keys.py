"""Keys of integrators. A key is found by its public prefix, which is its id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, Pool

_COLUMNS = "id, name, owner, scopes, created_by, created_at, expires_at, last_used_at, revoked_at, rotated_from"


@dataclass(frozen=True)
class ApiKey:
    id: str
    name: str
    owner: str
    scopes: Sequence[str]
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None
    rotated_from: str | None = None

    def lives(self, at: datetime) -> bool:
        return self.revoked_at is None and self.expires_at > at


async def add(connection: Connection, key: ApiKey, hash: bytes) -> None:
    await connection.execute(
        "insert into api_key (id, name, hash, owner, scopes, created_by, created_at, expires_at, rotated_from)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        key.id, key.name, hash, key.owner, list(key.scopes), key.created_by, key.created_at, key.expires_at,
        key.rotated_from,
    )  # fmt: skip


async def to_check(pool: Pool, id: str, now: datetime) -> tuple[ApiKey, bytes] | None:
    """The live key with that prefix and its hash; its owner's account is not disabled, where there is one."""
    columns = ", ".join(f"k.{name}" for name in _COLUMNS.split(", "))
    row = await pool.fetchrow(
        f"select {columns}, k.hash from api_key k left join account a on a.person = k.owner"
        " where k.id = $1 and k.revoked_at is null and k.expires_at > $2 and a.disabled_at is null",
        id, now,
    )  # fmt: skip
    if row is None:
        return None
    values = dict(row)
    hash: bytes = values.pop("hash")
    return ApiKey(**values), hash


async def used(pool: Pool, id: str, at: datetime) -> None:
    await pool.execute("update api_key set last_used_at = $2 where id = $1", id, at)


async def one(pool: Pool | Connection, id: str, *, for_update: bool = False) -> ApiKey | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from api_key where id = $1{' for update' if for_update else ''}", id)
    return None if row is None else ApiKey(**dict(row))


async def page(pool: Pool, *, owner: str | None, before: tuple[datetime, str] | None, limit: int) -> list[ApiKey]:
    """Newest first, after the keyset (created_at, id)."""
    rows = await pool.fetch(
        f"select {_COLUMNS} from api_key where ($1::text is null or owner = $1)"
        " and ($2::timestamptz is null or (created_at, id) < ($2, $3)) order by created_at desc, id desc limit $4",
        owner, *(before or (None, None)), limit,
    )  # fmt: skip
    return [ApiKey(**dict(row)) for row in rows]


async def ends_at(connection: Connection, id: str, at: datetime) -> None:
    """It ends then, or when it was to end anyway."""
    await connection.execute("update api_key set expires_at = least(expires_at, $2) where id = $1", id, at)


async def revoke(connection: Connection, id: str, at: datetime) -> bool:
    """False where it was revoked before."""
    done = await connection.execute("update api_key set revoked_at = $2 where id = $1 and revoked_at is null", id, at)
    return done.endswith(" 1")
