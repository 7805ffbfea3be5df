"""The rotating chair 轮值主席: who chairs on a day, and the calendar of a year.

    order of the roster ──skips, swaps──> whose turn it is ──substitute──> override ──> who chairs

A unit chairs through its liaison 联络员; while the liaison is on leave and nobody was named, the community's secretary
stands in. Dates are local. All of it is computed from the roster and the register of changes; nothing is kept.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from domain.errors import DomainError
from domain.people import Span
from domain.policies import Rotation
from domain.rotation_changes import Entry, Override, Skip, Substitute, Swap
from domain.rotation_order import Order, Periods

if TYPE_CHECKING:
    from domain.district import District

ONE_DAY = timedelta(days=1)
How = Literal["rotation", "swap", "substitute", "override", "director", "secretary"]


class Chair(BaseModel):
    """Who chairs on a day. `whose` is the unit that has the turn, `unit` the one that sits; `change` says by which entry.

    The period is given by its first and last day. A meeting without a rotation has neither unit nor period.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    person: str
    how: How
    unit: str | None = None
    whose: str | None = None
    period_from: date | None = None
    period_until: date | None = None
    change: int | None = None


@dataclass(frozen=True)
class Stretch:
    """Consecutive days of one period with the same chair."""

    starts_on: date
    ends_on: date
    chair: Chair


@dataclass(frozen=True)
class Turn:
    """One period: the unit that has it, which were passed over (with the skip's id), and who chairs on its days."""

    period_from: date
    period_until: date
    unit: str
    swap: int | None
    passed: tuple[tuple[str, int], ...]
    stretches: tuple[Stretch, ...]


@dataclass(frozen=True)
class Bench:
    """The people behind the units; `leave` is by person, `secretary` stands in for a liaison who is away."""

    liaisons: Mapping[str, str]
    secretary: str
    leave: Mapping[str, tuple[Span, ...]] = field(default_factory=dict)

    def of(self, unit: str, on: date) -> tuple[str, bool]:
        """Who chairs for the unit, and whether that is its own liaison."""
        liaison = self.liaisons.get(unit)  # none when the unit has left the community since it was named
        if liaison is None or any(span.covers(on) for span in self.leave.get(liaison, ())):
            return self.secretary, False
        return liaison, True


@dataclass(frozen=True)
class Roster:
    """A community's rotation with its register of changes, in the order in which they were entered."""

    rotation: Rotation
    bench: Bench
    entries: tuple[Entry, ...] = ()

    @cached_property
    def periods(self) -> Periods:
        return Periods.of(self.rotation)

    @cached_property
    def _ordered(self) -> tuple[Order, dict[int, str]]:
        """The order after every skip and swap that stands, and why the others do not fit any more."""
        order, void = Order(self.rotation.roster, self.periods), dict[int, str]()
        for entry in sorted(self.entries, key=lambda e: e.id):
            if entry.revoked_on is None and isinstance(entry.change, Skip | Swap):
                try:
                    order = order.after(entry.id, entry.change)
                except DomainError as refused:
                    void[entry.id] = refused.rule
        return order, void

    @property
    def order(self) -> Order:
        return self._ordered[0]

    def whose(self, on: date) -> str:
        """The unit that has the turn, whoever may sit in its place."""
        return self.order.slot(self.periods.number(on)).unit

    @property
    def void(self) -> Mapping[int, str]:
        """Skips and swaps without effect, because the roster was changed under them; with the reason."""
        return self._ordered[1]

    def chair_on(self, on: date) -> Chair:
        """Exactly one, on any day; before the rotation begins, the unit that begins it."""
        number = self.periods.number(on)
        slot = self.order.slot(number)
        unit, person, change = slot.unit, None, slot.swap
        how: How = "rotation" if slot.swap is None else "swap"
        if (override := self._last(Override, on, None)) is not None:
            named = override.change
            assert isinstance(named, Override)
            unit, person, change, how = named.unit or unit, named.person, override.id, "override"
        elif (substitute := self._last(Substitute, on, unit)) is not None:
            stands_in = substitute.change
            assert isinstance(stands_in, Substitute)
            unit, person, change = stands_in.by_unit or unit, stands_in.by_person, substitute.id
            how = "substitute"
        if person is None:
            person, own = self.bench.of(unit, on)
            how = how if own else "substitute"
        return Chair(
            person=person, how=how, unit=unit, whose=slot.unit, change=change,
            period_from=self.periods.first_day(number), period_until=self.periods.last_day(number),
        )  # fmt: skip

    def _last(self, kind: type[Substitute] | type[Override], on: date, unit: str | None) -> Entry | None:
        """What was entered last about that day."""
        found = None
        for entry in self.entries:
            change = entry.change
            if isinstance(change, kind) and change.covers(on) and entry.counts(on):
                if isinstance(change, Substitute) and change.unit != unit:
                    continue
                found = entry if found is None or entry.id > found.id else found
        return found

    def turns(self, first: date, last: date) -> tuple[Turn, ...]:
        """Every period that has a day from `first` to `last`, from the beginning of the rotation on."""
        start = max(self.periods.number(first), 0)
        return tuple(self._turn(number) for number in range(start, self.periods.number(last) + 1))

    def calendar(self, year: int) -> tuple[Turn, ...]:
        return self.turns(date(year, 1, 1), date(year, 12, 31))

    def history(self, on: date) -> tuple[Turn, ...]:
        """The periods that are over on that day, oldest first, as the register tells them."""
        before = self.periods.first_day(self.periods.number(on)) - ONE_DAY
        return self.turns(self.periods.starts_on, before)

    def _turn(self, number: int) -> Turn:
        first, last = self.periods.first_day(number), self.periods.last_day(number)
        slot = self.order.slot(number)
        stretches = []
        for chair, group in groupby(days(first, last), key=self.chair_on):
            together = list(group)
            stretches.append(Stretch(together[0], together[-1], chair))
        passed = self.order.passed.get(number, ())
        return Turn(first, last, slot.unit, slot.swap, passed, tuple(stretches))


def roster_of(district: District, community: str, entries: Sequence[Entry] = ()) -> Roster:
    """Raises DomainError `unknown_community`."""
    rotation = district.directory.rotations[district.community(community).id]
    people = district.directory.people
    liaisons = {unit.id: unit.liaison for unit in district.units_of(community)}
    leave = {person: people[person].leave for person in liaisons.values() if people[person].leave}
    bench = Bench(liaisons, district.secretary(community), leave)
    return Roster(rotation, bench, tuple(entries))


def chair_of(district: District, meeting: str, entries: Mapping[str, tuple[Entry, ...]], on: date) -> Chair:
    """Who chairs a community's meeting, or the committee (the district's own id), on that local date.

    `entries` are the registers by community. Raises DomainError `unknown_meeting`.
    """
    settings = district.meeting(meeting)
    if settings.chair_source == "director" and settings.director:
        return Chair(person=settings.director, how="director")
    if settings.chair_source == "secretary":
        return Chair(person=district.secretary(meeting), how="secretary")
    return roster_of(district, meeting, entries.get(meeting, ())).chair_on(on)


def days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))
