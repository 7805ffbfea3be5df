"""What crosses the line to and from the workflow of the rotating chair. Additive changes only."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

ROTATION_WORKFLOW = "ChairRotation"


def rotation_schedule_id(community: str) -> str:
    """The schedule that hands the chair over at the turn of each period."""
    return f"rotation-{community}"


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class RotationStart(_Message):
    """Input of `ChairRotation`."""

    community: str


class HandOver(_Message):
    """Hand over whatever is due at this instant."""

    community: str
    at: datetime


class TurnTaken(_Message):
    """One period with the unit that took it over: `agenda` are demands that waited for a decision when the period began,
    `projects` what was under way. Ids only; whoever reads the history learns nothing about people's demands."""

    community: str
    unit: str
    person: str
    how: str
    period_from: date
    period_until: date
    handed_over_at: datetime
    agenda: tuple[str, ...] = ()
    projects: tuple[str, ...] = ()

    @property
    def open_items(self) -> int:
        return len(self.agenda) + len(self.projects)


class HandedOver(_Message):
    """The turns that were recorded now, oldest first; none when everything had been handed over before."""

    turns: tuple[TurnTaken, ...] = ()


@activity.defn(name="hand_over_chair")
async def hand_over_chair(due: HandOver) -> HandedOver:
    """Record every turn that has begun and is not in the tables yet, with what its unit takes over.

    Idempotent by (community, first day of the period). A community without a rotation has no turns.
    """
    raise NotImplementedError
