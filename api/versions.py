"""Versions of a demand in HTTP: the ETag, and what If-Match and If-None-Match say of it (RFC 9110 §13).

An ETag is `"<seq>-<digest>"`: the first part is the demand's version and all that If-Match looks at, the second that of
this caller's view of it, so that 304 is answered for the same bytes only. `"<seq>"` alone will do for If-Match.
"""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from typing import Annotated, Any

from fastapi import Header, Request, Response

_TAG = re.compile(r'(W/)?"([^"]*)"')
_SEQ = re.compile(r"(\d{1,9})(?:-[0-9a-f]{12})?")


IfMatch = Annotated[
    str | None, Header(max_length=1_000, description="The ETag of the version that is to be changed, or `*` for any.")
]


def strong_tags(said: str | None) -> frozenset[str] | None:
    """What If-Match names; None without one, and for `*`. Weak tags never match (RFC 9110 §13.1.1)."""
    if said is None or said.strip() == "*":
        return None
    return frozenset(found[2] for found in _TAG.finditer(said) if not found[1])


def versioned(request: Request, view: dict[str, Any]) -> Response:
    """The view with its ETag; 304 where a GET names it in If-None-Match."""
    body = json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode()
    tag = f'"{view["seq"]}-{blake2b(body, digest_size=6).hexdigest()}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie"}
    had = request.headers.get("if-none-match") if request.method == "GET" else None
    if had is not None and (had.strip() == "*" or tag[1:-1] in {found[2] for found in _TAG.finditer(had)}):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def wanted_versions(request: Request) -> frozenset[int] | None:
    """The versions of a demand that If-Match names; None without one, and for `*`."""
    tags = strong_tags(request.headers.get("if-match", "*")[:1_000])
    return None if tags is None else frozenset(int(seq[1]) for tag in tags if (seq := _SEQ.fullmatch(tag)))
