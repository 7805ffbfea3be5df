"""How sessions and what was done of them are shown."""

from __future__ import annotations

from datetime import timedelta

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.vocabulary import Role
from service.desk import Desk
from service.sign_in import idle_limit
from service.views import View, instant, person_view
from store import account_sessions, accounts, identity_events
from store.account_sessions import Session
from store.identity_events import IdentityEvent

KINDS = (
    "account_added", "account_disabled", "account_enabled", "account_unlinked", "key_made", "key_revoked",
    "key_rotated", "password_changed", "password_set", "session_revoked", "sessions_revoked", "sign_in_refused",
    "signed_in", "signed_out",
)  # fmt: skip


def session_view(desk: Desk, session: Session, current: str | None) -> View:
    idle = timedelta(hours=desk.settings.session_idle_hours)
    return {
        "id": session.id, "current": session.id == current, "how": session.how, "device": session.device,
        "created_at": instant(session.created_at), "last_seen_at": instant(session.last_seen_at),
        "expires_at": instant(min(session.expires_at, session.last_seen_at + idle)),
    }  # fmt: skip


async def me(desk: Desk, actor: Actor, session: str | None) -> View:
    """Who acts and what they may; `user` and `session` are None for whoever has none."""
    known = desk.district.directory.people.get(actor.id)
    account = None if known is None else await accounts.of_person(desk.pool, actor.id)
    own = [] if session is None else await sessions_of(desk, actor.id, session)
    return {
        "person": person_view(desk, actor.id),
        "titles": [] if known is None else list(known.titles),
        "user": None if account is None else account.name,
        "roles": [grant.model_dump(mode="json") for grant in actor.grants],
        "session": next((one for one in own if one["current"]), None),
    }


async def sessions_of(desk: Desk, person: str, current: str | None) -> list[View]:
    now = desk.now()
    found = await account_sessions.of_person(desk.pool, person, now, idle_limit(desk, now))
    return [session_view(desk, one, current) for one in found]


async def events(
    desk: Desk, actor: Actor, *, person: str | None, kind: str | None, before: int | None, limit: int
) -> list[IdentityEvent]:
    """Newest first. Administrators and auditors read all of it, everybody what is about themselves.

    Raises DomainError `not_permitted`, `invalid_filter`.
    """
    if kind is not None and kind not in KINDS:
        raise DomainError("invalid_filter", "There are no events of this kind.", allowed=list(KINDS))
    if not roles.may(actor, Need.SEE_IDENTITY_EVENTS, owner=person):
        rule = "Give `person` with your own id; the whole list is for administrators and auditors."
        raise DomainError("not_permitted", rule, allowed=[Role.ADMIN, Role.AUDITOR])
    return await identity_events.page(desk.pool, person=person, kind=kind, before=before, limit=limit)


def event_view(desk: Desk, event: IdentityEvent) -> View:
    return {
        "id": event.id, "at": instant(event.at), "kind": event.kind, "by": person_view(desk, event.by),
        "person": person_view(desk, event.person), **event.data,
    }  # fmt: skip
