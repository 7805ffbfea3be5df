"""Loads the holiday tables of config/calendar/, one TOML file a year, into the calendar that demands are promised under.

    CN-2024.toml … ── read_years ──> HolidayYear … ──> Almanac ── calendar_for ──> Calendar

A file that is wrong in any way stops the load: a calendar that guesses makes promises nobody can explain.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from domain.calendar import DEFAULT_WINDOWS, Calendar, Window
from domain.errors import ConfigError

ONE_DAY = timedelta(days=1)


class Holiday(BaseModel):
    """One entry of a notice: days off from `from` to `until`, both included, and the weekend days worked in exchange."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: Annotated[str, Field(min_length=1)]
    first: Annotated[date, Field(alias="from")]
    until: date | None = None
    work: list[date] = []

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if not 0 <= (self.last - self.first).days < 31:
            raise ValueError(f"{self.name} runs from {self.first} until {self.last}; at most 31 days, forwards")
        return self

    @property
    def last(self) -> date:
        return self.until or self.first

    def off(self) -> Iterator[date]:
        for offset in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=offset)


class HolidayYear(BaseModel):
    """A file of config/calendar/. `source` names the notice and its date."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    year: Annotated[int, Field(ge=1970, le=2199)]
    source: Annotated[str, Field(min_length=1)]
    provisional: bool
    holiday: Annotated[list[Holiday], Field(min_length=1)]

    def off(self) -> list[date]:
        return [day for holiday in self.holiday for day in holiday.off()]

    def work(self) -> list[date]:
        return [day for holiday in self.holiday for day in holiday.work]


@dataclass(frozen=True)
class Almanac:
    """Every holiday table that is known, in order of years and without gaps: which days are off or made up, and why."""

    years: tuple[HolidayYear, ...]
    windows: tuple[Window, ...] = DEFAULT_WINDOWS
    _calendars: dict[tuple[int, int], Calendar] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def names(self) -> Mapping[date, str]:
        """The holiday of each day off, and of each make-up day the one it is worked for."""
        return {
            day: holiday.name
            for entry in self.years
            for holiday in entry.holiday
            for day in (*holiday.off(), *holiday.work)
        }

    def name_of(self, day: date) -> str | None:
        return self.names.get(day)

    def known(self, year_from: int, year_until: int) -> tuple[HolidayYear, ...]:
        """The tables of these years, both included; those that do not exist are left out."""
        return tuple(entry for entry in self.years if year_from <= entry.year <= year_until)

    def calendar_for(self, year_from: int, year_until: int) -> Calendar:
        """The calendar of the known ones of these years, both included; ConfigError when none of them is."""
        chosen = self.known(year_from, year_until)
        if not chosen:
            raise _no_table("almanac", year_from, year_until)
        span = chosen[0].year, chosen[-1].year
        if span not in self._calendars:
            self._calendars[span] = merge(chosen, windows=self.windows)
        return self._calendars[span]


def load_calendars(directory: Path, *, windows: tuple[Window, ...] = DEFAULT_WINDOWS) -> Calendar:
    """One calendar of every year found. ConfigError names the file, the key and what to do."""
    years = read_years(directory)
    return merge(years, windows=windows)


def for_span(
    directory: Path, year_from: int, year_until: int, *, windows: tuple[Window, ...] = DEFAULT_WINDOWS
) -> Calendar:
    """The calendar of the years `year_from`…`year_until`, both included: what a demand started then needs to carry.

    Years before the first or after the last file are outside the published range, not an error; a span that misses
    every file is.
    """
    almanac = Almanac(read_years(directory), windows)
    if not almanac.known(year_from, year_until):
        raise _no_table(str(directory), year_from, year_until)
    return almanac.calendar_for(year_from, year_until)


def _no_table(place: str, year_from: int, year_until: int) -> ConfigError:
    return ConfigError(
        place,
        "year",
        f"no holiday table for {year_from}–{year_until}",
        f"Add CN-{year_from}.toml; copy the newest file and mark it provisional until the notice is published",
    )


def read_years(directory: Path) -> tuple[HolidayYear, ...]:
    """Every CN-<year>.toml in order of years, checked one by one and against its neighbours."""
    files = sorted(directory.glob("CN-*.toml"))
    if not files:
        raise ConfigError(
            str(directory), "CN-*.toml", "no holiday table found", "Put at least one CN-<year>.toml there"
        )
    years = tuple(read_year(file) for file in files)
    check_neighbours(years, [str(file) for file in files])
    return years


def check_neighbours(years: Sequence[HolidayYear], places: Sequence[str]) -> None:
    """Years follow each other without a gap, and none is published before the one it follows. Raises ConfigError.

    `places` say of each year where it stands.
    """
    for earlier, later, place in zip(years, years[1:], places[1:], strict=False):
        if later.year != earlier.year + 1:
            missing = earlier.year + 1
            problem = f"{missing} is missing between {earlier.year} and {later.year}"
            raise ConfigError(place, "year", problem, f"Add CN-{missing}.toml or remove the years beyond the gap")
        if earlier.provisional and not later.provisional:
            problem = f"{later.year} is published while {earlier.year} is still provisional"
            raise ConfigError(place, "provisional", problem, f"Enter the notice of {earlier.year} first")


def read_year(file: Path) -> HolidayYear:
    """One file, checked: its dates are of its year, none is listed twice, make-up days are weekend days."""
    try:
        entry = HolidayYear.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise ConfigError(
            str(file), "file", f"cannot be read: {error.strerror}", "Check its path and permissions"
        ) from error
    except UnicodeDecodeError as error:
        raise ConfigError(str(file), f"byte {error.start}", "is not UTF-8", "Save the file as UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(file), "TOML", str(error), "Correct that line; dates are written 2026-10-01") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "file"
        raise ConfigError(str(file), key, first["msg"], "Compare with the other files of the folder") from error
    if file.stem != f"CN-{entry.year}":
        raise ConfigError(
            str(file), "year", f"is {entry.year}", f"Name the file CN-{entry.year}.toml or correct the year"
        )
    check_dates(str(file), entry)
    return entry


def check_dates(place: str, entry: HolidayYear) -> None:
    """Its dates are of its year, none is listed twice, make-up days are weekend days, somebody works at some time.

    Raises ConfigError; `place` says where the year stands.
    """
    off, work = entry.off(), entry.work()
    for day in (*off, *work):
        if day.year != entry.year:
            raise ConfigError(place, f"{day}", f"is not in {entry.year}", f"Move it to CN-{day.year}.toml")
        if day in off and day in work:
            remedy = "Keep it as a day off or as a make-up day"
            raise ConfigError(place, f"{day}", "is both a day off and a make-up day", remedy)
        if off.count(day) + work.count(day) > 1:
            raise ConfigError(place, f"{day}", "is listed twice", "Keep one entry")
    for day in work:
        if day.weekday() < 5:
            remedy = "A make-up day is a Saturday or Sunday; check the notice"
            raise ConfigError(place, f"{day}", "is an ordinary working day already", remedy)
    if not merge((entry,)).table.year(entry.year).days:
        raise ConfigError(
            place, "holiday", f"leaves {entry.year} without a working day", "Check the dates of the notice"
        )


def merge(years: tuple[HolidayYear, ...], *, windows: tuple[Window, ...] = DEFAULT_WINDOWS) -> Calendar:
    """One calendar of consecutive years, versioned by its content: equal days, equal version."""
    first, last = years[0].year, years[-1].year
    published = [entry.year for entry in years if not entry.provisional]
    content = Calendar(
        version="content",
        windows=windows,
        off=tuple(day for entry in years for day in entry.off()),
        work=tuple(day for entry in years for day in entry.work()),
        published_from=date(first, 1, 1),
        published_until=date(published[-1], 12, 31) if published else date(first, 1, 1) - ONE_DAY,
        provisional=len(published) < len(years),
    )
    digest = hashlib.sha256(content.model_dump_json().encode()).hexdigest()[:8]
    span = f"{first}" if first == last else f"{first}-{last}"
    return content.model_copy(update={"version": f"CN-{span}/{digest}"})
