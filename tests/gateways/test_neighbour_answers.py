"""What another system answers is read with care: both formats alike, and nothing that is no such document."""

from __future__ import annotations

import pytest

from gateways.neighbours.answers import Unreadable, rows_of


@pytest.mark.parametrize(
    ("body", "format"),
    [
        (b"<html><body>x</body></html>", "json"), (b"{}", "json"), (b'"x"', "json"), (b"[1]", "json"), (b"\xff\xfe", "json"),
        (b"[" * 100_000, "json"), (b'{"error": "no"}', "json"), (b"[{}]" * 2, "json"),
        (b"<html><body>x</body></html>", "xml"), (b"<errors><error><code>1</code></error></errors>", "xml"),
        (b'<!DOCTYPE a [<!ENTITY b "x">]><service_requests>&b;</service_requests>', "xml"), (b"<service_requests>", "xml"),
        (b'[{"service_request_id": "1"}]', "xml"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_not_read(body: bytes, format: str) -> None:
    with pytest.raises(Unreadable):
        rows_of(body, format)


def test_both_formats_say_the_same() -> None:
    xml = (
        b"<?xml version='1.0'?><service_requests><request><service_request_id>7</service_request_id><extended_attributes>"
        b"<extended_status>FIXED</extended_status></extended_attributes></request></service_requests>"
    )
    json = b'{"service_requests": [{"service_request_id": "7", "extended_attributes": {"extended_status": "FIXED"}}]}'
    assert rows_of(xml, "xml") == rows_of(json, "json")
    assert rows_of(b"<service_requests/>", "xml") == rows_of(b"[]", "json") == []
