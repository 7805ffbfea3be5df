"""Marked personal data goes in at every door of the log, and does not come out."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO

import pytest
import structlog
from pydantic import BaseModel

from runtime.logging import configure_logging, request_id
from tests.api.plumbing_app import client_of, toy_app

MARK = "PERSONAL-MARK"
PHONE = "13812345678"
CARD = "50038319900101123X"


class Reporter(BaseModel):
    name: str = MARK


@dataclass
class Record:
    phone: str = PHONE


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[StringIO]:
    """Everything the log writes; the logging set-up of the test run is put back afterwards."""
    root, uvicorn_loggers = logging.getLogger(), [logging.getLogger(n) for n in ("uvicorn.access", "uvicorn.error")]
    before = (root.handlers[:], root.level, [(u.handlers[:], u.propagate, u.disabled) for u in uvicorn_loggers])
    stream = StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logging("debug")
    yield stream
    structlog.reset_defaults()
    root.handlers, root.level = before[0], before[1]
    for logger, (handlers, propagate, disabled) in zip(uvicorn_loggers, before[2], strict=True):
        logger.handlers, logger.propagate, logger.disabled = handlers, propagate, disabled


def _last(stream: StringIO) -> dict[str, object]:
    text = stream.getvalue()
    assert MARK not in text
    assert PHONE not in text
    assert CARD not in text
    line: dict[str, object] = json.loads(text.splitlines()[-1])
    return line


def test_denied_keys_go_at_any_depth_and_the_rest_stays(lines: StringIO) -> None:
    structlog.get_logger().info(
        "demand_accepted",
        demand_id="20261123-0001", text=MARK, reporter_name=MARK, Phone=MARK, homeAddress=MARK,
        demand={"stage": "grid", "note": MARK, "people": [{"name": MARK, "id": "gw-1"}]},
    )  # fmt: skip
    line = _last(lines)
    assert line["event"] == "demand_accepted"
    assert line["level"] == "info"
    assert line["demand_id"] == "20261123-0001"
    assert line["demand"] == {"stage": "grid", "people": [{"id": "gw-1"}]}
    assert line["withheld"] == 6


def test_numbers_of_people_are_masked_wherever_they_stand(lines: StringIO) -> None:
    structlog.get_logger().info(f"call {PHONE} now", which=f"id {CARD}", number=int(PHONE), demand="20261123-0001")
    line = _last(lines)
    assert (line["event"], line["which"], line["number"]) == ("call *** now", "id ***", "***")
    assert line["demand"] == "20261123-0001"


def test_objects_are_never_printed(lines: StringIO) -> None:
    structlog.get_logger().info("odd", who=Reporter(), row=Record(), raw=MARK.encode(), failure=ValueError(MARK))
    line = _last(lines)
    assert (line["who"], line["row"], line["raw"], line["failure"]) == (
        "<Reporter>",
        "<Record>",
        "<bytes>",
        "<ValueError>",
    )


def _fail() -> None:
    try:
        raise KeyError(MARK)
    except KeyError as error:
        raise ValueError(f"row ({MARK}, {PHONE})") from error


@pytest.mark.parametrize("library", [False, True])
def test_exceptions_say_where_not_what(lines: StringIO, library: bool) -> None:
    log = logging.getLogger("some.library") if library else structlog.get_logger()
    try:
        _fail()
    except ValueError:
        log.exception("it broke")
    line = _last(lines)
    assert (line["event"], line["error"], line["cause"]) == ("it broke", "ValueError", "KeyError")
    assert any("_fail" in frame for frame in line["frames"])  # type: ignore[attr-defined]


def test_library_records_pass_the_same_nets(lines: StringIO) -> None:
    logging.getLogger("uvicorn.error").info("from %s", PHONE, extra={"text": MARK, "reporter": MARK})
    line = _last(lines)
    assert (line["event"], line["logger"], line["level"]) == ("from ***", "uvicorn.error", "info")


def test_the_access_log_of_the_server_is_off(lines: StringIO) -> None:
    logging.getLogger("uvicorn.access").info('"GET /api/v1/demands?q=%s"', MARK)
    assert lines.getvalue() == ""


def test_lines_carry_the_request_id(lines: StringIO) -> None:
    token = request_id.set("abc")
    structlog.get_logger().info("inside")
    request_id.reset(token)
    assert _last(lines)["request_id"] == "abc"


def test_level_is_kept(lines: StringIO) -> None:
    configure_logging("warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("some.library").info("quiet")
    assert lines.getvalue() == ""


async def test_requests_leave_neither_body_nor_query_nor_token(lines: StringIO) -> None:
    async with client_of(toy_app(access_log=True)) as client:
        await client.post(f"/api/v1/things?q={MARK}", json={"text": MARK}, headers={"Authorization": f"Bearer {MARK}"})
        await client.post("/api/v1/things", content=MARK, headers={"Content-Type": "application/json"})
        await client.get("/api/v1/broken", headers={"X-Request-Id": "req-7"})
    events = [e for e in map(json.loads, lines.getvalue().splitlines()) if "logger" not in e]
    assert [e["event"] for e in events] == ["request", "request", "request_failed", "request"]
    assert [e.get("route") for e in events] == ["/api/v1/things"] * 2 + ["/api/v1/broken"] * 2
    assert events[2]["request_id"] == "req-7"
    assert events[2]["error"] == "RuntimeError"
    _last(lines)


async def test_what_our_clients_ask_is_not_logged(lines: StringIO) -> None:
    """A chat group's hook is an address whose path is its secret."""
    async with client_of(toy_app(access_log=False)) as client:
        await client.get(f"/hooks/{MARK}")
    assert lines.getvalue() == ""


def test_addresses_lose_their_query_strings(lines: StringIO) -> None:
    logging.getLogger("some.client").info("GET http://127.0.0.1:1/x?q=%s&y=1 200", MARK)
    structlog.get_logger().info("why? because", target="/api/v1/demands?text=" + MARK)
    assert json.loads(lines.getvalue().splitlines()[0])["event"] == "GET http://127.0.0.1:1/x?*** 200"
    line = _last(lines)
    assert (line["event"], line["target"]) == ("why? because", "/api/v1/demands?***")
