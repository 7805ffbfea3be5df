"""Rows that were not taken, on the screen and as a file."""

from __future__ import annotations

import csv
from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.importing.refusals import HEADS, Refusal, line_of

SHOWN = 20


def write_report(refusals: list[Refusal], place: Path) -> None:
    """As CSV that an office program opens as it is: with a BOM, and no cell that it would take for a formula."""
    with place.open("w", encoding="utf-8-sig", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADS)
        for one in sorted(refusals, key=lambda r: r.row):
            writer.writerow(line_of(one))


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
