"""One error shape for every way a request can fail, and nothing of the request in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx2
import pytest

from api.problems import PROBLEMS
from tests.api.plumbing_app import client_of, toy_app


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(toy_app()) as client:
        yield client


def _is_problem(answer: httpx2.Response, status: int, code: str) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.status_code, body["status"], body["code"]) == (status, status, code)
    assert body["type"] == f"/docs/errors#{code}"
    assert body["request_id"] == answer.headers["x-request-id"]
    assert body["title"]
    assert body["detail"]
    return body


@pytest.mark.parametrize("code", sorted(PROBLEMS))
async def test_every_code_has_its_status_title_and_next_step_in_both_languages(
    client: httpx2.AsyncClient, code: str
) -> None:
    kind = PROBLEMS[code]
    chinese = _is_problem(await client.get(f"/api/v1/refused/{code}"), kind.status, code)
    answer = await client.get(f"/api/v1/refused/{code}", headers={"Accept-Language": "en-GB,zh;q=0.5"})
    english = _is_problem(answer, kind.status, code)
    assert (chinese["title"], chinese["detail"]) == (kind.zh, kind.do_zh)
    assert (english["title"], english["detail"]) == (kind.en, kind.do_en)
    assert ("retry-after" in answer.headers) == (kind.retry_after is not None)
    assert answer.headers.get("www-authenticate") == ('Bearer realm="linli"' if code == "unauthenticated" else None)


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "zh-CN"),
        ("zh-CN,en;q=0.9", "zh-CN"),
        ("fr", "zh-CN"),
        ("en", "en"),
        ("de,en-US;q=0.3,zh;q=0.2", "en"),
        (";;q=,,", "zh-CN"),
    ],
)
async def test_chinese_unless_english_is_preferred(client: httpx2.AsyncClient, accept: str, language: str) -> None:
    answer = await client.get("/nowhere", headers={"Accept-Language": accept})
    assert answer.headers["content-language"] == language


async def test_unknown_path_is_a_problem_with_its_instance(client: httpx2.AsyncClient) -> None:
    body = _is_problem(await client.get("/api/v1/没有?q=1"), 404, "not_found")
    assert body["instance"] == "/api/v1/%E6%B2%A1%E6%9C%89"


async def test_trailing_slash_is_not_redirected(client: httpx2.AsyncClient) -> None:
    _is_problem(await client.get("/api/v1/things/"), 404, "not_found")


async def test_rule_and_facts_of_a_refusal_are_told(client: httpx2.AsyncClient) -> None:
    body = _is_problem(await client.get("/api/v1/things/x-1", headers={"Accept-Language": "en"}), 404, "not_found")
    assert (body["detail"], body["rule"], body["facts"]) == ("No such thing.", "No such thing.", {"number": "x-1"})


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "/api/v1/things", "GET, POST"),
        ("PATCH", "/api/v1/things/7", "DELETE, GET"),
        ("POST", "/healthz", "GET"),
        ("BREW", "/api/v1/things", "GET, POST"),
    ],
)
async def test_405_lists_every_method_of_the_path(
    client: httpx2.AsyncClient, method: str, path: str, allow: str
) -> None:
    answer = await client.request(method, path)
    _is_problem(answer, 405, "method_not_allowed")
    assert answer.headers["allow"] == allow


async def test_unhandled_error_is_500_with_an_id_and_nothing_else(client: httpx2.AsyncClient) -> None:
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    answer = await client.get("/api/v1/broken", headers={"X-Request-Id": "abc.1", "traceparent": parent})
    body = _is_problem(answer, 500, "internal")
    assert body["request_id"] == "abc.1"
    assert body["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert "张三" not in answer.text
    assert "138" not in answer.text
    assert "RuntimeError" not in answer.text


async def test_lost_dependency_is_503_with_retry_after(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/lost")
    _is_problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert "hunter2" not in answer.text


async def test_a_code_that_is_not_in_the_table_is_our_bug(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/api/v1/misspelt")
    assert "rule" not in _is_problem(answer, 500, "internal")


FIELDS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "/text", "missing"),
    ({"text": ""}, "/text", "string_too_short"),
    ({"text": "a", "secretmark": 1}, "/secretmark", "extra_forbidden"),
    ({"text": "a", "13812345678": 1}, "", "extra_forbidden"),
    ({"text": "a", "at": "2026-01-01T00:00:00"}, "/at", "timezone_aware"),
    ({"text": "a", "location": {"lat": 91, "lon": 1}}, "/location/lat", "less_than_equal"),
    ({"text": "a", "location": {"lat": 1}}, "/location/lon", "missing"),
    ({"text": "a", "action": {"type": "secretmark"}}, "/action", "union_tag_invalid"),
    ({"text": "a", "action": {"type": "resolve"}}, "/action/reply", "missing"),
    ({"text": "a", "action": {"type": "accept", "note": 5}}, "/action/note", "string_type"),
    ({"text": "say it"}, "", "value_error"),
    ({"text": "quote me"}, "", "value_error"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), FIELDS)
async def test_422_points_at_the_field(
    client: httpx2.AsyncClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = _is_problem(await client.post("/api/v1/things", json=body), 422, "validation_failed")
    assert (pointer, code) in [(e["pointer"], e["code"]) for e in answer["errors"]]
    assert all(e["in"] == "body" and e["detail"] for e in answer["errors"])


MARK = "ma4k#不应出现"
ECHOES: list[dict[str, Any]] = [
    {"text": {MARK: MARK}},
    {"text": [MARK]},
    {"text": "a", MARK: MARK},
    {"text": "a", "count": MARK},
    {"text": "a", "at": MARK},
    {"text": "a", "location": {"lat": MARK, "lon": MARK, MARK: MARK}},
    {"text": "a", "location": MARK},
    {"text": "a", "action": {"type": MARK}},
    {"text": "a", "action": {"type": "accept", "note": MARK * 9}},
    {"text": MARK * 100},
]


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("body", ECHOES)
async def test_422_never_contains_the_input(client: httpx2.AsyncClient, body: dict[str, Any], language: str) -> None:
    answer = await client.post("/api/v1/things", json=body, headers={"Accept-Language": language})
    _is_problem(answer, 422, "validation_failed")
    for spelling in (MARK, json.dumps(MARK)[1:-1], "ma4k"):
        assert spelling not in answer.text


async def test_a_validators_own_sentence_is_told_unless_it_quotes(client: httpx2.AsyncClient) -> None:
    told = (await client.post("/api/v1/things", json={"text": "say it"})).json()["errors"][0]
    kept = await client.post("/api/v1/things", json={"text": "quote me"})
    assert told["detail"] == "tags need a location"
    assert "quote me" not in kept.text


async def test_errors_in_parameters_say_where(client: httpx2.AsyncClient) -> None:
    body = _is_problem(await client.get("/api/v1/things?limit=ma4k"), 422, "validation_failed")
    assert body["errors"] == [{"in": "query", "pointer": "/limit", "code": "int_parsing", "detail": "应为整数。"}]
    body = _is_problem(await client.delete("/api/v1/things/x"), 422, "validation_failed")
    assert (body["errors"][0]["in"], body["errors"][0]["pointer"]) == ("path", "/number")


async def test_many_errors_make_a_short_answer(client: httpx2.AsyncClient) -> None:
    body = {"text": "a", **{f"f{i}": 1 for i in range(300)}}
    answer = await client.post("/api/v1/things", json=body)
    assert len(answer.json()["errors"]) == 20
