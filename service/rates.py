"""Figures 指标 for a period, computed from the event log and nothing else, within what the caller may see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.actors import Actor
from domain.district import District
from domain.errors import DomainError
from domain.kpi_cases import Case
from domain.kpi_definition import Definition
from domain.kpi_words import figures_of
from domain.rates import Dimension, Grouping, Period, Tally, cases_in
from domain.vocabulary import Role
from service.desk import Desk
from store.rates import logs

LONGEST_DAYS = 366
_ALL = (Role.SUPERVISOR, Role.AUDITOR, Role.ADMIN)


@dataclass(frozen=True)
class Scope:
    """Whose cases a caller may count."""

    everything: bool
    communities: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()

    def covers(self, case: Case) -> bool:
        return self.everything or case.where.community in self.communities or case.where.unit in self.units


def scope_of(actor: Actor) -> Scope:
    """All for supervisors, auditors and admins; their community for secretaries, their unit's cases for liaisons.

    Raises DomainError `not_permitted` for everybody else.
    """
    communities = {g.community for g in actor.grants if g.role in (*_ALL, Role.COMMUNITY_SECRETARY) and g.community}
    units = {g.unit for g in actor.grants if g.role is Role.UNIT_LIAISON and g.unit}
    everything = any(g.role in _ALL and g.community is None for g in actor.grants)
    if not (everything or communities or units):
        allowed = [*_ALL, Role.COMMUNITY_SECRETARY, Role.UNIT_LIAISON]
        raise DomainError("not_permitted", "Only these roles may do this.", allowed=allowed)
    return Scope(everything, frozenset(communities), frozenset(units))


@dataclass(frozen=True)
class Days:
    """Local days, both included."""

    first: date
    last: date

    @classmethod
    def of_month(cls, month: str) -> Days:
        """Of "2026-11"."""
        first = date.fromisoformat(f"{month}-01")
        return cls(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    @property
    def month_before(self) -> Days:
        return Days.of_month(f"{self.first - timedelta(days=1):%Y-%m}")

    def period(self, district: District, now: datetime | None = None) -> Period:
        """Its instants; with `now` it ends there at the latest."""
        zone = ZoneInfo(district.timezone)
        start = datetime.combine(self.first, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return Period(start, end if now is None else max(min(end, now), start))


@dataclass(frozen=True)
class Asked:
    """What a caller wants counted: the days, the groupings in order, and by which definition (None: the one in force)."""

    days: Days
    by: tuple[Dimension, ...] = ()
    level: int = 1
    version: str | None = None


def definition_of(desk: Desk, version: str | None) -> Definition:
    """Raises DomainError `unknown_definition`."""
    book = desk.district.rates
    found = book.definition(version)
    if found is None:
        known = [d.version for d in book.definitions]
        raise DomainError(
            "unknown_definition", "This pack has no such definition; take one of facts.known.", known=known
        )
    return found


def days_of(month: str | None, first: date | None, last: date | None) -> Days:
    """Either a month or both days. Raises DomainError `invalid_filter`, `span_too_long`."""
    if month is not None and first is None and last is None:
        return Days.of_month(month)
    if month is not None or first is None or last is None or last < first:
        raise DomainError("invalid_filter", "Send `month`, or `from` and `until` with the first day first.")
    if (last - first).days >= LONGEST_DAYS:
        raise DomainError("span_too_long", f"At most {LONGEST_DAYS} days at once.", most_days=LONGEST_DAYS)
    return Days(first, last)


def grouping(desk: Desk, by: tuple[Dimension, ...], level: int = 1) -> Grouping:
    compounds = desk.district.directory.compounds

    def grade(compound: str | None) -> str | None:
        found = compounds.get(compound) if compound else None
        return found.property_grade if found else None

    return Grouping(by, ZoneInfo(desk.district.timezone), grade, level)


async def tallies(
    desk: Desk, definition: Definition, period: Period, groupings: Sequence[Grouping], scope: Scope
) -> list[Tally]:
    """One pass over the log for all of the groupings; memory grows with their keys, not with the demands."""
    found = [Tally(definition) for _ in groupings]
    zone = ZoneInfo(desk.district.timezone)
    async with logs(desk.pool, period.start, period.end) as batches:
        async for batch in batches:
            for number, entries in batch:
                for case in cases_in(number, entries, definition, period, zone=zone):
                    if scope.covers(case):
                        for tally, one in zip(found, groupings, strict=True):
                            tally.add(one.key(case), case)
            await asyncio.sleep(0)
    return found


@dataclass(frozen=True)
class Counted:
    """`before` is of the month before, where that was asked for."""

    asked: Asked
    definition: Definition
    period: Period
    tally: Tally
    before: Tally | None = None


async def figures(desk: Desk, actor: Actor, asked: Asked, *, compare: bool = False) -> Counted:
    """The figures of a period as of its end, or of now. Raises DomainError: `not_permitted`, `unknown_definition`."""
    scope, definition = scope_of(actor), definition_of(desk, asked.version)
    period = asked.days.period(desk.district, desk.now())
    groups = [grouping(desk, asked.by, asked.level)]
    (tally,) = await tallies(desk, definition, period, groups, scope)
    before = None
    if compare:
        earlier = asked.days.month_before.period(desk.district)
        (before,) = await tallies(desk, definition, earlier, groups, scope)
    return Counted(asked, definition, period, tally, before)


@dataclass(frozen=True)
class Traced:
    """Which figure's events: `side` is numerator, denominator or excluded; `key` as in the answer that is traced."""

    figure: str
    side: str
    key: tuple[str | None, ...] = ()


Place = tuple[str, int]
"""A demand's number and an event's `seq`."""


async def trace(
    desk: Desk, actor: Actor, asked: Asked, wanted: Traced, *, after: Place | None, limit: int
) -> list[dict[str, object]]:
    """The events behind a figure, by number and seq, at most `limit` of them.

    Raises DomainError: `not_permitted`, `unknown_definition`, `invalid_filter` for a figure that cannot be traced.
    """
    scope, definition = scope_of(actor), definition_of(desk, asked.version)
    known = [figure for figure in figures_of(definition) if figure != "composite"]
    if wanted.figure not in known or len(wanted.key) != len(asked.by):
        rule = "Name a figure of facts.known (a composite has no events of its own), and one `key` for each of `by`."
        raise DomainError("invalid_filter", rule, known=known)
    period = asked.days.period(desk.district, desk.now())
    one = grouping(desk, asked.by, asked.level)
    found: list[dict[str, object]] = []
    async with logs(desk.pool, period.start, period.end, first=after[0] if after else None) as batches:
        async for batch in batches:
            for number, entries in batch:
                counted = cases_in(number, entries, definition, period, zone=one.zone)
                behind = {
                    seq
                    for case in counted
                    if case.figure == wanted.figure and scope.covers(case) and one.key(case) == wanted.key
                    for seq in _side(case, wanted.side)
                }
                found += [
                    {"number": number, "seq": e.seq, "type": e.type, "at": e.at}
                    for e in entries
                    if e.seq in behind and (after is None or (number, e.seq) > after)
                ]
            if len(found) >= limit:
                return found[:limit]
            await asyncio.sleep(0)
    return found


def _side(case: Case, side: str) -> tuple[int, ...]:
    if side == "excluded" or case.excluded:
        return case.denominator if side == "excluded" and case.excluded else ()
    return case.numerator if side == "numerator" else case.denominator
