"""What happened to a demand's clocks: one model per event, past tense, told apart by `type`."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.tasks import ClockKey

# Left out of the stored event where it says nothing: events of 0.1 did not have it, and must hash as they did.
SAID = Field(exclude_if=lambda value: not value)
Provisional = Annotated[bool, SAID]


class Happened(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClockStarted(Happened):
    """`provisional`: the span to `due_at` leaves the published calendar; it is computed again when that is published."""

    type: Literal["clock_started"] = "clock_started"
    clock: ClockKey
    due_at: datetime
    provisional: Provisional = False


class ClockStopped(Happened):
    type: Literal["clock_stopped"] = "clock_stopped"
    clock: ClockKey


class ClockPaused(Happened):
    type: Literal["clock_paused"] = "clock_paused"
    clock: ClockKey


class ClockResumed(Happened):
    """Runs on; `due_at` is shifted by exactly the working time it stood still.

    `since` is when it ran on, where nobody noticed it at that instant: the limit of its pause rang late.
    """

    type: Literal["clock_resumed"] = "clock_resumed"
    clock: ClockKey
    due_at: datetime
    since: Annotated[datetime | None, SAID] = None
    provisional: Provisional = False


class ClockExtended(Happened):
    """More time: `working_days` that a supervisor granted, or (None) the instant that a meeting set."""

    type: Literal["clock_extended"] = "clock_extended"
    clock: ClockKey
    due_at: datetime
    working_days: Annotated[int | None, SAID] = None
    provisional: Provisional = False


class ClockReplanned(Happened):
    """Reckoned anew from its start, pauses and extensions kept."""

    type: Literal["clock_replanned"] = "clock_replanned"
    clock: ClockKey
    due_at: datetime
    provisional: bool
    by: Literal["reclassified", "calendar"]


class _StepFell(Happened):
    """A step of the ladder: it fell at `fell_at`, whenever that was noticed; the people in `told` are to hear of it."""

    clock: ClockKey
    step: str
    fell_at: datetime
    told: Annotated[tuple[str, ...], SAID] = ()


class ClockWarned(_StepFell):
    """A share of the time has passed."""

    type: Literal["clock_warned"] = "clock_warned"


class ClockBreached(Happened):
    """The promise was broken at `due_at`, whenever that was noticed."""

    type: Literal["clock_breached"] = "clock_breached"
    clock: ClockKey
    due_at: datetime
    told: Annotated[tuple[str, ...], SAID] = ()


class NoticeIssued(_StepFell):
    """催办通知书: the formal notice that a promise is broken."""

    type: Literal["notice_issued"] = "notice_issued"


class ClockEscalated(_StepFell):
    """Overdue for so long that the next joint meeting looks at it; where none can, the supervisor takes over."""

    type: Literal["clock_escalated"] = "clock_escalated"


class ClockFarBreached(_StepFell):
    """A multiple of the promised time has passed."""

    type: Literal["clock_far_breached"] = "clock_far_breached"
