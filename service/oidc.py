"""Signing in by the city's identity provider: it says who somebody is, the district says what they may.

Only people whom the district knows get in. What the provider calls them is pinned to the account at the first sign-in: a
name that it gives to somebody else later opens nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog

from domain.errors import DomainError
from gateways.oidc.provider import Begun, Provider, Refused, Unreachable
from runtime.settings import Settings
from service import sign_in_pace as pace
from service.desk import Desk
from service.identity_marks import Marks
from service.sign_in import USER_NAME, Device, Opened, folded_name, is_of_the_district, open_session, refused
from store import accounts, identity_events
from store.accounts import Account

LASTS = timedelta(minutes=10)
CALLBACK = "/api/v1/session/oidc/callback"
_PURPOSE = "oidc sign-in under way"

log = structlog.get_logger()


@dataclass(frozen=True)
class UnderWay:
    """What the browser carries for us, sealed, while it is at the provider; `to` is the page it wanted."""

    state: str
    nonce: str
    verifier: str
    to: str
    until: float


def provider_from(settings: Settings) -> Provider | None:
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    return Provider(
        settings.oidc_issuer, client_id=settings.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        redirect_uri=f"{settings.public_url}{CALLBACK}",
    )  # fmt: skip


async def begin(desk: Desk, provider: Provider, to: str, now: datetime) -> tuple[Begun, bytes]:
    """The second is for the cookie. Raises DomainError `unavailable` while the provider is away."""
    try:
        begun = await provider.begin()
    except Unreachable as down:
        raise _away(down) from None
    until = (now + LASTS).timestamp()
    kept = UnderWay(begun.state, begun.nonce, begun.verifier, to, until)
    return begun, Marks(desk.settings.key_ring()).seal(json.dumps(asdict(kept)).encode(), _PURPOSE)


def under_way(desk: Desk, sealed: bytes, now: datetime) -> UnderWay | None:
    """None for what is not ours, or is too old."""
    plain = Marks(desk.settings.key_ring()).unseal(sealed, _PURPOSE)
    kept = None if plain is None else UnderWay(**json.loads(plain))
    return kept if kept is not None and now.timestamp() < kept.until else None


async def finish(
    desk: Desk, provider: Provider, kept: UnderWay, code: str, device: Device, *, now: datetime, old_token: str | None
) -> Opened:
    """Raises DomainError `unauthenticated`, `too_many_requests`, `unavailable`."""
    asked = pace.from_there(Marks(desk.settings.key_ring()), device.address)
    await pace.enter(desk.pool, asked, now)
    try:
        claims = await provider.finish(code, verifier=kept.verifier, nonce=kept.nonce)
    except Unreachable as down:
        raise _away(down) from None
    except Refused as why:
        log.info("identity provider's answer refused", reason=str(why))
        await refused(desk, None, "oidc", now)
        raise DomainError("unauthenticated", "The identity provider's answer does not hold.") from None
    account = await _account(desk, provider.issuer, claims, now)
    if account is None:
        await refused(desk, None, "oidc", now)
        raise DomainError("unauthenticated", "The identity provider's answer does not hold.")
    await pace.succeeded(desk.pool, asked, now)
    return await open_session(desk, account, "oidc", device, now=now, old_token=old_token)


def _away(down: Unreachable) -> DomainError:
    log.warning("identity provider away", reason=str(down))
    return DomainError("unavailable", "The identity provider does not answer. Try again, or use your password.")


async def _account(desk: Desk, issuer: str, claims: Mapping[str, Any], now: datetime) -> Account | None:
    """Whose sign-in it is; None where nobody of the district is meant, or somebody else was before."""
    settings = desk.settings
    value = claims.get(settings.oidc_claim)
    if not isinstance(value, str) or not 1 <= len(value) <= 64:
        return None
    if settings.oidc_claim == "email" and claims.get("email_verified") is not True:
        return None
    account = await (_of_user(desk, value) if settings.oidc_matches == "user" else _of_person(desk, value, now))
    if account is None or account.disabled_at is not None or not is_of_the_district(desk, account.person):
        return None
    async with desk.pool.acquire() as connection, connection.transaction():
        pinned = await accounts.pin_subject(connection, account.person, issuer, str(claims["sub"]))
    return account if pinned else None


async def _of_user(desk: Desk, value: str) -> Account | None:
    return await accounts.by_name(desk.pool, folded_name(value))


async def _of_person(desk: Desk, value: str, now: datetime) -> Account | None:
    """The person with this id; an account is made for somebody who comes for the first time."""
    if not is_of_the_district(desk, value):
        return None
    name = folded_name(value)
    if USER_NAME.fullmatch(name):
        async with desk.pool.acquire() as connection, connection.transaction():
            if await accounts.add(connection, value, name, None, now):
                await identity_events.keep(connection, "account_added", now, by=None, person=value, password=False)
    return await accounts.of_person(desk.pool, value)
