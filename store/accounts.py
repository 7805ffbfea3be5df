"""Accounts: how people of the district sign in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store.pool import Connection, Pool

_COLUMNS = "person, name, password_hash, issuer, subject, created_at, password_at, signed_in_at, disabled_at"


@dataclass(frozen=True)
class Account:
    person: str
    name: str
    password_hash: str | None
    issuer: str | None
    subject: str | None
    created_at: datetime
    password_at: datetime | None
    signed_in_at: datetime | None
    disabled_at: datetime | None


async def by_name(pool: Pool | Connection, name: str) -> Account | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from account where name = $1", name)
    return None if row is None else Account(**dict(row))


async def of_person(pool: Pool | Connection, person: str) -> Account | None:
    row = await pool.fetchrow(f"select {_COLUMNS} from account where person = $1", person)
    return None if row is None else Account(**dict(row))


async def every(pool: Pool) -> list[Account]:
    """By user name; there are some thousand at most."""
    return [Account(**dict(row)) for row in await pool.fetch(f"select {_COLUMNS} from account order by name")]


async def add(connection: Connection, person: str, name: str, password_hash: str | None, at: datetime) -> bool:
    """False when the person has an account already, or the name is taken."""
    done = await connection.execute(
        "insert into account (person, name, password_hash, created_at, password_at)"
        " values ($1, $2, $3, $4, case when $3::text is null then null else $4::timestamptz end) on conflict do nothing",
        person, name, password_hash, at,
    )  # fmt: skip
    return done.endswith(" 1")


async def set_password(connection: Connection, person: str, password_hash: str, at: datetime) -> None:
    await connection.execute(
        "update account set password_hash = $2, password_at = $3 where person = $1", person, password_hash, at
    )


async def set_disabled(connection: Connection, person: str, at: datetime | None) -> None:
    """None lets the person in again."""
    await connection.execute("update account set disabled_at = $2 where person = $1", person, at)


async def pin_subject(connection: Connection, person: str, issuer: str, subject: str) -> bool:
    """Tie the account to who it is for the identity provider. False when it is tied to somebody else, or that somebody
    to another account."""
    taken = await connection.fetchval(
        "select 1 from account where issuer = $2 and subject = $3 and person <> $1", person, issuer, subject
    )
    done = taken or await connection.execute(
        "update account set issuer = $2, subject = $3 where person = $1"
        " and (subject is null or (issuer = $2 and subject = $3))",
        person, issuer, subject,
    )  # fmt: skip
    return done == "UPDATE 1"


async def unpin_subject(connection: Connection, person: str) -> None:
    await connection.execute("update account set issuer = null, subject = null where person = $1", person)


async def signed_in(connection: Connection, seen: Account, at: datetime, better_hash: str | None = None) -> bool:
    """False when since it was `seen` the account was disabled or its password replaced: then nobody may come in by it.

    `better_hash` is the same password under the present cost, where the old hash was made under another.
    """
    done = await connection.execute(
        "update account set signed_in_at = $2, password_hash = coalesce($3, password_hash)"
        " where person = $1 and disabled_at is null and password_at is not distinct from $4",
        seen.person, at, better_hash, seen.password_at,
    )  # fmt: skip
    return done == "UPDATE 1"
