"""Figures 指标: cases added up by place, unit, category, channel, property grade or time. Pure.

Adding is exact (decimals) and the order of demands does not matter; the parts of a grouping add up to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Literal, get_args

from domain.exclusions import Approved, Exclusions, leaving_out
from domain.kpi_cases import ZERO, Case, cases
from domain.kpi_definition import Definition
from domain.kpi_facts import Facts, Line
from domain.kpi_load import Frame, done, standing
from domain.kpi_log import read_facts
from domain.kpi_words import COUNTS, LOADS, figures_of

Dimension = Literal["community", "grid", "unit", "worker", "category", "channel", "property_grade", "day", "month"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
Key = tuple[str | None, ...]
Grades = Callable[[str | None], str | None]
"""The property grade of a compound, if there is one."""


@dataclass(slots=True)
class Figure:
    """`denominator` is None for what is only counted. `excluded` counts by reason what is in neither."""

    numerator: Decimal = Decimal(0)
    denominator: int | None = None
    excluded: Counter[str] = field(default_factory=Counter)

    @property
    def value(self) -> Decimal | None:
        """The share, or the count; None without a case: nothing is not zero."""
        if self.denominator is None:
            return self.numerator
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True)
class Grouping:
    """What a case is counted under. `level` is how many levels of the category tree are kept, from the top."""

    by: tuple[Dimension, ...]
    zone: tzinfo
    grades: Grades
    level: int = 1

    def key(self, case: Case) -> Key:
        return tuple(self._part(case, dimension) for dimension in self.by)

    def _part(self, case: Case, dimension: Dimension) -> str | None:
        where = case.where
        if dimension == "category":
            return where.category[: 2 * self.level]
        if dimension == "property_grade":
            return self.grades(where.compound)
        if dimension == "day" or dimension == "month":
            return case.at.astimezone(self.zone).date().isoformat()[: 10 if dimension == "day" else 7]
        value: str | None = getattr(where, dimension)
        return value


Sums = dict[str, Figure]
NONE_EXCLUDED = Exclusions()


@dataclass
class Tally:
    """Figures of one definition, by key. The key of no grouping at all is `()`."""

    definition: Definition
    groups: dict[Key, Sums] = field(default_factory=dict)

    def add(self, key: Key, case: Case) -> None:
        sums = self.groups.get(key)
        if sums is None:
            sums = self.groups[key] = nothing(self.definition)
        figure = sums.get(case.figure)
        if figure is None:
            return
        if case.excluded:
            figure.excluded[case.excluded] += 1
            return
        figure.numerator += case.value
        if figure.denominator is not None:
            figure.denominator += 1


def nothing(definition: Definition) -> Sums:
    """Every figure of the definition with no case yet."""
    return {id: Figure(denominator=None if id in COUNTS else 0) for id in figures_of(definition) if id != "composite"}


def composite(sums: Mapping[str, Figure], definition: Definition) -> Decimal | None:
    """The three rates weighed; None while one of them has no case."""
    weights = definition.weights
    shares = (
        (weights.response, "response"),
        (weights.resolution, "resolution"),
        (weights.satisfaction, "satisfaction"),
    )
    total = Decimal(0)
    for weight, id in shares:
        value = sums[id].value
        if value is None:
            return None
        total += weight * value
    return total


@dataclass(frozen=True)
class Period:
    """From `start` until just before `end`. What happened later does not count, also for what it says of cases here."""

    start: datetime
    end: datetime

    def ends(self, grouping: Grouping) -> tuple[datetime, ...]:
        """The instants at which what stands open is counted: the end, or that of every day or month of it."""
        if not {"day", "month"} & set(grouping.by) or self.end <= self.start:
            return (self.end,)
        found, day = [], self.start.astimezone(grouping.zone).date()
        while (after := _midnight(day := day + timedelta(days=1), grouping.zone)) < self.end:
            if "day" in grouping.by or day.day == 1:
                found.append(after)
        return (*found, self.end)


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone)


def flows(facts: Facts, definition: Definition, period: Period, *, zone: tzinfo, exclusions: Exclusions) -> list[Case]:
    """What happened in the period, with what was approved to be left out of it."""
    approved = exclusions.of(facts.number)
    found = [c for c in cases(facts, definition, until=period.end, zone=zone) if period.start <= c.at < period.end]
    if approved:
        found = [_left_out(case, leaving_out(approved, _month(case.at, zone), case.figure)) for case in found]
    return found + [c for c in done(facts, definition) if period.start <= c.at < period.end]


def _left_out(case: Case, by: Approved | None) -> Case:
    """What is out already for how it ended stays under that."""
    if by is None or case.excluded:
        return case
    return replace(case, value=ZERO, excluded=by.basis, exclusion=by.id)


def _month(at: datetime, zone: tzinfo) -> str:
    return at.astimezone(zone).date().isoformat()[:7]


def stocks(facts: Facts, definition: Definition, period: Period, grouping: Grouping) -> list[Case]:
    """What stood open at the end of the period, or of each day or month of it where that is asked for."""
    if not definition.loads:
        return []
    return [c for c in standing(facts, definition, period.ends(grouping)) if period.start <= c.at < period.end]


def cases_in(
    number: str,
    entries: Iterable[Line],
    definition: Definition,
    period: Period,
    *,
    zone: tzinfo,
    exclusions: Exclusions = NONE_EXCLUDED,
) -> list[Case]:
    """What one demand adds to the figures of a period, by its log and what was excluded of it."""
    facts = read_facts(number, entries, until=period.end)
    whole = Grouping((), zone, lambda _: None)
    found = flows(facts, definition, period, zone=zone, exclusions=exclusions)
    return found + stocks(facts, definition, period, whole)


def settle(sums: Sums, key: Key, grouping: Grouping, frame: Frame) -> None:
    """Put under load what it is measured by: working days, and the capacity of the one that the key names."""
    parts: dict[str, str | None] = dict(zip(grouping.by, key, strict=False))
    for id in LOADS:
        figure = sums.get(id)
        if figure is not None and figure.denominator is not None:
            pace = id == "handled_per_day"
            figure.denominator = _working_days(parts, frame) if pace else _capacity(parts, frame)


def _working_days(parts: Mapping[str, str | None], frame: Frame) -> int:
    within = parts.get("day") or parts.get("month") or ""
    return sum(day.isoformat().startswith(within) for day in frame.working_days)


def _capacity(parts: Mapping[str, str | None], frame: Frame) -> int:
    return frame.capacity(parts.get("unit"), parts.get("worker"))
