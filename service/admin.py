"""Changing the district while the product runs: units, their resources, who stewards a grid, rosters, leave.

    what stands (also what is scheduled) ──> what shall stand ──> the whole district is checked ──> published

A change counts at once or from an instant to come. Running demands keep what they were promised, and who leads them.
Every function raises DomainError: `not_permitted`, `not_found`, `changed_meanwhile`, `if_match_required`,
`change_scheduled`, `already_published`, `publication_invalid`, `validation_failed`, `idempotency_key_reused`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.policies import Rotation
from domain.units import Resource, Unit
from domain.vocabulary import Role
from service import admin_plans as plans
from service.admin_forms import CancelForm, How, LeaveForm, PersonForm, RetireForm, RosterForm, StewardForm, UnitForm
from service.admin_versions import Version, digest, must_match, newest
from service.admin_views import before_any
from service.desk import Desk
from service.places import local_date
from service.publish_carry import Plan, Published, carry_out, last_of, to_come
from service.publish_district import PERSON, PERSON_LEAVE, ROSTER, STEWARDSHIP, UNIT
from service.publish_in_force import CANCELLATION, InForce
from service.repeats import Asked
from service.views import unit_view

Planned = Callable[[InForce, Version], Awaitable[Plan]]


async def put_unit(desk: Desk, actor: Actor, id: str, form: UnitForm, how: How) -> Published:
    """The whole of a unit, a new one too; brings a retired one back."""
    roles.must(actor, Need.MANAGE_UNITS)
    now = desk.now()
    at = to_come(how.effective_at, now)

    async def planned(standing: InForce, version: Version) -> Plan:
        before, after = plans.unit_of(version), form.unit(id)
        on = local_date(at or now, desk.district)
        impact = {
            "open_tasks": await plans.tasks_of(desk, id),
            "capacity": {"before": plans.capacity(before, on), "after": plans.capacity(after, on)},
        }
        return plans.plan(standing, version, after, at, impact, {"created": before is None})

    return await _change(desk, actor, (UNIT, id), how, form, planned, now, at)


async def put_resource(desk: Desk, actor: Actor, id: str, form: Resource, how: How) -> Published:
    """Add a resource to a unit or replace the one with this id. The unit's liaison may say how much of what there is
    already it has, and until when."""
    roles.must(actor, Need.MANAGE_RESOURCES, unit=id)
    now = desk.now()
    at = to_come(how.effective_at, now)

    async def planned(standing: InForce, version: Version) -> Plan:
        before = plans.serving(version)
        if not roles.may(actor, Need.MANAGE_UNITS):
            _within_a_liaisons_right(before, form)
        after = plans.with_resource(before, form)
        on = local_date(at or now, desk.district)
        impact = {
            "open_tasks": await plans.tasks_of(desk, id),
            "capacity": {"before": plans.capacity(before, on), "after": plans.capacity(after, on)},
        }
        return plans.plan(standing, version, after, at, impact)

    return await _change(desk, actor, (UNIT, id), how, form, planned, now, at, what="resource", free=True)


def _within_a_liaisons_right(unit: Unit, resource: Resource) -> None:
    same = next((one for one in unit.resources if one.id == resource.id), None)
    if same is None or (same.what, same.categories) != (resource.what, resource.categories):
        rule = "A liaison changes capacity and validity of a resource that is there. Ask an administrator for the rest."
        raise DomainError("not_permitted", rule, allowed=[Role.ADMIN], fields=["capacity", "valid_from", "valid_until"])


async def retire_unit(desk: Desk, actor: Actor, id: str, form: RetireForm, how: How) -> Published:
    """Nothing new goes to the unit any more. What it has it works off (`keep_running`) or hands over (`hand_over_to`).

    Raises DomainError `unit_has_tasks` when it has open tasks and neither was said.
    """
    roles.must(actor, Need.MANAGE_UNITS)
    now = desk.now()
    at = to_come(how.effective_at, now)

    async def planned(standing: InForce, version: Version) -> Plan:
        on = local_date(at or now, desk.district)
        after = plans.retired(plans.serving(version), form.reason, form.hand_over_to, on)
        tasks = await plans.tasks_of(desk, id)
        open_tasks = tasks["leads"] + tasks["helps"]
        if open_tasks and not (how.dry_run or form.keep_running or form.hand_over_to):
            rule = "The unit has open tasks. Say `hand_over_to`, who takes them over, or `keep_running`: it works them off."
            raise DomainError("unit_has_tasks", rule, **tasks)
        impact = {
            "open_tasks": tasks, "then": _then(form, open_tasks), "hand_over_to": unit_view(desk, form.hand_over_to),
            "rulings": plans.rulings_naming(desk, id, at or now),
        }  # fmt: skip
        return plans.plan(standing, version, after, at, impact)

    return await _change(desk, actor, (UNIT, id), how, form, planned, now, at, what="retire", free=True)


def _then(form: RetireForm, open_tasks: int) -> str:
    """What becomes of its open tasks."""
    if form.hand_over_to is not None:
        return "handed_over"
    return "stay" if form.keep_running or not open_tasks else "undecided"


async def put_stewardship(desk: Desk, actor: Actor, grid: str, form: StewardForm, how: How) -> Published:
    """From its first day on this unit takes care of the grid. Raises also DomainError `days_over`."""
    roles.must(actor, Need.MANAGE_STEWARDS)
    now = desk.now()
    at = to_come(how.effective_at, now)
    today = local_date(now, desk.district)

    async def planned(standing: InForce, version: Version) -> Plan:
        before = plans.turns_in(version)
        after = plans.stewarded(before, form, today)
        impact = await plans.grid_impact(desk, grid, before, after, today)
        return plans.plan(standing, version, after, at, impact)

    return await _change(desk, actor, (STEWARDSHIP, grid), how, form, planned, now, at)


async def put_roster(desk: Desk, actor: Actor, community: str, form: RosterForm, how: How) -> Published:
    """Another order or length of the turns, from the midnight on which `starts_on` begins. Raises also DomainError
    `turn_over`."""
    roles.must(actor, Need.MANAGE_ROSTERS)
    now, zone = desk.now(), ZoneInfo(desk.district.timezone)

    async def planned(standing: InForce, version: Version) -> Plan:
        assert version.body is not None, "every community has a rotation"
        before = Rotation.model_validate_json(version.body)
        at = to_come(plans.begins(before, form, now, zone), now)
        assert at is not None
        last_of(standing.line(ROSTER, community), at)
        after = Rotation(community=community, period=form.period, starts_on=form.starts_on, roster=form.roster)
        impact = await plans.roster_impact(desk, before, after)
        return plans.plan(standing, version, after, at, impact)

    return await _change(desk, actor, (ROSTER, community), how, form, planned, now, None, dated=True)


async def put_person(desk: Desk, actor: Actor, person: str, form: PersonForm, how: How) -> Published:
    """Who a person is and what they may do, somebody new too. What follows from being a unit's liaison is not said here:
    whoever is one has it."""
    roles.must(actor, Need.MANAGE_PEOPLE)
    now = desk.now()
    at = to_come(how.effective_at, now)

    async def planned(standing: InForce, version: Version) -> Plan:
        return plans.plan(standing, version, form, at, {}, {"created": version.body is None})

    return await _change(desk, actor, (PERSON, person), how, form, planned, now, at)


async def put_leave(desk: Desk, actor: Actor, person: str, form: LeaveForm, how: How) -> Published:
    """All absences of a person. For administrators and supervisors, and for the secretary of the person's community."""
    must_settle_leave(desk, actor, person)
    now = desk.now()
    at = to_come(how.effective_at, now)

    async def planned(standing: InForce, version: Version) -> Plan:
        return plans.plan(standing, version, form, at, await plans.leave_impact(desk, person, form, now))

    return await _change(desk, actor, (PERSON_LEAVE, person), how, form, planned, now, at)


def must_settle_leave(desk: Desk, actor: Actor, person: str) -> None:
    """Raises DomainError `not_permitted`, `outside_scope`, `not_found`."""
    roles.must_hold(actor, Need.SETTLE_LEAVE)
    known = desk.district.directory.people.get(person)
    if known is None:
        raise DomainError("not_found", "There is no person with this id.")
    communities = {grant.community for grant in known.grants if grant.community is not None}
    if not any(roles.may(actor, Need.SETTLE_LEAVE, community=community) for community in (None, *communities)):
        raise roles.refusal(actor, Need.SETTLE_LEAVE)


async def cancel(desk: Desk, actor: Actor, id: int, form: CancelForm, how: How) -> Published:
    """Take back what is yet to take effect: an administrator, or whoever published it.

    Raises DomainError `not_scheduled` for what has taken effect or was cancelled before.
    """
    now = desk.now()
    asked = Asked(desk, actor, how.key, f"cancel {id} {form.model_dump_json()}")

    async def planned(standing: InForce) -> Plan:
        known = {one.id: one for one in standing.publications if one.kind != CANCELLATION}
        if id not in known:
            raise DomainError("not_found", "There is no publication with this id.")
        one = known[id]
        roles.must(actor, Need.CANCEL_PUBLICATION, owner=one.published_by)
        state = standing.state(one)
        if state != "scheduled":
            rule = "Only what is yet to take effect can be cancelled. Publish how it shall be instead."
            raise DomainError("not_scheduled", rule, state=state)
        later = standing.line(one.kind, one.key)[-1]
        if later.id != id:
            raise DomainError(
                "change_scheduled", "A later change builds on it. Cancel that first.", publication=later.id
            )
        body = form.model_dump_json()
        impact = {"cancels": {"id": id, "kind": one.kind, "key": one.key}}
        return Plan(
            kind=CANCELLATION, key=str(id), version=digest(body), body=body, as_of=standing.as_of, impact=impact
        )  # fmt: skip

    return await carry_out(desk, asked, planned, now, dry_run=how.dry_run, again=True)


async def _change(
    desk: Desk, actor: Actor, thing: tuple[str, str], how: How, form: BaseModel, planned: Planned, now: datetime,
    at: datetime | None, *, what: str = "put", free: bool = False, dated: bool = False,
) -> Published:  # fmt: skip
    """`free`: the caller need not say which version it has seen. `dated`: the form says when it takes effect."""
    kind, key = thing
    asked = Asked(desk, actor, how.key, f"{what} {kind} {key} {form.model_dump_json()} {at}")

    async def on(standing: InForce) -> Plan:
        file = before_any(desk.watch.base.district, standing, kind, key)
        version = newest(standing, kind, key, file)
        if version.body is None and kind not in (UNIT, PERSON):
            raise DomainError("not_found", "There is nothing with this id.")
        must_match(desk, version, how.if_match, required=not (free or how.dry_run))
        if not dated:
            last_of(standing.line(kind, key), at or now)
        return await planned(standing, version)

    return await carry_out(desk, asked, on, now, dry_run=how.dry_run, again=True)
