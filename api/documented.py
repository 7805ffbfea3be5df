"""What the OpenAPI document says beside what FastAPI finds out: refusals, headers, summaries, shapes and examples."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic.json_schema import models_json_schema

from api.problems import MEDIA_TYPE
from api.shapes import ANSWERS, AsyncTaken

Schema = dict[str, Any]

EXAMPLES = Path(__file__).parent / "static" / "examples.json"
WRITES = frozenset({"post", "put", "patch", "delete"})
UNLIMITED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Whoever watches the service is never told to wait."""

_DESCRIPTIONS = {
    "400": "The request is malformed.",
    "401": "No valid token.",
    "403": "Role, holder or scope forbids it.",
    "404": "There is no such thing.",
    "409": "The present state forbids it.",
    "412": "It has changed since the version that If-Match names.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "422": "A field or a rule refuses the content.",
    "429": "Too many requests; Retry-After says when to come again.",
    "503": "Try again after Retry-After, with the same Idempotency-Key.",
    "default": "Any other problem.",
}
_HEADERS: Schema = {
    "X-Request-Id": "Names this request in our logs; the one you sent, or ours.",
    "RateLimit-Policy": "How many requests in how many seconds.",
    "RateLimit": "How many are left (`r`), and in how many seconds all are back (`t`).",
    "ETag": "Names this version, for If-None-Match and If-Match.",
    "Link": "RFC 8288: `rel=next` leads to the next page; without it this is the last.",
    "Location": "Where it is now.",
    "Idempotency-Replayed": "`true` when this answers a repetition.",
    "Preference-Applied": "The preference that was heeded.",
    "Retry-After": "In so many seconds.",
}
_ALWAYS = ("X-Request-Id", "RateLimit-Policy", "RateLimit")
_OWN: Mapping[str, tuple[str, ...]] = {
    "submit_demand": ("Location", "Idempotency-Replayed"),
    "read_demand": ("ETag",),
    "act_on_demand": ("ETag",),
    "read_webhook": ("ETag",),
    "replace_webhook": ("ETag",),
}
_OWN_PARAMETERS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "read_demand": (("If-None-Match", "The ETag that you have: answered 304 if it is still that."),),
    "act_on_demand": (
        ("If-Match", 'The ETag, or `"<seq>"`, that you decide on: 412 when the demand has gone on since. `*` for any.'),
        ("Prefer", "`respond-async, wait=5`: a 202 when there is no verdict in so many seconds."),
    ),
    "gather_followers": (("Prefer", "`respond-async, wait=5`: a 202 when it takes longer than so many seconds."),),
}
"""Headers that hot routes read themselves."""
_ASYNC = frozenset({"act_on_demand", "gather_followers"})
_OTHER_SUCCESS: Mapping[str, tuple[str, str]] = {
    "put_unit": ("201", "The unit is new."), "put_person": ("201", "The person is new."),
    "keep_month": ("200", "It was kept already."), "publish_calendar": ("200", "A dry run: nothing was published."),
    "publish_sla": ("200", "A dry run: nothing was published."),
    "publish_routing": ("200", "A dry run: nothing was published."),
}  # fmt: skip
# Two models of one name, or a model named like another's inner enumeration, are one too many for generators.
_RENAMED = {"Decision": "ExclusionDecision"}


def operations(schema: Schema) -> Iterator[tuple[str, str, Schema]]:
    """Path, method in lower case, operation."""
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def complete(schema: Schema) -> Schema:
    """The whole document, finished. Open311 has errors of its own and is left as it is."""
    schema = _with_plain_names(schema)
    components = schema.setdefault("components", {})
    components["headers"] = {
        name: {"description": said, "schema": {"type": "string"}} for name, said in _HEADERS.items()
    }
    shaped = _declare_shapes(components.setdefault("schemas", {}))
    for path, method, operation in operations(schema):
        operation["summary"] = _summary(operation)
        _declare_own(operation)
        if "open311" in operation.get("tags", ()):
            _drop_framework_errors(operation)
            _say_empty_is_absent(operation)
        else:
            _declare_problems(path, method, operation)
        _declare_answer(operation, shaped)
        _declare_headers(path, operation)
        _add_examples(operation)
        _declare_other_success(operation)
    return schema


def _with_plain_names(schema: Schema) -> Schema:
    """Where two modules have a form of one name, `service__resident_forms__NoteForm` becomes `ResidentNoteForm`."""
    schemas = schema.get("components", {}).get("schemas", {})
    renamed = {name: plain for name in schemas if (plain := _plain(name, set(schemas))) != name}
    for old, new in renamed.items():
        schemas[new] = {**schemas.pop(old), "title": new}

    def changed(value: Any) -> Any:
        if isinstance(value, dict):
            bare: Schema = (
                {"items": {}} if value.get("type") == "array" and not {"items", "prefixItems"} & value.keys() else {}
            )
            return {**{key: changed(one) for key, one in value.items()}, **bare}
        if isinstance(value, list):
            return [changed(one) for one in value]
        if isinstance(value, str) and value.startswith("#/components/schemas/"):
            return f"#/components/schemas/{renamed.get(value[21:], value[21:])}"
        return value

    result: Schema = changed(schema)
    return result


def _plain(name: str, taken: set[str]) -> str:
    parts = name.split("__")
    module = parts[-2].removesuffix("forms").rstrip("_") if len(parts) > 1 else ""
    plain = "".join(word.capitalize() for word in module.split("_")) + parts[-1]
    return _RENAMED.get(name, plain if plain not in taken else name)


def _summary(operation: Schema) -> str:
    """The first sentence of what the route says of itself; without it, its name."""
    said = " ".join(operation.get("description", "").partition("\n\nNeeds `")[0].split())
    generated = operation["operationId"].replace("_", " ").title()
    if operation.get("summary") not in (None, generated):
        return str(operation["summary"])
    for end in re.finditer(r"[.?!;:](?=\s|$)", said):
        first = said[: end.start()]
        if first.count("(") == first.count(")"):
            return first + end[0].strip(".;:")
    return said or generated


def _declare_own(operation: Schema) -> None:
    id, responses = operation["operationId"], operation["responses"]
    for name, said in _OWN_PARAMETERS.get(id, ()):
        schema = {"type": "string"}
        operation["parameters"].append(
            {"name": name, "in": "header", "required": False, "schema": schema, "description": said}
        )
    if id == "read_demand":
        responses["304"] = {"description": "Not changed.", "headers": {"ETag": _header("ETag")}}
    if id in _ASYNC:
        content = {"application/json": {"schema": {"$ref": "#/components/schemas/AsyncTaken"}}}
        headers = {name: _header(name) for name in ("Location", "Preference-Applied")}
        said = "It is being done. Ask again with the same Idempotency-Key for the verdict."
        responses["202"] = {"description": said, "content": content, "headers": headers}


def _declare_problems(path: str, method: str, operation: Schema) -> None:
    names = {one["name"].lower() for one in operation.get("parameters", ())}
    statuses = {"default"} | ({"429"} if path not in UNLIMITED else set())
    if "requestBody" in operation:
        statuses |= {"400", "413", "415", "422"}
    if names:
        statuses |= {"422"}
    if "{" in path:
        statuses |= {"404"}
    if "cursor" in names:
        statuses |= {"400"}
    if "if-match" in names:
        statuses |= {"412"}
    if operation.get("security"):
        statuses |= {"401", "403", "503"} | ({"409"} if method in WRITES else set())
    responses = operation["responses"]
    for status in sorted(statuses):
        if status not in responses or _is_of_framework(responses[status]):
            responses[status] = problem_declaration(_DESCRIPTIONS[status])
        if status in ("429", "503"):
            responses[status].setdefault("headers", {})["Retry-After"] = _header("Retry-After")


def _is_of_framework(answer: Schema) -> bool:
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return str(schema.get("$ref", "")).endswith("/HTTPValidationError")


def _declare_other_success(operation: Schema) -> None:
    if operation["operationId"] in _OTHER_SUCCESS:
        status, said = _OTHER_SUCCESS[operation["operationId"]]
        ordinary = next(answer for code, answer in operation["responses"].items() if code.startswith("2"))
        operation["responses"][status] = {**ordinary, "description": said}


def _drop_framework_errors(operation: Schema) -> None:
    responses = operation["responses"]
    for status in [status for status, answer in responses.items() if _is_of_framework(answer)]:
        del responses[status]


def _say_empty_is_absent(operation: Schema) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "query" and not parameter.get("required"):
            parameter["allowEmptyValue"] = True


def problem_declaration(description: str) -> Schema:
    """For a route's own `responses={409: problem_declaration("…")}`."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


def _declare_shapes(schemas: Schema) -> Schema:
    """Puts every shape among the schemas; returns by operation id the schema that refers to it."""
    models = {_model(shape) for _, shape in ANSWERS.values()} | {AsyncTaken}
    chosen, found = models_json_schema(
        [(model, "serialization") for model in sorted(models, key=lambda m: m.__name__)],
        ref_template="#/components/schemas/{model}",
    )
    schemas.update(found["$defs"])
    refs = {model: reference for (model, _), reference in chosen.items()}
    return {id: _array(refs[_model(shape)], shape) for id, (_, shape) in ANSWERS.items()}


def _model(shape: Any) -> Any:
    return shape.__args__[0] if hasattr(shape, "__args__") else shape


def _array(reference: Schema, shape: Any) -> Schema:
    return {"type": "array", "items": reference} if hasattr(shape, "__args__") else reference


def _declare_answer(operation: Schema, shaped: Schema) -> None:
    id = operation["operationId"]
    if id in shaped:
        status = ANSWERS[id][0]
        content = operation["responses"].setdefault(status, {"description": "Done."}).setdefault("content", {})
        content.setdefault("application/json", {})["schema"] = shaped[id]


def _declare_headers(path: str, operation: Schema) -> None:
    always = _ALWAYS[:1] if path in UNLIMITED else _ALWAYS
    paged = any(one["name"] == "cursor" for one in operation.get("parameters", ()))
    own = (*_OWN.get(operation["operationId"], ()), *(("Link",) if paged else ()))
    for status, answer in operation["responses"].items():
        if not status.startswith("2") and status != "429":
            continue
        for name in (*always, *(own if status in ("200", "201") else ())):
            answer.setdefault("headers", {}).setdefault(name, _header(name))


def _header(name: str) -> Schema:
    return {"$ref": f"#/components/headers/{name}"}


@cache
def recorded() -> Schema:
    """By operation id: `requests` by name and `answers` by status, as bench/examples.py has recorded them."""
    found: Schema = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return found


def _add_examples(operation: Schema) -> None:
    told = recorded().get(operation["operationId"])
    if told is None:
        return
    asked = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if asked is not None and told.get("requests"):
        asked["examples"] = {name: {"value": body} for name, body in told["requests"].items()}
    for status, body in told["answers"].items():
        for media_type, content in operation["responses"].get(status, {}).get("content", {}).items():
            if media_type.endswith("json"):
                content["example"] = body
