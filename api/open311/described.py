"""How the operations of Open311 stand in the OpenAPI document: both formats, errors of their own, forms."""

from __future__ import annotations

from typing import Any

_ERRORS: dict[str, Any] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["code", "description"],
        "properties": {"code": {"type": "string"}, "description": {"type": "string"}},
    },
}
_WORDS = {
    400: "Something is missing or not valid; each thing has an element of its own.",
    403: "The api_key is missing, not valid, or not for this.",
    404: "There is no such resource, service, request, token or jurisdiction.",
    429: "Too many requests; see Retry-After.",
    500: "An error of ours.",
    503: "Try again after Retry-After.",
}
_STRING = {"type": "string"}
_STRINGS = {"type": "array", "items": _STRING}


def both(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}, "text/xml": {"schema": {"type": "string"}}}


def responses(schema: dict[str, Any], *errors: int) -> dict[int | str, dict[str, Any]]:
    """For a route's `responses`: the answer, and which errors it has besides 404 and those of every operation."""
    found: dict[int | str, dict[str, Any]] = {
        200: {"description": "XML or JSON, by the suffix.", "content": both(schema)}
    }
    for status in sorted({400, 404, 429, 500, 503, *errors}):
        found[status] = {"description": _WORDS[status], "content": both(_ERRORS)}
    return found


def rows(**fields: str) -> dict[str, Any]:
    """An array of objects; a field's type, `?` behind it where it may be null."""
    return {"type": "array", "items": thing(**fields)}


def thing(**fields: str) -> dict[str, Any]:
    properties = {
        name: {"type": [kind.rstrip("?"), "null"] if kind.endswith("?") else kind} for name, kind in fields.items()
    }
    return {"type": "object", "required": list(fields), "properties": properties}


def form(required: tuple[str, ...], **fields: str) -> dict[str, Any]:
    """For a route's `openapi_extra`: a form body whose fields are strings, with what they mean."""
    properties: dict[str, Any] = {name: {**_STRING, "description": words} for name, words in fields.items()}
    properties["media_url"] = {**_STRINGS, "description": "Addresses of pictures; kept, never fetched."}
    schema = {"type": "object", "required": list(required), "properties": properties}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema} for kind in kinds}}}
