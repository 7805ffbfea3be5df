"""The order of turns of the chair: which unit has which period, after skips and swaps.

Turn k belongs to unit k of the roster, round after round. Without changes turn k takes period k. A skip takes a turn
out; a swap pins two turns to each other's periods. The turns that are neither fill the periods that nobody is pinned
to, in their order. So a skip moves everybody behind it up by one, but nobody whose period was swapped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from domain.errors import DomainError
from domain.policies import Rotation
from domain.rotation_changes import Skip, Swap


@dataclass(frozen=True)
class Periods:
    """Months or quarters from the month of `starts_on`, numbered from 0; those before it have negative numbers."""

    starts_on: date
    months: int

    @classmethod
    def of(cls, rotation: Rotation) -> Periods:
        return cls(rotation.starts_on.replace(day=1), 3 if rotation.period == "quarter" else 1)

    def number(self, on: date) -> int:
        return ((on.year - self.starts_on.year) * 12 + on.month - self.starts_on.month) // self.months

    def first_day(self, number: int) -> date:
        months = self.starts_on.year * 12 + self.starts_on.month - 1 + number * self.months
        return date(months // 12, months % 12 + 1, 1)

    def last_day(self, number: int) -> date:
        return self.first_day(number + 1) - timedelta(days=1)


@dataclass(frozen=True)
class Slot:
    """Who has a period, and the swap that gave it, if one did."""

    unit: str
    turn: int
    swap: int | None = None


@dataclass(frozen=True)
class Order:
    """`pinned` maps a turn to its period and the id of the swap; `passed` says which unit was skipped in a period."""

    units: tuple[str, ...]
    periods: Periods
    pinned: Mapping[int, tuple[int, int]] = field(default_factory=dict)
    dropped: frozenset[int] = frozenset()
    passed: Mapping[int, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    _filled: list[int] = field(default_factory=list, compare=False, repr=False)
    _next: list[int] = field(default_factory=lambda: [0], compare=False, repr=False)

    def slot(self, number: int) -> Slot:
        """The slot of a period; before the rotation begins, the unit that begins it chairs."""
        turn = self._turn(max(number, 0))
        _, swap = self.pinned.get(turn, (None, None))
        return Slot(self.units[turn % len(self.units)], turn, swap)

    def _turn(self, number: int) -> int:
        """Worked out period by period and kept, because each depends on the ones before."""
        by_period = {period: turn for turn, (period, _) in self.pinned.items()}
        while len(self._filled) <= number:
            turn = by_period.get(len(self._filled))
            if turn is None:
                while self._next[0] in self.dropped or self._next[0] in self.pinned:
                    self._next[0] += 1
                turn = self._next[0]
                self._next[0] += 1
            self._filled.append(turn)
        return self._filled[number]

    def after(self, id: int, change: Skip | Swap) -> Order:
        """The order after a change with this id.

        Raises DomainError `not_on_roster`, `not_their_turn`, `rotation_conflict`, `validation_failed`.
        """
        return self._skipped(id, change) if isinstance(change, Skip) else self._swapped(id, change)

    def _skipped(self, id: int, skip: Skip) -> Order:
        number, slot = self._turn_of(skip.unit, skip.period)
        passed = {**self.passed, number: (*self.passed.get(number, ()), (skip.unit, id))}
        pinned = {turn: place for turn, place in self.pinned.items() if turn != slot.turn}
        after = Order(self.units, self.periods, pinned, self.dropped | {slot.turn}, passed)
        if after.slot(number).unit in {unit for unit, _ in passed[number]}:
            rule = "Nobody on the roster is left for this period. Enter who chairs instead as an override."
            raise DomainError("rotation_conflict", rule, period=self.periods.first_day(number).isoformat())
        return after

    def _swapped(self, id: int, swap: Swap) -> Order:
        one, first = self._turn_of(swap.unit, swap.period)
        other, second = self._turn_of(swap.with_unit, swap.with_period)
        if swap.unit == swap.with_unit:
            rule = "A unit cannot exchange with itself. Name two units and a period of each."
            raise DomainError("validation_failed", rule, field="/with_unit")
        pinned = {**self.pinned, first.turn: (other, id), second.turn: (one, id)}
        return Order(self.units, self.periods, pinned, self.dropped, self.passed)

    def on_roster(self, unit: str) -> None:
        """Raises DomainError `not_on_roster`."""
        if unit not in self.units:
            rule = "This unit does not take part in the rotation. Name one of the roster."
            raise DomainError("not_on_roster", rule, unit=unit, roster=list(self.units))

    def _turn_of(self, unit: str, on: date) -> tuple[int, Slot]:
        self.on_roster(unit)
        number = self.periods.number(on)
        slot = self.slot(number)
        if number < 0 or slot.unit != unit:
            rule = "Another unit has the turn in that period. Look at the calendar of the year, and name that unit."
            period = self.periods.first_day(number).isoformat()
            raise DomainError("not_their_turn", rule, unit=unit, period=period, chairs=slot.unit)
        return number, slot
