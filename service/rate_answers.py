"""Figures as answers: JSON with names and definitions beside them, or CSV for a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from domain.exclusions import BASES
from domain.kpi_cases import UNANSWERED
from domain.kpi_definition import Definition
from domain.kpi_words import AS_OF_EN, AS_OF_ZH, COUNTS, LOADS, excluded_words, figures_of, words_of
from domain.rates import Figure, Key, Sums, composite
from service.desk import Desk
from service.rate_ranks import ranked
from service.rates import Counted, Side
from service.views import View, instant

BOM = "\ufeff"
"""Without it Excel takes UTF-8 for the local code page."""


def number(value: Decimal | None) -> int | float | None:
    """As JSON has it, shares to six places."""
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else round(float(value), 6)


def answer(desk: Desk, counted: Counted) -> View:
    """Groups in the order of their ids, or where that was asked for and may be, by rank."""
    asked = counted.asked
    places = ranked(asked, counted.definition, counted.now)
    view = {
        "period": {"from": asked.days.first.isoformat(), "until": asked.days.last.isoformat()},
        "as_of": instant(counted.period.end),
        "exclusions_as_of": instant(counted.at),
        "definition": counted.definition.version,
        "by": list(asked.by),
    }
    if places is None:
        return view | {"groups": [_group(desk, counted, key) for key in keys_of(counted.now)]}
    groups = [_group(desk, counted, key) | {"rank": place} for key, place in places]
    return view | {"rank": asked.rank, "groups": groups}


def keys_of(side: Side) -> list[Key]:
    """In the order of their ids, never of a figure: places of different property grades are not ranked."""
    return sorted(side.tally.groups, key=lambda key: tuple((part is not None, part or "") for part in key)) or [()]


def _group(desk: Desk, counted: Counted, key: Key) -> View:
    by, definition = counted.asked.by, counted.definition
    sums, before = counted.now.sums(key), counted.sums_before(key)
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
        view["note"] = NOTES.get(id, "no cases")
    if before is not None:
        view["before"] = number(value_of(id, before, definition))
    return view


NOTES = {"handled_per_day": "no working day", "capacity_used": "no capacity known; only by unit or worker"}
"""Why a figure of load has no value; a rate has none without cases."""


def figure_view(figure: Figure) -> View:
    excluded = dict(sorted(figure.excluded.items()))
    return {"numerator": number(figure.numerator), "denominator": figure.denominator, "excluded": excluded}


def value_of(id: str, sums: Sums, definition: Definition) -> Decimal | None:
    return composite(sums, definition) if id == "composite" else sums[id].value


_WORDS = {
    "property_grade": {"leading": "领先型", "improving": "提升型", "mixed": "多元型", "basic": "基础型"},
    "channel": {
        "resident": "居民自报", "hotline": "热线", "patrol": "巡查发现", "open311": "Open311", "api": "系统对接",
        "import": "批量导入",
    },
}  # fmt: skip


def name_of(desk: Desk, dimension: str, key: str | None) -> str | None:
    """How people call it; None where it has no other name, or is no part of the district any more."""
    directory = desk.district.directory
    if key is None:
        return None
    if dimension in _WORDS:
        return _WORDS[dimension].get(key)
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
        "excluded": {
            "outcomes": list(definition.excluded), "zh": zh, "en": en,
            "bases": [{"id": basis, "zh": words.zh, "en": words.en} for basis, words in BASES.items()],
        },
        "figures": [_words(id, definition) for id in figures_of(definition)],
    }  # fmt: skip


def _words(id: str, definition: Definition) -> View:
    w = words_of(id, definition)
    kind = "composite" if id == "composite" else "count" if id in COUNTS else "load" if id in LOADS else "rate"
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


def reasons_of(definition: Definition) -> list[str]:
    """Everything that may stand beside a rate, each word once."""
    return list(dict.fromkeys((*definition.excluded, *UNANSWERED, *BASES)))


def plain(text: str | None) -> str:
    """As a cell of text that no spreadsheet takes for a formula."""
    return f"'{text}" if text and text[0] in "=+-@\t\r" else text or ""


def _lines(desk: Desk, counted: Counted) -> Iterator[list[object]]:
    by, definition = counted.asked.by, counted.definition
    places = ranked(counted.asked, definition, counted.now)
    columns = [column for dimension in by for column in (dimension, f"{dimension}_name")]
    yield ["from", "until", "definition", *columns, *(["rank"] if places else []), *figure_columns(definition)]
    days = counted.asked.days
    for key, place in places or [(key, None) for key in keys_of(counted.now)]:
        named = zip(by, key, strict=False)
        parts: list[object] = [word for d, part in named for word in (plain(part), plain(name_of(desk, d, part)))]
        if places:
            parts.append(place)
        for cells in figure_lines(counted.now.sums(key), definition):
            yield [days.first, days.last, definition.version, *parts, *cells]


def figure_columns(definition: Definition) -> list[str]:
    excluded = (f"excluded_{reason}" for reason in reasons_of(definition))
    said = ("numerator_is", "denominator_is", "counted_in")
    return ["figure", "figure_name", "value", "numerator", "denominator", *excluded, *said]


def figure_lines(sums: Sums, definition: Definition) -> Iterator[list[object]]:
    """For each figure the cells under `figure_columns`."""
    reasons = reasons_of(definition)
    for id in figures_of(definition):
        w = words_of(id, definition)
        sides: list[object] = ["", "", *("" for _ in reasons)]
        if id != "composite":
            figure = sums[id]
            sides = [number(figure.numerator), figure.denominator, *(figure.excluded[r] for r in reasons)]
        value = number(value_of(id, sums, definition))
        yield [id, w.zh, value, *sides, w.numerator_zh, w.denominator_zh, w.month_zh]
