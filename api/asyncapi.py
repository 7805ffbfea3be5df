"""The AsyncAPI document: every event that leaves, made from the table that decides what leaves.

Run this file to write docs/reference/asyncapi.json anew: `python -m api.asyncapi`.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any, get_args

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.needs import needs
from api.strict_json import StrictRoute
from api.system import product_version
from domain import events
from domain.needs import Need
from domain.outgoing import DISABLED, OUTGOING, PING, Outgoing

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "asyncapi.json"
JSON_TYPE = "application/cloudevents+json"

router = APIRouter(tags=["system"], route_class=StrictRoute)

_KINDS: dict[str, type[BaseModel]] = {
    kind.model_fields["type"].default: kind for kind in get_args(get_args(events.Event)[0])
}
_ABOUT: dict[str, Any] = {
    "type": "object",
    "description": "Of every event of a demand.",
    "required": ["number", "category", "community"],
    "properties": {
        "number": {"type": "string", "description": "The demand's number; also the event's `subject`."},
        "category": {"type": "string", "description": "Its category as it stood when the message was made."},
        "community": {"type": ["string", "null"]},
        "grid": {"type": ["string", "null"], "description": "Left out for a confidential demand."},
        "confidential": {"type": "boolean", "description": "Only there, and true, for a confidential demand."},
    },
}
_OF_WEBHOOK: dict[str, Any] = {
    "webhook": {"type": "string", "description": "Its id."},
    "failing_since": {"type": "string", "format": "date-time"},
    "failures": {"type": "integer", "minimum": 1},
}
_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "description": "The same at every delivery. For a demand: number, sequence, hash."},
        "source": {"type": "string", "format": "uri-reference", "examples": ["urn:linli:shengli-road"]},
        "type": {"type": "string"},
        "subject": {"type": "string", "description": "What it is about: the number of the demand."},
        "time": {"type": "string", "format": "date-time", "description": "When it happened, UTC."},
        "datacontenttype": {"const": "application/json"},
        "sequence": {"type": "string", "pattern": "^[0-9]{6,}$", "description": "Grows within one subject."},
        "position": {"type": "string", "description": "Its place in the feed: `after`, or `Last-Event-ID`."},
        "data": {"type": "object"},
    },
}
_HEADERS: dict[str, Any] = {
    "type": "object",
    "required": ["webhook-id", "webhook-timestamp", "webhook-signature"],
    "properties": {
        "webhook-id": {"type": "string", "description": "The event's id, the same at every try."},
        "webhook-timestamp": {"type": "string", "description": "Seconds since 1970, of this try."},
        "webhook-signature": {"type": "string", "description": "`v1,` and base64, one for each valid secret."},
    },
}


@cache
def document() -> dict[str, Any]:
    rows = {o.type: (name, o) for name, o in OUTGOING.items()}
    of_demands = {_name(type): _message(o, _data_of(name, o)) for type, (name, o) in sorted(rows.items())}
    of_webhooks = {
        _name(o.type): _message(o, _object({field: _OF_WEBHOOK[field] for field in o.names})) for o in (PING, DISABLED)
    }
    everything = {**of_demands, **of_webhooks}
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Linli 邻里 events",
            "version": product_version(),
            "license": {"name": "Apache-2.0"},
            "description": "What happens to resident demands, as CloudEvents 1.0. At least once; in order for each demand.",
        },
        "defaultContentType": JSON_TYPE,
        "channels": {
            "webhook": {
                "address": None,
                "description": "POST to the URL of a webhook, signed as Standard Webhooks has it.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in everything},
            },
            "stream": {
                "address": "/api/v1/events/stream",
                "description": "Server-Sent Events; the pull feed `/api/v1/events` has the same ones.",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in of_demands},
            },
        },
        "operations": {
            "deliver": {"action": "send", "channel": {"$ref": "#/channels/webhook"}},
            "stream": {"action": "send", "channel": {"$ref": "#/channels/stream"}},
        },
        "components": {"messages": everything, "schemas": {"event": _ENVELOPE, "about": _ABOUT, "headers": _HEADERS}},
    }


def _name(type: str) -> str:
    return type.replace(".", "_")


def _message(o: Outgoing, data: dict[str, Any]) -> dict[str, Any]:
    own = {"properties": {"type": {"const": o.type}, "data": data}}
    return {
        "name": o.type,
        "summary": o.says,
        "contentType": JSON_TYPE,
        "headers": {"$ref": "#/components/schemas/headers"},
        "payload": {"allOf": [{"$ref": "#/components/schemas/event"}, own]},
    }


def _data_of(name: str, o: Outgoing) -> dict[str, Any]:
    fields = {field: schema_of(_KINDS[name], path) for field, path in o.names.items()}
    return {"allOf": [{"$ref": "#/components/schemas/about"}, _object(fields)]}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def schema_of(kind: type[BaseModel], path: str) -> dict[str, Any]:
    """Of a field of an event, further inside with dots; null too, since an event of an older release may not have it.

    Raises KeyError for a field that there is not.
    """
    whole = kind.model_json_schema(mode="serialization")
    found: Any = whole
    for step in path.split("."):
        found = _inlined(found["properties"][step], whole)
    said = {key: value for key, value in found.items() if key not in ("title", "default", "description")}
    return said if "anyOf" in said else {"anyOf": [said, {"type": "null"}]}


def _inlined(schema: Any, whole: dict[str, Any]) -> Any:
    if isinstance(schema, dict):
        if "$ref" in schema:
            return _inlined(whole["$defs"][schema["$ref"].rpartition("/")[2]], whole)
        return {key: _inlined(value, whole) for key, value in schema.items()}
    return [_inlined(one, whole) for one in schema] if isinstance(schema, list) else schema


def page() -> str:
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


@router.get("/asyncapi.json", include_in_schema=False)
@needs(Need.PUBLIC, because="The document of the events names nothing but their fields.")
async def asyncapi_document() -> Response:
    return Response(page(), media_type="application/json")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
