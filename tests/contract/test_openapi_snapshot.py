"""docs/reference/openapi.json is the document of this tree, and nothing that clients use has gone from it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from openapi_spec_validator import validate

from api.compatibility import broken
from api.documented import UNLIMITED, WRITES, operations
from api.openapi import PAGE, page, product_document

TODAY = date(2026, 11, 24)
HOW = "run `python -m api.openapi`; if it refuses, docs/reference/api-rules.md says what to do instead"

Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    return json.loads(json.dumps(product_document()))  # type: ignore[no-any-return]


def test_clients_lose_nothing(document: Document) -> None:
    lost = broken(json.loads(PAGE.read_text(encoding="utf-8")), document, TODAY)
    assert not lost, f"deprecate it first (docs/reference/api-rules.md): {lost}"


def test_the_snapshot_is_current(document: Document) -> None:
    assert PAGE.read_text(encoding="utf-8") == page(document), HOW


def test_the_document_is_valid(document: Document) -> None:
    validate(document)


def test_every_operation_says_what_it_does_and_how_it_refuses(document: Document) -> None:
    seen = 0
    for path, method, operation in operations(document):
        seen += 1
        where = f"{method} {path}"
        assert operation["operationId"] and len(operation["summary"]) > 3 and operation["tags"], where
        if "open311" in operation["tags"]:
            continue
        declared = operation["responses"]
        wanted = {"default"} | (set() if path in UNLIMITED else {"429"})
        if operation.get("security"):
            wanted |= {"401", "403", "503"} | ({"409"} if method in WRITES else set())
        if "requestBody" in operation:
            wanted |= {"400", "413", "415", "422"}
        assert wanted <= declared.keys(), f"{where}: {sorted(wanted - declared.keys())}"
        problems = [s for s in declared if s[0] in "45d" and "problem+json" not in str(declared[s].get("content"))]
        assert [s for s in problems if (path, s) != ("/readyz", "503")] == [], where
    assert seen > 150


def test_lists_link_to_their_next_page(document: Document) -> None:
    paged = [o for _, _, o in operations(document) if any(p["name"] == "cursor" for p in o.get("parameters", ()))]
    assert len(paged) > 15
    assert all("Link" in o["responses"]["200"]["headers"] for o in paged)


# ---- what counts as a break


def _operation(document: Document) -> Document:
    found: Document = document["paths"]["/api/v1/demands"]["get"]
    return found


def _drop_path(d: Document) -> None:
    del d["paths"]["/api/v1/demands"]


def _rename(d: Document) -> None:
    _operation(d)["operationId"] = "get_demands"


def _drop_parameter(d: Document) -> None:
    _operation(d)["parameters"] = [p for p in _operation(d)["parameters"] if p["name"] != "stage"]


def _require_parameter(d: Document) -> None:
    for parameter in _operation(d)["parameters"]:
        parameter["required"] = True


def _drop_value(d: Document) -> None:
    d["components"]["schemas"]["Stage"]["enum"].remove("meeting")


def _drop_field_of_body(d: Document) -> None:
    del d["components"]["schemas"]["SubmitForm"]["properties"]["external_refs"]


def _require_field(d: Document) -> None:
    d["components"]["schemas"]["SubmitForm"]["required"].append("category")


def _drop_field_of_answer(d: Document) -> None:
    del d["components"]["schemas"]["DemandView"]["properties"]["due_at"]


def _change_type_of_answer(d: Document) -> None:
    d["components"]["schemas"]["DemandView"]["properties"]["seq"]["type"] = "string"


def _drop_action(d: Document) -> None:
    choices = d["paths"]["/api/v1/demands/{number}/actions"]["post"]["requestBody"]["content"]["application/json"]
    choices["schema"]["oneOf"] = [c for c in choices["schema"]["oneOf"] if not c["$ref"].endswith("/ResolveForm")]


def _drop_answer(d: Document) -> None:
    del d["paths"]["/api/v1/demands"]["post"]["responses"]["201"]


@pytest.mark.parametrize(("change", "said"), [
    (_drop_path, "GET /api/v1/demands is gone"),
    (_rename, "operation id list_demands is now get_demands"),
    (_drop_parameter, "query parameter `stage` is gone"),
    (_require_parameter, "query parameter `stage` is now required"),
    (_drop_value, "no longer takes meeting"),
    (_drop_field_of_body, "body.external_refs is gone"),
    (_require_field, "body.category is now required"),
    (_drop_field_of_answer, "answer 200.due_at is gone"),
    (_change_type_of_answer, "answer 200.seq: integer is now string"),
    (_drop_action, "body: ResolveForm is gone"),
    (_drop_answer, "answer 201 is gone"),
])  # fmt: skip
def test_a_break_is_named(document: Document, change: Callable[[Document], None], said: str) -> None:
    now = copy.deepcopy(document)
    change(now)
    assert any(said in one for one in broken(document, now, TODAY)), broken(document, now, TODAY)[:5]


def test_what_is_added_breaks_nobody(document: Document) -> None:
    assert broken(document, copy.deepcopy(document), TODAY) == []
    now = copy.deepcopy(document)
    now["paths"]["/api/v1/new"] = copy.deepcopy(now["paths"]["/api/v1/demands"])
    _operation(now)["parameters"].append(
        {"name": "new", "in": "query", "required": False, "schema": {"type": "string"}}
    )
    schemas = now["components"]["schemas"]
    schemas["Stage"]["enum"].append("limbo")
    schemas["SubmitForm"]["properties"]["mood"] = {"type": "string"}
    schemas["DemandView"]["properties"]["mood"] = {"type": "string"}
    schemas["DemandView"]["required"].append("mood")
    assert broken(document, now, TODAY) == []


def test_what_was_announced_may_go_once_its_day_has_come(document: Document) -> None:
    before = copy.deepcopy(document)
    before["paths"]["/api/v1/demands"]["get"] |= {"deprecated": True, "x-sunset": "2027-09-01"}
    now = copy.deepcopy(document)
    del now["paths"]["/api/v1/demands"]["get"]
    assert broken(before, now, date(2027, 8, 31)) == ["GET /api/v1/demands is gone"]
    assert broken(before, now, date(2027, 9, 1)) == []
