"""JSON bodies read strictly, before any model sees them.

The standard parser takes duplicate keys, NaN, 1e400, lone surrogates and any depth its stack allows; each of these
later becomes a wrong row or a 500. Here each is refused with its own problem code. The rules are those of I-JSON
(RFC 7493), plus NUL, which PostgreSQL cannot store.

    StrictRoute ── who asks, and may they ──> StrictRequest ── read within the limit ──> parse_json ──> FastAPI as usual
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Coroutine
from itertools import accumulate
from typing import Any, NoReturn
from urllib.parse import unquote_to_bytes

from fastapi import Request, Response, params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.addresses import is_of_another_route
from api.deprecation import announcing
from api.needs import Declared, admit, declared_by
from api.problems import problem

MAX_DEPTH = 32

_INT64_MIN, _INT64_MAX = -(2**63), 2**63 - 1
_INT64_DIGITS = 20  # with the sign

# Closed or not, so that every quote is passed once: no backtracking, linear for any input.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
_NOT_BRACKETS = bytes(set(range(256)) - _STEP.keys())
_ESCAPED_NUL_OR_SURROGATE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_NUL_OR_SURROGATE = re.compile("[\x00\ud800-\udfff]")
_JSON_TYPE = re.compile(r"application/(?:[a-z0-9.!#$&^_-]+\+)?json")


def parse_json(raw: bytes) -> Any:
    """The document, or a DomainError that says which rule of strict JSON it breaks."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise problem("body_not_utf8", f"Byte {error.start} is not UTF-8.", at_byte=error.start) from None
    _check_depth(raw)
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        where = {"line": error.lineno, "column": error.colno}
        # A raw NUL is the one control character with a code of its own; the parser only says where.
        code = "nul_character" if text[error.pos : error.pos + 1] == "\x00" else "invalid_json"
        raise problem(code, f"Line {error.lineno}, column {error.colno}: {error.msg}.", **where) from None
    # Unescaped text cannot hold either character: UTF-8 refuses surrogates, the parser refuses control characters.
    if "\\u" in text and _ESCAPED_NUL_OR_SURROGATE.search(text):
        _check_text(value)
    return value


def _check_depth(raw: bytes) -> None:
    """Refuse deep nesting before the recursive parser starts. Linear, and free for bodies with few brackets."""
    if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
        return
    brackets = _STRING.sub(b"", raw).translate(None, _NOT_BRACKETS)
    if max(accumulate(map(_STEP.__getitem__, brackets)), default=0) > MAX_DEPTH:
        raise problem("nested_too_deep", f"At most {MAX_DEPTH} levels.", max_depth=MAX_DEPTH)


def _check_text(value: Any) -> None:
    if isinstance(value, str):
        bad = _NUL_OR_SURROGATE.search(value)
        if bad:
            raise problem("nul_character" if bad[0] == "\x00" else "lone_surrogate")
    elif isinstance(value, dict):
        for key, item in value.items():
            _check_text(key)
            _check_text(item)
    elif isinstance(value, list):
        for item in value:
            _check_text(item)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise problem("duplicate_key")
    return result


def _integer(text: str) -> int:
    if len(text) > _INT64_DIGITS or not _INT64_MIN <= (value := int(text)) <= _INT64_MAX:
        raise problem("integer_out_of_range")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if value - value != 0.0:  # infinity
        raise problem("number_not_finite")
    return value


def _constant(_: str) -> NoReturn:
    raise problem("number_not_finite")


_DECODER = json.JSONDecoder(
    object_pairs_hook=_object, parse_int=_integer, parse_float=_finite, parse_constant=_constant
)


class StrictRequest(Request):
    """A request whose body was read and parsed before the handler asks for it."""

    _raw: bytes = b""
    _value: Any = None

    async def load(self, limit: int) -> None:
        """Read at most `limit` bytes and parse them; raises DomainError. An empty body is for the model to refuse."""
        self._raw = await self._read(limit)
        if self._raw:
            self._check_media_type()
            self._value = parse_json(self._raw)

    async def body(self) -> bytes:
        return self._raw

    async def json(self) -> Any:
        return self._value

    async def _read(self, limit: int) -> bytes:
        declared = self.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > 18 or int(declared) > limit):
            raise _too_large(limit)
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            chunk = message.get("body", b"")
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
            if not message.get("more_body", False):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _check_media_type(self) -> None:
        declared = self.headers.get("content-type", "")
        if declared != "application/json":
            media_type, _, parameters = declared.lower().partition(";")
            charset = re.fullmatch(r'\s*charset="?([a-z0-9_-]+)"?\s*', parameters)
            if not _JSON_TYPE.fullmatch(media_type.strip()) or (charset and charset[1] not in ("utf-8", "utf8")):
                raise problem("unsupported_media_type")
        if self.headers.get("content-encoding", "identity").lower() != "identity":
            raise problem("unsupported_media_type", "The body must not be compressed.")


def _too_large(limit: int) -> Exception:
    return problem("body_too_large", f"At most {limit} bytes.", max_bytes=limit)


class StrictRoute(APIRoute):
    """The route class of every product router: `APIRouter(route_class=StrictRoute)`.

    It is closed to everybody but those who have the need that its endpoint declares (api/needs.py)."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        field = self.body_field
        reads_json = field is not None and not isinstance(field.field_info, params.Form)
        declared = declared_by(self.endpoint)

        async def strict(request: Request) -> Response:
            refuse_unusable_address(request)
            await self.admit(request, declared)
            if reads_json:
                request = StrictRequest(request.scope, request.receive)
                await request.load(request.app.state.settings.max_body_bytes)
            return await handle(request)

        return announcing(strict, self.endpoint)

    async def admit(self, request: Request, declared: Declared | None) -> None:
        await admit(request, declared)


def refuse_unusable_address(request: Request) -> None:
    """No stored thing has a NUL or half a character in its name, so such a path is 404 and such a query 422."""
    path: str = request.scope["path"]
    if not path.isprintable() and _NUL_OR_SURROGATE.search(path):
        raise problem("not_found")
    if is_of_another_route(request):
        raise HTTPException(405)
    query: bytes = request.scope["query_string"]
    if b"\x00" in query or (b"%00" in query and b"\x00" in unquote_to_bytes(query)):
        raise RequestValidationError([{"type": "nul_character", "loc": ("query",), "msg": "", "input": None}])
