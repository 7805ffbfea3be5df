"""One file with a few fields, `multipart/form-data`, read piece by piece: nothing is trusted, and no more is taken than allowed.

Of a part's head only its name counts. What the caller calls the file, and which type they say it has, is not even read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.problems import problem
from domain.errors import DomainError
from service.spool import Spool

SECONDS = 300.0
"""How long a body may take to arrive; a slower connection sends a smaller file."""
_FRAME_BYTES = 16_384  # boundaries, heads and fields around the file
_FIELD_BYTES = 2_048
_MOST_HEADERS, _MOST_HEADER_BYTES = 8, 1_024
_AT_ONCE = 32
_AT_ONCE_EACH = 6
_under_way: dict[str, int] = {}


@dataclass
class Form:
    """What was sent: `file` is complete, `fields` in clear."""

    file: Spool
    fields: dict[str, str] = field(default_factory=dict)


@asynccontextmanager
async def uploaded(request: Request, caller: str, *, limit: int, fields: Collection[str]) -> AsyncIterator[Form]:
    """The body of the request: a part `file` of at most `limit` bytes, and any of `fields`.

    Raises DomainError `multipart_required`, `multipart_invalid`, `file_too_large`, `upload_too_slow`, `too_many_requests`.
    """
    with_boundary = _boundary(request)
    if _under_way.get(caller, 0) >= _AT_ONCE_EACH or sum(_under_way.values()) >= _AT_ONCE:
        raise problem("too_many_requests", "Too many uploads at the same time. Send them one after another.")
    _under_way[caller] = _under_way.get(caller, 0) + 1
    spool = Spool()
    try:
        form = Form(spool)
        await _read_in_time(request, _Reading(with_boundary, form, fields, limit), limit + _FRAME_BYTES)
        yield form
    finally:
        spool.close()
        _under_way[caller] -= 1
        if not _under_way[caller]:
            del _under_way[caller]


def _boundary(request: Request) -> bytes:
    media_type, options = parse_options_header(request.headers.get("content-type", "").encode("latin-1"))
    boundary = options.get(b"boundary", b"")
    if media_type != b"multipart/form-data" or not 1 <= len(boundary) <= 70:
        raise problem("multipart_required")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise problem("multipart_required", "The body must not be compressed.")
    return boundary


async def _read_in_time(request: Request, reading: _Reading, most: int) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            await _read(request, reading, most)
    except TimeoutError:
        raise problem("upload_too_slow", f"It took longer than {SECONDS:.0f} s.") from None


async def _read(request: Request, reading: _Reading, most: int) -> None:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > most):
        raise reading.too_large()
    received = 0
    async for chunk in request.stream():
        received += len(chunk)
        if received > most:
            raise reading.too_large()
        reading.feed(chunk)
    reading.end()


class _Reading:
    """The parts of one body as they arrive."""

    def __init__(self, boundary: bytes, form: Form, fields: Collection[str], limit: int) -> None:
        self._form, self._fields, self._limit = form, fields, limit
        self._header, self._value = bytearray(), bytearray()
        self._name: str | None = None
        self._field = bytearray()
        self._seen: set[str] = set()
        self._whole = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin, "on_header_field": self._on_header, "on_header_value": self._on_value,
                "on_header_end": self._header_end, "on_headers_finished": self._head_end, "on_part_data": self._data,
                "on_part_end": self._part_end, "on_end": self._end,
            },
            max_header_count=_MOST_HEADERS,
            max_header_size=_MOST_HEADER_BYTES,
        )  # fmt: skip

    def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise _invalid("The body does not keep to multipart/form-data.") from None

    def end(self) -> None:
        if not self._whole:
            raise _invalid("The body is cut off: its last boundary is missing. Send it again.")
        if "file" not in self._seen:
            raise _invalid("There is no part named `file`.")

    def too_large(self) -> DomainError:
        return problem("file_too_large", f"At most {self._limit:,} bytes.", max_bytes=self._limit)

    # ---- what the parser calls

    def _begin(self) -> None:
        self._name = None
        self._field.clear()

    def _on_header(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if bytes(self._header).lower() == b"content-disposition":
            kind, options = parse_options_header(bytes(self._value))
            if kind == b"form-data":
                self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._header.clear()
        self._value.clear()

    def _head_end(self) -> None:
        if self._name != "file" and self._name not in self._fields:
            raise _invalid(f"The parts are: file, {', '.join(sorted(self._fields))}.")
        assert self._name is not None
        if self._name in self._seen:
            raise _invalid(f"`{self._name}` may stand there once. Send one file a request.")
        self._seen.add(self._name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._name == "file":
            if self._form.file.size + end - start > self._limit:
                raise self.too_large()
            self._form.file.write(data[start:end])
            return
        self._field += data[start:end]
        if len(self._field) > _FIELD_BYTES:
            raise _invalid(f"`{self._name}` is too long.")

    def _part_end(self) -> None:
        if self._name is not None and self._name != "file":
            try:
                self._form.fields[self._name] = self._field.decode()
            except UnicodeDecodeError:
                raise problem("body_not_utf8") from None

    def _end(self) -> None:
        self._whole = True


def _invalid(rule: str) -> DomainError:
    return problem("multipart_invalid", rule)
