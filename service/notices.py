"""Notices as people read them: their own inbox, how they are reached, and who was told what about a demand."""

from __future__ import annotations

from typing import Any

from domain import roles
from domain.actors import Actor
from domain.needs import Need
from domain.notice_rules import NoticeSettings, Quiet
from service.channels import configured
from service.desk import Desk
from service.notice_forms import ContactsForm, ReadForm
from service.notice_letters import words_of
from service.notice_links import Links
from service.reading import find
from service.views import View, instant, person_view
from store import contacts, notice_reading
from store.contacts import Wish
from store.notice_reading import Noticed, Sent, Shelf

After = tuple[Shelf, int]


async def inbox(desk: Desk, actor: Actor, *, after: After | None, limit: int) -> list[View]:
    """The caller's own notices: the unread first, the newest of each first."""
    shelf: Shelf = after[0] if after else "unread"
    below = after[1] if after else None
    found = await notice_reading.inbox(desk.pool, actor.id, shelf, below=below, limit=limit)
    if shelf == "unread" and len(found) < limit:
        found += await notice_reading.inbox(desk.pool, actor.id, "read", below=None, limit=limit - len(found))
    links = Links(desk.pool, desk.sealer, desk.settings)
    return [_inbox_view(desk, one, links.page_of(one), await links.code_of(one)) for one in found]


async def unread(desk: Desk, actor: Actor) -> int:
    return await notice_reading.unread(desk.pool, actor.id)


async def mark_read(desk: Desk, actor: Actor, form: ReadForm) -> View:
    """Somebody else's notices stay as they are, whatever ids are sent."""
    done = await notice_reading.mark_read(desk.pool, actor.id, form.ids, form.upto, desk.now())
    return {"read": done, "unread": await unread(desk, actor)}


def _inbox_view(desk: Desk, one: Noticed, link: str, code: str) -> View:
    words = words_of(desk.district, one, link, code)
    return {
        "id": one.id, "number": one.number, "event": one.event, "subject": words.subject if words else one.event,
        "body": words.body if words else "", "language": one.language, "urgent": one.urgent, "at": instant(one.at),
        "read_at": instant(one.read_at),
    }  # fmt: skip


# ---- how somebody is reached


async def my_contacts(desk: Desk, actor: Actor) -> View:
    """The caller's own addresses and wishes. DomainError `not_permitted` for residents, who leave theirs with a demand."""
    roles.must(actor, Need.OWN_CONTACTS, owner=actor.id)
    sealed = await contacts.sealed_contacts(desk.pool, actor.id)
    opened = {via: desk.sealer.open(one, contacts.bound_to(actor.id, via)) for via, one in sealed.items()}
    return _contacts_view(desk, opened, await contacts.wish_of(desk.pool, actor.id))


async def put_contacts(desk: Desk, actor: Actor, form: ContactsForm) -> View:
    """Raises DomainError `contact_invalid`, `not_permitted`."""
    roles.must(actor, Need.OWN_CONTACTS, owner=actor.id)
    channels = form.checked()
    sealed = {via: desk.sealer.seal(one, contacts.bound_to(actor.id, via)) for via, one in channels.items()}
    wish = Wish(form.language, form.quiet.quiet() if form.quiet else None, form.digest)
    await contacts.replace(desk.pool, actor.id, sealed, wish, desk.now())
    return _contacts_view(desk, channels, wish)


def _contacts_view(desk: Desk, channels: dict[str, str], wish: Wish) -> View:
    settings = desk.district.notices.settings
    return {
        "channels": channels, "language": wish.language, "quiet": _hours(wish.quiet), "digest": wish.digest,
        "available": sorted(configured(desk.settings)), "district": _district_view(settings),
    }  # fmt: skip


def _district_view(settings: NoticeSettings) -> View:
    """What counts where the person says nothing."""
    return {
        "language": settings.language, "quiet": _hours(settings.quiet), "channels": list(settings.channels),
        "digest_at": [f"{at:%H:%M}" for at in settings.digest_at],
    }  # fmt: skip


def _hours(quiet: Quiet | None) -> dict[str, Any] | None:
    return None if quiet is None else {"from": f"{quiet.begins:%H:%M}", "until": f"{quiet.ends:%H:%M}"}


# ---- the timeline of a demand


async def of_demand(desk: Desk, actor: Actor, number: str, *, after: int, limit: int) -> list[View]:
    """Who was to be told what, in that order, and how it went out; no addresses. DomainError `not_found`.

    A reporter sees what was told to the reporter.
    """
    await find(desk, actor, number)
    own = not roles.holds(actor, Need.SEE_INSIDE)
    found = await notice_reading.of_demand(desk.pool, number, after=after, limit=limit, reporters_only=own)
    return [_timeline_view(desk, one, sent) for one, sent in found]


def _timeline_view(desk: Desk, one: Noticed, sent: list[Sent]) -> View:
    return {
        "id": one.id, "seq": one.seq, "event": one.event, "rule": one.rule, "audience": one.audience,
        "to": person_view(desk, one.person), "template": one.template, "language": one.language, "urgent": one.urgent,
        "at": instant(one.at), "send_at": instant(one.send_at), "digest": one.digest is not None,
        "read_at": instant(one.read_at), "state": one.state,
        "deliveries": [
            {
                "channel": d.channel, "state": d.state, "attempts": d.tries, "last_error": d.last_error,
                "next_at": instant(d.next_at) if d.state in ("waiting", "failed") else None,
                "delivered_at": instant(d.delivered_at),
            }
            for d in sent
        ],
    }  # fmt: skip
