"""docs/reference/asyncapi.json says what leaves: it is current, whole, and real events are what it says."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any, get_args

import jsonschema  # type: ignore[import-untyped]
import pytest
from fastapi.routing import APIRoute

from api.asyncapi import PAGE, document, page, router, schema_of
from domain import events
from domain.outgoing import INSIDE, OUTGOING, TYPES, envelope, public_data, wanted
from service.outgoing import disabled, message, ping
from store.feed import FeedEvent, Position
from tests.store.builders import story

KINDS = {kind.model_fields["type"].default: kind for kind in get_args(get_args(events.Event)[0])}
PERSONAL = {
    "person", "actor", "by_person", "opened_by", "dispatcher", "supervisor", "operator", "chair", "convener", "told",
    "worker", "substitute", "secretary", "liaison", "reply_id", "note_id", "file_ids", "document", "candidates", "score",
}  # fmt: skip


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m api.asyncapi"


def test_of_every_event_it_is_decided_whether_it_leaves() -> None:
    assert set(KINDS) == set(OUTGOING) | INSIDE
    assert not set(OUTGOING) & INSIDE


@pytest.mark.parametrize("type", sorted(OUTGOING))
def test_what_leaves_is_there_and_says_nothing_of_people(type: str) -> None:
    for path in OUTGOING[type].names.values():
        schema_of(KINDS[type], path)
        assert not PERSONAL & set(path.split("."))
    if type == "resolved":  # the one that names a person in a field with an innocent name
        assert "by" not in OUTGOING[type].names


def test_types_have_names_of_their_own() -> None:
    assert len({o.type for o in OUTGOING.values()}) == len(OUTGOING)
    assert all(wanted(("linli.*",), type) for type in TYPES)
    assert not wanted(("linli.demand.re",), "linli.demand.resolved")
    assert wanted((), "linli.demand.resolved")


def resolved(reference: str) -> Any:
    found: Any = document()
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [v for k, v in value.items() if k == "$ref"] + [r for v in value.values() for r in references(v)]
    return [r for one in value for r in references(one)] if isinstance(value, list) else []


def test_every_reference_leads_somewhere() -> None:
    assert len(references(document())) > len(TYPES)
    for one in references(document()):
        resolved(one)
    assert [r.path for r in router.routes if isinstance(r, APIRoute)] == ["/asyncapi.json"]


def check(event: dict[str, Any]) -> None:
    schema = document()["components"]["messages"][event["type"].replace(".", "_")]["payload"]
    jsonschema.validate(json.loads(json.dumps(event)), {**schema, "components": document()["components"]})


def test_real_events_are_what_it_says() -> None:
    one = story()
    seen = set()
    for e in one.entries:
        inner = FeedEvent(
            Position(0, 1, one.demand.number, e.seq), one.demand.number, e.seq, e.type, e.at, e.actor, e.performed_at,
            e.data, e.hash, "unit", "c-1", "g-1", "u-1", "040102", False,
        )  # fmt: skip
        made = message(inner, "urn:linli:t")
        if made is None:
            assert e.type in INSIDE
            continue
        check(made.event)
        seen.add(made.type)
    assert {"linli.demand.submitted", "linli.demand.unit_assigned", "linli.clock.started"} <= seen
    now = datetime.now(UTC)
    check(ping("p", "urn:linli:t", "wh-1", now).event)
    check(disabled("d", "urn:linli:t", "wh-1", now, now, 9).event)


def test_a_wrong_event_is_not_what_it_says() -> None:
    data = {"number": "1", "category": "1", "community": None}
    right = envelope(
        id="1", source="urn:x", type="linli.demand.closed", subject="1", time=datetime.now(UTC),
        data={**data, "outcome": "resolved"},
    )  # fmt: skip
    check(right)
    with pytest.raises(jsonschema.ValidationError):
        check({**right, "data": {**data, "outcome": "eaten"}})


def test_where_a_confidential_demand_lies_stays_inside() -> None:
    place = {"place": {"community": "c", "grid": "g", "compound": "x", "worker": "p-1"}}
    assert public_data("demand_located", place, confidential=False) == {"grid": "g", "compound": "x"}
    assert public_data("demand_located", place, confidential=True) == {}
    assert public_data("never_heard_of", place, confidential=False) is None
