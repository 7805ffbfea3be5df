"""Accounts as an administrator keeps them: added, given a password, disabled. Each is one transaction with its audit row.

Disabling shuts every door at once: sessions and API keys of the person are refused wherever they are checked, within the
few seconds for which a process remembers them.
"""

from __future__ import annotations

from datetime import datetime

from domain.errors import DomainError
from service.identity_marks import Marks
from service.passwords import PASSWORDS, must_be_good
from service.sign_in import USER_NAME, folded_name
from store import account_sessions, accounts, identity_events, sign_in_tries
from store.accounts import Account
from store.pool import Pool


async def add(pool: Pool, person: str, user: str, password: str | None, *, by: str, now: datetime) -> Account:
    """Without a password only the identity provider lets the person in.

    Raises DomainError `validation_failed`, `password_refused`, `user_taken`.
    """
    name = _usable(user)
    if password is not None:
        must_be_good(password, name)
    hash = None if password is None else await PASSWORDS.hash(password)
    async with pool.acquire() as connection, connection.transaction():
        if not await accounts.add(connection, person, name, hash, now):
            rule = "This user name is taken, or the person has one already."
            raise DomainError("user_taken", rule, person=person)
        await identity_events.keep(connection, "account_added", now, by=by, person=person, password=hash is not None)
    return await must_exist(pool, name)


async def must_be_free(pool: Pool, user: str) -> None:
    """Asked before somebody new is published who then could not sign in. Raises DomainError `validation_failed`,
    `user_taken`."""
    if await accounts.by_name(pool, _usable(user)) is not None:
        raise DomainError("user_taken", "This user name is taken.")


def _usable(user: str) -> str:
    name = folded_name(user)
    if not USER_NAME.fullmatch(name):
        rule = "A user name has 1 to 64 letters, digits and . _ - @ +"
        raise DomainError("validation_failed", rule, field="/user")
    return name


async def must_exist(pool: Pool, user: str) -> Account:
    """Raises DomainError `not_found`."""
    found = await accounts.by_name(pool, folded_name(user))
    if found is None:
        raise DomainError("not_found", "There is no user with this name.")
    return found


async def set_password(pool: Pool, marks: Marks, account: Account, password: str, *, by: str, now: datetime) -> int:
    """Ends all sessions and the waiting of whoever mistyped the old one. Raises DomainError `password_refused`."""
    must_be_good(password, account.name)
    hash = await PASSWORDS.hash(password)
    async with pool.acquire() as connection, connection.transaction():
        await accounts.set_password(connection, account.person, hash, now)
        ended = await account_sessions.revoke_all(connection, account.person, by, now)
        await sign_in_tries.clear(connection, marks.of("account", account.name))
        await identity_events.keep(connection, "password_set", now, by=by, person=account.person, ended=ended)
    return ended


async def disable(pool: Pool, account: Account, *, by: str, now: datetime) -> int:
    """Returns how many sessions were ended."""
    async with pool.acquire() as connection, connection.transaction():
        await accounts.set_disabled(connection, account.person, now)
        ended = await account_sessions.revoke_all(connection, account.person, by, now)
        await identity_events.keep(connection, "account_disabled", now, by=by, person=account.person, ended=ended)
    return ended


async def enable(pool: Pool, account: Account, *, by: str, now: datetime) -> None:
    """The person may sign in again; sessions that were ended stay so, keys that were not revoked work again."""
    async with pool.acquire() as connection, connection.transaction():
        await accounts.set_disabled(connection, account.person, None)
        await identity_events.keep(connection, "account_enabled", now, by=by, person=account.person)


async def unlink(pool: Pool, account: Account, *, by: str, now: datetime) -> None:
    """Forget who the account is for the identity provider; the next one it sends under this name is pinned anew."""
    async with pool.acquire() as connection, connection.transaction():
        await accounts.unpin_subject(connection, account.person)
        ended = await account_sessions.revoke_all(connection, account.person, by, now)
        await identity_events.keep(connection, "account_unlinked", now, by=by, person=account.person, ended=ended)
