"""Our stages in the words of Open311: `open` or `closed`, the extended status of the update extension, and a sentence.

intake, not yet accepted  OPEN               at the meeting        INTERNAL_REFERRAL
accepted by grid or unit  IN_PROGRESS        shelved, a project    ACTION_SCHEDULED
resolved, being checked   INVESTIGATING      redo                  REOPEN
closed: FIXED · CLOSED · NO_FURTHER_ACTION · NOT_COUNCILS_RESPONSIBILITY · DUPLICATE · CANCELLED
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from domain.vocabulary import Outcome, Stage

Words = tuple[str, str]
"""Chinese, English."""


class Status(StrEnum):
    """The extended status, as it goes out."""

    OPEN = "OPEN"
    IN_PROGRESS = "IN_PROGRESS"
    INVESTIGATING = "INVESTIGATING"
    INTERNAL_REFERRAL = "INTERNAL_REFERRAL"
    ACTION_SCHEDULED = "ACTION_SCHEDULED"
    REOPEN = "REOPEN"
    DUPLICATE = "DUPLICATE"
    FIXED = "FIXED"
    CLOSED = "CLOSED"
    NO_FURTHER_ACTION = "NO_FURTHER_ACTION"
    NOT_OURS = "NOT_COUNCILS_RESPONSIBILITY"
    CANCELLED = "CANCELLED"


TAKEN = frozenset(Status) | {"PLANNED", "FOR_TRIAGE", "UNCHANGED", "CONFIRMED"}
"""What a peer may say. Only REOPEN, OPEN of a closed request and CANCELLED ask for more than that we read it."""

_OF_OUTCOME: dict[Outcome, tuple[Status, Words]] = {
    Outcome.RESOLVED: (Status.FIXED, ("已结案：已解决", "Closed: resolved")),
    Outcome.EXPLAINED: (Status.CLOSED, ("已结案：已解释说明", "Closed: explained")),
    Outcome.FINAL_REPLY: (Status.NO_FURTHER_ACTION, ("已结案：已作最终答复", "Closed with a final reply")),
    Outcome.OUT_OF_SCOPE: (Status.NOT_OURS, ("已结案：不属于本街道受理范围", "Closed: not a matter of this subdistrict")),
    Outcome.DUPLICATE: (Status.DUPLICATE, ("已结案：与另一诉求重复", "Closed: a duplicate of another request")),
    Outcome.WITHDRAWN: (Status.CANCELLED, ("已结案：诉求人已撤回", "Closed: withdrawn by the reporter")),
    Outcome.UNCONFIRMED: (Status.CLOSED, ("已结案：已办理，诉求人未答复回访", "Closed: handled, the reporter gave no answer")),
    Outcome.UNREACHABLE: (Status.CLOSED, ("已结案：已办理，回访未能联系上", "Closed: handled, the reporter was not reached")),
}  # fmt: skip

_WAITING: Words = ("等待补充条件，已暂停计时", "Waiting for something; the clock stands still")
_SHELVED: Words = ("已挂账，到期复议", "Shelved until its review")
_MERGED: Words = ("与另一诉求合并办理", "Handled together with another request")
_REDONE: Words = ("已重新办理", "Being handled again")
_MEETING: Words = ("已提交联席会议", "Before the joint meeting")
_HANDLED: Words = ("已签收，正在处理", "Accepted, being handled")
_CHECKED: Words = ("已办理，正在核查", "Handled, being checked")
_WITH_WORKER: Words = ("已派网格员，等待签收", "With a grid worker, not accepted yet")
_WITH_UNIT: Words = ("已派单位，等待签收", "With a unit, not accepted yet")
_ASKED: Words = ("已办理，等待诉求人回访答复", "Handled, waiting for the reporter's answer")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A demand as far as Open311 tells of it. `due_at` is the resident's resolve clock, None while that stands still."""

    number: str
    stage: Stage
    category: str
    community: str | None
    grid: str | None
    compound: str | None
    unit: str | None
    meeting: str | None
    outcome: Outcome | None
    channel: str
    opened_by: str
    opened_at: datetime
    updated_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    accepted: bool
    bound: bool
    paused: bool
    verifying: bool
    shelved: bool
    redos: int
    confidential: bool
    primary: str | None
    reply_id: str | None

    @property
    def is_closed(self) -> bool:
        return self.stage is Stage.CLOSED

    @property
    def changed_at(self) -> datetime:
        """Of a closed one the instant of closing, whatever was written down since."""
        return self.closed_at if self.is_closed and self.closed_at is not None else self.updated_at

    @property
    def code(self) -> str:
        """Our own word for it: the stage, and how it ended."""
        return f"{self.stage}:{self.outcome}" if self.outcome is not None else str(self.stage)


def status_of(s: Standing) -> tuple[Status, Words]:
    """The extended status, and a sentence for a person."""
    if s.is_closed:
        return _OF_OUTCOME[s.outcome or Outcome.UNCONFIRMED]
    if s.primary is not None:
        return Status.DUPLICATE, _MERGED
    if s.shelved:
        return Status.ACTION_SCHEDULED, _SHELVED
    if s.stage is Stage.MEETING:
        return Status.INTERNAL_REFERRAL, _MEETING
    if s.stage is Stage.FEEDBACK:
        return (Status.INVESTIGATING, _CHECKED) if s.verifying else (Status.IN_PROGRESS, _ASKED)
    if s.accepted or (s.stage is Stage.UNIT and s.bound):
        return Status.IN_PROGRESS, _WAITING if s.paused else _HANDLED
    return _not_accepted(s)


def _not_accepted(s: Standing) -> tuple[Status, Words]:
    if s.redos:
        return Status.REOPEN, _REDONE
    if s.stage is Stage.INTAKE:
        return Status.OPEN, ("已受理，正在确定地点", "Received, being located")
    if s.stage is Stage.UNIT:
        return Status.OPEN, _WITH_UNIT
    return Status.OPEN, _WITH_WORKER


DETAILED: dict[Status, str] = {
    Status.OPEN: "RECEIVED", Status.REOPEN: "RECEIVED", Status.FIXED: "PROCESSED", Status.CLOSED: "PROCESSED",
    Status.NO_FURTHER_ACTION: "PROCESSED", Status.NOT_OURS: "REJECTED", Status.CANCELLED: "REJECTED",
    Status.DUPLICATE: "REJECTED",
}  # fmt: skip
"""CitySDK's detailed status; whatever is not here is IN_PROCESS."""


@dataclass(frozen=True, slots=True)
class Change:
    """What an event tells the outside; of several in one turn the weightiest is told."""

    status: Status
    words: Words
    weight: int


Data = Mapping[str, Any]


def _closed(data: Data) -> Change:
    status, words = _OF_OUTCOME[Outcome(data["outcome"])]
    return Change(status, words, 9)


def _decided(data: Data) -> Change | None:
    if data["kind"] != "project":
        return None
    return Change(Status.ACTION_SCHEDULED, ("联席会议已列入项目清单", "Planned by the joint meeting"), 5)


def _resolved(data: Data) -> Change:
    words = ("已办理，正在核查或等待回访", "Handled, being checked or waiting for the reporter's answer")
    return Change(Status.INVESTIGATING, words, 6)


def _bound(data: Data) -> Change | None:
    if data["by"] == "accepted":
        return None  # `accepted` of the same turn says it
    return Change(Status.IN_PROGRESS, _HANDLED, 4 if data["by"] == "decision" else 2)


def _assigned(data: Data) -> Change | None:
    """Who the worker is stays inside: only that it has come to one, or come back, is told."""
    return Change(Status.OPEN, _WITH_WORKER, 1) if data["reason"] in ("duty", "returned") else None


def _always(status: Status, words: Words, weight: int) -> Callable[[Data], Change]:
    change = Change(status, words, weight)
    return lambda data: change


CHANGES: dict[str, Callable[[Data], Change | None]] = {
    "closed": _closed,
    "redo_ordered": _always(Status.REOPEN, _REDONE, 8),
    "sent_to_meeting": _always(Status.INTERNAL_REFERRAL, _MEETING, 7),
    "shelved": _always(Status.ACTION_SCHEDULED, _SHELVED, 7),
    "resolved": _resolved,
    "merged": _always(Status.DUPLICATE, _MERGED, 6),
    "meeting_decided": _decided,
    "unmerged": _always(Status.OPEN, ("不再合并，单独办理", "Handled by itself again"), 4),
    "unit_assigned": _always(Status.OPEN, _WITH_UNIT, 3),
    "accepted": _always(Status.IN_PROGRESS, _HANDLED, 2),
    "worker_assigned": _assigned,
    "unit_bound": _bound,
    "info_requested": _always(Status.IN_PROGRESS, _WAITING, 1),
    "info_received": _always(Status.IN_PROGRESS, ("条件已具备，继续办理", "Goes on"), 1),
}
"""The events that are told, and as what. Notes, names, clocks and everything else inside the house are not here."""


def change_of(type: str, data: Data) -> Change | None:
    """What an event of our log says to the outside; None for what stays inside."""
    tells = CHANGES.get(type)
    return None if tells is None else tells(data)
