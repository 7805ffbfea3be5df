"""Form bodies, read within limits: form-encoded as GeoReport has it, or multipart as FixMyStreet sends it with files."""

from __future__ import annotations

from collections.abc import AsyncIterator
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from domain.open311_faults import refused
from domain.open311_text import writable
from service.open311_form import Fields

MOST_FIELDS = 300
_FORM, _MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"


async def read_form(request: Request) -> Fields:
    """By name, in the order sent, without what is empty. Raises Refused."""
    kind = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    if kind not in (_FORM, _MULTIPART) or request.headers.get("content-encoding", "identity").lower() != "identity":
        raise refused("400032")
    raw = await _body(request, request.app.state.settings.max_body_bytes)
    pairs = _pairs(raw) if kind == _FORM else await _parts(request, raw)
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        clean = writable(value)
        if clean.strip():
            fields.setdefault(writable(name), []).append(clean)
    return fields


async def _body(request: Request, limit: int) -> bytes:
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
        raise refused("400031")
    chunks, size = [], 0
    try:
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise refused("400031")
            chunks.append(chunk)
    except ClientDisconnect:
        raise refused("400090") from None
    return b"".join(chunks)


def _pairs(raw: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(raw.decode(), errors="strict", max_num_fields=MOST_FIELDS)
    except UnicodeDecodeError:
        raise refused("400033") from None
    except ValueError:  # too many fields
        raise refused("400031") from None


async def _parts(request: Request, raw: bytes) -> list[tuple[str, str]]:
    async def stream() -> AsyncIterator[bytes]:
        yield raw

    try:
        parser = MultiPartParser(request.headers, stream(), max_files=20, max_fields=MOST_FIELDS, max_part_size=len(raw) + 1)  # type: ignore[arg-type]  # fmt: skip
        form = await parser.parse()
    except (MultiPartException, KeyError, UnicodeDecodeError):
        raise refused("400032") from None
    if any(isinstance(value, UploadFile) for _, value in form.multi_items()):
        await form.close()
        raise refused("400034")
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
