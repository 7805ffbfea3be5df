"""The recorded examples and what the running product answers are what the document says of each operation."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from api.documented import operations, recorded
from api.openapi import product_document
from api.problems import MEDIA_TYPE
from api.shapes import ANSWERS
from tests.api.callers import Http
from tests.builders import INTEGRATOR, OPERATOR, Product

NUMBER_IN_12345 = {"system": "12345", "number": "2026-110001"}


@cache
def document() -> dict[str, Any]:
    return json.loads(json.dumps(product_document()))  # type: ignore[no-any-return]


@cache
def operation(id: str) -> dict[str, Any]:
    return next(o for _, _, o in operations(document()) if o["operationId"] == id)


def closed(schema: Any) -> Any:
    """The same, taking nothing that it does not name: what an answer holds beside its shape is not documented."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(one) for key, one in schema.items()}
    return inner | ({"additionalProperties": False} if "properties" in schema else {})


def check(id: str, body: Any, status: str, *, media_type: str = "application/json") -> None:
    schema = operation(id)["responses"][status]["content"][media_type]["schema"]
    components = {"schemas": {**document()["components"]["schemas"]}}
    shapes = {name: closed(one) for name, one in components["schemas"].items() if id in ANSWERS and name != "Problem"}
    # DemandTaken repeats the fields of DemandView, so each can be closed by itself.
    jsonschema.validate(body, {**schema, "components": {"schemas": components["schemas"] | shapes}})


@pytest.mark.parametrize("id", sorted(recorded()))
def test_recorded_examples_are_what_the_document_says(id: str) -> None:
    told = recorded()[id]
    assert told["answers"]
    for status, body in told["answers"].items():
        if status[0] in "45":
            check(id, body, status, media_type=MEDIA_TYPE)
        elif "application/json" in operation(id)["responses"][status]["content"]:
            check(id, body, status)
    schema = operation(id).get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    for body in told.get("requests", {}).values():
        jsonschema.validate(body, {**schema, "components": document()["components"]})


def test_the_main_operations_have_examples() -> None:
    assert set(ANSWERS) <= set(recorded()), "run: python -m bench.examples"
    sent = operation("submit_demand")["requestBody"]["content"]["application/json"]["examples"]
    assert {"example"} <= sent.keys() and operation("act_on_demand")["responses"]["403"]["content"][MEDIA_TYPE][
        "example"
    ]


def test_examples_hold_no_secret_and_no_telephone() -> None:
    text = json.dumps(recorded(), ensure_ascii=False)
    assert "127.0.0.1" not in text and "dev_p-" not in text
    secrets = [
        one["secret"]
        for one in (recorded()["create_webhook"]["answers"]["201"], recorded()["make_api_key"]["answers"]["201"])
    ]
    assert all(one.endswith("…") for one in secrets)


async def test_a_running_product_answers_what_the_document_says(product: Product, http: Http) -> None:
    taken = await http.submit(by=INTEGRATOR, external_refs=[NUMBER_IN_12345])
    check("submit_demand", taken, "201")
    number, worker = taken["number"], taken["holder"]["id"]
    for action in ({"type": "accept"}, {"type": "contact"}, {"type": "resolve", "reply": "已修复。"}):
        done = await http.act(number, worker, **action)
        assert done.status_code == 200, done.text
        check("act_on_demand", done.json(), "200")
    up = await http.submit(category="040102")
    await http.act(up["number"], OPERATOR, "merge", primary=number)
    one = f"/api/v1/demands/{number}"
    for id, path in (
        ("read_demand", one), ("read_demand", f"/api/v1/demands/{up['number']}"), ("list_demands", "/api/v1/demands"),
        ("list_demand_events", f"{one}/events"), ("list_demand_clocks", f"{one}/clocks"), ("list_followers", f"{one}/followers"),
        ("list_demand_references", f"{one}/references"), ("list_communities", "/api/v1/communities"),
        ("list_grids", "/api/v1/grids"), ("list_units", "/api/v1/units"), ("list_categories", "/api/v1/categories"),
    ):  # fmt: skip
        answer = await http.get(path, OPERATOR)
        assert answer.status_code == 200, answer.text
        assert answer.json(), f"{path} answers nothing that could be checked"
        check(id, answer.json(), "200")


def test_an_answer_of_another_shape_is_found() -> None:
    [one] = recorded()["list_demands"]["answers"]["200"][:1]
    check("list_demands", [one], "200")
    for wrong in ({**one, "seq": "7"}, {k: v for k, v in one.items() if k != "due_at"}, {**one, "phone": "x"}):
        with pytest.raises(jsonschema.ValidationError):
            check("list_demands", [wrong], "200")
