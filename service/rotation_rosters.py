"""A community's rosters, one after the other: the one of the files, those that were published, and those to come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property

from domain.errors import DomainError
from domain.policies import Rotation
from domain.rotation import Roster, Turn, roster_of
from domain.rotation_changes import Change, Entry, Skip, Swap
from service.desk import Desk
from service.publish_district import ROSTER, read

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rosters:
    """Each counts from its first day until the next one begins; the first also before."""

    parts: tuple[Roster, ...]

    def on(self, day: date) -> Roster:
        return self.parts[self._number(day)]

    def turns(self, first: date, last: date) -> tuple[Turn, ...]:
        """Every period that has a day from `first` to `last`."""
        found: list[Turn] = []
        for roster in self.parts[self._number(first) : self._number(last) + 1]:
            begins, ends = self.span(roster)
            found += roster.turns(max(first, begins or first), min(last, ends or last))
        return tuple(found)

    def span(self, roster: Roster) -> tuple[date | None, date | None]:
        """Its first and its last day; None where it has none."""
        number = self.parts.index(roster)
        begins = self.parts[number].periods.starts_on if number else None
        following = self.parts[number + 1 : number + 2]
        return begins, following[0].periods.starts_on - ONE_DAY if following else None

    @cached_property
    def void(self) -> Mapping[int, str]:
        """Skips and swaps without effect in the roster that they are about; with the reason."""
        entries = self.parts[0].entries
        reasons = {e.id: self.on(first_day_of(e.change)).void.get(e.id) for e in entries}
        return {id: reason for id, reason in reasons.items() if reason is not None}

    def of_change(self, change: Change) -> Roster:
        """The roster that a change is about. Raises DomainError `rotation_conflict` for periods of two of them."""
        roster = self.on(first_day_of(change))
        if isinstance(change, Swap) and self.on(max(change.period, change.with_period)) is not roster:
            rule = "Another roster begins between these two periods. Exchange periods of the same roster."
            raise DomainError("rotation_conflict", rule)
        return roster

    def _number(self, day: date) -> int:
        begun = [number for number, roster in enumerate(self.parts) if roster.periods.starts_on <= day]
        return begun[-1] if begun else 0


def first_day_of(change: Change) -> date:
    if isinstance(change, Skip):
        return change.period
    return min(change.period, change.with_period) if isinstance(change, Swap) else change.starts_on


def rosters_of(desk: Desk, community: str, entries: Sequence[Entry]) -> Rosters:
    """With the register of changes. Raises DomainError `unknown_community`."""
    bench = roster_of(desk.district, community).bench
    known = [desk.watch.base.district.directory.rotations[community]]
    known += [read(one, Rotation) for one in desk.watch.in_force.line(ROSTER, community)]
    by_day = {one.starts_on: one for one in known}  # of two for the same day the later one counts
    return Rosters(tuple(Roster(by_day[day], bench, tuple(entries)) for day in sorted(by_day)))
