"""Hostile bodies, paths and queries: each is refused with its own code, and the process goes on."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.strict_json import parse_json
from domain.errors import DomainError
from tests.api.plumbing_app import client_of, toy_app

JSON = {"Content-Type": "application/json"}


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(toy_app()) as client:
        yield client


BODIES: list[tuple[str, bytes, int, str]] = [
    ("not utf-8", b'{"text":"\xff\xfe"}', 400, "body_not_utf8"),
    ("gb18030", '{"text":"路灯"}'.encode("gb18030"), 400, "body_not_utf8"),
    ("encoded surrogate", b'{"text":"\xed\xa0\x80"}', 400, "body_not_utf8"),
    ("broken", b'{"text":', 400, "invalid_json"),
    ("byte order mark", b'\xef\xbb\xbf{"text":"a"}', 400, "invalid_json"),
    ("raw NUL in a string", b'{"text":"a\x00b"}', 400, "nul_character"),
    ("only NUL", b"\x00\x00", 400, "nul_character"),
    ("raw control character", b'{"text":"a\x01b"}', 400, "invalid_json"),
    ("escaped NUL", b'{"text":"a\\u0000b"}', 400, "nul_character"),
    ("escaped NUL in a key", b'{"te\\u0000xt":"a"}', 400, "nul_character"),
    ("escaped NUL in a list", b'{"text":"a","tags":[["\\u0000"]]}', 400, "nul_character"),
    ("lone surrogate", b'{"text":"\\ud800"}', 400, "lone_surrogate"),
    ("lone low surrogate", b'{"text":"\\uDC00x"}', 400, "lone_surrogate"),
    ("swapped surrogates", b'{"text":"\\udc00\\ud83d"}', 400, "lone_surrogate"),
    ("NaN", b'{"text":"a","tags":[NaN]}', 400, "number_not_finite"),
    ("NaN in an unknown field", b'{"text":"a","x":NaN}', 400, "number_not_finite"),
    ("-Infinity", b'{"text":"a","tags":[-Infinity]}', 400, "number_not_finite"),
    ("1e400", b'{"text":"a","tags":[1e400]}', 400, "number_not_finite"),
    ("-1e400", b'{"text":"a","count":-1e400}', 400, "number_not_finite"),
    ("2^63", b'{"text":"a","count":9223372036854775808}', 400, "integer_out_of_range"),
    ("-2^63-1", b'{"text":"a","count":-9223372036854775809}', 400, "integer_out_of_range"),
    ("3,000 digits", b'{"text":"a","count":' + b"9" * 3_000 + b"}", 400, "integer_out_of_range"),
    ("duplicate key", b'{"text":"a","text":"b"}', 400, "duplicate_key"),
    ("duplicate key deep", b'{"text":"a","tags":[{"x":1,"\\u0078":2}]}', 400, "duplicate_key"),
    ("33 levels", b'{"text":"a","tags":' + b"[" * 32 + b"]" * 32 + b"}", 400, "nested_too_deep"),
    ("a list", b"[]", 422, "validation_failed"),
    ("null", b"null", 422, "validation_failed"),
    ("nothing", b"", 422, "validation_failed"),
    ("object as text", b'{"text":{"a":1}}', 422, "validation_failed"),
    ("number as text", b'{"text":1}', 422, "validation_failed"),
    ("unknown field", b'{"text":"a","admin":true}', 422, "validation_failed"),
]


@pytest.mark.parametrize(("name", "body", "status", "code"), BODIES, ids=[b[0] for b in BODIES])
async def test_hostile_body_gets_its_own_problem(
    client: httpx2.AsyncClient, name: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.post("/api/v1/things", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (status, code), name
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "body",
    [
        {"text": "路灯坏了 \U0001f4a1 𠮷 👨‍👩‍👧 ‮RTL"},
        {"text": "\\u0000 written out, and \\ud800"},
        {"text": "a", "count": 2**63 - 1},
        {"text": "a", "count": -(2**63)},
        {"text": "a", "tags": [[] for _ in range(100)]},
        {"text": '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[ \\" {{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{'},
        {"text": "a", "tags": [json.loads("[" * 30 + "]" * 30)]},
    ],
)
@pytest.mark.parametrize("ascii_only", [True, False])
async def test_odd_but_valid_body_arrives_unchanged(
    client: httpx2.AsyncClient, body: dict[str, object], ascii_only: bool
) -> None:
    content = json.dumps(body, ensure_ascii=ascii_only).encode()
    answer = await client.post("/api/v1/things", content=content, headers=JSON)
    assert answer.status_code == 201
    assert {k: answer.json()[k] for k in body} == body


@pytest.mark.parametrize("levels", [10_000, 1_000_000])
@pytest.mark.parametrize("opening", [b"[", b'{"a":', b'{"a":[', b'["\\"",['])
async def test_any_depth_is_refused_before_the_parser_recurses(levels: int, opening: bytes) -> None:
    app = toy_app(max_body_bytes=16_777_216)
    async with client_of(app) as client:
        answer = await client.post("/api/v1/things", content=opening * levels, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, "nested_too_deep")


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonx"},
        {"Content-Type": "application/json; charset=gbk"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": ""},
    ],
)
async def test_other_media_types_are_415(client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/api/v1/things", content=gzip.compress(b'{"text":"a"}'), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/merge-patch+json"]
)
async def test_spellings_of_json_are_taken(client: httpx2.AsyncClient, media_type: str) -> None:
    answer = await client.post("/api/v1/things", content=b'{"text":"a"}', headers={"Content-Type": media_type})
    assert answer.status_code == 201


async def test_declared_length_above_the_limit_is_413_and_the_body_is_not_read() -> None:
    reads = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal reads
        reads += 1
        yield b"x"

    async with client_of(toy_app()) as client:
        headers = {**JSON, "Content-Length": "4097"}
        answer = await client.post("/api/v1/things", content=body(), headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert answer.json()["facts"] == {"max_bytes": 4096}
    assert reads == 0


async def test_streamed_body_is_cut_off_at_the_limit() -> None:
    sent = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 1_000:
            sent += 1
            yield b" " * 1_024

    async with client_of(toy_app()) as client:
        answer = await client.post("/api/v1/things", content=body(), headers=JSON)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert sent < 10


async def test_body_of_exactly_the_limit_is_taken(client: httpx2.AsyncClient) -> None:
    content = b'{"text":"a"}'.ljust(4_096)
    assert (await client.post("/api/v1/things", content=content, headers=JSON)).status_code == 201
    assert (await client.post("/api/v1/things", content=content + b" ", headers=JSON)).status_code == 413


@pytest.mark.parametrize(
    ("method", "url", "status", "code"),
    [
        ("GET", "/api/v1/things/a%00b", 404, "not_found"),
        ("DELETE", "/api/v1/things/1%00", 404, "not_found"),
        ("GET", "/api/v1/things?stage=a%00b", 422, "validation_failed"),
        ("GET", "/api/v1/things?stage=a%2500b", 200, ""),
        ("GET", "/api/v1/things?stage=%ED%A0%80", 200, ""),
        ("GET", "/api/v1/things/%ED%A0%80", 404, "not_found"),
        ("GET", "/api/v1/things/%FF%FE", 404, "not_found"),
        ("DELETE", "/api/v1/things/" + "9" * 5_000, 422, "validation_failed"),
        ("GET", "/api/v1/things?limit=101", 422, "validation_failed"),
        ("GET", "/api/v1/things?limit=1e400", 422, "validation_failed"),
    ],
)
async def test_unusable_addresses_are_never_500(
    client: httpx2.AsyncClient, method: str, url: str, status: int, code: str
) -> None:
    answer = await client.request(method, url)
    assert answer.status_code == status
    assert answer.json().get("code", "") == code


async def test_a_surrogate_that_a_server_lets_through_in_a_path_is_404() -> None:
    sent: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": "/api/v1/things/\ud800", "raw_path": b"", "root_path": "",
        "query_string": b"", "headers": [], "http_version": "1.1", "scheme": "http",
    }  # fmt: skip
    await toy_app()(scope, None, send)  # type: ignore[arg-type]
    assert sent[0]["status"] == 404


_JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=4)
    | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(value=_JSON_VALUES, ascii_only=st.booleans())
def test_every_strict_document_parses_as_the_standard_parser_does(value: object, ascii_only: bool) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only).encode()
    assert parse_json(raw) == json.loads(raw) == value


@given(st.binary(max_size=200) | st.text('[]{}",:\\u0d89a1e+-. ', max_size=200).map(str.encode))
def test_no_bytes_raise_anything_but_a_named_problem(raw: bytes) -> None:
    try:
        parse_json(raw)
    except DomainError as refusal:
        assert refusal.code in {
            "invalid_json", "body_not_utf8", "nul_character", "lone_surrogate", "number_not_finite",
            "integer_out_of_range", "duplicate_key", "nested_too_deep",
        }  # fmt: skip
