"""The OpenAPI document: stable operation ids, and every operation's refusals declared as problem+json."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.needs import Declared, declared_by
from api.problems import MEDIA_TYPE, PROBLEMS
from domain import roles
from domain.needs import Need

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
        "code": {"type": "string", "enum": sorted(PROBLEMS)},
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
_DESCRIPTIONS = {
    "400": "The request is malformed.",
    "401": "No valid token.",
    "403": "Role, holder or scope forbids it.",
    "404": "There is no such thing.",
    "405": "Another method is needed; see Allow.",
    "409": "The present state forbids it.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A field or a rule refuses the content.",
    "503": "Try again after Retry-After.",
    "default": "Any other problem.",
}
_OWN_OF_FRAMEWORK = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """The function's name. Names are unique across routers; a test holds that."""
    return route.name


class DocumentedApp(FastAPI):
    """FastAPI, with its own error shapes in the document replaced by ours."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            schema = super().openapi()
            declared = {route.name: declared_by(route.endpoint) for route in _routes(self)}
            for path, operation in _operations(schema):
                _say_need(operation, declared[operation["operationId"]])
                if "open311" not in operation.get("tags", ()):  # it has errors of its own
                    _declare_problems(path, operation)
            schemas = schema.setdefault("components", {}).setdefault("schemas", {})
            for name in _OWN_OF_FRAMEWORK:
                schemas.pop(name, None)
            schemas["Problem"] = _PROBLEM_SCHEMA
            self.openapi_schema = schema
        return self.openapi_schema


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            yield path, operation


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


def _scopes(declared: Declared) -> list[str]:
    return ["any scope"] if declared.scopes == roles.ANY_KEY else [f"`{scope}`" for scope in sorted(declared.scopes)]


def _declare_problems(path: str, operation: dict[str, Any]) -> None:
    responses = operation["responses"]
    statuses = {"default"}
    if "requestBody" in operation:
        statuses |= {"400", "413", "415", "422"}
    if operation.get("parameters"):
        statuses |= {"422"}
    if "{" in path:
        statuses |= {"404"}
    if operation.get("security"):
        statuses |= {"401", "403", "503"}
    for status in sorted(statuses):
        described = responses.get(status, {}).get("content", {}).get("application/json", {}).get("schema", {})
        if status not in responses or described.get("$ref", "").endswith("/HTTPValidationError"):
            responses[status] = problem_declaration(_DESCRIPTIONS[status])


def problem_declaration(description: str) -> dict[str, Any]:
    """For a route's own `responses={409: problem_declaration("…")}`."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
