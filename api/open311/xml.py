"""One document in two formats: XML as GeoReport v2 has it, and JSON by the rules of its JSON-XML conversion.

The root's name is left out of JSON, and a container becomes an array, however many it holds. Nothing empty is told apart:
an empty element, `null`. What XML 1.0 cannot hold is left out of both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from xml.etree import ElementTree

from fastapi import Response

from domain.open311_text import writable

Format = Literal["xml", "json"]

XML_TYPE, JSON_TYPE = "text/xml; charset=utf-8", "application/json; charset=utf-8"
SINGULAR = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "errors": "error", "service_request_updates": "request_update", "endpoints": "endpoint", "formats": "format",
    "notes": "note", "media_urls": "media_url",
}  # fmt: skip

_DECLARATION = b'<?xml version="1.0" encoding="utf-8"?>\n'


def document(
    fmt: str, root: str, value: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """`value` is a mapping or a list of plain values; `root` names it in XML."""
    body = to_json(value) if fmt == "json" else to_xml(root, value)
    sent = {"X-Content-Type-Options": "nosniff", **(headers or {})}
    answer = Response(body, status_code=status, headers=sent)
    answer.headers["Content-Type"] = JSON_TYPE if fmt == "json" else XML_TYPE
    return answer


def to_json(value: Any) -> bytes:
    return json.dumps(_plain(value), ensure_ascii=False).encode()


def to_xml(root: str, value: Any) -> bytes:
    element = ElementTree.Element(root)
    _fill(element, root, value)
    written: bytes = ElementTree.tostring(element, encoding="utf-8")
    return _DECLARATION + written


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return writable(value) or None
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [_plain(item) for item in value]
    return value


def _fill(element: ElementTree.Element, name: str, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _fill(ElementTree.SubElement(element, key), key, item)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            _fill(ElementTree.SubElement(element, SINGULAR[name]), SINGULAR[name], item)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    elif value is not None:
        element.text = writable(str(value))
