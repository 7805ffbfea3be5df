"""What can be done with a project, by whom, and what it changes: `take(project, step, actor, now)`. Pure.

The community's secretary, its chair and the supervisor steer a project; the liaison of its lead unit reports progress;
the liaison of an activity's unit announces it and says that it was held.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain import roles
from domain.actors import Actor
from domain.commands import Id
from domain.errors import DomainError
from domain.needs import Need
from domain.projects import (
    MOST_ACTIVITIES,
    MOST_DEMANDS,
    MOST_MILESTONES,
    Activity,
    ActivityKind,
    Day,
    DropReason,
    Milestone,
    Percent,
    Project,
    ProjectState,
    Title,
)
from domain.vocabulary import Role

Seq = Annotated[int, Field(ge=1, le=10_000, strict=True)]
Changes = dict[str, Any]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ChangeProject(_Step):
    """Another title, lead unit or due date; what is left out stays."""

    type: Literal["change"] = "change"
    title: Title | None = None
    lead_unit: Id | None = None
    due_on: Day | None = None


class AddMilestone(_Step):
    type: Literal["add_milestone"] = "add_milestone"
    title: Title
    due_on: Day


class MoveMilestone(_Step):
    """Another due date, or another title."""

    type: Literal["move_milestone"] = "move_milestone"
    milestone: Seq
    due_on: Day | None = None
    title: Title | None = None


class RemoveMilestone(_Step):
    """Only one that nothing was done of."""

    type: Literal["remove_milestone"] = "remove_milestone"
    milestone: Seq


class ReportProgress(_Step):
    """How far a milestone is; 100 finishes it, less takes that back."""

    type: Literal["progress"] = "progress"
    milestone: Seq
    percent: Percent


class LinkDemand(_Step):
    type: Literal["link_demand"] = "link_demand"
    number: Id


class UnlinkDemand(_Step):
    type: Literal["unlink_demand"] = "unlink_demand"
    number: Id


class PlanActivity(_Step):
    """Without `unit` it is the one that chairs on that day."""

    type: Literal["plan_activity"] = "plan_activity"
    kind: ActivityKind
    title: Title
    planned_on: Day
    unit: Id | None = None


class AnnounceActivity(_Step):
    type: Literal["announce_activity"] = "announce_activity"
    activity: Seq


class FinishActivity(_Step):
    type: Literal["finish_activity"] = "finish_activity"
    activity: Seq


class CancelActivity(_Step):
    type: Literal["cancel_activity"] = "cancel_activity"
    activity: Seq


class CloseProject(_Step):
    type: Literal["close"] = "close"


class DropProject(_Step):
    type: Literal["drop"] = "drop"
    reason: DropReason


class ReopenProject(_Step):
    type: Literal["reopen"] = "reopen"


Step = Annotated[
    ChangeProject | AddMilestone | MoveMilestone | RemoveMilestone | ReportProgress | LinkDemand | UnlinkDemand
    | PlanActivity | AnnounceActivity | FinishActivity | CancelActivity | CloseProject | DropProject | ReopenProject,
    Field(discriminator="type"),
]  # fmt: skip


def may_steer(community: str | None, actor: Actor) -> bool:
    """Whether the actor may open, change and end projects of this community (None: of the committee)."""
    if community is None:
        return roles.may(actor, Need.STEER_COMMITTEES_PROJECT)
    return roles.may(actor, Need.STEER_PROJECT, community=community)


def take(project: Project, step: Step, actor: Actor, now: datetime) -> Project:
    """The project after the step.

    Raises DomainError: `not_permitted`, `project_ended`, `project_unfinished`, `stage_forbids`, `validation_failed`.
    """
    _check_who(project, step, actor)
    if (project.state is ProjectState.OPEN) is isinstance(step, ReopenProject):
        if project.state is ProjectState.OPEN:
            raise DomainError("stage_forbids", "The project is open. Nothing to reopen.", state=project.state)
        raise DomainError("project_ended", "The project has ended. Reopen it first.", state=project.state)
    changes = _TAKE[step.type](project, step, actor, now)
    return Project.model_validate({**project.__dict__, **changes, "seq": project.seq + 1})


def _check_who(p: Project, step: Step, actor: Actor) -> None:
    if may_steer(p.community, actor):
        return
    allowed = roles.allowed(Need.STEER_PROJECT)
    if isinstance(step, ReportProgress):
        if actor.has(Role.UNIT_LIAISON, unit=p.lead_unit):
            return
        allowed.append("unit_liaison")
    if isinstance(step, AnnounceActivity | FinishActivity):
        if actor.has(Role.UNIT_LIAISON, unit=_activity(p, step.activity).unit):
            return
        allowed.append("unit_liaison")
    raise DomainError("not_permitted", f"`{step.type}` of this project is for: {', '.join(allowed)}.", allowed=allowed)


# ---- each step


def _change(p: Project, s: ChangeProject, a: Actor, now: datetime) -> Changes:
    said = {name: value for name in ("title", "lead_unit", "due_on") if (value := getattr(s, name)) is not None}
    if not said:
        raise _invalid("Say what changes: title, lead_unit or due_on.", "/title")
    return said


def _add_milestone(p: Project, s: AddMilestone, a: Actor, now: datetime) -> Changes:
    if len(p.milestones) >= MOST_MILESTONES:
        raise _invalid(f"A project has at most {MOST_MILESTONES} milestones.", "/type")
    seq = max((m.seq for m in p.milestones), default=0) + 1
    return {"milestones": (*p.milestones, Milestone(seq=seq, title=s.title, due_on=s.due_on))}


def _move_milestone(p: Project, s: MoveMilestone, a: Actor, now: datetime) -> Changes:
    said = {name: value for name in ("title", "due_on") if (value := getattr(s, name)) is not None}
    if not said:
        raise _invalid("Say what changes: title or due_on.", "/due_on")
    return _with_milestone(p, _milestone(p, s.milestone).model_copy(update=said))


def _remove_milestone(p: Project, s: RemoveMilestone, a: Actor, now: datetime) -> Changes:
    if _milestone(p, s.milestone).percent:
        raise DomainError("stage_forbids", "Something was done of it already: move it instead.", field="/milestone")
    return {"milestones": tuple(m for m in p.milestones if m.seq != s.milestone)}


def _progress(p: Project, s: ReportProgress, a: Actor, now: datetime) -> Changes:
    before = _milestone(p, s.milestone)
    done = {"done_at": before.done_at or now, "done_by": before.done_by or a.id} if s.percent == 100 else (
        {"done_at": None, "done_by": None})  # fmt: skip
    return _with_milestone(p, before.model_copy(update={"percent": s.percent, **done}))


def _link(p: Project, s: LinkDemand, a: Actor, now: datetime) -> Changes:
    if s.number in p.demands:
        raise DomainError("stage_forbids", "The demand belongs to the project already.", field="/number")
    if len(p.linked) >= MOST_DEMANDS:
        raise _invalid(f"A project has at most {MOST_DEMANDS} demands.", "/number")
    return {"linked": (*p.linked, s.number)}


def _unlink(p: Project, s: UnlinkDemand, a: Actor, now: datetime) -> Changes:
    if s.number not in p.linked:
        why = "A joint meeting gave it to the project: that stands." if s.number in p.decided else "It is not linked."
        raise DomainError("stage_forbids", why, field="/number")
    return {"linked": tuple(n for n in p.linked if n != s.number)}


def _plan_activity(p: Project, s: PlanActivity, a: Actor, now: datetime) -> Changes:
    if s.unit is None:
        raise _invalid("Name the unit that holds it.", "/unit")
    if len(p.activities) >= MOST_ACTIVITIES:
        raise _invalid(f"A project has at most {MOST_ACTIVITIES} activities.", "/type")
    seq = len(p.activities) + 1
    planned = Activity(seq=seq, kind=s.kind, title=s.title, unit=s.unit, planned_on=s.planned_on)
    return {"activities": (*p.activities, planned)}


def _announce(p: Project, s: AnnounceActivity, a: Actor, now: datetime) -> Changes:
    return _moved_on(p, s.activity, ("planned",), announced_at=now)


def _finish(p: Project, s: FinishActivity, a: Actor, now: datetime) -> Changes:
    return _moved_on(p, s.activity, ("announced",), done_at=now)


def _cancel(p: Project, s: CancelActivity, a: Actor, now: datetime) -> Changes:
    return _moved_on(p, s.activity, ("planned", "announced"), cancelled_at=now)


def _moved_on(p: Project, seq: int, before: tuple[str, ...], **changes: datetime) -> Changes:
    activity = _activity(p, seq)
    if activity.state not in before:
        rule = f"The activity is {activity.state}; this needs one that is {' or '.join(before)}."
        raise DomainError("stage_forbids", rule, state=activity.state)
    after = activity.model_copy(update=changes)
    return {"activities": tuple(after if one.seq == seq else one for one in p.activities)}


def _close(p: Project, s: CloseProject, a: Actor, now: datetime) -> Changes:
    left = [m.seq for m in p.milestones if m.done_at is None]
    if left:
        rule = "Some milestones are not finished. Finish or remove them, or drop the project."
        raise DomainError("project_unfinished", rule, milestones=left)
    return {"state": ProjectState.DONE, "closed_at": now}


def _drop(p: Project, s: DropProject, a: Actor, now: datetime) -> Changes:
    return {"state": ProjectState.DROPPED, "closed_at": now}


def _reopen(p: Project, s: ReopenProject, a: Actor, now: datetime) -> Changes:
    return {"state": ProjectState.OPEN, "closed_at": None}


def _milestone(p: Project, seq: int) -> Milestone:
    for one in p.milestones:
        if one.seq == seq:
            return one
    raise _invalid("The project has no such milestone.", "/milestone")


def _with_milestone(p: Project, after: Milestone) -> Changes:
    return {"milestones": tuple(after if m.seq == after.seq else m for m in p.milestones)}


def _activity(p: Project, seq: int) -> Activity:
    for one in p.activities:
        if one.seq == seq:
            return one
    raise _invalid("The project has no such activity.", "/activity")


def _invalid(rule: str, field: str) -> DomainError:
    return DomainError("validation_failed", rule, field=field)


_TAKE: dict[str, Callable[[Project, Any, Actor, datetime], Changes]] = {
    "change": _change, "add_milestone": _add_milestone, "move_milestone": _move_milestone,
    "remove_milestone": _remove_milestone, "progress": _progress, "link_demand": _link, "unlink_demand": _unlink,
    "plan_activity": _plan_activity, "announce_activity": _announce, "finish_activity": _finish,
    "cancel_activity": _cancel, "close": _close, "drop": _drop, "reopen": _reopen,
}  # fmt: skip
