"""Webhooks managed by their owners: integrators their own, administrators everybody's.

Every function raises DomainError: `not_permitted`, `not_found`, `idempotency_key_reused`, and what it says itself.
"""

from __future__ import annotations

import json
import secrets
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.outgoing import TYPES, is_known
from domain.webhooks import Choice
from gateways.webhooks import signing
from gateways.webhooks.address import Guard, Refused, Target
from runtime.settings import networks_of
from service import webhook_forms as forms
from service.desk import Desk
from service.outgoing import ping, source_of
from service.repeats import Answered, Asked, other_body
from service.views import View, instant
from service.webhook_planning import CONSUMER, catch_up, delivery
from store import feed, webhook_queue, webhook_replays
from store import webhooks as storing
from store.pool import Connection
from store.webhook_queue import PING_SUBJECT, Delivery
from store.webhook_replays import Span
from store.webhooks import Webhook

MOST = 20


async def create(desk: Desk, actor: Actor, form: forms.WebhookForm, key: str | None) -> Answered:
    """The answer holds the secret, a repetition's does not: it is shown once. `webhook_url_refused`, `webhook_limit`."""
    _must_manage(actor)
    asked = Asked(desk, actor, key, f"create webhook {form.model_dump_json()}")
    if before := await asked.repetition():
        return before
    await _check(desk, form)
    id, secret, now = f"wh-{secrets.token_hex(8)}", signing.new_secret(), desk.now()
    async with storing.changing(desk.pool) as connection:
        if await storing.count_of(connection, actor.id) >= MOST:
            raise DomainError("webhook_limit", f"You have {MOST} webhooks. Delete one, or change one.", most=MOST)
        made = Webhook(
            id=id, owner=actor.id, url=form.url, description=form.description, choice=_choice(form),
            secret=desk.sealer.seal(secret, storing.bound_to(id)), old_secret=None, old_until=None,
            since=str(await feed.end(connection)), created_at=now, changed_at=now, failures=0, failing_since=None,
            rests_until=None, disabled_at=None, disabled_by=None,
        )  # fmt: skip
        view = _view(made, now)
        if not await asked.keep(connection, id, json.dumps({**view, "secret": None}, ensure_ascii=False)):
            return await asked.must_repeat()
        await storing.insert(connection, made)
        await storing.note(connection, id, now, actor.id, "created", url=form.url, **_said(form))
    return Answered(id, json.dumps({**view, "secret": secret}, ensure_ascii=False))


async def change(
    desk: Desk, actor: Actor, id: str, form: forms.WebhookForm, seen: frozenset[str] | None = None
) -> View:
    """Replace its URL and choice; what waits for it goes to the new URL. `webhook_url_refused`; `changed_meanwhile` when
    its `changed_at` is none of `seen`."""
    _must_manage(actor)
    await _own(desk, actor, id)
    await _check(desk, form)
    now = desk.now()
    async with storing.changing(desk.pool) as connection:
        hook = await _own(desk, actor, id, connection)
        if seen is not None and instant(hook.changed_at) not in seen:
            raise DomainError(
                "changed_meanwhile", "It is not what you have seen any more. Read it again, and decide anew."
            )
        await storing.change(connection, id, form.url, form.description, _choice(form), now)
        await storing.note(connection, id, now, actor.id, "changed", url=form.url, **_said(form))
    return await read(desk, actor, id)


async def delete(desk: Desk, actor: Actor, id: str) -> None:
    """With all that waits for it and its log."""
    _must_manage(actor)
    async with storing.changing(desk.pool) as connection:
        await _own(desk, actor, id, connection)
        await storing.delete(connection, id)


async def act(desk: Desk, actor: Actor, id: str, form: forms.WebhookAction, key: str | None) -> Answered:
    """Do one thing; answers with the webhook as it is afterwards, and with what came of it in `done`."""
    _must_manage(actor)
    asked = Asked(desk, actor, key, f"webhook {id} {form.model_dump_json()}")
    async with storing.changing(desk.pool) as connection:
        hook = await _own(desk, actor, id, connection)
        if before := await asked.repetition():
            return before
        now = desk.now()
        done, shown_once = await _do(desk, connection, hook, form, actor, now)
        view = _view(await _own(desk, actor, id, connection), now)
        if not await asked.keep(connection, id, json.dumps({**view, "done": done}, ensure_ascii=False)):
            raise other_body()
    return Answered(id, json.dumps({**view, "done": {**done, **shown_once}}, ensure_ascii=False))


Done = tuple[dict[str, Any], dict[str, Any]]
"""What came of an action, and what of that is shown once."""


async def _do(
    desk: Desk, connection: Connection, hook: Webhook, form: forms.WebhookAction, actor: Actor, now: datetime
) -> Done:
    done: dict[str, Any] = {}
    shown_once: dict[str, Any] = {}
    match form:
        case forms.Enable():
            done = await _enable(connection, hook, form, actor, now)
        case forms.Disable():
            reached = await feed.reached(connection, CONSUMER)
            await storing.disable(connection, hook.id, actor.id, now, reached)
        case forms.Rotate():
            shown_once["secret"] = secret = signing.new_secret()
            sealed, overlap = desk.sealer.seal(secret, storing.bound_to(hook.id)), timedelta(hours=form.overlap_hours)
            await storing.rotate(connection, hook.id, sealed, now, overlap)
            done = {"secret": None, "old_secret_until": instant(now + overlap)}
        case forms.Ping():
            one = ping(f"ping-{uuid4().hex[:16]}", source_of(desk.district.id), hook.id, now)
            planned = delivery(hook, one, subject=PING_SUBJECT)
            await webhook_queue.plan(connection, [planned], now)
            done = {"event": one.id}
        case forms.Resend():
            if await webhook_queue.delivery(connection, hook.id, form.delivery) is None:
                raise DomainError("not_found", "This webhook has no delivery of that id.", delivery=form.delivery)
            done = {"resent": await webhook_queue.send_again(connection, hook.id, now, delivery=form.delivery)}
        case forms.ResendFailed():
            done = {"resent": await webhook_queue.send_again(connection, hook.id, now, state="failed")}
        case forms.Replay():
            if form.until_at < form.from_at:
                raise DomainError("validation_failed", "The span ends before it begins.", field="/until_at")
            span = Span(form.from_at, form.until_at, await feed.end(connection))
            done = {"replay": await webhook_replays.ask(connection, hook.id, span, again=True, by=actor.id, at=now)}
    await storing.note(connection, hook.id, now, actor.id, form.type, **done)
    return done, shown_once


async def _enable(
    connection: Connection, hook: Webhook, form: forms.Enable, actor: Actor, now: datetime
) -> dict[str, Any]:
    if hook.enabled:
        return {}
    await storing.enable(connection, hook.id, str(await feed.end(connection)), now)
    return {"replay": await catch_up(connection, hook, by=actor.id, at=now)} if form.catch_up else {}


# ---- reading


async def listed(desk: Desk, actor: Actor) -> list[View]:
    """One's own; an administrator sees everybody's."""
    _must_manage(actor)
    owner = None if roles.may(actor, Need.MANAGE_WEBHOOKS) else actor.id
    now = desk.now()
    return [_view(one, now) for one in await storing.all_of(desk.pool, owner=owner)]


async def read(desk: Desk, actor: Actor, id: str) -> View:
    """With how much waits and how much was given up, who did what to it, and its replays, newest first."""
    _must_manage(actor)
    hook = await _own(desk, actor, id)
    trail, replays = await storing.changes(desk.pool, id, 50), await webhook_replays.newest(desk.pool, id, 10)
    return {
        **_view(hook, desk.now()), **await webhook_queue.open_counts(desk.pool, id),
        "changes": [{"at": instant(c.at), "by": c.actor, "what": c.what, "data": c.data} for c in trail],
        "replays": [
            {"id": r.id, "from_at": instant(r.from_at), "until_at": instant(r.until_at), "planned": r.planned,
             "asked_by": r.asked_by, "asked_at": instant(r.asked_at), "finished_at": instant(r.finished_at)}
            for r in replays
        ],
    }  # fmt: skip


async def deliveries(
    desk: Desk, actor: Actor, id: str, *, state: str | None, subject: str | None, before: int | None, limit: int
) -> list[View]:
    """The log, newest first."""
    _must_manage(actor)
    await _own(desk, actor, id)
    found = await webhook_queue.deliveries(desk.pool, id, state=state, subject=subject, before=before, limit=limit)
    return [_delivery_view(one) for one in found]


async def one_delivery(desk: Desk, actor: Actor, id: str, delivery: int) -> View:
    """With what is sent, word for word."""
    _must_manage(actor)
    await _own(desk, actor, id)
    found = await webhook_queue.delivery(desk.pool, id, delivery)
    if found is None:
        raise DomainError("not_found", "This webhook has no delivery of that id.", delivery=delivery)
    return {**_delivery_view(found), "body": json.loads(found.body)}


def _view(hook: Webhook, now: datetime) -> View:
    off = None if hook.disabled_at is None else {"at": instant(hook.disabled_at), "by": hook.disabled_by}
    overlap = hook.old_until if hook.old_until is not None and hook.old_until > now else None
    return {
        "id": hook.id, "owner": hook.owner, "url": hook.url, "description": hook.description,
        "types": hook.choice.types, "communities": hook.choice.communities, "categories": hook.choice.categories,
        "state": "disabled" if off else "failing" if hook.failing_since else "enabled", "disabled": off,
        "failures": hook.failures, "failing_since": instant(hook.failing_since), "old_secret_until": instant(overlap),
        "created_at": instant(hook.created_at), "changed_at": instant(hook.changed_at),
    }  # fmt: skip


def _delivery_view(one: Delivery) -> View:
    return {
        "id": one.id, "event": one.event, "type": one.type, "subject": one.subject, "state": one.state,
        "planned_at": instant(one.planned_at), "done_at": instant(one.done_at), "next_try_at": instant(one.next_at),
        "tries": one.tries,
    }  # fmt: skip


def _must_manage(actor: Actor) -> None:
    roles.must(actor, Need.MANAGE_WEBHOOKS, owner=actor.id)


async def _own(desk: Desk, actor: Actor, id: str, connection: Connection | None = None) -> Webhook:
    """On a `connection` its row is locked too."""
    hook = await storing.one(connection or desk.pool, id, lock=connection is not None)
    if hook is None or not roles.may(actor, Need.MANAGE_WEBHOOKS, owner=hook.owner):
        raise DomainError("not_found", "There is no such webhook, or it is not yours.")
    return hook


def _choice(form: forms.WebhookForm) -> Choice:
    return Choice(*(storing.strings(values) for values in (form.types, form.communities, form.categories)))


def _said(form: forms.WebhookForm) -> dict[str, Any]:
    return form.model_dump(mode="json", include={"types", "communities", "categories"})


async def _check(desk: Desk, form: forms.WebhookForm) -> None:
    """Raises DomainError: `webhook_url_refused`, `unknown_event_type`, `unknown_community`, `unknown_category`."""
    for one in form.types:
        if not is_known(one):
            raise DomainError("unknown_event_type", "There is no event of this type.", type=one, known=list(TYPES))
    for community in form.communities:
        desk.district.community(community)
    codes = [category.code for category in desk.district.categories]
    for category in form.categories:
        if not any(code.startswith(category) for code in codes):
            raise DomainError("unknown_category", "There is no category or branch of this code.", category=category)
    try:
        target = Target.of(form.url)
        guard = Guard(networks_of(desk.settings.webhook_allow))
        await guard.addresses(target.host, target.port, encrypted=target.encrypted)
    except Refused as refused:
        rule = "A webhook's URL is https, and its host an address that is reachable from the internet."
        raise DomainError("webhook_url_refused", rule, reason=refused.code, field="/url") from None
