"""Load and capacity 负荷: what is in hand at an instant, what was done, and what there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from domain.exclusions import Exclusions
from domain.kpi_cases import ONE, Case
from domain.kpi_definition import Definition
from domain.kpi_facts import Facts

LAST = timedelta(microseconds=1)
"""A stock at the end of a period is counted at its last instant."""


@dataclass(frozen=True)
class Frame:
    """What figures take from elsewhere than the log.

    `unit_capacity` is tasks at a time by unit, `worker_capacity` that of every grid worker, `working_days` are those of
    the period, `grades` the property grades of compounds.
    """

    unit_capacity: Mapping[str, int] = field(default_factory=dict)
    worker_capacity: int = 0
    working_days: tuple[date, ...] = ()
    grades: Mapping[str, str] = field(default_factory=dict)
    exclusions: Exclusions = field(default_factory=Exclusions)

    def capacity(self, unit: str | None, worker: str | None) -> int:
        """0 where nobody is named, or nothing is known of the unit."""
        if unit is not None:
            return self.unit_capacity.get(unit, 0)
        return 0 if worker is None else self.worker_capacity


def done(facts: Facts, definition: Definition) -> Iterator[Case]:
    """Tasks that were done."""
    if "handled_per_day" in definition.loads:
        for spell in facts.spells:
            if spell.ended is not None and spell.done:
                mark = spell.ended
                yield Case("handled_per_day", mark.at, spell.where, ONE, (), (mark.seq,))


def standing(facts: Facts, definition: Definition, ends: Iterable[datetime]) -> Iterator[Case]:
    """Tasks in hand just before each of these instants, the last of which is not later than the log was read."""
    figures = [figure for figure in ("open_tasks", "capacity_used") if figure in definition.loads]
    for end in ends:
        for spell in facts.spells:
            if spell.begun.at < end and (spell.ended is None or spell.ended.at >= end):
                for figure in figures:
                    yield Case(figure, end - LAST, spell.where, ONE, (), (spell.begun.seq,))
