"""Which changes of the rotation can be entered, and which can be taken back: nothing that has happened is rewritten."""

from __future__ import annotations

from datetime import date

from domain.errors import DomainError
from domain.rotation import Roster, days
from domain.rotation_changes import Change, Override, Skip, Substitute, Swap


def admit(roster: Roster, change: Change, today: date) -> None:
    """Whether the change can be entered today.

    Raises DomainError: `turn_over` for a period that has begun or days that are past, `not_on_roster`,
    `not_their_turn`, `rotation_conflict` where it meets another change, `validation_failed`.
    """
    if isinstance(change, Skip | Swap):
        _not_begun(roster, change, today)
        roster.order.after(0, change)
        return
    if change.starts_on < today:
        rule = "These days have passed already. Begin with today or later."
        raise DomainError("turn_over", rule, today=today.isoformat())
    if isinstance(change, Substitute):
        _check_substitute(roster, change)
    elif change.unit is not None:
        roster.order.on_roster(change.unit)
    _check_alone(roster, change)


def check_revocable(roster: Roster, id: int, today: date) -> None:
    """Whether the entry can be taken back today; a stand-in that has begun ends with it.

    Raises DomainError: `turn_over` when its period has begun or its days are past, `rotation_conflict` when a later
    change builds on it.
    """
    change = next(entry.change for entry in roster.entries if entry.id == id)
    if isinstance(change, Skip | Swap):
        _not_begun(roster, change, today)
    elif change.ends_on < today:
        rule = "These days have passed; nothing is left to take back."
        raise DomainError("turn_over", rule, today=today.isoformat())
    without = Roster(roster.rotation, roster.bench, tuple(e for e in roster.entries if e.id != id))
    needing = sorted(set(without.void) - set(roster.void))
    if needing:
        rule = "Later changes build on this one. Revoke those first, the last one first."
        raise DomainError("rotation_conflict", rule, changes=needing)


def _not_begun(roster: Roster, change: Skip | Swap, today: date) -> None:
    named = (change.period,) if isinstance(change, Skip) else (change.period, change.with_period)
    for period in named:
        number = roster.periods.number(period)
        if number <= roster.periods.number(today):
            rule = "That period has begun. Enter a substitute or an override for the days that are left."
            raise DomainError("turn_over", rule, period=roster.periods.first_day(number).isoformat())


def _check_substitute(roster: Roster, change: Substitute) -> None:
    roster.order.on_roster(change.unit)
    if change.by_unit is not None:
        roster.order.on_roster(change.by_unit)
    if change.by_unit == change.unit:
        raise DomainError("validation_failed", "A unit cannot stand in for itself.", field="/by_unit")
    if not any(roster.whose(day) == change.unit for day in days(change.starts_on, change.ends_on)):
        rule = "The unit does not chair on any of these days, so nobody has to stand in for it."
        raise DomainError("not_their_turn", rule, unit=change.unit, chairs=roster.whose(change.starts_on))


def _check_alone(roster: Roster, change: Substitute | Override) -> None:
    """Two entries about the same days would leave it to their order who chairs."""
    for entry in roster.entries:
        other = entry.change
        if entry.revoked_on is None and _about_the_same(change, other):
            rule = "Another entry settles some of these days already. Revoke it first, or choose other days."
            raise DomainError("rotation_conflict", rule, changes=[entry.id])


def _about_the_same(change: Substitute | Override, other: Change) -> bool:
    if isinstance(change, Override) and isinstance(other, Override):
        return change.meets(other)
    if isinstance(change, Substitute) and isinstance(other, Substitute):
        return change.unit == other.unit and change.meets(other)
    return False
