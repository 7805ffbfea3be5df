"""Records of a CSV file as bytes, one after another, however broken the file: a bad record costs only itself.

A record longer than `LONGEST` is not kept, only measured, so a field of any size passes through little memory. Quotes
follow RFC 4180; what does not is given up at its own line, and reading goes on with the next one. Commas, quotes and
line ends are the same single bytes in UTF-8 and in GB18030, where no part of another character looks like them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import BinaryIO

LONGEST = 1024 * 1024
_FIRST_CHUNK, _CHUNK = 4 * 1024, 64 * 1024


class _At(Enum):
    START = "at the start of a field"
    PLAIN = "in a field without quotes"
    QUOTED = "inside quotes"
    QUOTE = "after a quote that may be the closing one"


@dataclass(frozen=True)
class Record:
    """`line` is where it begins, counted from 1; `end` the offset behind it. `raw` is empty where `problem` is set.

    `problem` is `too_long` (then `widest` is the index and size of its longest field) or `bad_quotes`.
    """

    line: int
    end: int
    raw: bytes = b""
    problem: str | None = None
    widest: tuple[int, int] = (0, 0)


class _Scan:
    """The state of one record while it is read."""

    def __init__(self, begin: int, delimiter: bytes) -> None:
        self.begin = self._field = begin
        self._delimiter = delimiter[0]
        self._interesting = re.compile(b'["\\n' + re.escape(delimiter) + b"]")
        self._at = _At.START
        self._quote = -1
        self._index = 0
        self._last = 0  # byte of the chunk before
        self.lines = 0
        self.widest = (0, 0)
        self.broken = False

    def feed(self, chunk: bytes, offset: int) -> int | None:
        """The offset behind the record when it ends in this chunk, or where it stopped making sense."""
        for hit in self._interesting.finditer(chunk):
            place, what = offset + hit.start(), chunk[hit.start()]
            self.lines += what == 10
            self._settle(place, self._before(chunk, hit.start(), place))
            if self.broken:
                return place
            if what == 34:
                self._quoted(place)
            elif self._at is not _At.QUOTED:
                self._field_ends(place)
                if what == 10:
                    return place + 1
        self._last = chunk[-1]
        return None

    def end(self, place: int) -> None:
        """The file ends here."""
        self.broken = self.broken or self._at is _At.QUOTED or (self._at is _At.QUOTE and place - self._quote > 2)
        self._field_ends(place)

    def _before(self, chunk: bytes, at: int, place: int) -> int | None:
        """The byte between a quote and this place, where there is exactly one: CR before LF is all it may be."""
        if place - self._quote != 2:
            return None
        return chunk[at - 1] if at > 0 else self._last

    def _settle(self, place: int, between: int | None) -> None:
        """What a quote inside quotes was is known by what follows it."""
        if self._at is _At.START and place > self._field:
            self._at = _At.PLAIN
        elif self._at is _At.QUOTE and place > self._quote + 1 and between != 13:
            self.broken = True

    def _quoted(self, place: int) -> None:
        if self._at is _At.START:
            self._at = _At.QUOTED
        elif self._at is _At.QUOTED:
            self._at, self._quote = _At.QUOTE, place
        elif self._at is _At.QUOTE:  # a doubled quote stands for one
            self._at = _At.QUOTED

    def _field_ends(self, place: int) -> None:
        self.widest = max(self.widest, (place - self._field, self._index), key=lambda pair: pair[0])
        self._index += 1
        self._field, self._at = place + 1, _At.START


def records(file: BinaryIO, delimiter: bytes = b",", begin: int = 0) -> Iterator[Record]:
    """Every record from the offset `begin` on that is not an empty line. `file` must be seekable."""
    line = 1
    while True:
        record, lines = _one(file, begin, delimiter, line)
        if record is None:
            return
        begin, line = record.end, line + lines
        if record.problem or record.raw.strip(b"\r\n"):
            yield record


def _one(file: BinaryIO, begin: int, delimiter: bytes, line: int) -> tuple[Record | None, int]:
    file.seek(begin)
    scan, kept, offset, end = _Scan(begin, delimiter), bytearray(), begin, None
    while end is None:
        chunk = file.read(_FIRST_CHUNK if offset == begin else _CHUNK)
        if not chunk:
            if offset == begin:
                return None, 0
            scan.end(offset)
            end = offset
            break
        end = scan.feed(chunk, offset)
        kept += chunk[: LONGEST + 1 - len(kept)]
        offset += len(chunk)
    if scan.broken:
        return Record(line, _line_end(file, begin), problem="bad_quotes"), 1
    size, index = scan.widest
    if end - begin > LONGEST:
        return Record(line, end, problem="too_long", widest=(index, size)), scan.lines
    return Record(line, end, bytes(kept[: end - begin])), scan.lines


def _line_end(file: BinaryIO, begin: int) -> int:
    file.seek(begin)
    while (part := file.readline(_CHUNK)) and not part.endswith(b"\n"):
        pass
    return file.tell()
