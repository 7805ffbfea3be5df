"""The bulletin as files: a workbook to print and to reckon with, or lines for another program.

Imported only when a bulletin is asked for: the writer of workbooks is no small thing to carry about.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import xlsxwriter
from xlsxwriter.worksheet import Worksheet

from domain.kpi_words import figures_of
from domain.rates import Key
from service.bulletin import GROUPED, Bulletin, Cell, Sheet, sheets
from service.desk import Desk
from service.rate_answers import BOM, figure_columns, figure_lines, keys_of, name_of, number, plain, value_of
from service.rates import Side
from service.views import instant

# No text ever becomes a formula, a link or a number, whoever wrote it.
_AS_WRITTEN = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
_TITLE_ROWS, _HEAD_ROWS = 2, 2
_FIRST = _TITLE_ROWS + _HEAD_ROWS
_A4, _CHARACTERS_ACROSS = 9, 130
_LINE_HEIGHT = 14


def workbook(desk: Desk, bulletin: Bulletin) -> bytes:
    """XLSX: a sheet for each grouping, A4 across, headings on every page."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"constant_memory": True, **_AS_WRITTEN}) as book:
        book.set_properties(
            {"title": f"{bulletin.district} {bulletin.month}", "created": bulletin.at.replace(tzinfo=None)}
        )
        looks = _looks(book)
        for sheet in sheets(desk, bulletin):
            _write(book.add_worksheet(sheet.name), sheet, bulletin, looks)
    return out.getvalue()


def _looks(book: xlsxwriter.Workbook) -> dict[str, Any]:
    cell = {"valign": "top", "font_size": 9, "border": 1, "border_color": "#BBBBBB"}
    return {
        "title": book.add_format({"bold": True, "font_size": 14}),
        "under": book.add_format({"font_size": 9, "font_color": "#444444"}),
        "zh": book.add_format({**cell, "bold": True, "bg_color": "#E8EEF4", "text_wrap": True}),
        "en": book.add_format({**cell, "italic": True, "bg_color": "#E8EEF4", "text_wrap": True}),
        "text": book.add_format({**cell, "text_wrap": True}),
        "share": book.add_format({**cell, "num_format": "0.0%"}),
        "count": book.add_format({**cell, "num_format": "#,##0"}),
        "part": book.add_format({**cell, "num_format": "#,##0.0#"}),
        "pace": book.add_format({**cell, "num_format": "0.00"}),
    }


def _write(page: Worksheet, sheet: Sheet, b: Bulletin, looks: dict[str, Any]) -> None:
    _print_ready(page, sheet, b)
    page.write_string(0, 0, f"{b.district}　{sheet.zh}　{b.month}", looks["title"])
    under = f"{sheet.en} · 口径 definition {b.definition.version} · 截至 as of {instant(b.as_of)} · {b.kept}"
    page.write_string(1, 0, f"{under} · 剔除截至 exclusions as of {instant(b.at)}", looks["under"])
    page.set_row(_TITLE_ROWS, _height(zip((c.zh for c in sheet.columns), _widths(sheet), strict=True)))
    for n, column in enumerate(sheet.columns):
        page.write_string(_TITLE_ROWS, n, column.zh, looks["zh"])
    page.set_row(_TITLE_ROWS + 1, _height(zip((c.en for c in sheet.columns), _widths(sheet), strict=True)))
    for n, column in enumerate(sheet.columns):
        page.write_string(_TITLE_ROWS + 1, n, column.en, looks["en"])
    for n, row in enumerate(sheet.rows, _FIRST):
        _write_row(page, n, row, _widths(sheet), looks)


def _write_row(page: Worksheet, n: int, row: tuple[Cell, ...], widths: list[int], looks: dict[str, Any]) -> None:
    texts = ((cell, width) for cell, width in zip(row, widths, strict=True) if isinstance(cell, str))
    page.set_row(n, _height(texts))
    for m, cell in enumerate(row):
        if isinstance(cell, str):
            page.write_string(n, m, cell, looks["text"])
        elif cell.value is None:
            page.write_blank(n, m, None, looks[cell.look])
        else:
            part = cell.look == "count" and cell.value != int(cell.value)
            page.write_number(n, m, cell.value, looks["part" if part else cell.look])


def _print_ready(page: Worksheet, sheet: Sheet, b: Bulletin) -> None:
    page.set_landscape()
    page.set_paper(_A4)
    page.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    page.repeat_rows(_TITLE_ROWS, _FIRST - 1)
    page.repeat_columns(0, sheet.keys - 1)
    page.freeze_panes(_FIRST, sheet.keys)
    page.fit_to_pages(max(1, -(-sum(_widths(sheet)) // _CHARACTERS_ACROSS)), 0)
    page.set_footer(f"&L&8{b.month} {sheet.en}&R&8&P / &N")
    for n, column in enumerate(sheet.columns):
        page.set_column(n, n, column.width)


def _widths(sheet: Sheet) -> list[int]:
    return [column.width for column in sheet.columns]


def _height(texts: Iterable[tuple[str, int]]) -> float:
    """Of a row: nobody measures the lines of a cell for us. A Chinese character is two wide."""
    return _LINE_HEIGHT * max((_lines_of(text, width) for text, width in texts), default=1)


def _lines_of(text: str, width: int) -> int:
    return sum(max(1, -(-sum(1 + (ord(c) > 0x2E7F) for c in line) // width)) for line in text.split("\n"))


# ---- for other programs


def as_csv(desk: Desk, b: Bulletin) -> str:
    """RFC 4180 with a byte order mark: a line for each figure of each key of each grouping, and of the whole month."""
    out = io.StringIO()
    out.write(BOM)
    csv.writer(out).writerows(_lines(desk, b))
    return out.getvalue()


def _lines(desk: Desk, b: Bulletin) -> Iterator[list[object]]:
    keys = ("key1", "key1_name", "key2", "key2_name")
    yield ["month", "definition", "as_of", "grouping", *keys, *figure_columns(b.definition), "before", "exclusions"]
    for by, side in zip(((), *(by for *_, by, _ in GROUPED)), b.sides, strict=True):
        for key in keys_of(side):
            if len(key) == len(by):
                said = [b.month, b.definition.version, instant(b.as_of), ",".join(by), *_named(desk, side, key)]
                for id, line in zip(figures_of(b.definition), figure_lines(side.sums(key), b.definition), strict=True):
                    yield [*said, *line, *(_beside(b, id) if not by else ("", ""))]


def _named(desk: Desk, side: Side, key: Key) -> list[str]:
    cells = [
        w for d, part in zip(side.grouping.by, key, strict=True) for w in (part or "", name_of(desk, d, part) or "")
    ]
    return [plain(cell) for cell in (*cells, "", "", "", "")[:4]]


def _beside(b: Bulletin, id: str) -> tuple[object, str]:
    """The month before, and the ids of the exclusions that count."""
    counting = [x.id for x in b.excluded if id in x.figures and x.id in _counting(b)]
    return number(value_of(id, b.before.sums(()), b.definition)), " ".join(sorted(counting))


def _counting(b: Bulletin) -> set[str]:
    return {one.id for x in b.excluded for one in b.sides[0].frame.exclusions.of(x.number)}
