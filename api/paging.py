"""Keyset paging: an opaque signed cursor, and the `Link` header that carries it (RFC 8288).

A cursor is bound to the path and the filters it was made for, so it can neither be altered nor moved to another list.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Query, Request, Response

from api.problems import problem

MAX_LIMIT = 100
DEFAULT_LIMIT = 25

Key = str | int | float | datetime | None

_MAC_BYTES = 12
_MAX_CHARS = 1_000


class CursorSigner:
    """Signs with a key of the installation, so that a cursor of one replica is valid at every other."""

    def __init__(self, secret: bytes) -> None:
        self._secret = hmac.digest(secret, b"linli paging cursor", "sha256")

    def encode(self, key: Sequence[Key], context: str) -> str:
        content = json.dumps([_plain(k) for k in key], separators=(",", ":"), ensure_ascii=False).encode()
        return base64.urlsafe_b64encode(self._mac(content, context) + content).rstrip(b"=").decode()

    def decode(self, cursor: str, context: str) -> tuple[Key, ...]:
        """The key; raises DomainError `invalid_cursor` for anything `encode` did not make for this context."""
        if len(cursor) > _MAX_CHARS:
            raise problem("invalid_cursor")
        try:
            raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise problem("invalid_cursor") from None
        mac, content = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        # Base64 has spare bits at its end: only the one spelling that `encode` makes is accepted.
        canonical = base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
        if canonical != cursor or not hmac.compare_digest(mac, self._mac(content, context)):
            raise problem("invalid_cursor")
        return tuple(_rich(k) for k in json.loads(content))

    def _mac(self, content: bytes, context: str) -> bytes:
        message = context.encode(errors="surrogatepass") + b"\n" + content
        return hmac.digest(self._secret, message, "sha256")[:_MAC_BYTES]


def _plain(key: Key) -> Any:
    return {"at": key.isoformat()} if isinstance(key, datetime) else key


def _rich(value: Any) -> Key:
    if isinstance(value, dict):
        return datetime.fromisoformat(value["at"])
    key: Key = value
    return key


@dataclass(frozen=True, slots=True)
class Page:
    """The slice asked for: `limit` rows after the key `after` (None: from the start)."""

    limit: int
    after: tuple[Key, ...] | None
    _signer: CursorSigner
    _path: str
    _filters: tuple[tuple[str, str], ...]

    def link_next(self, response: Response, last_key: Sequence[Key]) -> None:
        """Say where the next page is; call it only when there is one. `last_key` is the key of this page's last row."""
        cursor = self._signer.encode(last_key, _context(self._path, self._filters))
        query = urlencode([*self._filters, ("limit", str(self.limit)), ("cursor", cursor)])
        response.headers.append("Link", f'<{quote(self._path)}?{query}>; rel="next"')


def _context(path: str, filters: Sequence[tuple[str, str]]) -> str:
    return f"{path}?{urlencode(sorted(filters))}"


async def page_of(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows a page holds.")] = DEFAULT_LIMIT,
    cursor: Annotated[str | None, Query(description="From the `Link` of the page before; opaque.")] = None,
) -> Page:
    signer: CursorSigner = request.app.state.cursor_signer
    path = str(request.scope["path"])
    filters = tuple((k, v) for k, v in request.query_params.multi_items() if k not in ("limit", "cursor"))
    after = None if cursor is None else signer.decode(cursor, _context(path, filters))
    return Page(limit=limit, after=after, _signer=signer, _path=path, _filters=filters)


# What a route writes: `async def list_demands(page: PageAsked, response: Response, …)`.
PageAsked = Annotated[Page, Depends(page_of)]
