"""What callers send about projects, besides the steps of `domain/project_steps.py`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from domain.projects import MOST_MILESTONES, Day, Title
from service.forms import Code


class PlannedMilestone(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    due_on: Day


class ProjectForm(BaseModel):
    """A new project. `community` None means the subdistrict committee's; `meeting` is where it was decided.

    Its words are public: nothing personal belongs there.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    community: Code | None
    title: Title
    lead_unit: Code
    meeting: Code | None = None
    due_on: Day | None = None
    milestones: Annotated[tuple[PlannedMilestone, ...], Field(max_length=MOST_MILESTONES)] = ()
    numbers: Annotated[tuple[Code, ...], Field(max_length=100)] = ()


class LinkForm(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    number: Code
