"""When a joint meeting sits by itself: "every first Wednesday at 14:30", as a rule that a machine can follow. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.worktime import Calendar, is_working_day

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
ONE_DAY = timedelta(days=1)
MONTHS_AHEAD = 24


class Cadence(BaseModel):
    """Once a month: the 1st to 4th, or the last, such weekday, at a local wall-clock time `HH:MM`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    week: Literal[1, 2, 3, 4, "last"]
    weekday: Weekday
    time: Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]

    def nominal(self, year: int, month: int) -> date:
        """The date of that month by the rule alone, whether anybody works then or not."""
        wanted = WEEKDAYS.index(self.weekday)
        if self.week == "last":
            end = date(year + month // 12, month % 12 + 1, 1) - ONE_DAY
            return end - timedelta(days=(end.weekday() - wanted) % 7)
        first = date(year, month, 1)
        return first + timedelta(days=(wanted - first.weekday()) % 7 + 7 * (self.week - 1))


class Sitting(BaseModel):
    """The regular session of one month: `month` is that of the rule, also where a holiday moved it into the next."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    month: str
    starts_at: datetime


def sittings(cadence: Cadence, calendar: Calendar, since: datetime) -> Iterator[Sitting]:
    """The regular sessions from the month before `since` on; one that falls on a day off is moved to the next working day."""
    local = calendar.table.local(since)
    for count in range(-1, MONTHS_AHEAD):
        year, month = divmod(local.year * 12 + local.month - 1 + count, 12)
        day = cadence.nominal(year, month + 1)
        while not is_working_day(calendar, day):
            day += ONE_DAY
        at = datetime.combine(day, time.fromisoformat(cadence.time), tzinfo=calendar.table.zone)
        yield Sitting(month=f"{year}-{month + 1:02d}", starts_at=at.astimezone(UTC))


def next_sitting(cadence: Cadence, calendar: Calendar, *, now: datetime, cutoff_days: int) -> Sitting:
    """The first regular session whose agenda is still open: the one that can be called without everything being late."""
    notice = timedelta(days=cutoff_days)
    return next(one for one in sittings(cadence, calendar, now) if one.starts_at - notice > now)
