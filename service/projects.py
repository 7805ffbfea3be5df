"""The project list: opened by a joint meeting's people, moved on by milestones, every change kept.

ProjectForm ──open_project──> project, event `opened`
Step ──take_step──> locked ──> domain.project_steps.take ──> project, event, answer under its Idempotency-Key
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from domain import roles
from domain.actors import Actor
from domain.errors import DomainError
from domain.needs import Need
from domain.project_steps import ChangeProject, LinkDemand, PlanActivity, Step, may_steer, take
from domain.projects import Milestone, Project
from domain.units import Unit
from service import rotation
from service.desk import Desk
from service.places import local_date
from service.project_forms import ProjectForm
from service.reading import find, seen
from service.repeats import Answered, Asked, other_body
from service.views import View, instant, person_view, unit_view
from store import projects as storing
from store.histories import Change
from store.projects import Changing, Wanted


async def open_project(desk: Desk, actor: Actor, form: ProjectForm, key: str | None) -> Answered:
    """Raises DomainError: `not_permitted`, `unknown_…`, `not_found` for a demand, `idempotency_key_reused`."""
    asked = Asked(desk, actor, key, f"open project {form.model_dump_json()}")
    before = await asked.repetition()
    if before is not None:
        return before
    await _check_form(desk, actor, form)
    id, now = await storing.next_id(desk.pool), desk.now()
    project = Project(
        id=id, community=form.community, title=form.title, meeting=form.meeting, lead_unit=form.lead_unit,
        due_on=form.due_on, opened_at=now, opened_by=actor.id, seq=1, linked=tuple(dict.fromkeys(form.numbers)),
        milestones=tuple(Milestone(seq=n, title=m.title, due_on=m.due_on) for n, m in enumerate(form.milestones, 1)),
    )  # fmt: skip
    body = json.dumps(_view(desk, project, set(form.numbers)), ensure_ascii=False)
    async with storing.changing(desk.pool) as transaction:
        first = await asked.keep(transaction.connection, id, body)
        if first:
            await put_new(transaction, project, origin=None)
    return Answered(id, body) if first else await asked.must_repeat()


async def put_new(transaction: Changing, project: Project, *, origin: str | None) -> bool:
    """Keep a project and how it began; False when the decision `origin` opened one before."""
    if not await transaction.insert(project, origin=origin):
        return False
    said = project.model_dump(mode="json", exclude_defaults=True, exclude={"id", "seq", "opened_at", "opened_by"})
    opened = Change(seq=1, type="opened", at=project.opened_at, actor=project.opened_by, data=said)
    await transaction.record(project.id, opened)
    return True


async def take_step(desk: Desk, actor: Actor, id: str, step: Step, key: str | None) -> Answered:
    """Do one thing with a project; answers with the project as it is afterwards.

    Raises DomainError: `not_found`, `unknown_unit`, `idempotency_key_reused`, and whatever the step refuses.
    """
    asked = Asked(desk, actor, key, f"project {id} {step.model_dump_json()}")
    async with storing.changing(desk.pool) as transaction:
        project = await transaction.lock(id)
        if project is None:
            raise _no_project()
        before = await asked.repetition()  # under the lock: a twin of this request has been through by now
        if before is not None:
            return before
        named = await _named(desk, actor, project, step)
        now = desk.now()
        after = take(project, named, actor, now)
        said = named.model_dump(mode="json", exclude={"type"}, exclude_none=True)
        await transaction.save(after)
        await transaction.record(id, Change(seq=after.seq, type=step.type, at=now, actor=actor.id, data=said))
        body = json.dumps(_view(desk, after, await _seen(desk, actor, [after])), ensure_ascii=False)
        if not await asked.keep(transaction.connection, id, body):
            raise other_body()  # taken meanwhile by a request about something else
    return Answered(id, body)


async def _named(desk: Desk, actor: Actor, project: Project, step: Step) -> Step:
    """The step with what it leaves to the district filled in; what it names exists and lies in reach."""
    match step:
        case PlanActivity(unit=None) if project.community is not None:
            chairing = rotation.unit_on(desk, project.community, step.planned_on)
            return step.model_copy(update={"unit": chairing})
        case PlanActivity(unit=str() as unit):
            _known_unit(desk, project.community, unit, "/unit")
        case ChangeProject(lead_unit=str() as unit):
            _known_unit(desk, project.community, unit, "/lead_unit")
        case LinkDemand():
            await _must_fit(desk, actor, project.community, step.number)
        case _:
            pass
    return step


async def _check_form(desk: Desk, actor: Actor, form: ProjectForm) -> None:
    if form.community is not None:
        desk.district.community(form.community)
    if not may_steer(form.community, actor):
        raise _not_steering()
    _known_unit(desk, form.community, form.lead_unit, "/lead_unit")
    if form.meeting is not None:
        desk.district.meeting(form.meeting)
    for number in form.numbers:
        await _must_fit(desk, actor, form.community, number)


def _not_steering() -> DomainError:
    rule = "A project is opened by the secretary or the chair of its community, or by a supervisor."
    return DomainError("not_permitted", rule, allowed=roles.allowed(Need.STEER_PROJECT))


def _known_unit(desk: Desk, community: str | None, unit: str, field: str) -> Unit:
    found = desk.district.serving_unit(unit)
    if community is not None and community not in found.communities:
        raise DomainError("unknown_unit", "That unit does not work in the project's community.", field=field)
    return found


async def _must_fit(desk: Desk, actor: Actor, community: str | None, number: str) -> None:
    demand = await find(desk, actor, number)
    if community is not None and demand.community != community:
        rule = "The demand lies in another community than the project."
        raise DomainError("outside_scope", rule, community=community)


# ---- reading


async def project(desk: Desk, actor: Actor, id: str) -> View:
    """One project; of its demands those that the caller may see are named, the others counted. `not_found`."""
    found = await storing.one(desk.pool, id)
    if found is None:
        raise _no_project()
    return _view(desk, found, await _seen(desk, actor, [found]))


async def projects(desk: Desk, actor: Actor, wanted: Wanted, *, before: str | None, limit: int) -> list[View]:
    """Newest first."""
    found = await storing.page(desk.pool, wanted, on=_today(desk), before=before, limit=limit)
    visible = await _seen(desk, actor, found)
    return [_view(desk, one, visible) for one in found]


async def projects_of(desk: Desk, actor: Actor, number: str) -> list[View]:
    """The projects that a demand belongs to. DomainError `not_found` as in `find`."""
    await find(desk, actor, number)
    found = await storing.of_demand(desk.pool, number)
    visible = await _seen(desk, actor, found)
    return [_view(desk, one, visible) for one in found]


async def history(desk: Desk, actor: Actor, id: str, *, after: int, limit: int) -> list[View]:
    """What was done with a project, by whom and when; a demand out of the caller's scope is not named."""
    found = await storing.one(desk.pool, id)
    if found is None:
        raise _no_project()
    changes = await storing.HISTORY.page(desk.pool, id, after=after, limit=limit)
    named = {str(c.data["number"]) for c in changes if "number" in c.data}
    named |= {str(n) for c in changes for n in c.data.get("linked", ())}
    visible = await seen(desk, actor, named)
    return [
        {"seq": c.seq, "type": c.type, "at": instant(c.at), "by": person_view(desk, c.actor),
         "data": _without_others(c.data, visible)}
        for c in changes
    ]  # fmt: skip


def _without_others(data: Any, visible: set[str]) -> View:
    said = dict(data)
    if "number" in said and said["number"] not in visible:
        said["number"] = None
    if "linked" in said:
        said["linked"] = [n for n in said["linked"] if n in visible]
    return said


async def _seen(desk: Desk, actor: Actor, found: list[Project]) -> set[str]:
    return await seen(desk, actor, {number for one in found for number in one.demands})


def _today(desk: Desk) -> date:
    return local_date(desk.now(), desk.district)


def _view(desk: Desk, p: Project, visible: set[str]) -> View:
    today = _today(desk)
    return {
        "id": p.id, "community": p.community, "title": p.title, "meeting": p.meeting,
        "lead_unit": unit_view(desk, p.lead_unit), "state": p.state, "progress": p.progress,
        "due_on": p.due_on.isoformat() if p.due_on else None, "overdue": p.overdue(today),
        "opened_at": instant(p.opened_at), "opened_by": person_view(desk, p.opened_by),
        "closed_at": instant(p.closed_at), "seq": p.seq,
        "milestones": [
            {
                "seq": m.seq, "title": m.title, "due_on": m.due_on.isoformat(), "percent": m.percent,
                "done_at": instant(m.done_at), "done_by": person_view(desk, m.done_by), "overdue": m.overdue(today),
            }
            for m in p.milestones
        ],
        "overdue_milestones": sum(m.overdue(today) for m in p.milestones),
        "activities": [
            {
                "seq": a.seq, "kind": a.kind, "title": a.title, "unit": unit_view(desk, a.unit),
                "planned_on": a.planned_on.isoformat(), "state": a.state, "announced_at": instant(a.announced_at),
                "done_at": instant(a.done_at), "cancelled_at": instant(a.cancelled_at),
            }
            for a in p.activities
        ],
        "demands": [
            {"number": n, "by": "meeting" if n in p.decided else "hand"} for n in p.demands if n in visible
        ],
        "demands_in_all": len(p.demands),
    }  # fmt: skip


def _no_project() -> DomainError:
    return DomainError("not_found", "There is no project with this id.")
