"""What a session token or an API key stands for: one indexed look-up, to be remembered for a few seconds.

    linli_<prefix: 12 letters and digits>_<secret: 52 letters and digits>

Who presents one often does not cause a write each time: when it was last seen or used is kept coarsely.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.scopes import Scope
from service.desk import Desk
from service.identity_marks import token_hash
from service.sign_in import idle_limit
from store import account_sessions, api_keys

SEEN_EVERY, USED_EVERY = timedelta(minutes=1), timedelta(minutes=10)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY = re.compile(r"linli_([a-z2-7]{12})_[a-z2-7]{52}")
_WORDS = frozenset(Scope)


@dataclass(frozen=True)
class Found:
    """`session` is set for a session and `key` for a key; a session has no scopes, because it is not narrowed."""

    person: str
    expires_at: datetime
    session: str | None = None
    key: str | None = None
    scopes: frozenset[Scope] | None = None


async def by_session(desk: Desk, token: str) -> Found | None:
    """None for whatever is not a live session of somebody who may sign in."""
    if not _TOKEN.fullmatch(token):
        return None
    now = desk.now()
    session = await account_sessions.by_token(desk.pool, token_hash(token), now, idle_limit(desk, now))
    if session is None:
        return None
    if session.last_seen_at < now - SEEN_EVERY:
        await account_sessions.seen(desk.pool, session.id, now)
    return Found(session.person, session.expires_at, session=session.id)


async def by_key(desk: Desk, token: str) -> Found | None:
    """None for whatever is not a live key of somebody whose account is not disabled."""
    match = _KEY.fullmatch(token)
    if match is None:
        return None
    now = desk.now()
    kept = await api_keys.to_check(desk.pool, match[1], now)
    if kept is None:
        return None
    key, hash = kept
    if not hmac.compare_digest(hash, token_hash(token)):
        return None
    if key.last_used_at is None or key.last_used_at < now - USED_EVERY:
        await api_keys.used(desk.pool, key.id, now)
    # A word that this version does not know opens nothing.
    scopes = frozenset(Scope(word) for word in key.scopes if word in _WORDS)
    return Found(key.owner, key.expires_at, key=key.id, scopes=scopes)
