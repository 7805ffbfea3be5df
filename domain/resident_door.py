"""What a link or a code opens to a reporter without an account, and until when. Pure.

answer   a link to the three questions: reads, answers, adds; ends with its call-back round, or with the reopen window
follow   a link to the demand: everything a reporter may do, until some time after closing
session  number and code: the same, for half an hour
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

from domain.actors import Actor, Grant, reporter_of
from domain.demand import Demand
from domain.retention import LinkRules
from domain.vocabulary import ClockName, Role, Stage

PassKind = Literal["answer", "follow", "session"]
Deed = Literal["confirm", "note", "attach", "reopen", "urge", "withdraw", "unmerge", "contact"]
"""What a reporter can do; all but `contact`, which changes how they are reached, are commands to the demand."""

_ADDS: tuple[Deed, ...] = ("note", "attach")
_ALL: tuple[Deed, ...] = ("confirm", *_ADDS, "reopen", "urge", "withdraw", "unmerge", "contact")
OPENS: Mapping[PassKind, tuple[Deed, ...]] = {
    "answer": ("confirm", *_ADDS, "reopen"),
    "follow": _ALL,
    "session": _ALL,
}


def reporter(number: str) -> Actor:
    """Who acts by a link or a code that was checked."""
    return Actor(id=reporter_of(number), grants=(Grant(role=Role.RESIDENT),))


WALK_IN = "walk-in:"
"""How ids begin under which somebody without an account reports: made from a secret of the draft, for that one report."""


def walk_in(mark: str) -> Actor:
    """Who reports without an account; `mark` tells those who know the secret of one draft from all others."""
    return Actor(id=f"{WALK_IN}{mark}", grants=(Grant(role=Role.RESIDENT),))


def round_began(demand: Demand) -> datetime | None:
    """When the work was last said to be done: from then on its reporter is asked how it was."""
    asking = demand.clocks.get(ClockName.FOLLOW_UP)
    return asking.started_at if asking else None


def is_over(demand: Demand, kind: PassKind, asked_at: datetime | None, rules: LinkRules, now: datetime) -> bool:
    """Whether a link, or what the code opened, counts no more as the demand stands now."""
    if kind == "answer":
        began = round_began(demand)
        window = demand.clocks.get(ClockName.REOPEN)
        shut = demand.stage is Stage.CLOSED and (window is None or window.due_at <= now)
        return demand.sealed or shut or (began is not None and asked_at is not None and began > asked_at)
    return demand.closed_at is not None and demand.closed_at + timedelta(days=rules.days_after_closing) <= now
