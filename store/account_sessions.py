"""Sessions that people have opened. A session is found by the hash of its token alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, Pool

_COLUMNS = "id, person, how, device, created_at, last_seen_at, expires_at"
_LIVES = "revoked_at is null and expires_at > $2 and last_seen_at > $3"


@dataclass(frozen=True)
class Session:
    id: str
    person: str
    how: str
    device: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class New:
    """What a session is opened with, besides its times."""

    id: str
    token_hash: bytes
    person: str
    how: str
    device: str
    agent: bytes
    address: bytes


async def open_one(connection: Connection, new: New, at: datetime, expires_at: datetime) -> None:
    await connection.execute(
        "insert into account_session (id, token_hash, person, how, device, agent, address, created_at, last_seen_at,"
        " expires_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $8, $9)",
        new.id, new.token_hash, new.person, new.how, new.device, new.agent, new.address, at, expires_at,
    )  # fmt: skip


async def by_token(pool: Pool, token_hash: bytes, now: datetime, seen_after: datetime) -> Session | None:
    """The one that lives: not revoked, not expired, last seen after `seen_after`, of an account that is not disabled."""
    columns = ", ".join(f"s.{name}" for name in _COLUMNS.split(", "))
    row = await pool.fetchrow(
        f"select {columns} from account_session s join account a on a.person = s.person and a.disabled_at is null"
        " where s.token_hash = $1 and s.revoked_at is null and s.expires_at > $2 and s.last_seen_at > $3",
        token_hash, now, seen_after,
    )  # fmt: skip
    return None if row is None else Session(**dict(row))


async def seen(pool: Pool, id: str, at: datetime) -> None:
    await pool.execute("update account_session set last_seen_at = $2 where id = $1 and last_seen_at < $2", id, at)


async def of_person(pool: Pool, person: str, now: datetime, seen_after: datetime) -> list[Session]:
    """Those that live, newest first; at most two hundred."""
    rows = await pool.fetch(
        f"select {_COLUMNS} from account_session where person = $1 and {_LIVES} order by created_at desc, id limit 200",
        person, now, seen_after,
    )  # fmt: skip
    return [Session(**dict(row)) for row in rows]


async def person_of(pool: Pool, id: str, now: datetime, seen_after: datetime) -> str | None:
    """Whose session it is, where it lives."""
    found: str | None = await pool.fetchval(
        f"select person from account_session where id = $1 and {_LIVES}", id, now, seen_after
    )
    return found


async def revoke(connection: Connection, id: str, by: str, at: datetime) -> bool:
    """False where it was revoked before."""
    done = await connection.execute(
        "update account_session set revoked_at = $2, revoked_by = $3 where id = $1 and revoked_at is null", id, at, by
    )
    return done.endswith(" 1")


async def revoke_all(connection: Connection, person: str, by: str, at: datetime, *, but: str | None = None) -> int:
    """All sessions of the person but one; returns how many that were live enough to be revoked."""
    done = await connection.execute(
        "update account_session set revoked_at = $2, revoked_by = $3"
        " where person = $1 and revoked_at is null and expires_at > $2 and id is distinct from $4",
        person, at, by, but,
    )  # fmt: skip
    return int(done.rsplit(" ", 1)[-1])


async def revoke_token(connection: Connection, token_hash: bytes, by: str, at: datetime) -> None:
    """The session that a browser had before it opened another one."""
    await connection.execute(
        "update account_session set revoked_at = $2, revoked_by = $3 where token_hash = $1 and revoked_at is null",
        token_hash, at, by,
    )  # fmt: skip


async def known_address(pool: Pool, person: str, address: bytes, since: datetime) -> bool:
    """Whether the person has signed in from there since."""
    found = await pool.fetchval(
        "select 1 from account_session where person = $1 and address = $2 and created_at > $3 limit 1",
        person, address, since,
    )  # fmt: skip
    return found is not None


async def forget_before(pool: Pool, before: datetime) -> int:
    """Remove those that ended before that; returns how many."""
    done = await pool.execute("delete from account_session where least(expires_at, revoked_at) < $1", before)
    return int(done.rsplit(" ", 1)[-1])
