"""Every POST can be repeated safely: under an Idempotency-Key, or because of what it does."""

from __future__ import annotations

from api.documented import operations
from api.openapi import product_document

WITHOUT_KEY = {
    "find_duplicates_of_draft": "only looks",
    "look_at_resident_draft": "only looks",
    "search_demands_by_phone": "only looks; a POST so that no number stands in an address",
    "export_personal_data": "only looks; every reading leaves a trace",
    "calculate_due": "only calculates",
    "try_routing_rules": "only calculates",
    "revoke_ruling": "the same once more changes nothing and is answered alike",
    "keep_month": "the month is the key: what is kept is answered as it is",
    "mark_inbox_read": "what is read is read",
    "sign_in": "makes a new session each time, which is what was asked for",
    "open_resident_session": "makes a new session each time, which is what was asked for",
    "change_own_password": "the old password is asked for, and is over afterwards",
    "open311_create_request": "Open311 has no header for it: the same body soon after is the same request",
    "open311_create_update": "Open311 has no header for it: the same body soon after is the same update",
}


def test_every_post_takes_a_key_or_says_why_it_needs_none() -> None:
    lacking, all_posts = set(), set()
    for _, method, operation in operations(product_document()):
        if method == "post":
            all_posts.add(operation["operationId"])
            if "idempotency-key" not in {p["name"].lower() for p in operation.get("parameters", ())}:
                lacking.add(operation["operationId"])
    assert len(all_posts) > 40
    assert lacking == set(WITHOUT_KEY), "give it `idempotency_key: IdempotencyKey` (service/repeats.py), or say why not"
