"""Hostile requests: a clear problem each, never a 5xx, and nothing written."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import SUPERVISOR, Product

GOOD: dict[str, Any] = {"text": "灯坏了", "category": "120101", "location": {"grid": "xuanhualu-01"}}


def body(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def field(name: str, raw: bytes) -> bytes:
    """A body whose field holds raw JSON that no encoder would make."""
    rest = {k: v for k, v in GOOD.items() if k != name}
    return json.dumps(rest).encode()[:-1] + b', "' + name.encode() + b'": ' + raw + b"}"


BODIES: dict[str, bytes] = {
    "empty": b"",
    "nothing": b"null",
    "array": b"[]",
    "string": b'"text"',
    "number": b"1",
    "half": b'{"text": "x"',
    "trailing": body() + b"x",
    "two": body() + body(),
    "bom": b"\xef\xbb\xbf" + body(),
    "utf16": body().decode().encode("utf-16"),
    "not utf8": field("text", b'"\xff\xfe"'),
    "overlong": field("text", b'"\xc0\x80"'),
    "raw surrogate": field("text", b'"\xed\xa0\x80"'),
    "raw nul": field("text", b'"a\x00b"'),
    "nul": body(text="a\x00b"),
    "nul in a key": b'{"te\\u0000xt": 1, "text": "x"}',
    "lone surrogate": field("text", b'"\\ud800"'),
    "low surrogate": field("text", b'"\\udc00"'),
    "surrogate in reporter": field("reporter", b'{"name": "\\ud83d"}'),
    "nan": field("location", b'{"lat": NaN, "lon": 1}'),
    "infinity": field("location", b'{"lat": -Infinity, "lon": 1}'),
    "1e400": field("location", b'{"lat": 1e400, "lon": 1}'),
    "huge integer": field("location", b'{"lat": ' + b"9" * 5000 + b', "lon": 1}'),
    "deep array": field("text", b"[" * 10_000 + b"]" * 10_000),
    "deep object": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    "deep and open": b"[" * 10_000,
    "duplicate key": b'{"text": "a", "text": "b"}',
    "duplicate nested": field("location", b'{"grid": "xuanhualu-01", "grid": "xuanhualu-02"}'),
    "unknown field": body(admin=True),
    "text number": body(text=1),
    "text null": body(text=None),
    "text empty": body(text=""),
    "text blank": body(text=" \t\n\u3000"),
    "text too long": body(text="长" * 20_001),
    "category object": body(category={"code": "120101"}),
    "category injection": body(category="' or 1=1 --"),
    "category newline": body(category="120101\n"),
    "location array": body(location=[1, 2]),
    "location empty": body(location={}),
    "location two kinds": body(location={"grid": "xuanhualu-01", "compound": "c-0001"}),
    "lat without lon": body(location={"lat": 29.0}),
    "lat out of range": body(location={"lat": 91, "lon": 0}),
    "channel": body(channel="carrier pigeon"),
    "phone": body(reporter={"phone": "call me"}),
    "refs not a list": body(external_refs={"system": "a", "number": "b"}),
    "refs too many": body(external_refs=[{"system": "s", "number": str(n)} for n in range(11)]),
    "refs blank": body(external_refs=[{"system": " ", "number": " "}]),
}
ACTIONS: dict[str, bytes] = {
    "no type": b"{}",
    "unknown type": b'{"type": "explode"}',
    "type array": b'{"type": ["note"]}',
    "type null": b'{"type": null}',
    "system's own": b'{"type": "ring"}',
    "meeting's own": b'{"type": "decide", "meeting": "xuanhualu", "turn": 1, "kind": "escalate", "chair": "p-0001"}',
    "note without text": b'{"type": "note"}',
    "note too long": json.dumps({"type": "note", "note": "长" * 4001}).encode(),
    "nul in note": b'{"type": "note", "note": "a\\u0000"}',
    "surrogate in note": b'{"type": "note", "note": "\\ud800"}',
    "deep": b'{"type": "note", "note": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "too many files": json.dumps({"type": "attach", "file_ids": ["f"] * 21}).encode(),
    "file with a path": json.dumps({"type": "attach", "file_ids": ["../../etc/passwd"]}).encode(),
    "time without zone": b'{"type": "urge", "performed_at": "2026-11-23T09:00:00"}',
    "time of year one": b'{"type": "urge", "performed_at": "0001-01-01T00:00:00+14:00"}',
    "time of year 9999": b'{"type": "urge", "performed_at": "9999-12-31T23:59:59-12:00"}',
    "time is infinite": b'{"type": "urge", "performed_at": 1e308}',
    "time is a big number": b'{"type": "urge", "performed_at": 9223372036854775807}',
    "days": b'{"type": "extend", "working_days": 1e2, "basis": "season"}',
    "actor smuggled in": b'{"type": "note", "note": "x", "actor": {"id": "p-0001"}}',
    "place smuggled in": b'{"type": "locate", "location": {"grid": "xuanhualu-01"}, "place": {}}',
}
KEYS = ["", " ", "a b", "键", "\x01", "k" * 256, "a,b\tc"]
NUMBERS = [
    "%00", "a%00b", "%ff", "%ED%A0%80", "..%2f..%2fetc", "%2e%2e", "x" * 5000, "20261123-000001%20", "%E7%BC%96%E5%8F%B7",
    "meeting-xuanhualu", "meeting-shengli-road", "'%20or%201=1--", "20261123-000001%0a", "-1", "%F0%9F%92%A9", "*",
]  # fmt: skip

_COUNTS = ("demand", "demand_event", "demand_text", "reporter", "idempotency", "external_ref", "outbox")


async def counted(product: Product) -> dict[str, int]:
    # The starter takes marks out of the outbox meanwhile: only what was added counts.
    return {t: await product.pool.fetchval(f"select count(*) from {t}") for t in _COUNTS if t != "outbox"}


@pytest.mark.parametrize("raw", BODIES.values(), ids=BODIES.keys())
async def test_a_hostile_demand_is_refused_and_leaves_nothing(http: Http, product: Product, raw: bytes) -> None:
    before = await counted(product)
    answer = await http.raw("/api/v1/demands", raw)
    assert 400 <= answer.status_code < 500, answer.text
    assert code_of(answer) != "internal" and len(answer.content) < 8_000
    assert await counted(product) == before


@pytest.mark.parametrize("raw", ACTIONS.values(), ids=ACTIONS.keys())
async def test_a_hostile_action_is_refused_and_leaves_nothing(http: Http, product: Product, raw: bytes) -> None:
    number = await a_demand(http, product)
    before, length = await counted(product), await product.history_length(number)
    answer = await http.raw(f"/api/v1/demands/{number}/actions", raw, SUPERVISOR)
    assert 400 <= answer.status_code < 500, answer.text
    assert code_of(answer) in (
        "validation_failed",
        "nul_character",
        "lone_surrogate",
        "nested_too_deep",
        "number_not_finite",
    )
    assert await counted(product) == before
    assert await product.history_length(number) == length


_number: dict[int, str] = {}


async def a_demand(http: Http, product: Product) -> str:
    if id(product) not in _number:
        number = str((await http.submit())["number"])
        await product.started(number)
        _number[id(product)] = number
    return _number[id(product)]


async def test_ten_megabytes_are_refused_unread(http: Http, product: Product) -> None:
    before = await counted(product)
    huge = body(text="长" * 3_500_000)

    async def drip() -> Any:
        for start in range(0, len(huge), 65_536):
            yield huge[start : start + 65_536]

    headers = bearer(RESIDENT) | {"Content-Type": "application/json"}
    for content in (huge, drip()):
        answer = await http.client.post("/api/v1/demands", content=content, headers=headers)
        assert (answer.status_code, code_of(answer)) == (413, "body_too_large")
    assert await counted(product) == before


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Content-Type", "text/plain"), ("Content-Type", "application/x-www-form-urlencoded"),
        ("Content-Type", "multipart/form-data; boundary=x"), ("Content-Type", "application/json; charset=gbk"),
        ("Content-Type", ""), ("Content-Encoding", "gzip"), ("Content-Type", "application/jsonp"),
    ],
)  # fmt: skip
async def test_only_plain_json_is_read(http: Http, product: Product, header: str, value: str) -> None:
    before = await counted(product)
    answer = await http.raw("/api/v1/demands", body(), **{header: value})
    assert (answer.status_code, code_of(answer)) == (415, "unsupported_media_type")
    assert await counted(product) == before


@pytest.mark.parametrize("key", KEYS)
async def test_a_hostile_idempotency_key_is_refused(http: Http, product: Product, key: str) -> None:
    number = await a_demand(http, product)
    before = await counted(product)
    secretary = product.desk.district.secretary("xuanhualu")
    for path, content, by in (
        ("/api/v1/demands", body(), RESIDENT),
        (f"/api/v1/demands/{number}/actions", b'{"type": "note", "note": "x"}', RESIDENT),
        ("/api/v1/meetings/xuanhualu/decisions", b'{"number": "x", "kind": "escalate"}', secretary),
    ):
        headers = [(k.encode(), v.encode()) for k, v in bearer(by).items()]
        headers += [(b"content-type", b"application/json"), (b"idempotency-key", key.encode())]
        answer = await http.client.post(path, content=content, headers=headers)
        assert (answer.status_code, code_of(answer)) == (422, "validation_failed"), answer.text
    assert await counted(product) == before


@pytest.mark.parametrize("number", NUMBERS)
async def test_a_hostile_number_is_simply_not_there(http: Http, product: Product, number: str) -> None:
    # A meeting's workflow runs, so that a demand's route could reach it by its id.
    if number.startswith("meeting-"):
        await the_meeting_runs(http, product)
    before = await counted(product)
    for path in (
        f"/api/v1/demands/{number}",
        f"/api/v1/demands/{number}?consistency=strong",
        f"/api/v1/demands/{number}/events",
    ):
        answer = await http.get(path, SUPERVISOR)
        assert (answer.status_code, code_of(answer)) == (404, "not_found"), (path[:80], answer.text)
    for content in (b'{"type": "note", "note": "x"}', b'{"type": "accept"}', b'{"type": "hand_off"}'):
        answer = await http.raw(f"/api/v1/demands/{number}/actions", content, SUPERVISOR)
        assert (answer.status_code, code_of(answer)) == (404, "not_found"), answer.text
    assert await counted(product) == before


@pytest.mark.parametrize("meeting", ["%00", "x" * 3000, "..", "xuanhualu%0a", "20261123-000001", "meeting-xuanhualu"])
async def test_a_hostile_meeting_is_simply_not_there(http: Http, product: Product, meeting: str) -> None:
    before = await counted(product)
    answers = [
        await http.get(f"/api/v1/meetings/{meeting}/agenda", SUPERVISOR),
        await http.get(f"/api/v1/meetings/{meeting}/minutes", SUPERVISOR),
        await http.post(
            f"/api/v1/meetings/{meeting}/decisions", {"number": "x", "kind": "escalate", "minute": "x"}, SUPERVISOR
        ),
    ]
    for answer in answers:
        assert answer.status_code == 404 and code_of(answer) in ("not_found", "unknown_meeting"), answer.text
    assert await counted(product) == before


_meeting_runs: set[int] = set()


async def the_meeting_runs(http: Http, product: Product) -> None:
    if id(product) in _meeting_runs:
        return
    number = (await http.submit(location={"grid": "xuanhualu-04"}))["number"]
    worker = product.desk.district.grid("xuanhualu-04").duty_worker
    assert (await http.act(number, worker, "escalate", reason="repeat")).status_code == 200
    await product.until_agenda("xuanhualu", number)
    _meeting_runs.add(id(product))


@pytest.mark.parametrize("query", ["cursor=%00", "cursor=x", "limit=1e9", "limit=-1", "community=%ff%00", "holder=%F0%9F%92%A9",
                                   "breached=perhaps", "cursor=" + "A" * 5000, "category=%27", "order=due;drop"])  # fmt: skip
async def test_a_hostile_query_is_refused(http: Http, query: str) -> None:
    answer = await http.get(f"/api/v1/demands?{query}", SUPERVISOR)
    assert answer.status_code in (400, 422) and code_of(answer) in ("validation_failed", "invalid_cursor"), answer.text
