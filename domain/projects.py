"""The project list 项目清单: what a joint meeting turned into a project, with its milestones, demands and activities. Pure.

    open ──close──> done          a project whose milestones are all finished
         ──drop───> dropped       given up, with a reason; `reopen` takes either back

A project belongs to a community, or (community None) to the subdistrict committee. What the words of a project say is
public: no personal data belongs there.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from domain.commands import Id


def _is_written(value: object) -> object:
    """A number is no date, although one could be made of it, also where it comes as a text."""
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII)):
        return value
    raise ValueError("a date is written as 2027-03-01")


def _of_this_age(day: date) -> date:
    if not 2000 <= day.year <= 2199:
        raise ValueError("a date lies between 2000 and 2199")
    return day


Day = Annotated[date, BeforeValidator(_is_written), AfterValidator(_of_this_age)]
"""A local date."""
Title = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)]
Percent = Annotated[int, Field(ge=0, le=100, strict=True)]

ActivityKind = Literal["service_day", "clean_up", "safety_drill", "culture", "consultation", "visit", "other"]
"""便民服务日 · 环境整治 · 安全演练 · 文体活动 · 议事协商 · 走访慰问 · 其他."""

DropReason = Literal["no_funds", "not_feasible", "not_needed", "merged"]

MOST_MILESTONES, MOST_ACTIVITIES, MOST_DEMANDS = 50, 200, 500


class ProjectState(StrEnum):
    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Milestone(BaseModel):
    """A step of a project; finished at 100 percent, by whom and when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int
    title: Title
    due_on: Day
    percent: Percent = 0
    done_at: datetime | None = None
    done_by: str | None = None

    def overdue(self, on: date) -> bool:
        return self.done_at is None and self.due_on < on


class Activity(BaseModel):
    """Something a unit holds, mostly the one that chairs: planned, then announced to the residents, then held."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seq: int
    kind: ActivityKind
    title: Title
    unit: Id
    planned_on: Day
    announced_at: datetime | None = None
    done_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def state(self) -> Literal["planned", "announced", "done", "cancelled"]:
        if self.cancelled_at is not None:
            return "cancelled"
        if self.done_at is not None:
            return "done"
        return "planned" if self.announced_at is None else "announced"


class Project(BaseModel):
    """One project. `seq` counts its changes; `linked` are demands tied to it by hand, `decided` those that a joint
    meeting gave it, which stand in the minutes and cannot be untied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    community: str | None
    title: Title
    meeting: str | None = None
    lead_unit: str
    due_on: Day | None = None
    state: ProjectState = ProjectState.OPEN
    opened_at: datetime
    opened_by: str
    closed_at: datetime | None = None
    seq: int = 0
    milestones: tuple[Milestone, ...] = ()
    activities: tuple[Activity, ...] = ()
    linked: tuple[str, ...] = ()
    decided: tuple[str, ...] = ()

    @property
    def progress(self) -> int:
        """Percent: every milestone counts the same; without any, nothing is done until the project is."""
        if self.state is ProjectState.DONE:
            return 100
        if not self.milestones:
            return 0
        return sum(m.percent for m in self.milestones) // len(self.milestones)

    def overdue(self, on: date) -> bool:
        """Late itself, or with a milestone that is; what has ended is not."""
        if self.state is not ProjectState.OPEN:
            return False
        return (self.due_on is not None and self.due_on < on) or any(m.overdue(on) for m in self.milestones)

    @property
    def demands(self) -> tuple[str, ...]:
        return tuple(sorted({*self.linked, *self.decided}))
