"""Figures as answers: JSON with names and definitions beside them, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from domain.kpi_definition import Definition
from domain.kpi_words import AS_OF_EN, AS_OF_ZH, COUNTS, excluded_words, figures_of, words_of
from domain.rates import Figure, Key, Sums, Tally, composite, nothing
from service.desk import Desk
from service.rates import Counted
from service.views import View, instant

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the local code page."""


def number(value: Decimal | None) -> int | float | None:
    """As JSON has it, shares to six places."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else round(float(value), 6)


def answer(desk: Desk, counted: Counted) -> View:
    asked, tally = counted.asked, counted.tally
    return {
        "period": {"from": asked.days.first.isoformat(), "until": asked.days.last.isoformat()},
        "as_of": instant(counted.period.end),
        "definition": counted.definition.version,
        "by": list(asked.by),
        "groups": [_group(desk, counted, key) for key in _keys(tally)],
    }


def _keys(tally: Tally) -> list[Key]:
    """In the order of their ids, never of a figure: places of different property grades are not ranked."""
    return sorted(tally.groups, key=lambda key: tuple((part is not None, part or "") for part in key)) or [()]


def _group(desk: Desk, counted: Counted, key: Key) -> View:
    by, definition = counted.asked.by, counted.definition
    sums = counted.tally.groups.get(key) or nothing(definition)
    before = None if counted.before is None else counted.before.groups.get(key) or nothing(definition)
    return {
        "key": dict(zip(by, key, strict=False)),
        "names": {dimension: name_of(desk, dimension, part) for dimension, part in zip(by, key, strict=False)},
        "figures": {id: _figure(id, sums, before, definition) for id in figures_of(definition)},
    }


def _figure(id: str, sums: Sums, before: Sums | None, definition: Definition) -> View:
    view: View = {"value": number(value_of(id, sums, definition))}
    if id != "composite":
        view |= figure_view(sums[id])
    if view["value"] is None:
        view["note"] = "no cases"
    if before is not None:
        view["before"] = number(value_of(id, before, definition))
    return view


def figure_view(figure: Figure) -> View:
    excluded = dict(sorted(figure.excluded.items()))
    return {"numerator": number(figure.numerator), "denominator": figure.denominator, "excluded": excluded}


def value_of(id: str, sums: Sums, definition: Definition) -> Decimal | None:
    return composite(sums, definition) if id == "composite" else sums[id].value


def name_of(desk: Desk, dimension: str, key: str | None) -> str | None:
    """How people call it; None where it has no other name, or is no part of the district any more."""
    directory = desk.district.directory
    if key is None:
        return None
    if dimension == "category":
        found = directory.groups.get(key) or directory.categories.get(key)
        return found.name if found else None
    tables: dict[str, Mapping[str, Any]] = {
        "community": directory.communities, "grid": directory.grids, "unit": directory.units, "worker": directory.people,
    }  # fmt: skip
    return getattr(tables.get(dimension, {}).get(key), "name", None)


def definitions(desk: Desk, definition: Definition) -> View:
    """What every figure counts, in both languages, with the numbers of this definition."""
    book = desk.district.rates
    zh, en = excluded_words(definition)
    return {
        "version": definition.version,
        "in_force": book.in_force,
        "versions": [d.version for d in book.definitions],
        "as_of": {"zh": AS_OF_ZH, "en": AS_OF_EN},
        "excluded": {"outcomes": list(definition.excluded), "zh": zh, "en": en},
        "figures": [_words(id, definition) for id in figures_of(definition)],
    }


def _words(id: str, definition: Definition) -> View:
    w = words_of(id, definition)
    kind = "composite" if id == "composite" else "count" if id in COUNTS else "rate"
    return {
        "id": id, "kind": kind, "zh": w.zh, "en": w.en,
        "numerator": {"zh": w.numerator_zh, "en": w.numerator_en},
        "denominator": {"zh": w.denominator_zh, "en": w.denominator_en},
        "counted_in": {"zh": w.month_zh, "en": w.month_en},
    }  # fmt: skip


def as_csv(desk: Desk, counted: Counted) -> str:
    """RFC 4180, a line for each figure of each group, its definition at the end of the line."""
    out = io.StringIO()
    out.write(BOM)
    csv.writer(out).writerows(_lines(desk, counted))
    return out.getvalue()


def _lines(desk: Desk, counted: Counted) -> Iterator[list[object]]:
    by, definition = counted.asked.by, counted.definition
    reasons = [*definition.excluded, "unconfirmed"]
    columns = [column for dimension in by for column in (dimension, f"{dimension}_name")]
    shown = ["value", "numerator", "denominator", *(f"excluded_{reason}" for reason in reasons)]
    said = ["numerator_is", "denominator_is", "counted_in"]
    yield ["from", "until", "definition", *columns, "figure", "figure_name", *shown, *said]
    days = counted.asked.days
    for key in _keys(counted.tally):
        parts = [word for d, part in zip(by, key, strict=False) for word in (part or "", name_of(desk, d, part) or "")]
        sums = counted.tally.groups.get(key) or nothing(definition)
        for id in figures_of(definition):
            w = words_of(id, definition)
            sides: list[object] = ["", "", *("" for _ in reasons)]
            if id != "composite":
                figure = sums[id]
                sides = [number(figure.numerator), figure.denominator, *(figure.excluded[r] for r in reasons)]
            value = number(value_of(id, sums, definition))
            row: list[object] = [days.first, days.last, definition.version, *parts, id, w.zh, value, *sides]
            yield [*row, w.numerator_zh, w.denominator_zh, w.month_zh]
