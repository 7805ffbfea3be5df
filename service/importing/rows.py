"""Rows of a CSV file as text, with what is wrong where something is: the file's own mistakes are found here."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from domain.spreadsheets import as_written
from service.importing.columns import Columns, columns_of
from service.importing.csv_records import LONGEST, Record, records
from service.importing.encodings import Unreadable, encoding_of
from service.importing.refusals import Refusal

csv.field_size_limit(LONGEST)


@dataclass(frozen=True)
class Row:
    """`values` is field -> text; `refusal` is set where the row cannot be used. `end` is its offset in the file."""

    number: int
    line: int
    end: int
    values: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None


class CsvFile:
    """Raises Unreadable where the file as a whole is of no use.

    `numbered` files begin each record with the number of its line: those that were made from a workbook.
    """

    def __init__(
        self, file: BinaryIO, path: Path, wanted: Mapping[str, tuple[str, ...]], *, numbered: bool = False
    ) -> None:
        self._file = file
        self._numbered = numbered
        self.encoding, begin = encoding_of(file)
        self._delimiter = _delimiter(file, begin)
        first = next(records(file, self._delimiter, begin), None)
        if first is None:
            raise Unreadable(f"{path} is empty: there is nothing to import.")
        self.header = self._read_header(first)[numbered:]
        self._begin = first.end
        self._line = 1 + first.raw.count(b"\n")
        self.columns: Columns = columns_of(self.header, wanted)

    def _read_header(self, first: Record) -> list[str]:
        if first.problem:
            raise Unreadable("The first line must hold the names of the columns, but it cannot be read as CSV.")
        try:
            return self._cells(first)
        except (UnicodeDecodeError, csv.Error):
            raise Unreadable("The names of the columns in the first line are neither UTF-8 nor GB18030.") from None

    def _cells(self, record: Record) -> list[str]:
        return next(csv.reader([record.raw.decode(self.encoding)], delimiter=self._delimiter.decode()))

    def column(self, name: str) -> str:
        """The column (or columns) of the file that a field is read from, by name."""
        return " + ".join(self.header[at] for at in self.columns.get(name, ())) or name

    def rows(self) -> Iterator[Row]:
        found = records(self._file, self._delimiter, self._begin)
        for number, record in enumerate(found, start=1):
            yield self._row(record, number, self._line + record.line - 1)

    def _row(self, record: Record, number: int, line: int) -> Row:
        def refused(code: str, what_to_do: str, column: str = "") -> Row:
            return Row(number, line, record.end, refusal=Refusal(number, line, code, column, what_to_do))

        if record.problem == "too_long":
            index, size = record.widest
            name = self.header[index] if index < len(self.header) else ""
            return refused("field_too_long", f"It has {size:,} bytes; shorten it to 20,000 characters.", name)
        if record.problem:
            advice = "A quotation mark is not closed, or stands inside a field undoubled: correct this line."
            return refused("bad_quotes", advice)
        if b"\x00" in record.raw:
            return refused("nul_character", f"Byte {record.raw.index(0) + 1} of the row is NUL: remove it.")
        try:
            cells = self._cells(record)
        except UnicodeDecodeError as broken:
            return refused(
                "broken_encoding", f"Byte {broken.start + 1} of the row is not {self.encoding.upper()}: correct it."
            )
        except csv.Error:
            return refused("bad_line_end", "A carriage return stands inside a field without quotes: remove it.")
        if self._numbered:
            line = int(cells.pop(0))
        missing = len(self.header) - len(cells)
        if missing:
            found = f"The row has {len(cells)} fields, the first line {len(self.header)}"
            return refused("wrong_columns", f"{found}: add or remove separators, or quote the field that holds one.")
        return Row(number, line, record.end, values=self._values(cells))

    def _values(self, cells: Sequence[str]) -> dict[str, str]:
        return {
            name: "\n".join(part for at in places if (part := as_written(cells[at]).strip()))
            for name, places in self.columns.items()
        }


def _delimiter(file: BinaryIO, begin: int) -> bytes:
    """Comma, semicolon or tab: whichever stands most often in the first line that is not empty."""
    file.seek(begin)
    line = next((line for line in iter(lambda: file.readline(LONGEST), b"") if line.strip()), b"")
    return max((b",", b";", b"\t"), key=line.count)
