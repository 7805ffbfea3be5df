"""What is wrong with which field, said without repeating what the caller sent.

pydantic's own messages quote input (a union's tag, a character of a bad id), so the sentences here are made from the
error's type and from the limits of our schema alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MAX_ERRORS = 20

# Error type → (zh, en). Names in braces are limits of the schema, which pydantic puts into `ctx`.
_SENTENCES: dict[str, tuple[str, str]] = {
    "missing": ("缺少此项，请补上。", "Required; add it."),
    "extra_forbidden": ("没有这一项，请去掉。", "No such field; remove it."),
    "string_type": ("应为文本。", "Must be text."),
    "string_too_short": ("至少 {min_length} 个字符。", "At least {min_length} characters."),
    "string_too_long": ("最多 {max_length} 个字符。", "At most {max_length} characters."),
    "string_pattern_mismatch": ("格式应符合 {pattern}", "Must match {pattern}"),
    "too_short": ("至少 {min_length} 项。", "At least {min_length} items."),
    "too_long": ("最多 {max_length} 项。", "At most {max_length} items."),
    "int_type": ("应为整数。", "Must be an integer."),
    "int_parsing": ("应为整数。", "Must be an integer."),
    "int_from_float": ("应为整数。", "Must be an integer."),
    "float_type": ("应为数字。", "Must be a number."),
    "float_parsing": ("应为数字。", "Must be a number."),
    "finite_number": ("应为有限的数字。", "Must be a finite number."),
    "bool_type": ("应为 true 或 false。", "Must be true or false."),
    "bool_parsing": ("应为 true 或 false。", "Must be true or false."),
    "greater_than": ("应大于 {gt}。", "Must be above {gt}."),
    "greater_than_equal": ("应不小于 {ge}。", "Must be at least {ge}."),
    "less_than": ("应小于 {lt}。", "Must be below {lt}."),
    "less_than_equal": ("应不大于 {le}。", "Must be at most {le}."),
    "enum": ("应为其中之一：{expected}", "Must be one of {expected}"),
    "literal_error": ("应为其中之一：{expected}", "Must be one of {expected}"),
    "union_tag_invalid": ("{discriminator} 应为其中之一：{expected_tags}", "{discriminator} must be one of {expected_tags}"),
    "union_tag_not_found": ("缺少 {discriminator}，请补上。", "{discriminator} is required; add it."),
    "model_type": ("应为对象。", "Must be an object."),
    "model_attributes_type": ("应为对象。", "Must be an object."),
    "dict_type": ("应为对象。", "Must be an object."),
    "list_type": ("应为数组。", "Must be an array."),
    "tuple_type": ("应为数组。", "Must be an array."),
    "timezone_aware": ("时间要带时区，如 2026-11-23T09:00:00+08:00。", "Give the offset, as in 2026-11-23T09:00:00+08:00."),
    "datetime_type": ("应为 ISO 8601 时间。", "Must be an ISO 8601 instant."),
    "datetime_parsing": ("应为 ISO 8601 时间。", "Must be an ISO 8601 instant."),
    "datetime_from_date_parsing": ("应为 ISO 8601 时间。", "Must be an ISO 8601 instant."),
    "date_type": ("应为 ISO 8601 日期。", "Must be an ISO 8601 date."),
    "date_parsing": ("应为 ISO 8601 日期。", "Must be an ISO 8601 date."),
    "date_from_datetime_parsing": ("应为 ISO 8601 日期。", "Must be an ISO 8601 date."),
    "nul_character": ("不得含有空字符（U+0000）。", "Must not contain the NUL character (U+0000)."),
}  # fmt: skip
_OTHERWISE = ("不符合要求，请对照接口文档。", "Not acceptable; see the API reference.")
_OURS = frozenset({"value_error", "assertion_error"})
_FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


def field_errors(errors: Sequence[Any], body: object, *, english: bool) -> list[dict[str, str]]:
    """`{in, pointer, code, detail}` for the first errors; `pointer` is a JSON Pointer (RFC 6901) within `in`."""
    return [_field_error(e, body, english) for e in errors[:MAX_ERRORS]]


def _field_error(error: Mapping[str, Any], body: object, english: bool) -> dict[str, str]:
    place, *path = error["loc"] or ("body",)
    if place == "body":
        path = _resolve(body, path, error["type"] == "missing") or []
    return {
        "in": str(place),
        "pointer": "".join(_pointer_parts(path)),
        "code": str(error["type"]),
        "detail": _detail(error, english),
    }


def _pointer_parts(path: Iterable[object]) -> Iterable[str]:
    for part in path:
        # A key is input too. Field names of programs are repeated, anything else ends the pointer at its parent.
        if not isinstance(part, int) and not _FIELD_NAME.fullmatch(str(part)):
            return
        yield f"/{part}"


def _resolve(value: object, loc: Sequence[Any], missing: bool) -> list[Any] | None:
    """The path in the document. pydantic's `loc` also names union members and tags, which stand nowhere in it."""
    if not loc:
        return []
    head, rest = loc[0], loc[1:]
    if missing and not rest:
        return [head] if isinstance(value, dict) and head not in value else None
    inner = _child(value, head)
    if inner is not _ABSENT:
        tail = _resolve(inner, rest, missing)
        if tail is not None:
            return [head, *tail]
    return _resolve(value, rest, missing)


_ABSENT = object()


def _child(value: object, key: object) -> object:
    if isinstance(value, dict) and isinstance(key, str):
        return value.get(key, _ABSENT)
    if isinstance(value, list) and isinstance(key, int) and key < len(value):
        return value[key]
    return _ABSENT


def _detail(error: Mapping[str, Any], english: bool) -> str:
    context = error.get("ctx") or {}
    if error["type"] in _OURS:
        return _own_words(str(context.get("error", "")), error.get("input"), english)
    sentence = _SENTENCES.get(error["type"], _OTHERWISE)[english]
    try:
        return sentence.format_map(context)
    except KeyError:
        return _OTHERWISE[english]


def _own_words(message: str, value: object, english: bool) -> str:
    """A validator of ours explains best, unless its sentence quotes what was sent."""
    if not message or any(text in message for text in _leaves(value)):
        return _OTHERWISE[english]
    return message


def _leaves(value: object) -> Iterable[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            if not _FIELD_NAME.fullmatch(str(key)):
                yield str(key)
            yield from _leaves(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _leaves(item)
    elif value not in (None, "") and not isinstance(value, bool):
        yield str(value)
