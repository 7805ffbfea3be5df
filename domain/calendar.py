"""When a district works: windows of the day, the week, holidays and make-up days, and the table of intervals they make.

This is the only place where a wall clock meets a time zone. It reads no clock and no environment, so workflows may use
it as a passed-through module.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, field_validator, model_validator

from domain.errors import DomainError

ZERO = timedelta(0)
ONE_DAY = timedelta(days=1)
MIDNIGHT = time(0)
# A table outside these years is a mistake of the caller, and building it would only use memory.
FIRST_YEAR, LAST_YEAR = 1970, 2200
HORIZON_YEARS = 20


@lru_cache(maxsize=256)
def _expand(texts: tuple[str, ...]) -> tuple[date, ...]:
    """Read ISO 8601 dates and intervals, both ends included: "2026-06-10", "2026-02-15/23", "2026-04-30/05-02"."""
    days: set[date] = set()
    for text in texts:
        first, _, tail = text.partition("/")
        start = date.fromisoformat(first)
        span = (date.fromisoformat(first[: max(0, len(first) - len(tail))] + tail) - start).days
        if not 0 <= span <= 366:
            raise ValueError(f"{text}: a range runs forward and over at most a year")
        days.update(start + timedelta(days=offset) for offset in range(span + 1))
    return tuple(sorted(days))


def _read_days(value: object) -> object:
    if not isinstance(value, list | tuple | set | frozenset):
        return value
    if all(isinstance(item, str) for item in value):
        return _expand(tuple(value))
    return tuple(sorted(set(value))) if all(type(item) is date for item in value) else value


def _write_days(days: Iterable[date]) -> list[str]:
    """Runs of days as ranges: two years of holidays travel in every workflow's input and must stay small."""
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][1] == ONE_DAY:
            runs[-1][1] = day
        else:
            runs.append([day, day])
    return [_write_run(first, last) for first, last in runs]


def _write_run(first: date, last: date) -> str:
    if first == last:
        return first.isoformat()
    shared = 8 if (first.year, first.month) == (last.year, last.month) else 5 if first.year == last.year else 0
    return f"{first}/{last.isoformat()[shared:]}"


Days = Annotated[
    tuple[date, ...], BeforeValidator(_read_days), PlainSerializer(_write_days, return_type=list[str], when_used="json")
]


class Window(BaseModel):
    """Working hours of a day by the local wall clock; `closes` at 00:00 means the end of the day."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opens: time
    closes: time

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("a window is local wall-clock time, without an offset")
        if self.closes != MIDNIGHT and self.closes <= self.opens:
            raise ValueError(f"window {self.opens}–{self.closes} closes before it opens; split it at midnight")
        return self


DEFAULT_WINDOWS = (Window(opens=time(9), closes=time(12)), Window(opens=time(13, 30), closes=time(17, 30)))


class Calendar(BaseModel):
    """A published working calendar. Frozen: a demand keeps the one it was promised under.

    `off` are dates without work, `work` are make-up days (调休上班) with the ordinary windows. Inside
    `published_from`…`published_until` the State Council's notices are known; outside, only the weekly pattern and the
    days fixed by law are. `provisional` says that such days are part of it. When nothing is published yet,
    `published_until` is the day before `published_from`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Annotated[str, Field(min_length=1, max_length=64)]
    timezone: str = "Asia/Shanghai"
    windows: Annotated[tuple[Window, ...], Field(max_length=24)] = DEFAULT_WINDOWS
    workdays: tuple[Annotated[int, Field(ge=0, le=6)], ...] = (0, 1, 2, 3, 4)
    off: Days = ()
    work: Days = ()
    published_from: date
    published_until: date
    provisional: bool = False

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        _zone(value)
        return value

    @field_validator("workdays")
    @classmethod
    def _sorted_once(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(sorted(set(value)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if not self.windows or not self.workdays:
            raise ValueError("a calendar without working time can never be due; give it windows and workdays")
        for earlier, later in pairwise(self.windows):
            if earlier.closes == MIDNIGHT or later.opens < earlier.closes:
                raise ValueError(f"windows overlap or are not in order at {later.opens}")
        if twice := set(self.off).intersection(self.work):
            raise ValueError(f"{min(twice)} is both a day off and a make-up day")
        if self.published_until < self.published_from - ONE_DAY:
            raise ValueError(
                "published_until lies before published_from; when nothing is published it is the day before"
            )
        return self

    def model_copy(self, *, update: Any = None, deep: bool = False) -> Self:
        """A changed copy is another calendar: it is checked like one and never inherits the table of this one."""
        if not update:
            return super().model_copy(deep=deep)
        return type(self).model_validate({name: getattr(self, name) for name in type(self).model_fields} | dict(update))

    @cached_property
    def table(self) -> Table:
        """The intervals of this calendar, shared by every equal calendar of the process and built year by year."""
        return _table(self.timezone, self.windows, self.workdays, self.off, self.work)


@dataclass(frozen=True, slots=True)
class Year:
    """The working time of one local calendar year, in UTC: interval i runs `opens[i]`…`closes[i]`.

    `before[i]` is the working time of the year that precedes it; `days` are the working dates, `ends[i]` the close of
    the last window of `days[i]` and `firsts[i]` the index of its first interval.
    """

    opens: list[datetime]
    closes: list[datetime]
    before: list[timedelta]
    total: timedelta
    days: list[date]
    ends: list[datetime]
    firsts: list[int]

    def worked(self, at: datetime) -> timedelta:
        """Working time of the year until `at`."""
        index = bisect_right(self.opens, at) - 1
        return self.before[index] + (min(at, self.closes[index]) - self.opens[index]) if index >= 0 else ZERO

    def reached(self, amount: timedelta) -> datetime:
        """The first instant with `amount` (0 < amount ≤ total) of the year's working time behind it."""
        index = bisect_left(self.before, amount) - 1
        return self.opens[index] + (amount - self.before[index])


class Table:
    """Years of working intervals, built when first asked for. A year is computed alike whoever asks, so threads may race."""

    def __init__(
        self,
        zone: ZoneInfo,
        windows: tuple[Window, ...],
        workdays: tuple[int, ...],
        off: tuple[date, ...],
        work: tuple[date, ...],
    ) -> None:
        self.zone = zone
        self.off = frozenset(off)
        self.work = frozenset(work)
        self._windows = windows
        self._workdays = frozenset(workdays)
        self._years: dict[int, Year] = {}

    def year(self, year: int) -> Year:
        return self._years.get(year) or self._years.setdefault(year, self._build(year))

    def local(self, at: datetime) -> datetime:
        """`at` on the wall clock of the calendar. ValueError if naive, DomainError if far outside living memory."""
        if at.tzinfo is None or at.utcoffset() is None:
            raise ValueError(f"{at.isoformat()} has no time zone; working time needs aware datetimes")
        if not FIRST_YEAR <= at.year < LAST_YEAR:
            raise exhausted(at)
        return at.astimezone(self.zone)

    def works_on(self, day: date) -> bool:
        return day in self.work or (day.weekday() in self._workdays and day not in self.off)

    def intervals(self, day: date) -> list[tuple[datetime, datetime]]:
        """The windows of a date as UTC intervals, whether or not it is worked.

        Windows inside an hour that the wall clock skips land on the hour after it; nothing is counted twice.
        """
        spans = sorted(
            (
                self.instant(day, window.opens),
                self.instant(day + ONE_DAY if window.closes == MIDNIGHT else day, window.closes),
            )
            for window in self._windows
        )
        result: list[tuple[datetime, datetime]] = []
        for opens, closes in spans:
            begins = max(opens, result[-1][1]) if result else opens
            if begins < closes:
                result.append((begins, closes))
        return result

    def worked_on(self, day: date) -> Iterator[tuple[datetime, datetime]]:
        """The working intervals of a date in UTC, none where nobody works."""
        year = self.year(day.year)
        index = bisect_left(year.days, day)
        if index == len(year.days) or year.days[index] != day:
            return iter(())
        first, until = year.firsts[index], year.firsts[index + 1] if index + 1 < len(year.firsts) else None
        return zip(year.opens[first:until], year.closes[first:until], strict=True)

    def instant(self, day: date, wall: time = MIDNIGHT) -> datetime:
        return datetime.combine(day, wall, self.zone).astimezone(UTC)

    def _build(self, number: int) -> Year:
        year = Year([], [], [], ZERO, [], [], [])
        total = ZERO
        day = date(number, 1, 1)
        while day.year == number:
            spans = self.intervals(day) if self.works_on(day) else []
            first = len(year.opens)
            for opens, closes in spans:
                year.opens.append(opens)
                year.closes.append(closes)
                year.before.append(total)
                total += closes - opens
            if spans:
                year.days.append(day)
                year.ends.append(spans[-1][1])
                year.firsts.append(first)
            day += ONE_DAY
        return replace(year, total=total)


def exhausted(start: datetime) -> DomainError:
    return DomainError(
        "calendar_exhausted",
        f"No due time within {HORIZON_YEARS} years of the start; give a smaller budget or a calendar with more working time",
        start=start.isoformat(),
    )


@lru_cache(maxsize=64)
def _table(
    timezone: str, windows: tuple[Window, ...], workdays: tuple[int, ...], off: tuple[date, ...], work: tuple[date, ...]
) -> Table:
    return Table(_zone(timezone), windows, workdays, off, work)


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}; use an IANA name such as Asia/Shanghai") from error
