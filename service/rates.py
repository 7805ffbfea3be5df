"""Figures 指标 for a period, computed from the event log and nothing else, within what the caller may see."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain import roles
from domain.actors import Actor
from domain.district import District
from domain.errors import DomainError
from domain.kpi_cases import Case
from domain.kpi_definition import Definition
from domain.kpi_load import Frame
from domain.kpi_log import read_facts
from domain.kpi_words import figures_of
from domain.needs import Need
from domain.rates import Dimension, Grouping, Key, Period, Sums, Tally, flows, nothing, settle, stocks
from service.desk import Desk
from service.rate_frames import grouping, inputs_of
from store.rates import logs

LONGEST_DAYS = 366


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
    reach = roles.reach(actor, Need.SEE_RATES)
    if reach.nothing:
        raise roles.refusal(actor, Need.SEE_RATES)
    return Scope(reach.everywhere, reach.communities, reach.units)


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
        return Days.of_month(f"{self.first.replace(day=1) - timedelta(days=1):%Y-%m}")

    @property
    def a_month_earlier(self) -> Days:
        """The same days of the month before; the last day of a month becomes the last of the one before."""
        start, end = self.month_before, Days(self.last, self.last).month_before
        ends_month = (self.last + timedelta(days=1)).day == 1
        last = end.last.day if ends_month else min(self.last.day, end.last.day)
        return Days(start.first.replace(day=min(self.first.day, start.last.day)), end.first.replace(day=last))

    def period(self, district: District, now: datetime | None = None) -> Period:
        """Its instants; with `now` it ends there at the latest."""
        zone = ZoneInfo(district.timezone)
        start = datetime.combine(self.first, time(), zone)
        end = datetime.combine(self.last + timedelta(days=1), time(), zone)
        return Period(start, end if now is None else max(min(end, now), start))


@dataclass(frozen=True)
class Asked:
    """What a caller wants counted: the days, the groupings in order, by which definition (None: the one in force), and as
    it stood at which instant (None: now). `rank` is the figure that groups are put in order by."""

    days: Days
    by: tuple[Dimension, ...] = ()
    level: int = 1
    version: str | None = None
    at: datetime | None = None
    rank: str | None = None


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


@dataclass(frozen=True)
class Side:
    """The figures of one period in one grouping."""

    tally: Tally
    grouping: Grouping
    frame: Frame

    def sums(self, key: Key) -> Sums:
        """Of this key; without a case nothing is there, and what that is measured by still is."""
        found = self.tally.groups.get(key)
        if found is None:
            settle(found := nothing(self.tally.definition), key, self.grouping, self.frame)
        return found


async def sides(
    desk: Desk, definition: Definition, period: Period, groupings: Sequence[Grouping], frame: Frame, scope: Scope
) -> list[Side]:
    """One pass over the log for all of the groupings; memory grows with their keys, not with the demands."""
    found = [Side(Tally(definition), one, frame) for one in groupings]
    zone = ZoneInfo(desk.district.timezone)
    async with logs(desk.pool, period.start, period.end) as batches:
        async for batch in batches:
            for number, entries in batch:
                facts = read_facts(number, entries, until=period.end)
                flow = flows(facts, definition, period, zone=zone, exclusions=frame.exclusions)
                flow = [case for case in flow if scope.covers(case)]
                for side in found:
                    standing = stocks(facts, definition, period, side.grouping)
                    for case in (*flow, *(case for case in standing if scope.covers(case))):
                        side.tally.add(side.grouping.key(case), case)
            await asyncio.sleep(0)
    for side in found:
        for key, sums in side.tally.groups.items():
            settle(sums, key, side.grouping, frame)
    return found


@dataclass(frozen=True)
class Counted:
    """`before` is of the month before, where that was asked for. `at`: exclusions count as they stood then."""

    asked: Asked
    definition: Definition
    period: Period
    at: datetime
    now: Side
    before: Side | None = None

    def sums_before(self, key: Key) -> Sums | None:
        """None where nothing is compared, or the month before has no such day."""
        if self.before is None:
            return None
        earlier = tuple(_month_before(d, part) for d, part in zip(self.asked.by, key, strict=False))
        return None if "" in earlier else self.before.sums(earlier)


def _month_before(dimension: Dimension, part: str | None) -> str | None:
    """A part of a key as it is called in the month before; "" for a day that it does not have."""
    if part is None or dimension not in ("day", "month"):
        return part
    month = Days.of_month(part[:7]).month_before
    if dimension == "month":
        return f"{month.first:%Y-%m}"
    day = int(part[8:])
    return f"{month.first:%Y-%m}-{day:02d}" if day <= month.last.day else ""


async def figures(desk: Desk, actor: Actor, asked: Asked, *, compare: bool = False) -> Counted:
    """The figures of a period as of its end, or of now, or as they were at `asked.at`.

    Raises DomainError: `not_permitted`, `unknown_definition`, `invalid_filter` for an instant that is still to come.
    """
    scope, definition, at = scope_of(actor), definition_of(desk, asked.version), instant_of(desk, asked)
    period = asked.days.period(desk.district, at)
    now = await _side(desk, asked, definition, period, at, scope)
    before = None
    if compare:
        before = await _side(desk, asked, definition, asked.days.a_month_earlier.period(desk.district, at), at, scope)
    return Counted(asked, definition, period, at, now, before)


async def _side(desk: Desk, asked: Asked, definition: Definition, period: Period, at: datetime, scope: Scope) -> Side:
    frame = (await inputs_of(desk, period, at)).frame()
    (side,) = await sides(desk, definition, period, [grouping(desk, asked.by, frame, asked.level)], frame, scope)
    return side


def instant_of(desk: Desk, asked: Asked) -> datetime:
    """As of when: now, unless an earlier instant was asked for. Raises DomainError `invalid_filter`."""
    now = desk.now()
    if asked.at is not None and asked.at > now:
        raise DomainError("invalid_filter", "`as_of` lies in the past: nobody knows what will be approved.")
    return asked.at or now


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
    scope, definition, at = scope_of(actor), definition_of(desk, asked.version), instant_of(desk, asked)
    known = [figure for figure in figures_of(definition) if figure != "composite"]
    if wanted.figure not in known or len(wanted.key) != len(asked.by):
        rule = "Name a figure of facts.known (a composite has no events of its own), and one `key` for each of `by`."
        raise DomainError("invalid_filter", rule, known=known)
    period = asked.days.period(desk.district, at)
    frame = (await inputs_of(desk, period, at)).frame()
    one = grouping(desk, asked.by, frame, asked.level)
    found: list[dict[str, object]] = []
    async with logs(desk.pool, period.start, period.end, first=after[0] if after else None) as batches:
        async for batch in batches:
            for number, entries in batch:
                facts = read_facts(number, entries, until=period.end)
                flow = flows(facts, definition, period, zone=one.zone, exclusions=frame.exclusions)
                behind = {
                    seq: case
                    for case in (*flow, *stocks(facts, definition, period, one))
                    if case.figure == wanted.figure and scope.covers(case) and one.key(case) == wanted.key
                    for seq in _events(case, wanted.side)
                }
                found += [
                    {"number": number, "seq": e.seq, "type": e.type, "at": e.at, **_why(behind[e.seq])}
                    for e in entries
                    if e.seq in behind and (after is None or (number, e.seq) > after)
                ]
            if len(found) >= limit:
                return found[:limit]
            await asyncio.sleep(0)
    return found


def _events(case: Case, side: str) -> tuple[int, ...]:
    if side == "excluded" or case.excluded:
        return case.denominator if side == "excluded" and case.excluded else ()
    return case.numerator if side == "numerator" else case.denominator


def _why(case: Case) -> dict[str, object]:
    """What it was left out for, and by which exclusion where that was approved."""
    return {"reason": case.excluded, "exclusion": case.exclusion or None} if case.excluded else {}
