"""The call-back ladder (回访): how, in which order and at which hours the reporter is asked. Data of the district pack.

Frozen into each demand's promise. A link or a text message is sent by the product; a call and a visit are owed by a person.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from domain.worktime import Budget, Calendar, due

AskedBy = Literal["link", "sms", "phone", "visit"]
Reach = Literal["account", "phone", "email"]
"""What the reporter left, or has, for being reached by."""

BY_PERSON = ("phone", "visit")
_NEEDS: dict[AskedBy, tuple[Reach, ...]] = {
    "link": ("account", "phone", "email"),
    "sms": ("phone",),
    "phone": ("phone",),
}


class CallBackStep(BaseModel):
    """One rung: `channel`, `after` the rung before it, or after the end of the work; without `after` at once."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel: AskedBy
    after: Budget | None = None

    def reaches(self, reach: tuple[Reach, ...]) -> bool:
        """Whether it can be taken for somebody who left `reach`; a visit needs nothing but a place."""
        return self.channel not in _NEEDS or any(one in reach for one in _NEEDS[self.channel])


class Hours(BaseModel):
    """The hours of every day, local time, at which a reporter may be asked: from `opens` until just before `closes`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: time = time(9)
    closes: time = time(20)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.opens.tzinfo or self.closes.tzinfo or self.opens >= self.closes:
            raise ValueError("the hours for call-backs begin before they end, both in local time")
        return self

    def next(self, calendar: Calendar, at: datetime) -> datetime:
        """`at` itself where it lies in the hours, else the next instant that does; in UTC as `due` gives it."""
        local = calendar.table.local(at)
        if self.opens <= local.time() < self.closes:
            return at
        day = local.date() if local.time() < self.opens else local.date() + timedelta(days=1)
        return calendar.table.instant(day, self.opens)


class CallBackPlan(BaseModel):
    """The rungs in order; `ends` after the last one, without an answer, the demand is closed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: Annotated[tuple[CallBackStep, ...], Field(min_length=1, max_length=12)]
    ends: Budget
    hours: Hours = Hours()

    def ladder(self, reach: tuple[Reach, ...]) -> tuple[CallBackStep, ...]:
        """The rungs that can be taken for this reporter."""
        return tuple(step for step in self.steps if step.reaches(reach))

    def next_at(self, calendar: Calendar, now: datetime, taken: int, reach: tuple[Reach, ...]) -> datetime:
        """When the rung after the first `taken` ones is to be taken, or the ladder ends."""
        ladder = self.ladder(reach)
        wait = ladder[taken].after if taken < len(ladder) else self.ends
        at = now if wait is None else due(calendar, now, wait)
        return self.hours.next(calendar, at)
