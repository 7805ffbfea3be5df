"""Keys of integrators: made, rotated with an overlap, revoked. The secret is told once and kept nowhere.

A key acts as its owner, narrowed to its scopes. Administrators make them for anybody of the district, integrators for
themselves.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from asyncpg.pool import PoolConnectionProxy
from pydantic import BaseModel, ConfigDict, Field

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.places import Id, Name
from domain.scopes import Scope
from service.desk import Desk
from service.identity_marks import token_hash
from service.repeats import Asked, other_body
from service.views import View, instant, person_view
from store import api_keys as stored
from store import identity_events
from store.api_keys import ApiKey
from store.pool import Connection

PREFIX_CHARS, SECRET_BYTES = 12, 32
LONGEST_DAYS = 730


class KeyForm(BaseModel):
    """`owner` is left out for oneself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Name
    scopes: frozenset[Scope] = Field(min_length=1)
    owner: Id | None = None
    days: int = Field(default=365, ge=1, le=LONGEST_DAYS, strict=True)


class RotateForm(BaseModel):
    """How long the old key goes on, so that every place can be given the new one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    overlap_hours: int = Field(default=24, ge=0, le=720, strict=True)


@dataclass(frozen=True)
class Made:
    """`secret` is the whole key; None in the answer to a repetition, because it is kept nowhere."""

    key: ApiKey
    secret: str | None


def new_secret() -> tuple[str, str]:
    """The public prefix and the whole key."""
    prefix = base64.b32encode(secrets.token_bytes(8)).decode().lower()[:PREFIX_CHARS]
    secret = base64.b32encode(secrets.token_bytes(SECRET_BYTES)).decode().lower().rstrip("=")
    return prefix, f"linli_{prefix}_{secret}"


# ---- in one transaction each, whoever asks for it


async def make(
    connection: Connection, *, name: str, owner: str, scopes: frozenset[Scope], days: int, by: str, now: datetime
) -> Made:
    prefix, secret = new_secret()
    expires_at = now + timedelta(days=days)
    key = ApiKey(prefix, name, owner, tuple(sorted(scopes)), by, now, expires_at)
    await stored.add(connection, key, token_hash(secret))
    await identity_events.keep(
        connection, "key_made", now, by=by, person=owner, key=prefix, scopes=list(key.scopes),
        expires_at=instant(expires_at),
    )  # fmt: skip
    return Made(key, secret)


async def replace_key(connection: Connection, id: str, *, overlap: timedelta, by: str, now: datetime) -> Made:
    """A new key with the same owner, scopes and length of life; the old one ends after the overlap.

    Raises DomainError `not_found`, `key_over`.
    """
    old = await stored.one(connection, id, for_update=True)
    if old is None:
        raise DomainError("not_found", "There is no key with this prefix.")
    if not old.lives(now):
        raise DomainError("key_over", "It is revoked or has expired. Make a new one.")
    prefix, secret = new_secret()
    new = replace(
        old, id=prefix, created_by=by, created_at=now, expires_at=now + (old.expires_at - old.created_at),
        last_used_at=None, rotated_from=id,
    )  # fmt: skip
    await stored.add(connection, new, token_hash(secret))
    await stored.ends_at(connection, id, now + overlap)
    await identity_events.keep(
        connection, "key_rotated", now, by=by, person=old.owner, key=prefix, rotated_from=id,
        old_until=instant(min(old.expires_at, now + overlap)),
    )  # fmt: skip
    return Made(new, secret)


async def revoke(connection: Connection, id: str, *, by: str, now: datetime) -> ApiKey:
    """At once; doing it twice is harmless. Raises DomainError `not_found`."""
    key = await stored.one(connection, id, for_update=True)
    if key is None:
        raise DomainError("not_found", "There is no key with this prefix.")
    if await stored.revoke(connection, id, now):
        await identity_events.keep(connection, "key_revoked", now, by=by, person=key.owner, key=id)
    return replace(key, revoked_at=key.revoked_at or now)


# ---- over HTTP: who may, and once for an Idempotency-Key


async def create(desk: Desk, actor: Actor, form: KeyForm, key: str | None) -> Made:
    """Raises DomainError `not_permitted`, `unknown_person`, `idempotency_key_reused`."""
    owner = form.owner or actor.id
    must_own(actor, owner)
    desk.district.person(owner)
    scopes = sorted(form.scopes)
    asked = Asked(desk, actor, key, f"api key {form.name} {owner} {scopes} {form.days}")

    async def made(connection: Connection) -> Made:
        return await make(
            connection, name=form.name, owner=owner, scopes=form.scopes, days=form.days, by=actor.id, now=desk.now()
        )

    return await _once(desk, asked, made)


async def rotate(desk: Desk, actor: Actor, id: str, form: RotateForm, key: str | None) -> Made:
    """Raises DomainError `not_found`, `key_over`, `idempotency_key_reused`."""
    await _own(desk, actor, id)
    asked = Asked(desk, actor, key, f"rotate api key {id} {form.overlap_hours}")
    overlap = timedelta(hours=form.overlap_hours)

    async def made(connection: Connection) -> Made:
        return await replace_key(connection, id, overlap=overlap, by=actor.id, now=desk.now())

    return await _once(desk, asked, made)


async def end(desk: Desk, actor: Actor, id: str) -> ApiKey:
    """Raises DomainError `not_found`."""
    await _own(desk, actor, id)
    async with desk.pool.acquire() as connection, connection.transaction():
        return await revoke(connection, id, by=actor.id, now=desk.now())


async def _once(desk: Desk, asked: Asked, work: Callable[[PoolConnectionProxy[Any]], Awaitable[Made]]) -> Made:
    before = await asked.repetition()
    if before is None:
        try:
            async with desk.pool.acquire() as connection, connection.transaction():
                made = await work(connection)
                if not await asked.keep(connection, made.key.id, "{}"):
                    raise other_body()
                return made
        except DomainError:
            before = await asked.repetition()  # it may have been this very request, sent twice
            if before is None:
                raise
    key = await stored.one(desk.pool, before.id)
    assert key is not None, "keys are never removed"
    return Made(key, None)


def must_own(actor: Actor, owner: str) -> None:
    """Raises DomainError `not_permitted`."""
    if not roles.may(actor, Need.MANAGE_KEYS, owner=owner):
        rule = "An administrator makes keys for others, an integrator for themselves."
        raise DomainError("not_permitted", rule, allowed=roles.allowed(Need.MANAGE_KEYS))


async def _own(desk: Desk, actor: Actor, id: str) -> ApiKey:
    """Raises DomainError `not_permitted`, and `not_found` also for somebody else's."""
    must_own(actor, actor.id)
    key = await stored.one(desk.pool, id)
    if key is None or not roles.may(actor, Need.MANAGE_KEYS, owner=key.owner):
        raise DomainError("not_found", "There is no key with this prefix.")
    return key


async def listed(
    desk: Desk, actor: Actor, *, owner: str | None, before: tuple[datetime, str] | None, limit: int
) -> list[ApiKey]:
    """Newest first; an administrator sees everybody's. Raises DomainError `not_permitted`."""
    if not roles.may(actor, Need.MANAGE_KEYS):
        must_own(actor, owner or actor.id)
        owner = actor.id
    return await stored.page(desk.pool, owner=owner, before=before, limit=limit)


def view(desk: Desk, key: ApiKey) -> View:
    """Everything but the secret."""
    now = desk.now()
    state = "revoked" if key.revoked_at else "expired" if key.expires_at <= now else "in_force"
    return {
        "id": key.id, "name": key.name, "owner": person_view(desk, key.owner), "scopes": list(key.scopes),
        "state": state, "created_at": instant(key.created_at), "created_by": person_view(desk, key.created_by),
        "expires_at": instant(key.expires_at), "last_used_at": instant(key.last_used_at),
        "revoked_at": instant(key.revoked_at), "rotated_from": key.rotated_from,
    }  # fmt: skip
