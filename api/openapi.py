"""The OpenAPI document: stable operation ids, what each operation needs, and its snapshot docs/reference/openapi.json.

Run this file to write the snapshot anew: `python -m api.openapi`. It refuses what would break clients.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.compatibility import broken
from api.deprecation import Deprecation, deprecation_of
from api.documented import complete, operations, problem_declaration
from api.needs import Declared, declared_by
from api.problems import PROBLEMS
from domain import roles
from domain.needs import Need
from domain.scopes import ANY_KEY
from runtime.settings import PROJECT_ROOT, Settings

_PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "RFC 9457. `detail` says what to do, in Chinese or (Accept-Language: en) English.",
    "type": "object",
    "required": ["type", "title", "status", "detail", "instance", "code", "request_id"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "format": "uri-reference"},
        "code": {"type": "string", "description": "/docs/errors lists them.", "x-known": sorted(PROBLEMS)},
        "request_id": {"type": ["string", "null"]},
        "trace_id": {"type": "string"},
        "rule": {"type": "string", "description": "The rule that refused, in its own words."},
        "facts": {"type": "object", "description": "What the rule looked at."},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["in", "pointer", "code", "detail"],
                "properties": {
                    "in": {"type": "string", "enum": ["body", "query", "path", "header", "cookie"]},
                    "pointer": {"type": "string", "description": "RFC 6901, within `in`."},
                    "code": {"type": "string"},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}
__all__ = ["DocumentedApp", "operation_id", "problem_declaration"]

_NOWHERE = {
    "database_url": "postgresql://nobody@127.0.0.1/nowhere", "temporal_address": "127.0.0.1:1",
    "data_keys": "k1:" + "A" * 43 + "=",
}  # fmt: skip
_OWN_OF_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """The function's name. Names are unique across routers; a test holds that."""
    return route.name


class DocumentedApp(FastAPI):
    """FastAPI, with its own error shapes in the document replaced by ours."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = super().openapi()
            endpoints = {route.name: route.endpoint for route in _routes(self)}
            for _, _, operation in operations(schema):
                endpoint = endpoints[operation["operationId"]]
                _say_need(operation, declared_by(endpoint))
                _say_deprecation(operation, deprecation_of(endpoint))
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in _OWN_OF_FRAMEWORK:
                schemas.pop(name, None)
            schemas["Problem"] = _PROBLEM_SCHEMA
            self.openapi_schema = complete(schema)
        return self.openapi_schema


def _routes(app: FastAPI) -> Iterator[APIRoute]:
    for context in iter_route_contexts(app.routes):
        if isinstance(context.original_route, APIRoute):
            yield context.original_route


_WITHOUT_ROLE = {
    Need.BY_LINK: "the reporter, by a link or a code", Need.BE_KNOWN: "anybody signed in",
    Need.OWN_SESSIONS: "anybody signed in",
}  # fmt: skip


def _say_need(operation: dict[str, Any], declared: Declared | None) -> None:
    """For people in the description, for programs in `x-need`; which roles have it stands in authorisation.md."""
    if declared is None or declared.need is Need.PUBLIC:
        return
    operation["x-need"] = str(declared.need)
    people = _WITHOUT_ROLE.get(declared.need) or ", ".join(roles.allowed(declared.need))
    keys = f"; a key with {' or '.join(_scopes(declared))}" if declared.scopes else "; no key"
    said = operation.get("description", "")
    operation["description"] = f"{said}\n\nNeeds `{declared.need}`: {people}{keys}.".strip()


def _say_deprecation(operation: dict[str, Any], told: Deprecation | None) -> None:
    if told is not None:
        operation |= {"deprecated": True, "x-sunset": told.sunset.isoformat(), "x-instead": told.instead}


def _scopes(declared: Declared) -> list[str]:
    return ["any scope"] if declared.scopes == ANY_KEY else [f"`{scope}`" for scope in sorted(declared.scopes)]


PAGE = PROJECT_ROOT / "docs" / "reference" / "openapi.json"


def product_document() -> dict[str, Any]:
    """The document of the product as it stands; nothing is opened or connected for it."""
    from api.app import create_app, product_parts  # this module is a part of theirs

    return create_app(Settings.model_validate(_NOWHERE), product_parts()).openapi()


def page(document: dict[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def write(today: date, *, breaking: bool) -> list[str]:
    """Write the snapshot anew, unless that would break clients; returns what would."""
    document = product_document()
    found = broken(json.loads(PAGE.read_text(encoding="utf-8")), document, today) if PAGE.exists() else []
    if not found or breaking:
        PAGE.write_text(page(document), encoding="utf-8")
    return found


def main() -> int:
    """`python -m api.openapi [--breaking]`: the latter writes what breaks clients too, for what was never released."""
    found = write(datetime.now(UTC).date(), breaking=sys.argv[1:] == ["--breaking"])
    for one in found:
        print(one, file=sys.stderr)
    if found and sys.argv[1:] != ["--breaking"]:
        print("Not written: docs/reference/api-rules.md says what to do instead of breaking clients.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
