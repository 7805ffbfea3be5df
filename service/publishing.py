"""Publishing a holiday year or new promises: checked like a file, tried in a dry run, then in force without a restart.

    checked ──> impact (dry run ends here) ──> one transaction: publication, calendars, outbox rows `adopt`
                                                    │
    relay: signal `adopt` to each open demand  <────┘      every process takes it over (service/publish_watch.py)

Open demands go on with the new calendar and keep their targets; new promises are for demands that come after.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain import roles
from domain.actors import Actor
from domain.errors import ConfigError, DomainError
from domain.needs import Need
from domain.policies import RoutingRules, Sla
from service.calendars import HolidayYear, check_dates, check_neighbours, merge
from service.desk import Desk
from service.pack_findings import Findings, invalid
from service.pack_settings_checks import check_sla
from service.publish_carry import (
    Plan,
    Published,
    as_json,
    carry_out,
    last_of,
    named,
    published_by,
    standing_now,
    to_come,
)
from service.publish_district import PERSON_LEAVE, UNIT
from service.publish_impact import calendar_impact, sla_impact
from service.publish_in_force import HOLIDAY_YEAR, ROUTING, SLA, InForce, almanac_of, wanted
from service.repeats import Asked
from service.routing_dry_run import routing_impact
from service.views import View, instant
from store import concerned
from store import publications as storing
from store.publications import Publication

NEW = "this publication"


async def publish_year(desk: Desk, actor: Actor, year: HolidayYear, *, dry_run: bool, key: str | None) -> Published:
    """Publish the holidays of a year, or say what that would change.

    Raises DomainError: `not_permitted`, `publication_invalid`, `already_published`, `published_meanwhile`,
    `idempotency_key_reused`.
    """
    roles.must(actor, Need.PUBLISH_CALENDAR)
    now = desk.now()
    asked = Asked(desk, actor, key, f"publish calendar {year.model_dump_json(by_alias=True)}")
    return await carry_out(desk, asked, lambda standing: _plan_year(desk, standing, year, now), now, dry_run=dry_run)


async def publish_sla(
    desk: Desk, actor: Actor, sla: Sla, *, dry_run: bool, key: str | None, effective_at: datetime | None = None
) -> Published:
    """Publish the promises that demands get from now on, or from an instant to come; or say whom they would differ from.

    Raises like `publish_year`, and `change_scheduled`.
    """
    roles.must(actor, Need.PUBLISH_PROMISES)
    now = desk.now()
    at = to_come(effective_at, now)
    asked = Asked(desk, actor, key, f"publish sla {sla.model_dump_json()} {at}")
    return await carry_out(desk, asked, lambda standing: _plan_sla(desk, standing, sla, at), now, dry_run=dry_run)


async def publish_routing(
    desk: Desk,
    actor: Actor,
    rules: RoutingRules,
    *,
    dry_run: bool,
    key: str | None,
    effective_at: datetime | None = None,
) -> Published:
    """Publish the rules by which units are asked from now on, or from an instant to come; or say who would be asked.

    Raises like `publish_year`, and `change_scheduled`.
    """
    roles.must(actor, Need.PUBLISH_ROUTING)
    now = desk.now()
    at = to_come(effective_at, now)
    asked = Asked(desk, actor, key, f"publish routing {rules.model_dump_json()} {at}")
    return await carry_out(desk, asked, lambda standing: _plan_routing(desk, standing, rules, at), now, dry_run=dry_run)


async def publications(desk: Desk, actor: Actor, *, before: int | None, limit: int) -> list[View]:
    """Newest first, without their bodies."""
    roles.must(actor, Need.SEE_PUBLICATIONS)
    await standing_now(desk)
    return [_view(desk, _for(actor, one)) for one in await storing.page(desk.pool, before=before, limit=limit)]


async def ahead(desk: Desk, actor: Actor) -> list[View]:
    """What is yet to take effect, soonest first, each as in the list."""
    roles.must(actor, Need.SEE_PUBLICATIONS)
    standing = await standing_now(desk)
    return [_view(desk, _for(actor, one)) for one in standing.ahead()]


async def publication(desk: Desk, actor: Actor, id: int) -> View:
    """One, with what was published and how many demands are still to follow. Raises DomainError `not_found`."""
    roles.must(actor, Need.SEE_PUBLICATIONS)
    await standing_now(desk)
    one = await storing.one(desk.pool, id)
    if one is None:
        raise DomainError("not_found", "There is no publication with this id.")
    left = await storing.left_of(desk.pool, list(one.impact.get("calendars", {}).values()))
    handing_over = await _to_hand_over(desk, one)
    progress = {"queued": one.impact["queued"], "left": left.waiting + handing_over, "put_off": left.put_off}
    shown = _for(actor, one)
    return {**_view(desk, shown), "body": shown.body, "progress": progress}


def _for(actor: Actor, one: Publication) -> Publication:
    """When somebody is away is for those who plan with it."""
    if one.kind != PERSON_LEAVE or roles.may(actor, Need.SEE_LEAVE):
        return one
    return replace(one, body={}, impact={"queued": one.impact["queued"]})


async def _to_hand_over(desk: Desk, one: Publication) -> int:
    """Open tasks that a retired unit still has to hand over."""
    retired = one.body.get("retired") if one.kind == UNIT else None
    if retired is None or retired.get("hand_over_to") is None or desk.watch.in_force.state(one) != "in_force":
        return 0
    tasks = await concerned.of_unit(desk.pool, one.key)
    return len(tasks.leads) + len(tasks.helps)


# ---- checking


async def _plan_year(desk: Desk, standing: InForce, year: HolidayYear, now: datetime) -> Plan:
    almanac = almanac_of([y for y in standing.almanac.years if y.year != year.year] + [year])
    try:
        check_dates(NEW, year)
        check_neighbours(almanac.years, [NEW for _ in almanac.years])
    except ConfigError as wrong:
        raise invalid([wrong]) from None
    if year in standing.almanac.years:
        raise DomainError("already_published", f"The holidays of {year.year} stand like this already.", year=year.year)
    calendars = wanted(almanac, desk.watch.this_year)
    impact = {
        "calendar": calendars[desk.watch.this_year].version,
        "calendars": {str(opened): calendar.version for opened, calendar in calendars.items()},
        **await calendar_impact(desk.pool, calendars, now),
    }
    before = next(
        (entry.model_dump_json(by_alias=True) for entry in standing.almanac.years if entry.year == year.year), None
    )
    return Plan(
        kind=HOLIDAY_YEAR, key=str(year.year), version=merge((year,)).version, body=year.model_dump_json(by_alias=True),
        as_of=standing.as_of, impact=impact, calendars=calendars, before=before,
    )  # fmt: skip


async def _plan_sla(desk: Desk, standing: InForce, sla: Sla, effective_at: datetime | None) -> Plan:
    before = last_of(standing.line(SLA, ""), effective_at or desk.now())
    findings = Findings(desk.district.id)
    check_sla(desk.district.model_copy(update={"sla": sla}), findings)
    if findings.problems:
        raise invalid(findings.problems)
    _must_be_new(standing, SLA, sla.version, {standing.sla.version, desk.watch.base.sla.version})
    impact = {"sla": sla.version, **await sla_impact(desk.pool, sla)}
    return Plan(
        kind=SLA, key="", version=sla.version, body=sla.model_dump_json(), as_of=standing.as_of, impact=impact,
        before=as_json(before) or desk.watch.base.sla.model_dump_json(), effective_at=effective_at,
    )  # fmt: skip


async def _plan_routing(desk: Desk, standing: InForce, rules: RoutingRules, effective_at: datetime | None) -> Plan:
    before = last_of(standing.line(ROUTING, ""), effective_at or desk.now())
    impact = await routing_impact(desk, rules)
    _must_be_new(standing, ROUTING, rules.version, {standing.routing.version, desk.watch.base.routing.version})
    return Plan(
        kind=ROUTING, key="", version=rules.version, body=rules.model_dump_json(), as_of=standing.as_of, impact=impact,
        before=as_json(before) or desk.watch.base.routing.model_dump_json(), effective_at=effective_at,
    )  # fmt: skip


def _must_be_new(standing: InForce, kind: str, version: str, known: set[str]) -> None:
    if version in known | {p.version for p in standing.publications if p.kind == kind}:
        raise DomainError("already_published", "This version stands already; give the new one a name of its own.")


def _view(desk: Desk, one: Publication) -> View:
    state = desk.watch.in_force.state(one)
    about = {"id": one.id, **named(one), **published_by(desk, one.published_by, one.published_at)}
    when = {"effective_at": instant(one.effective_at), "state": state, "in_force": state == "in_force"}
    return {**about, **when, "impact": dict(one.impact)}
