"""Signing in and out: a user name and a password become a session, which is an opaque token that can be revoked.

    tries counted ──> account ──> password (the same work for every name) ──> one transaction: session, audit
                                                                                  └──> the token, told once

Every refusal is the same `unauthenticated`, whatever the reason; only the pace is another one.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from domain.errors import DomainError
from service import sign_in_pace as pace
from service.desk import Desk
from service.identity_marks import Marks, token_hash
from service.passwords import PASSWORDS, must_be_good
from store import account_sessions as stored
from store import accounts, identity_events
from store.account_sessions import New, Session
from store.accounts import Account

TOKEN_BYTES = 32
USER_NAME = re.compile(r"[\w.@+-]{1,64}")
REFUSED = "User name or password is not right."

_BROWSERS = (
    ("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Edg", "Edge"), ("Firefox", "Firefox"),
    ("Chrome", "Chrome"), ("Safari", "Safari"), ("curl", "curl"), ("python", "Python"),
)  # fmt: skip
_SYSTEMS = (
    ("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"),
    ("Mac OS", "macOS"), ("Linux", "Linux"),
)  # fmt: skip

log = structlog.get_logger()


@dataclass(frozen=True)
class Device:
    """Where a request comes from: the address of the client, and what its program calls itself."""

    address: str
    agent: str = ""

    @property
    def word(self) -> str:
        """Browser and system as coarse words, for a person to know their own devices by."""
        agent = self.agent[:512]
        found = (next((word for sign, word in table if sign in agent), None) for table in (_BROWSERS, _SYSTEMS))
        return " · ".join(word for word in found if word) or "unknown"


@dataclass(frozen=True)
class Opened:
    """A new session; `token` is told this once."""

    token: str
    session: Session


def folded_name(user: str) -> str:
    """User names differ in more than case and width."""
    return unicodedata.normalize("NFKC", user).casefold().strip()


def idle_limit(desk: Desk, now: datetime) -> datetime:
    """A session that was last seen before that has ended."""
    return now - timedelta(hours=desk.settings.session_idle_hours)


async def sign_in(
    desk: Desk, user: str, password: str, device: Device, *, now: datetime, old_token: str | None = None
) -> Opened:
    """Open a session; the one that the browser had before ends. Raises DomainError `unauthenticated`,
    `too_many_requests`."""
    marks, name = Marks(desk.settings.key_ring()), folded_name(user)
    account = await accounts.by_name(desk.pool, name)
    asked = await _entered(desk, marks, account, name, device, now)
    usable = None if account is None or account.disabled_at is not None else account
    fits, better = await PASSWORDS.check(password, None if usable is None else usable.password_hash)
    if not fits or usable is None or not is_of_the_district(desk, usable.person):
        await refused(desk, None if account is None else account.person, "password", now)
        raise DomainError("unauthenticated", REFUSED)
    await pace.succeeded(desk.pool, asked, now)
    return await open_session(desk, usable, "password", device, now=now, old_token=old_token, better=better)


async def _entered(
    desk: Desk, marks: Marks, account: Account | None, name: str, device: Device, now: datetime
) -> pace.Paced:
    """Asked of the database in the same way for a name that does not exist."""
    person = "" if account is None else account.person
    known = await stored.known_address(desk.pool, person, marks.address(device.address), now - pace.KNOWN_FOR)
    asked = pace.paced(marks, name, device.address, known=known)
    await pace.enter(desk.pool, asked, now)
    return asked


async def refused(desk: Desk, person: str | None, how: str, now: datetime) -> None:
    """Leaves a row, and a line in the log that names nobody."""
    await identity_events.keep(desk.pool, "sign_in_refused", now, by=None, person=person, how=how)
    log.info("sign-in refused", how=how)


def is_of_the_district(desk: Desk, person: str) -> bool:
    return person in desk.district.directory.people


async def open_session(
    desk: Desk, account: Account, how: str, device: Device, *, now: datetime, old_token: str | None = None,
    better: str | None = None,
) -> Opened:  # fmt: skip
    """For somebody who has shown who they are. The token is always a new one: what a browser brought is never taken.

    Raises DomainError `unauthenticated` for an account that was disabled, or given another password, in this moment.
    """
    marks, person = Marks(desk.settings.key_ring()), account.person
    token, id = secrets.token_urlsafe(TOKEN_BYTES), secrets.token_hex(8)
    expires_at = now + timedelta(days=desk.settings.session_days)
    new = New(
        id=id, token_hash=token_hash(token), person=person, how=how, device=device.word,
        agent=marks.of("agent", device.agent), address=marks.address(device.address),
    )  # fmt: skip
    async with desk.pool.acquire() as connection, connection.transaction():
        if old_token is not None:
            await stored.revoke_token(connection, token_hash(old_token), person, now)
        if not await accounts.signed_in(connection, account, now, better):
            raise DomainError("unauthenticated", REFUSED)
        await stored.open_one(connection, new, now, expires_at)
        await identity_events.keep(connection, "signed_in", now, by=person, person=person, session=id, how=how)
    return Opened(token, Session(id, person, how, device.word, now, now, expires_at))


# ---- the end of sessions


async def sign_out(desk: Desk, person: str, session: str, now: datetime) -> None:
    async with desk.pool.acquire() as connection, connection.transaction():
        if await stored.revoke(connection, session, person, now):
            await identity_events.keep(connection, "signed_out", now, by=person, person=person, session=session)


async def revoke(desk: Desk, by: str, session: str, now: datetime, *, anybodys: bool) -> None:
    """Raises DomainError `not_found` for a session that does not live, or is somebody else's."""
    person = await stored.person_of(desk.pool, session, now, idle_limit(desk, now))
    if person is None or not (anybodys or person == by):
        raise DomainError("not_found", "There is no such session.")
    async with desk.pool.acquire() as connection, connection.transaction():
        if await stored.revoke(connection, session, by, now):
            await identity_events.keep(connection, "session_revoked", now, by=by, person=person, session=session)


async def revoke_all(desk: Desk, by: str, person: str, now: datetime, *, but: str | None = None) -> int:
    """Sign somebody out everywhere; returns how many sessions were ended."""
    async with desk.pool.acquire() as connection, connection.transaction():
        ended = await stored.revoke_all(connection, person, by, now, but=but)
        await identity_events.keep(connection, "sessions_revoked", now, by=by, person=person, ended=ended)
    return ended


# ---- one's own password


async def change_password(
    desk: Desk, person: str, session: str, old: str, new: str, device: Device, *, now: datetime
) -> int:
    """Ends all other sessions of the person and returns how many that were.

    Raises DomainError `password_refused`, `unauthenticated` where the old one is wrong, `too_many_requests`.
    """
    account = await accounts.of_person(desk.pool, person)
    if account is None:
        raise DomainError("unauthenticated", REFUSED)
    must_be_good(new, account.name)
    asked = await _entered(desk, Marks(desk.settings.key_ring()), account, account.name, device, now)
    fits, _ = await PASSWORDS.check(old, account.password_hash)
    if not fits:
        await refused(desk, person, "password change", now)
        raise DomainError("unauthenticated", "The old password is not right.")
    hash = await PASSWORDS.hash(new)
    await pace.succeeded(desk.pool, asked, now)
    async with desk.pool.acquire() as connection, connection.transaction():
        await accounts.set_password(connection, person, hash, now)
        ended = await stored.revoke_all(connection, person, person, now, but=session)
        await identity_events.keep(connection, "password_changed", now, by=person, person=person, ended=ended)
    return ended
