"""Carries out a publication of any kind: planned and checked, tried in a dry run or written, once for a key.

plan (what it changes, what it would do) ──> fits the district at every instant to come ──> dry run ends here
                                                                                       └──> one transaction
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.errors import ConfigError, DomainError
from domain.worktime import Calendar
from service.admin_diff import differences
from service.desk import UNAVAILABLE, Desk
from service.pack_checks import check_district
from service.pack_findings import invalid
from service.publish_in_force import CANCELLATION, Base, InForce, in_force, versions
from service.repeats import Answered, Asked, other_body
from service.views import View, instant, person_view
from store import publications as storing
from store.publications import Publication

TRIES = 5
FURTHEST = timedelta(days=5 * 366)


@dataclass(frozen=True)
class Published:
    """`body` is the JSON answer; `id` is None for a dry run, `repeated` tells an answer that was given before."""

    body: str
    id: int | None = None
    repeated: bool = False


@dataclass(frozen=True)
class Plan:
    """A publication that has been checked by itself against what is in force as of `as_of`.

    `before` is what it takes the place of, as JSON like `body`; `effective_at` is None where it counts at once. `told` is
    said in the answer only, `impact` is kept too.
    """

    kind: str
    key: str
    version: str
    body: str
    as_of: int
    impact: Mapping[str, Any]
    before: str | None = None
    effective_at: datetime | None = None
    calendars: Mapping[int, Calendar] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)

    def publication(self, by: str, at: datetime) -> Publication:
        """As it would stand in the table."""
        return Publication(
            self.as_of + 1, self.kind, self.key, self.version, json.loads(self.body), self.impact, by, at,
            self.effective_at or at,
        )  # fmt: skip


Planned = Callable[[InForce], Awaitable[Plan]]


def to_come(effective_at: datetime | None, now: datetime) -> datetime | None:
    """Raises DomainError `validation_failed` for an instant that has passed, or is more than five years away."""
    if effective_at is None:
        return None
    if effective_at <= now:
        raise DomainError("validation_failed", "That has passed. Leave it out for now.", field="/effective_at")
    if effective_at > now + FURTHEST:
        raise DomainError("validation_failed", "That is more than five years away.", field="/effective_at")
    return effective_at.astimezone(UTC)


def last_of(line: Sequence[Publication], at: datetime) -> Publication | None:
    """What a new version that counts from `at` on takes the place of: the last of the line.

    Raises DomainError `change_scheduled` for a version that would count before that one: nobody would know on which of the
    two the later one was to build.
    """
    if not line:
        return None
    last = line[-1]
    if not last.counts(at):
        rule = "A change of this is scheduled already. Cancel that one, or let yours count from then on or later."
        raise DomainError("change_scheduled", rule, publication=last.id, effective_at=instant(last.effective_at))
    return last


def as_json(one: Publication | None) -> str | None:
    return None if one is None else json.dumps(one.body)


async def standing_now(desk: Desk) -> InForce:
    """Of this moment; when it cannot be worked out, because this year has no table yet, what was in force until now."""
    try:
        return await desk.watch.take_over()
    except ConfigError:
        return desk.watch.in_force


async def carry_out(
    desk: Desk, asked: Asked, planned: Planned, now: datetime, *, dry_run: bool, again: bool = False
) -> Published:
    """With `again`, what somebody else has published meanwhile is planned upon once more, instead of refused."""
    if dry_run:
        plan = await _checked(desk, asked, planned, now)
        return Published(_json({**plan.impact, **plan.told}))
    before = await asked.repetition()
    if before is not None:
        return _repeated(before)
    try:
        published = await _tried(desk, asked, planned, now, tries=TRIES if again else 1)
    except DomainError:
        before = await asked.repetition()  # it may have been this very request, sent twice
        if before is None:
            raise
        return _repeated(before)
    with contextlib.suppress(ConfigError, *UNAVAILABLE):  # it is published; what is not done now, the watch does
        await desk.watch.look()
    return published


async def _tried(desk: Desk, asked: Asked, planned: Planned, now: datetime, *, tries: int) -> Published:
    for left in range(tries - 1, -1, -1):
        plan = await _checked(desk, asked, planned, now)
        try:
            return await _publish(desk, asked, plan, now)
        except DomainError as refused:
            if refused.code != "published_meanwhile" or not left:
                raise
    raise AssertionError("the last try returns or raises")


async def _checked(desk: Desk, asked: Asked, planned: Planned, now: datetime) -> Plan:
    standing = await standing_now(desk)
    plan = await planned(standing)
    await must_fit(desk.watch.base, standing, plan.publication(asked.by, now))
    changes = None if plan.kind == CANCELLATION else differences(_parsed(plan.before), json.loads(plan.body))
    return Plan(**{**plan.__dict__, "impact": {**plan.impact, "changes": changes}})


def _parsed(text: str | None) -> Any:
    return None if text is None else json.loads(text)


async def must_fit(base: Base, standing: InForce, new: Publication) -> None:
    """The whole district is sound from the instant on at which this counts, also with all that is scheduled after it.

    Raises DomainError `publication_invalid`; `at` says when it would not be.
    """
    every = (*standing.publications, new)
    first = max(new.effective_at, new.published_at)
    for at in sorted({first, *(one.effective_at for one in standing.ahead() if one.effective_at > first)}):
        try:
            problems = check_district(in_force(base, every, at).district)
        except ConfigError as wrong:
            problems = [wrong]
        if problems:
            refused = invalid(problems)
            when = {"at": instant(at)} if at > first else {}
            raise DomainError(refused.code, refused.rule, **refused.facts, **when)
        await asyncio.sleep(0)


async def _publish(desk: Desk, asked: Asked, plan: Plan, now: datetime) -> Published:
    async with storing.publishing(desk.pool) as transaction:
        if await transaction.newest_id() != plan.as_of:
            raise DomainError("published_meanwhile", "Something else was published just now. Look at a dry run again.")
        await transaction.keep_calendars(list(plan.calendars.values()))
        queued = await transaction.queue(versions(plan.calendars)) if plan.calendars else 0
        impact = {**plan.impact, "queued": queued}
        id = await transaction.insert(
            kind=plan.kind, key=plan.key, version=plan.version, body=plan.body, impact=impact, by=asked.by, at=now,
            effective_at=plan.effective_at,
        )  # fmt: skip
        about = {"id": id, **named(plan), **published_by(desk, asked.by, now)}
        answer = _json({**about, "effective_at": instant(plan.effective_at or now), **impact, **plan.told})
        if not await asked.keep(transaction.connection, str(id), answer):
            raise other_body()
    return Published(answer, id)


def _repeated(before: Answered) -> Published:
    return Published(before.body, int(before.id), repeated=True)


def named(one: Plan | Publication) -> View:
    return {"kind": one.kind, "key": one.key, "version": one.version}


def published_by(desk: Desk, by: str, at: datetime) -> View:
    return {"published_by": person_view(desk, by), "published_at": instant(at)}


def _json(answer: Mapping[str, Any]) -> str:
    return json.dumps(answer, ensure_ascii=False)
