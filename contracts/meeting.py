"""What crosses the line to and from a meeting's workflow. Additive changes only."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.cadence import Cadence
from domain.convening import Call
from domain.meeting import Decision, Item, Meeting
from domain.session import Rules, Session
from domain.worktime import Calendar


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class MeetingStart(_Message):
    """Input of `JointMeeting`; `seen` carries keys of decisions and session commands across continue-as-new."""

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


class Held(_Message):
    """Answer of the `session` update: the session as it is in the tables now."""

    session: str


class Convening(_Message):
    """The next regular session, for a meeting that may not run yet: `meeting` is then its first state."""

    meeting: Meeting
    call: Call


class Regular(_Message):
    """Signal `convene`: the next regular session, and what the meeting goes by from now on."""

    call: Call
    rules: Rules


class ConveneStart(_Message):
    """Input of `ConveneMeeting`: which meeting, and all that says when it sits next."""

    meeting: Meeting
    cadence: Cadence
    calendar: Calendar


class ItemRow(_Message):
    """One line of the agenda or the minutes, as the tables keep it.

    `session` decided it, having let it in by `consented` where it was `late`; `chair` is that session's, `recorded_by`
    who entered the decision.
    """

    meeting: str
    item: Item
    ended_at: datetime | None = None
    kind: str | None = None
    chair: str | None = None
    minute_id: str | None = None
    session: str | None = None
    late: bool = False
    consented: bool = False
    recorded_by: str | None = None
    decision: Decision | None = None


class SessionRow(_Message):
    meeting: str
    session: Session


class RecordItems(_Message):
    rows: list[ItemRow]
    sessions: list[SessionRow] = []


@activity.defn(name="record_items")
async def record_items(record: RecordItems) -> None:
    """Write agenda lines, idempotent by (meeting, number, turn), and sessions by (meeting, id, version)."""
    raise NotImplementedError


@activity.defn(name="convene_meeting")
async def convene_meeting(convening: Convening) -> None:
    """Tell the meeting when it sits next, starting its workflow if none runs."""
    raise NotImplementedError
