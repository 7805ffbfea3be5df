"""A workbook's first sheet as CSV: `python -m service.importing.workbook < FILE.xlsx > FILE.csv`.

A process of its own, with bounds on memory and time: what a workbook unpacks to is known only by unpacking it, and a sheet
of two cells far apart takes as much memory as all the cells between them. Each line begins with the number of its row.
"""

from __future__ import annotations

import asyncio
import csv
import io
import resource
import sys
import zipfile
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import BinaryIO

from service.importing.encodings import Unreadable

MOST_MEMORY = 1_500_000_000
MOST_SECONDS = 60
MOST_UNPACKED = 300_000_000
MOST_PARTS = 2_000
MOST_WRITTEN = 100_000_000
MOST_CELLS = 5_000_000
_ROOT = Path(__file__).resolve().parent.parent.parent
_SIGNATURE = b"PK\x03\x04"
_WHAT_TO_DO = "Save it again with an office program, or as “CSV UTF-8”, and import that."

# What the process ends with.
_EMPTY, _TOO_LARGE, _BROKEN = 3, 4, 5
_SAID = {
    _EMPTY: "The workbook's first sheet is empty: there is nothing to import.",
    _TOO_LARGE: "The workbook unpacks to more than may be imported. Save its filled part as “CSV UTF-8”.",
}


def is_workbook(head: bytes) -> bool:
    """Whether a file that begins like this is packed, as workbooks are."""
    return head.startswith(_SIGNATURE)


async def as_csv(content: bytes) -> bytes:
    """Raises Unreadable."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(MOST_SECONDS + 30):
            out, _ = await process.communicate(content)
    except TimeoutError:
        raise Unreadable(_SAID[_TOO_LARGE]) from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Unreadable(_SAID.get(process.returncode or 0, f"The workbook cannot be read. {_WHAT_TO_DO}"))
    return out


# ---- within the process


class _TooLarge(Exception):
    pass


def main() -> int:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        written = _write(sys.stdin.buffer.read(), sys.stdout.buffer)
    except (_TooLarge, MemoryError):
        return _TOO_LARGE
    except Exception:
        return _BROKEN
    return 0 if written else _EMPTY


def _write(content: bytes, out: BinaryIO) -> bool:
    """False where there is nothing in the sheet."""
    from python_calamine import CalamineWorkbook

    _must_unpack(io.BytesIO(content))
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0)
    if sheet.total_height * sheet.total_width > MOST_CELLS:
        raise _TooLarge
    text = io.TextIOWrapper(out, encoding="utf-8", newline="", write_through=True)
    writer, size, written = csv.writer(text), 0, False
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        line = [_said(cell) for cell in cells]
        if any(line):
            size += sum(map(len, line))
            if size > MOST_WRITTEN:
                raise _TooLarge
            writer.writerow([number, *line])
            written = True
    text.detach()
    return written


def _must_unpack(file: BinaryIO) -> None:
    """Every part is unpacked once, in pieces, so that what the directory says need not be believed."""
    size = 0
    with zipfile.ZipFile(file) as packed:
        parts = packed.infolist()
        if len(parts) > MOST_PARTS:
            raise _TooLarge
        for part in parts:
            with packed.open(part) as opened:
                while piece := opened.read(1024 * 1024):
                    size += len(piece)
                    if size > MOST_UNPACKED:
                        raise _TooLarge


def _said(cell: object) -> str:
    """As it is shown: a phone number without a fraction, a time as people write it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, date | time | timedelta):
        return str(cell)
    return str(cell).replace("\x00", "").strip()


if __name__ == "__main__":
    sys.exit(main())
