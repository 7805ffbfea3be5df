"""The product's figures against the oracle's: kept months, live answers, and single figures down to their events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction

from bench.rates_year.oracle import Excluded, Key, Oracle, Row
from bench.rates_year.oracle_log import Event, Found, Log
from domain.actors import Actor
from domain.kpi_words import COUNTS, figures_of
from domain.rates import Dimension, composite
from service import rate_months
from service.desk import Desk
from service.rate_frames import grouping, inputs_of
from service.rates import Asked, Days, Scope, Side, Traced, definition_of, sides, trace
from store import exclusions as excluding
from store import rate_months as kept

LIVE: tuple[tuple[Dimension, ...], ...] = (
    (), ("day",), ("month",), ("worker",), ("community", "category"), ("unit", "day"), ("property_grade", "grid", "channel"),
)  # fmt: skip
"""Groupings that no month keeps."""
AT_ONCE = 5000


@dataclass
class Outcome:
    """`wrong` says for each figure that differs where, and both values; `counted` how many were equal."""

    counted: int = 0
    cases: int = 0
    traced: int = 0
    wrong: list[str] = field(default_factory=list)

    def see(self, place: str, ours: object, theirs: object) -> None:
        if ours == theirs:
            self.counted += 1
        else:
            self.wrong.append(f"{place}: the product has {ours}, the oracle {theirs}")


async def read_logs(desk: Desk) -> dict[str, Log]:
    """Every log, straight from the table."""
    rows = await desk.pool.fetch(
        "select number, seq, type, at, data::text as data from demand_event order by number, seq"
    )
    found: dict[str, list[Event]] = {}
    for row in rows:
        event = Event(row["seq"], row["type"], row["at"], json.loads(row["data"]))
        found.setdefault(row["number"], []).append(event)
    return {number: Log(number, tuple(events)) for number, events in found.items()}


async def read_exclusions(desk: Desk, month: str, at: datetime) -> tuple[Excluded, ...]:
    """Approved and not revoked at an instant, by the rows of the log of exclusions."""
    rows = await desk.pool.fetch(
        "select x.id, x.number, x.month, x.figures, x.basis from exclusion x where month = $1", month
    )
    found = []
    for row in rows:
        events = await excluding.HISTORY.page(desk.pool, row["id"], after=0, limit=100)
        types = [e.type for e in events if e.at <= at]
        if "approved" in types and "revoked" not in types:
            found.append(Excluded(row["id"], row["number"], month, tuple(row["figures"]), row["basis"]))
    return tuple(found)


async def compare_kept(desk: Desk, oracle: Oracle, month: date, version: str, outcome: Outcome) -> None:
    """Every figure of the newest computation of a month, in every grouping that is kept."""
    computed = [c for c in await kept.computations(desk.pool, month) if c.definition == version][-1]
    stored = await kept.figures(desk.pool, month, version, computed.computation)
    period = Days.of_month(f"{month:%Y-%m}").period(desk.district)
    oracle.exclusions = await read_exclusions(desk, f"{month:%Y-%m}", computed.computed_at)
    cases = oracle.found(period.start, period.end)
    outcome.cases += len(cases)
    figures = [f for f in figures_of(definition_of(desk, version)) if f != "composite"]
    for by in rate_months.KEPT:
        ours = {
            (tuple(part or None for part in s.key.split(",")) if by else (), s.figure): (
                s.numerator, s.denominator or 0, s.excluded
            )
            for s in stored if s.grouping == ",".join(by)
        }  # fmt: skip
        _see_all(
            f"{month:%Y-%m} by {','.join(by) or 'nothing'}",
            ours,
            oracle.rows(by, period.start, period.end, cases),
            figures,
            outcome,
        )


async def compare_live(desk: Desk, oracle: Oracle, days: Days, version: str, outcome: Outcome) -> None:
    """What a caller would be answered now, in groupings that are not kept."""
    definition, period = definition_of(desk, version), days.period(desk.district)
    inputs = await inputs_of(desk, period, desk.now())
    frame = inputs.frame()
    oracle.exclusions = tuple(Excluded(x.id, x.number, x.month, x.figures, x.basis) for x in inputs.exclusions)
    found = await sides(
        desk, definition, period, [grouping(desk, by, frame) for by in LIVE], frame, Scope(everything=True)
    )  # fmt: skip
    cases = oracle.found(period.start, period.end)
    figures = [f for f in figures_of(definition) if f != "composite"]
    for side in found:
        ours = {(key, id): _plain(side, key, id) for key in side.tally.groups for id in figures}
        by = side.grouping.by
        theirs = oracle.rows(by, period.start, period.end, cases)
        place = f"{days.first}…{days.last} by {','.join(by)}"
        _see_all(place, ours, theirs, figures, outcome)
        for key in side.tally.groups:
            score = composite(side.sums(key), definition)
            outcome.see(
                f"{place}, {key}, composite", None if score is None else round(score, 12), _score(key, theirs, oracle)
            )


def _score(key: Key, rows: dict[tuple[Key, str], Row], oracle: Oracle) -> Decimal | None:
    """The three rates weighed, to twelve places; None where one of them has no case."""
    total = Fraction(0)
    for id, weight in oracle.rules["weights"].items():
        numerator, denominator, _ = rows.get((key, id), (Fraction(0), 0, {}))
        if not denominator:
            return None
        total += Fraction(str(weight)) * numerator / denominator
    return round(Decimal(total.numerator) / Decimal(total.denominator), 12)


def _plain(side: Side, key: Key, id: str) -> tuple[Decimal, int, dict[str, int]]:
    figure = side.sums(key)[id]
    return figure.numerator, figure.denominator or 0, dict(figure.excluded)


def _see_all(
    place: str, ours: dict[tuple[Key, str], tuple[Decimal, int, dict[str, int]]], theirs: dict[tuple[Key, str], Row],
    figures: Iterable[str], outcome: Outcome,
) -> None:  # fmt: skip
    """Where only the product has a row, it must be one of nothing: 0 of whatever it is measured by."""
    wanted = set(figures)
    for id in sorted(ours.keys() | theirs.keys(), key=str):
        if id[1] not in wanted:
            continue
        numerator, denominator, excluded = ours.get(id, (Decimal(0), 0, {}))
        other = theirs.get(id)
        if other is None and not numerator and not excluded and id[1] in ("handled_per_day", "capacity_used"):
            outcome.counted += 1
            continue
        other = other or (Fraction(0), 0, {})
        under = 0 if id[1] in COUNTS else other[1]
        outcome.see(
            f"{place}, {id[0]}, {id[1]}", (Fraction(numerator), denominator, excluded), (other[0], under, other[2])
        )


async def compare_traces(
    desk: Desk, oracle: Oracle, actor: Actor, month: str, version: str, figures: Iterable[str], outcome: Outcome
) -> None:
    """Figures of a month down to their events, both sides and what is excluded, against the oracle's own events."""
    days = Days.of_month(month)
    period = days.period(desk.district)
    oracle.exclusions = await read_exclusions(desk, month, desk.now())
    cases = [*_numbered(oracle, period.start, period.end)]
    for figure in figures:
        for side in ("numerator", "denominator", "excluded"):
            asked, wanted = Asked(days, version=version), Traced(figure, side)
            ours = {
                (str(r["number"]), int(str(r["seq"])), str(r.get("exclusion") or ""))
                async for r in _traced(desk, actor, asked, wanted)
            }
            theirs = {(n, seq, c.exclusion) for n, c in cases if c.figure == figure for seq in _side(c, side)}
            outcome.traced += len(ours)
            if ours != theirs:
                odd = sorted(ours ^ theirs)[:3]
                outcome.wrong.append(
                    f"{month} {figure} {side}: {len(ours)} events traced, the oracle has {len(theirs)}: {odd}"
                )


def _numbered(oracle: Oracle, start: datetime, end: datetime) -> Iterable[tuple[str, Found]]:
    for number, log in oracle.logs.items():
        alone = Oracle(oracle.pack, oracle.calendars, oracle.rules, {number: log}, oracle.exclusions)
        found = [*alone.found(start, end)]
        for case in alone.standing(end):
            found += [case, Found("capacity_used", case.at, case.where, case.value, (), case.behind, rate=False)]
        yield from ((number, case) for case in found)


def _side(case: Found, side: str) -> tuple[int, ...]:
    if case.excluded or side == "excluded":
        return case.base if case.excluded and side == "excluded" else ()
    return case.behind if side == "numerator" else case.base


async def _traced(desk: Desk, actor: Actor, asked: Asked, wanted: Traced) -> AsyncIterator[dict[str, object]]:
    after: tuple[str, int] | None = None
    while True:
        page = await trace(desk, actor, asked, wanted, after=after, limit=AT_ONCE)
        for row in page:
            yield row
        if len(page) < AT_ONCE:
            return
        after = str(page[-1]["number"]), int(str(page[-1]["seq"]))
