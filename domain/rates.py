"""Figures 指标: cases added up by place, unit, category, channel, property grade or time. Pure.

Adding is exact (decimals) and the order of demands does not matter; the parts of a grouping add up to the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal, get_args

from domain.kpi_cases import Case, cases
from domain.kpi_definition import Definition
from domain.kpi_facts import Line
from domain.kpi_log import read_facts
from domain.kpi_words import COUNTS, figures_of

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


def cases_in(
    number: str, entries: Iterable[Line], definition: Definition, period: Period, *, zone: tzinfo
) -> list[Case]:
    """What one demand adds to the figures of a period, by its log alone."""
    facts = read_facts(number, entries, until=period.end)
    found = cases(facts, definition, until=period.end, zone=zone)
    return [case for case in found if period.start <= case.at < period.end]
