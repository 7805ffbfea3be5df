"""What crosses the line to and from a demand's workflow. Additive changes only: histories in flight carry old JSON."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict
from temporalio import activity

from domain.commands import LosePrimary, Settle
from domain.demand import Demand
from domain.ledger import Entry
from domain.meeting import Item
from domain.vocabulary import ClockName, Stage
from domain.worktime import Calendar

READ = "read"
"""The update that reads a demand, and the type of the refusal that carries its state."""


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True)


class DemandStart(_Message):
    """Input of `ResidentDemand`: the demand as intake left it, and the calendar that its promise froze.

    `seen` carries command keys (key -> fingerprint of the body) across continue-as-new, where Temporal forgets them.
    """

    demand: Demand
    calendar: Calendar
    seen: dict[str, str] = {}


class Acted(_Message):
    """Answer of the `act` update: the log is written up to `seq`."""

    seq: int
    stage: Stage


class Record(_Message):
    """A transition on its way into the tables: new log entries, the demand after the last of them, the hash they
    follow, and the instant of the attempt. Without entries: take back whatever the tables hold beyond the demand."""

    demand: Demand
    entries: list[Entry]
    after: str
    at: datetime


class AgendaItem(_Message):
    """A demand on its way onto a meeting's agenda; `committee` and its convener are where that meeting may escalate."""

    meeting: str
    committee: str
    committee_convener: str
    item: Item


class Following(_Message):
    """A duplicate and the demand that it follows, or (`joins` false) followed."""

    number: str
    primary: str
    joins: bool = True


class Word(_Message):
    """What a duplicate is to apply to itself: what became of its primary; None while that is being handled."""

    command: Settle | LosePrimary | None = None


class Told(_Message):
    """A demand whose handling is over, and the duplicates that are to hear of it; the first of all is the heir of one
    that will not be handled."""

    primary: str
    followers: tuple[str, ...]


def clock_state(demand: Demand) -> str:
    """ok · due_soon · breached · paused · done, for the search attribute."""
    if demand.stage is Stage.CLOSED:
        return "done"
    if demand.breached:
        return "breached"
    if not any(c.running for name, c in demand.clocks.items() if name is not ClockName.PAUSE):
        return "paused"
    return "due_soon" if any("80%" in c.done for c in demand.clocks.values() if c.running) else "ok"


@activity.defn(name="record")
async def record(record: Record) -> None:
    """Append the entries and update the row in one transaction; the second time it changes nothing."""
    raise NotImplementedError


@activity.defn(name="put_on_agenda")
async def put_on_agenda(item: AgendaItem) -> None:
    """Hand the item to its meeting, starting the meeting's workflow if none runs."""
    raise NotImplementedError


@activity.defn(name="join_primary")
async def join_primary(following: Following) -> Word:
    """Tell the primary, which answers by itself once there is something to tell; one that has ended cannot, and its last
    word comes from here."""
    raise NotImplementedError


@activity.defn(name="leave_primary")
async def leave_primary(following: Following) -> None:
    """Take the duplicate off the list of the demand that it does not follow any more."""
    raise NotImplementedError


@activity.defn(name="tell_followers")
async def tell_followers(told: Told) -> None:
    """Give every duplicate the reply, in a copy of its own, and let it go on to its own call-back; again changes nothing."""
    raise NotImplementedError
