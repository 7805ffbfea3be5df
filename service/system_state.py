"""How the parts of the system do, for those who look after it: what waits, who is silent, what fails.

Each part is `ok`, `slow` (look at it), `down` (residents or receivers will notice) or `off` (not set up). The whole is as the
worst of them. What was found is kept for a few seconds, so that a page with this on it costs nothing to open often.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from domain import roles
from domain.actors import Actor
from domain.needs import Need
from gateways.temporal import UNREACHABLE
from gateways.temporal.pollers import last_polls
from service import deliveries
from service.channels import configured
from service.desk import UNAVAILABLE, Desk
from service.views import View, instant
from store import delivery_lists
from store import system_state as stored

State = Literal["ok", "slow", "down", "off"]
PARTS = ("database", "temporal", "workers", "queue", "events", "receivers", "channels")
_ORDER: tuple[State, ...] = ("off", "ok", "slow", "down")

KEPT_SECONDS = 5.0
PATIENCE = timedelta(seconds=2)
SLOW_ANSWER = timedelta(milliseconds=500)
# A worker says every five seconds that it is there, and a poll of Temporal waits a minute for work.
SILENT, LOST = timedelta(seconds=12), timedelta(seconds=25)
LONGEST_POLL = timedelta(seconds=120)
LATE, TOO_LATE = timedelta(seconds=30), timedelta(minutes=5)
IDLE_FEED = timedelta(minutes=5)
"""A consumer with nobody to serve goes along the feed only now and then."""

Look = Callable[[Desk], Awaitable[View]]

_kept: dict[tuple[str, str], tuple[float, View]] = {}


async def system(desk: Desk, actor: Actor) -> View:
    """Raises DomainError `not_permitted`. Which receivers fail is told to those who look after deliveries."""
    roles.must(actor, Need.SEE_SYSTEM)
    found = await _found(desk)
    if roles.holds(actor, Need.SEE_DELIVERIES):
        return found
    receivers = {**found["parts"]["receivers"], "failing": []}
    return {**found, "parts": {**found["parts"], "receivers": receivers}}


async def _found(desk: Desk) -> View:
    key = (desk.settings.database_url, desk.settings.task_queue)
    kept = _kept.get(key)
    if kept is not None and time.monotonic() - kept[0] < KEPT_SECONDS:
        return kept[1]
    looks: dict[str, Look] = {
        "database": _database, "temporal": _temporal, "workers": _workers, "queue": _queue, "events": _events,
        "receivers": _receivers, "channels": _channels,
    }  # fmt: skip
    answers = await asyncio.gather(*(_looked(look, desk) for look in looks.values()))
    parts = dict(zip(looks, answers, strict=True))
    view: View = {
        "as_of": instant(desk.now()),
        "state": worst(part["state"] for part in parts.values()),
        "parts": parts,
    }
    _kept.clear()
    _kept[key] = (time.monotonic(), view)
    return view


def worst(states: Iterable[State]) -> State:
    return max(states, key=_ORDER.index, default="ok")


async def _looked(look: Look, desk: Desk) -> View:
    """What cannot be looked at is down, with the kind of error as the reason."""
    try:
        async with asyncio.timeout(PATIENCE.total_seconds()):
            return await look(desk)
    except (*UNAVAILABLE, *UNREACHABLE) as lost:
        return {"state": "down", "reason": type(lost).__name__}


def _by_age(age: timedelta | None, late: timedelta = LATE, too_late: timedelta = TOO_LATE) -> State:
    if age is None or age < late:
        return "ok"
    return "slow" if age < too_late else "down"


def _seconds(age: timedelta | None) -> int | None:
    return None if age is None else max(round(age.total_seconds()), 0)


# ---- the servers


async def _database(desk: Desk) -> View:
    return await _timed(desk.pool.fetchval("select 1"))


async def _temporal(desk: Desk) -> View:
    return await _timed(desk.temporal.service_client.check_health(timeout=PATIENCE))


async def _timed(answer: Awaitable[object]) -> View:
    began = time.perf_counter()
    await answer
    took = timedelta(seconds=time.perf_counter() - began)
    return {"state": "slow" if took > SLOW_ANSWER else "ok", "answered_in_ms": round(took.total_seconds() * 1000)}


# ---- the workers


async def _workers(desk: Desk) -> View:
    """Those that said they are there, with when each last asked Temporal for work. One that is well is enough."""
    beats, now = await stored.workers(desk.pool), desk.now()
    try:
        polls = await last_polls(desk.temporal, desk.settings.task_queue, PATIENCE / 2)
    except UNREACHABLE:
        polls = {}
    views = [_worker(one, polls.get(one.worker), now) for one in beats]
    views.sort(key=lambda view: _ORDER.index(view["state"]))
    state: State = min((view["state"] for view in views), key=_ORDER.index, default="down")
    return {"state": state, "workers": views}


def _worker(one: stored.Worker, polled: datetime | None, now: datetime) -> View:
    polls = polled is not None and now - polled < LONGEST_POLL
    state: State = _by_age(one.silent, SILENT, LOST)
    if state == "ok" and not polls:
        state = "slow"
    return {
        "worker": one.worker, "state": state, "begun_at": instant(one.begun_at), "seen_at": instant(one.seen_at),
        "silent_seconds": _seconds(one.silent), "polled_at": instant(polled),
    }  # fmt: skip


# ---- what waits


async def _queue(desk: Desk) -> View:
    """Demands whose workflow is not known to run yet, and those that are to go on with another calendar."""
    found = {one.kind: one for one in await stored.outbox(desk.pool)}
    start, adopt = found.get("start"), found.get("adopt")
    oldest = start.oldest if start else None
    return {
        "state": _by_age(oldest), "starts_waiting": start.waiting if start else 0, "oldest_seconds": _seconds(oldest),
        "tried_again": start.tried_again if start else 0, "calendars_waiting": adopt.waiting if adopt else 0,
        "counted_to": stored.MOST_COUNTED,
    }  # fmt: skip


async def _events(desk: Desk) -> View:
    """How far each consumer of the feed is behind; one with nobody to serve may take its time."""
    busy = {"notices": True, "webhooks": await stored.receivers(desk.pool) > 0}
    views: list[View] = []
    for one in await stored.consumers(desk.pool):
        patience = LATE if busy.get(one.name, False) else IDLE_FEED
        state = _by_age(one.oldest, patience, patience + TOO_LATE)
        views.append({
            "consumer": one.name, "state": state, "waiting": one.waiting, "oldest_seconds": _seconds(one.oldest),
            "moved_at": instant(one.moved_at),
        })  # fmt: skip
    oldest = max((view["oldest_seconds"] or 0 for view in views), default=0)
    return {
        "state": worst(view["state"] for view in views), "oldest_seconds": oldest, "consumers": views,
        "counted_to": stored.MOST_COUNTED,
    }  # fmt: skip


# ---- who is told


async def _receivers(desk: Desk) -> View:
    """Webhooks. One that was turned off because it failed too long needs somebody; one that fails is tried again."""
    failing = await stored.failing_receivers(desk.pool)
    views = [
        {
            "id": row["id"], "owner": row["owner"], "description": row["description"],
            "host": urlsplit(row["url"]).hostname, "failures": row["failures"], "demands_waiting": row["queues"],
            "failing_since": instant(row["failing_since"]), "rests_until": instant(row["rests_until"]),
            "disabled_at": instant(row["disabled_at"]), "state": "down" if row["disabled_at"] else "slow",
        }
        for row in failing
    ]  # fmt: skip
    active = await stored.receivers(desk.pool)
    state: State = worst(view["state"] for view in views) if views else "ok" if active else "off"
    return {"state": state, "active": active, "failing_count": len(views), "failing": views}


async def _channels(desk: Desk) -> View:
    """The channels that messages go out through. Dead deliveries have an owner each; they do not make a channel bad."""
    ready = configured(desk.settings)
    counted = await deliveries.counts_by_channel(desk, desk.now())
    states = await delivery_lists.channel_states(desk.pool)
    views = []
    for name, counts in counted.items():
        row: Any = states.get(name)
        rests = row is not None and row["down_since"] is not None
        state: State = "off" if name not in ready else "down" if rests else "ok"
        views.append({
            "channel": name, "state": state, "waiting": sum(counts[one] for one in delivery_lists.OPEN),
            "dead": counts["dead"], "oldest_open_at": counts["oldest_open_at"],
            "down_since": instant(row["down_since"]) if row else None, "last_failure": row["last_failure"] if row else None,
            "last_success_at": instant(row["last_success_at"]) if row else None,
        })  # fmt: skip
    return {"state": worst(view["state"] for view in views), "channels": views}
