"""A report of an Open311 client becomes a demand by the ordinary `submit`; the same report again is the same demand.

What a client sends again after a time-out carries no key. It is known by the client's own number of the report, or else by
what it says, for a day.
"""

from __future__ import annotations

import hmac
import json
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.actors import Actor
from domain.errors import DomainError
from domain.open311_faults import refused
from domain.vocabulary import Channel
from service import intake
from service.desk import Desk
from service.forms import ExternalRef, SubmitForm
from service.open311_form import Report
from service.reading import current
from service.views import demand_view
from store import open311 as storing

SAME_WITHIN = timedelta(hours=24)
MOST_SYSTEM = 40

_TOKEN = re.compile(r"(\d{8}-\d{6,12})-([0-9a-f]{24})", re.ASCII)


@dataclass(frozen=True)
class Receipt:
    """What the client gets: a number, a token instead of it, or neither; `notice` says what will happen."""

    number: str | None
    token: str | None
    notice: str
    account: str | None


def system_of(actor: Actor) -> str:
    """Under which a client's own numbers stand among the external references."""
    name = f"open311/{actor.id}"
    return name if len(name) <= MOST_SYSTEM else f"open311/{intake.key_of(actor, 'open311')}"


async def take(desk: Desk, actor: Actor, report: Report, *, key: str | None = None) -> Receipt:
    """Take the report in, once. `key` is an Idempotency-Key, where a client sends one.

    Raises DomainError as `intake.submit` does.
    """
    if report.ref is None and key is None:
        number, view = await _by_what_it_says(desk, actor, report)
    else:
        number, view = await _by_its_number(desk, actor, report, f"open311 {key or report.ref} {report.digest}")
    return _receipt(desk, report, number, view)


async def _by_its_number(desk: Desk, actor: Actor, report: Report, key: str) -> tuple[str, dict[str, Any]]:
    try:
        taken = await intake.submit(desk, actor, _form(actor, report), key)
    except DomainError as refusal:
        number = refusal.facts.get("number")
        if refusal.code != "external_ref_taken" or not isinstance(number, str):
            raise
        return number, demand_view(desk, await current(desk, number), actor)  # told otherwise this time, yet the same
    return taken.number, json.loads(taken.body)


async def _by_what_it_says(desk: Desk, actor: Actor, report: Report) -> tuple[str, dict[str, Any]]:
    now = desk.now()
    keys = [f"open311 {_day(now - back)} {report.digest}" for back in (timedelta(), SAME_WITHIN)]
    before = await _answered(desk, actor, keys, now)
    if before is not None:
        return before
    try:
        taken = await intake.submit(desk, actor, _form(actor, report), keys[0])
    except DomainError as refusal:
        before = await _answered(desk, actor, keys, now) if refusal.code == "idempotency_key_reused" else None
        if before is None:
            raise
        return before
    return taken.number, json.loads(taken.body)


async def _answered(desk: Desk, actor: Actor, keys: list[str], now: datetime) -> tuple[str, dict[str, Any]] | None:
    stored = [intake.key_of(actor, key) for key in keys]
    found = await storing.answered_since(desk.pool, actor.id, stored, now - SAME_WITHIN)
    return None if found is None else (found[0], json.loads(found[1]))


def _day(at: datetime) -> int:
    return int(at.timestamp() // SAME_WITHIN.total_seconds())


def _form(actor: Actor, report: Report) -> SubmitForm:
    refs = () if report.ref is None else (ExternalRef(system=system_of(actor), number=report.ref),)
    return SubmitForm(
        text=report.text, category=report.service.category.code, location=report.location, reporter=report.reporter,
        channel=Channel.OPEN311, external_refs=refs,
    )  # fmt: skip


def _receipt(desk: Desk, report: Report, number: str, view: dict[str, Any]) -> Receipt:
    type, notice = report.service.type, _notice(desk, report, view)
    return Receipt(
        number=number if type == "realtime" else None,
        token=token_of(desk, number) if type == "batch" else None,
        notice=notice, account=report.account,
    )  # fmt: skip


def _notice(desk: Desk, report: Report, view: dict[str, Any]) -> str:
    screening = desk.district.screen(report.text) if view["outcome"] == "out_of_scope" else None
    if screening is not None:
        return screening.go_to
    due_at = view["clocks"].get("resolve", {}).get("due_at")
    if due_at is None:
        return "已受理"
    local = datetime.fromisoformat(due_at).astimezone(ZoneInfo(desk.district.timezone))
    return f"已受理，预计 {local:%Y-%m-%d %H:%M} 前办结"


# ---- tokens


def token_of(desk: Desk, number: str) -> str:
    """What a batch client asks with; made from the number alone, so that it needs no table and cannot be guessed."""
    return f"{number}-{_mac(desk, number)}"


async def of_token(desk: Desk, token: str) -> str | None:
    """The number, once the demand's workflow is under way; None before. Raises Refused for what is no token."""
    match = _TOKEN.fullmatch(token)
    if match is None or not hmac.compare_digest(match[2], _mac(desk, match[1])):
        raise refused("404004")
    waits = await storing.waits_for_start(desk.pool, match[1])
    if waits is None:
        raise refused("404004")
    return None if waits else match[1]


def _mac(desk: Desk, number: str) -> str:
    """By the oldest key, which stays when new ones are put in front of it."""
    secret = list(desk.settings.key_ring().values())[-1]
    return hmac.digest(hmac.digest(secret, b"linli open311 token", "sha256"), number.encode(), "sha256").hex()[:24]
