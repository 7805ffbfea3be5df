"""What crosses the line to and from a meeting's workflow. Additive changes only."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.meeting import Item, Meeting


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class MeetingStart(_Message):
    """Input of `JointMeeting`; `seen` carries keys of decisions across continue-as-new."""

    meeting: Meeting
    seen: dict[str, str] = {}


class Decided(_Message):
    """Answer of the `decide` update."""

    number: str
    turn: int


class TakeOff(_Message):
    """A demand left the meeting without a decision (it was withdrawn)."""

    number: str
    turn: int


class ItemRow(_Message):
    """One line of the agenda or the minutes, as the tables keep it."""

    meeting: str
    item: Item
    ended_at: datetime | None = None
    kind: str | None = None
    chair: str | None = None
    minute_id: str | None = None


class RecordItems(_Message):
    rows: list[ItemRow]


@activity.defn(name="record_items")
async def record_items(record: RecordItems) -> None:
    """Write agenda lines, idempotent by (meeting, number, turn)."""
    raise NotImplementedError
