"""What a neighbour answered, as rows: JSON or XML, trusted in nothing. Raises Unreadable for what is no such document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from domain.neighbours import Standing, Update, instant_text

Row = Mapping[str, Any]
MOST_ROWS = 2_000
MOST_ID = 200


class Unreadable(Exception):
    """It is not what GeoReport v2 has at this address: an error page, another document, half of one."""


def rows_of(body: bytes, format: str) -> list[Row]:
    """The rows of a document; a JSON object around the list, as some have it, is looked through."""
    found = _from_json(body) if format == "json" else _from_xml(body)
    if len(found) > MOST_ROWS:
        raise Unreadable
    return found


def _from_json(body: bytes) -> list[Row]:
    try:
        said = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise Unreadable from None
    if isinstance(said, dict) and len(said) == 1:
        said = next(iter(said.values()))
    if not isinstance(said, list) or not all(isinstance(row, dict) for row in said):
        raise Unreadable
    return said


def _from_xml(body: bytes) -> list[Row]:
    if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # it defines its own words: nothing that this standard does
        raise Unreadable
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError):
        raise Unreadable from None
    if not root.tag.startswith("service_request"):  # a page, or their errors
        raise Unreadable
    return [{field.tag: _value(field) for field in row} for row in root]


def _value(element: ElementTree.Element) -> Any:
    if len(element):
        return {child.tag: (child.text or "").strip() for child in element}
    return (element.text or "").strip()


def text(row: Row, name: str) -> str:
    value = row.get(name)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else ""


def standing_of(row: Row) -> Standing:
    status = text(row, "status").strip().lower()
    if status not in ("open", "closed"):
        raise Unreadable
    extended = row.get("extended_attributes")
    word = text(extended, "extended_status") if isinstance(extended, Mapping) else ""
    return Standing(
        closed=status == "closed", notes=text(row, "status_notes"), changed=instant_text(text(row, "updated_datetime")),
        extended=word,
    )  # fmt: skip


def update_of(row: Row) -> Update | None:
    """None for one that cannot be told from others."""
    id = text(row, "update_id")
    if not id or len(id) > MOST_ID:
        return None
    return Update(
        id, text(row, "status").upper(), text(row, "description"), instant_text(text(row, "updated_datetime"))
    )
