"""Rows that were not taken: which, why, where in the row, and what to do. Never what the row says."""

from __future__ import annotations

import csv
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

SHOWN = 20
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Refusal:
    """`row` counts data rows from 1, `line` the lines of the file; `field` is a column of the file where one is meant."""

    row: int
    line: int
    code: str
    field: str
    what_to_do: str


def write_report(refusals: list[Refusal], place: Path) -> None:
    """As CSV that an office program opens as it is: with a BOM, and no cell that it would take for a formula."""
    with place.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(field.name for field in fields(Refusal))
        for one in sorted(refusals, key=lambda r: r.row):
            writer.writerow(_plain(cell) for cell in astuple(one))


def _plain(cell: object) -> str:
    text = str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text


def show(refusals: list[Refusal], console: Console) -> None:
    table = Table(title=f"Refused: {len(refusals)}", title_justify="left", box=None)
    for name, justify in (("row", "right"), ("line", "right"), ("code", "left"), ("field", "left")):
        table.add_column(name, justify="right" if justify == "right" else "left", no_wrap=True)
    table.add_column("what to do")
    for one in sorted(refusals, key=lambda r: r.row)[:SHOWN]:
        table.add_row(str(one.row), str(one.line), one.code, one.field, one.what_to_do)
    console.print(table, markup=False)
    if len(refusals) > SHOWN:
        console.print(f"… and {len(refusals) - SHOWN} more, all of them in the report.")
