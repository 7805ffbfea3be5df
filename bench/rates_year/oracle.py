"""The figures once more, from the tables and the pack's files alone: a second reading of docs/reference/rates.md.

Deliberately simple, and nothing of it is the product's: no model, no calendar, no reader of logs. A log is a list of
dictionaries, and every figure asks that list its own question, however often that means to look through it.
"""

from __future__ import annotations

import json
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from bench.rates_year.oracle_clocks import clock_figures, responses, runs
from bench.rates_year.oracle_log import Found, Log
from bench.rates_year.oracle_work import work_figures

WORKER_ROOM = 30
PARTS = ("community", "grid", "unit", "worker", "category", "channel", "property_grade", "day", "month")

Row = tuple[Fraction, int, dict[str, int]]
"""Numerator, denominator, excluded by reason."""
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Excluded:
    id: str
    number: str
    month: str
    figures: tuple[str, ...]
    basis: str


@dataclass
class Oracle:
    """`rules` is a definition as the pack's rates.toml has it; `logs` by number."""

    pack: Path
    calendars: Path
    rules: dict[str, Any]
    logs: dict[str, Log]
    exclusions: tuple[Excluded, ...] = ()
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))

    def __post_init__(self) -> None:
        features = json.loads((self.pack / "compounds.geojson").read_text("utf-8"))["features"]
        self.grades = {f["id"]: f["properties"]["property_grade"] for f in features}
        self.units = tomllib.loads((self.pack / "units.toml").read_text("utf-8"))["units"]

    def found(self, start: datetime, end: datetime) -> list[Found]:
        """Every case between the two, with what was known at the end."""
        return [case for log in self.logs.values() for case in self._of(log.until(end), start, end)]

    def _of(self, log: Log, start: datetime, end: datetime) -> Iterator[Found]:
        if not log.events:
            return
        ended = log.outcome()
        ran = runs(log, end)
        clocks = (*responses(log, ran, end, self.rules), *clock_figures(ran, self.rules))
        for case in (*clocks, *work_figures(log, self.rules)):
            if not start <= case.at < end:
                continue
            month = case.at.astimezone(self.zone).strftime("%Y-%m")
            if case.rate and not case.excluded and ended in self.rules["excluded"]:
                case = case.out(ended or "")
            for x in self.exclusions:
                if (
                    case.rate
                    and not case.excluded
                    and (x.number, x.month) == (log.number, month)
                    and case.figure in x.figures
                ):
                    case = case.out(x.basis, x.id)
            yield case

    def standing(self, end: datetime) -> Iterator[Found]:
        """What was in somebody's hands just before `end`."""
        for log in self.logs.values():
            for since, where in log.until(end).in_hand():
                yield Found("open_tasks", end - timedelta(microseconds=1), where, Fraction(1), (), (since,), rate=False)

    def rows(
        self, by: tuple[str, ...], start: datetime, end: datetime, cases: list[Found]
    ) -> dict[tuple[Key, str], Row]:
        """By key and figure; what has no case is not there."""
        made: dict[tuple[Key, str], list[Any]] = defaultdict(lambda: [Fraction(0), 0, defaultdict(int)])
        for case in cases:
            row = made[self.key(by, case), case.figure]
            if case.excluded:
                row[2][case.excluded] += 1
            else:
                row[0] += case.value
                row[1] += 1 if case.rate else 0
        for case in [c for moment in self._ends(by, start, end) for c in self.standing(moment)]:
            for figure in ("open_tasks", "capacity_used"):
                made[self.key(by, case), figure][0] += 1
        for (key, figure), row in made.items():
            if figure == "handled_per_day":
                row[1] = self._days(dict(zip(by, key, strict=True)), start, end)
            elif figure == "capacity_used":
                row[1] = self._room(dict(zip(by, key, strict=True)), end)
        return {id: (row[0], row[1], dict(row[2])) for id, row in made.items()}

    def key(self, by: tuple[str, ...], case: Found) -> Key:
        local = case.at.astimezone(self.zone)
        said: dict[str, Callable[[], str | None]] = {
            "category": lambda: str(case.where["category"])[:2],
            "property_grade": lambda: self.grades.get(case.where["compound"]),
            "day": lambda: local.strftime("%Y-%m-%d"),
            "month": lambda: local.strftime("%Y-%m"),
        }
        return tuple(said[part]() if part in said else case.where[part] for part in by)

    def _ends(self, by: tuple[str, ...], start: datetime, end: datetime) -> Iterator[datetime]:
        day = start.astimezone(self.zone)
        while (day := day + timedelta(days=1)) < end:
            if "day" in by or ("month" in by and day.day == 1):
                yield day
        yield end

    def _days(self, key: dict[str, str | None], start: datetime, end: datetime) -> int:
        """Working days of the period, or of the day or month that the key names: the holiday tables, and Monday to Friday."""
        first, last = start.astimezone(self.zone).date(), (end - timedelta(seconds=1)).astimezone(self.zone).date()
        named = key.get("day") or key.get("month") or ""
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        off, on = self._holidays({day.year for day in days})
        return sum((d in on or (d.weekday() < 5 and d not in off)) and str(d).startswith(named) for d in days)

    def _holidays(self, years: set[int]) -> tuple[set[date], set[date]]:
        off: set[date] = set()
        on: set[date] = set()
        for year in years:
            for holiday in tomllib.loads((self.calendars / f"CN-{year}.toml").read_text("utf-8"))["holiday"]:
                last = holiday.get("until", holiday["from"])
                off |= {holiday["from"] + timedelta(days=n) for n in range((last - holiday["from"]).days + 1)}
                on |= set(holiday.get("work", ()))
        return off, on

    def _room(self, key: dict[str, str | None], end: datetime) -> int:
        last = (end - timedelta(seconds=1)).astimezone(self.zone).date()
        if unit := key.get("unit"):
            return sum(
                r["capacity"] for u in self.units if u["id"] == unit for r in u["resources"]
                if r["valid_from"] <= last <= r.get("valid_until", last)
            )  # fmt: skip
        return WORKER_ROOM if key.get("worker") else 0
