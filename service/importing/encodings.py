"""Which encoding a file is in: UTF-8, or the GB18030 that older office programs write."""

from __future__ import annotations

import codecs
from itertools import islice
from typing import BinaryIO

from service.importing.csv_records import records

_LOOKED_AT = 400  # records
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(Exception):
    """The file as a whole is unusable; the sentence says why and what to do."""


def encoding_of(file: BinaryIO) -> tuple[str, int]:
    """(`utf-8` or `gb18030`, offset of the first byte of text). Raises Unreadable for UTF-16.

    A single broken byte does not make a UTF-8 file a GB18030 one: the records vote.
    """
    file.seek(0)
    head = file.read(4)
    if head.startswith(_UTF16):
        raise Unreadable("The file is UTF-16. Save it as “CSV UTF-8” and import that.")
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8", len(codecs.BOM_UTF8)
    utf8 = gb18030 = 0
    for record in islice(records(file), _LOOKED_AT):
        if record.raw.isascii():
            continue
        if _is(record.raw, "utf-8"):
            utf8 += 1
        elif _is(record.raw, "gb18030"):
            gb18030 += 1
    return ("gb18030" if gb18030 > utf8 else "utf-8"), 0


def _is(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True
