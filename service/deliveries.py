"""Deliveries for those who look after them: what is stuck and why, tried anew, and how each channel does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import asyncpg
import structlog

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.notice_rules import VIAS
from gateways.sending import Message
from service.channels import configured, open_gateway
from service.delivery_forms import ReplayForm
from service.desk import Desk
from service.repeats import Answered, Asked
from service.views import View, instant, person_view
from store import delivery_lists
from store.contacts import bound_to, sealed_contacts
from store.deliveries import channel_works
from store.delivery_lists import MOST_AT_ONCE, Key, Span, Wanted

_ZERO = datetime.fromtimestamp(0, UTC)

log = structlog.get_logger()


async def listed(desk: Desk, actor: Actor, wanted: Wanted, *, after: Key | None, limit: int) -> list[tuple[View, Key]]:
    """Those that are on their way or dead, oldest planned first, each with its key. DomainError `not_permitted`."""
    roles.must(actor, Need.SEE_DELIVERIES)
    now = desk.now()
    rows = await delivery_lists.page(desk.pool, wanted, after=after, limit=limit)
    return [(_view(desk, row, now), (row["position"], row["id"])) for row in rows]


async def one(desk: Desk, actor: Actor, id: int) -> View:
    """One delivery with each of its attempts. Raises DomainError `not_permitted`, `not_found`."""
    roles.must(actor, Need.SEE_DELIVERIES)
    found = await delivery_lists.one(desk.pool, id)
    if found is None:
        raise DomainError("not_found", "There is no delivery with this id.")
    row, attempts = found
    tried = [
        {"started_at": instant(a.started_at), "ended_at": instant(a.ended_at), "outcome": a.outcome, "reason": a.code}
        for a in attempts
    ]
    return {**_view(desk, row, desk.now()), "tried": tried}


async def summary(desk: Desk, actor: Actor) -> View:
    """How many are in which state and how old the oldest is, in all and by channel. DomainError `not_permitted`."""
    roles.must(actor, Need.SEE_DELIVERIES)
    now = desk.now()
    by_channel = await counts_by_channel(desk, now)
    states = (*delivery_lists.OPEN, "dead")
    total = {state: sum(counted[state] for counted in by_channel.values()) for state in states}
    return {"as_of": instant(now), **total, "channels": by_channel}


async def replay_notice(desk: Desk, actor: Actor, notice: int, key: str | None) -> Answered:
    """Raises DomainError `not_permitted`, `not_found`, `nothing_to_replay`."""
    roles.must(actor, Need.REPLAY_DELIVERIES)
    asked = Asked(desk, actor, key, f"replay notice {notice}")
    if (repetition := await asked.repetition()) is not None:
        return repetition
    async with desk.pool.acquire() as connection, connection.transaction():
        done = await delivery_lists.replay_notice(connection, notice, desk.now())
        if done is None:
            raise DomainError("not_found", "There is no notice with this id.")
        if not done:
            raise DomainError("nothing_to_replay", "None of its deliveries has failed.")
        body = json.dumps({"notice": notice, "replayed": len(done), "deliveries": done})
        first = await asked.keep(connection, str(notice), body)
    log.info("deliveries replayed", by=actor.id, notice=notice, count=len(done))
    return Answered(str(notice), body) if first else await asked.must_repeat()


async def replay_span(desk: Desk, actor: Actor, form: ReplayForm, key: str | None) -> Answered:
    """Raises DomainError `not_permitted`, `validation_failed` for a span that ends before it begins."""
    roles.must(actor, Need.REPLAY_DELIVERIES)
    if form.ends <= form.begins:
        raise DomainError("validation_failed", "`until` lies after `from`.", field="/until")
    asked = Asked(desk, actor, key, f"replay {form.model_dump_json()}")
    if (repetition := await asked.repetition()) is not None:
        return repetition
    span = Span(_position(form.begins), _position(form.ends), form.channel, form.reason)
    async with desk.pool.acquire() as connection, connection.transaction():
        done = await delivery_lists.replay_span(connection, span, desk.now())
        body = json.dumps({"replayed": len(done), "more": len(done) == MOST_AT_ONCE})
        first = await asked.keep(connection, "deliveries", body)
    log.info("deliveries replayed", by=actor.id, channel=form.channel, count=len(done))
    return Answered("deliveries", body) if first else await asked.must_repeat()


# ---- channels


async def channels(desk: Desk, actor: Actor) -> list[View]:
    """Every channel there is: set up or not, whether it works, what it has to do. DomainError `not_permitted`."""
    roles.must(actor, Need.SEE_DELIVERIES)
    counted, ready = await counts_by_channel(desk, desk.now()), configured(desk.settings)
    states = await delivery_lists.channel_states(desk.pool)
    return [
        {"name": name, "configured": name in ready, **_health(states.get(name), name in ready), **counted[name]}
        for name in VIAS
    ]


async def test_channel(desk: Desk, actor: Actor, name: str, key: str | None) -> Answered:
    """Send a test message to the caller's own address, at once and from this process.

    Raises DomainError `not_permitted`, `not_found` for a channel there is not, `channel_not_configured`, `no_contact`.
    """
    roles.must(actor, Need.REPLAY_DELIVERIES)
    if name not in VIAS:
        raise DomainError("not_found", "There is no such channel.", channels=list(VIAS))
    if name not in configured(desk.settings):
        raise DomainError("channel_not_configured", "Set it up in the settings of API and worker.", channel=name)
    asked = Asked(desk, actor, key, f"test channel {name}")
    if (repetition := await asked.repetition()) is not None:
        return repetition
    sealed = (await sealed_contacts(desk.pool, actor.id)).get(name)
    if sealed is None:
        raise DomainError("no_contact", "Enter your own address for this channel first.", channel=name)
    body = await _tested(desk, name, desk.sealer.open(sealed, bound_to(actor.id, name)))
    async with desk.pool.acquire() as connection, connection.transaction():
        first = await asked.keep(connection, name, body)
    return Answered(name, body) if first else await asked.must_repeat()


async def _tested(desk: Desk, name: str, address: str) -> str:
    began, district = desk.now(), desk.district.name
    gateway = open_gateway(desk.settings, name)
    try:
        message = Message(
            id=f"test.{uuid4().hex}", address=address, at=began, subject=f"{district}：测试消息 Test",
            body="这是一条测试消息，收到即表示该渠道可用。\nA test message: this channel works.\n",
        )  # fmt: skip
        outcome = await gateway.send(message)
    finally:
        await gateway.close()
    if outcome.delivered:  # whoever has just mended it need not wait for the next probe
        await channel_works(desk.pool, name, desk.now())
    seconds = round((desk.now() - began).total_seconds(), 2)
    return json.dumps({"channel": name, "outcome": outcome.kind, "reason": outcome.reason, "seconds": seconds})


# ---- views


def _view(desk: Desk, row: asyncpg.Record, now: datetime) -> View:
    planned = _ZERO + timedelta(milliseconds=row["position"])
    waited = None if row["state"] == "delivered" else max(round((now - planned).total_seconds()), 0)
    return {
        "id": row["id"], "notice": row["notice"], "event": row["event"], "number": row["number"],
        "channel": row["channel"], "state": row["state"], "reason": row["last_error"], "attempts": row["attempts"],
        "recipient": {"role": "reporter"} if row["person"] is None else person_view(desk, row["person"]),
        "urgent": row["urgent"], "planned_at": instant(planned), "age_seconds": waited,
        "next_at": instant(row["next_at"]) if row["state"] in ("waiting", "failed") else None,
        "delivered_at": instant(row["delivered_at"]), "replayed_at": instant(row["replayed_at"]),
    }  # fmt: skip


async def counts_by_channel(desk: Desk, now: datetime) -> dict[str, View]:
    empty: dict[str, Any] = {**dict.fromkeys((*delivery_lists.OPEN, "dead"), 0), "oldest_open_at": None}
    found: dict[str, View] = {name: dict(empty) for name in VIAS}
    oldest: dict[str, int] = {}
    for row in await delivery_lists.counts(desk.pool, now):
        name, state = row["channel"], row["state"]
        found[name][state] = row["n"]
        if state in delivery_lists.OPEN:
            oldest[name] = min(row["oldest"], oldest.get(name, row["oldest"]))
    for name, position in oldest.items():
        found[name]["oldest_open_at"] = instant(_ZERO + timedelta(milliseconds=position))
    return found


def _health(row: Any, ready: bool) -> View:
    """`works`: yes, no, or null for a channel that is not set up or that nobody has used yet."""
    if row is None:
        return {"works": None, "down_since": None, "next_probe_at": None, "last_success_at": None, "last_failure_at": None,
                "last_failure": None}  # fmt: skip
    works = row["down_since"] is None and row["last_success_at"] is not None
    return {
        "works": (works or (False if row["down_since"] is not None else None)) if ready else None,
        "down_since": instant(row["down_since"]), "next_probe_at": instant(row["probe_at"]),
        "last_success_at": instant(row["last_success_at"]), "last_failure_at": instant(row["last_failure_at"]),
        "last_failure": row["last_failure"],
    }  # fmt: skip


def _position(at: datetime) -> int:
    return int(at.timestamp() * 1000)
