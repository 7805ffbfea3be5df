"""An export as a workbook. Imported only when one is asked for; written to a file without a name, row by row."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from typing import IO

import xlsxwriter

from domain.errors import DomainError
from service.exports import Batches, Line

MOST_ROWS = 200_000
_PIECE = 256 * 1024
# No text becomes a formula, a link or a number; a row is gone from memory once the next one begins.
_HOW = {
    "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
}  # fmt: skip


async def as_workbook(heads: Sequence[str], batches: Batches) -> tuple[int, Iterator[bytes]]:
    """Its size, and its content, to be read in a thread. Raises DomainError `export_too_long`."""
    out = tempfile.TemporaryFile()  # noqa: SIM115  (`_read` closes it)
    book = xlsxwriter.Workbook(out, _HOW)
    try:
        page = book.add_worksheet("demands")
        page.freeze_panes(1, 0)
        page.write_row(0, 0, heads, book.add_format({"bold": True}))
        row = 1
        async with aclosing(batches):
            async for lines in batches:
                if row + len(lines) > MOST_ROWS:
                    rule = f"A workbook holds at most {MOST_ROWS:,} demands. Filter, or take demands.csv."
                    raise DomainError("export_too_long", rule, most=MOST_ROWS)
                await asyncio.to_thread(_write, page, row, lines)
                row += len(lines)
        await asyncio.to_thread(book.close)
        return out.seek(0, os.SEEK_END), _read(out)
    except BaseException:
        book.close()  # it has a file of its own
        out.close()
        raise


def _write(page: xlsxwriter.worksheet.Worksheet, first: int, lines: Sequence[Line]) -> None:
    for at, line in enumerate(lines, first):
        for column, cell in enumerate(line):
            if isinstance(cell, str):
                page.write_string(at, column, cell)
            elif cell is not None:
                page.write_number(at, column, cell)


def _read(out: IO[bytes]) -> Iterator[bytes]:
    with out:
        out.seek(0)
        while piece := out.read(_PIECE):
            yield piece
