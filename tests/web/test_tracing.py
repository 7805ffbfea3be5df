"""The figures of a trace, on traces whose answer is known."""

from __future__ import annotations

from typing import Any

import pytest

from tests.web.tracing import Interactive, read_trace

PAGE = "http://127.0.0.1/a"
Event = dict[str, Any]


def event(name: str, at_ms: float, *, took_ms: float | None = None, thread: int = 2, **data: Any) -> Event:
    spans = {} if took_ms is None else {"dur": took_ms * 1000}
    return {"name": name, "pid": 1, "tid": thread, "ts": (100 + at_ms) * 1000, "args": {"data": data}, **spans}


def task(begins: float, took: float, thread: int = 2) -> Event:
    return event("RunTask", begins, took_ms=took, thread=thread)


def load(request: str, begins: float, ends: float | None, kind: str = "text/css") -> list[Event]:
    sent = [event("ResourceSendRequest", begins, requestId=request)]
    answered = [event("ResourceReceiveResponse", begins + 1, requestId=request, mimeType=kind)]
    return sent + answered + ([] if ends is None else [event("ResourceFinish", ends, requestId=request)])


def read(*events: Event, ended: float = 20_000) -> Interactive:
    start = event("navigationStart", 0, documentLoaderURL=PAGE)
    paint = event("firstContentfulPaint", 300)
    return read_trace([start, paint, *events, event("last", ended)], PAGE)


def test_a_page_without_long_tasks_can_be_used_when_it_stands() -> None:
    found = read(task(310, 49), task(900, 400, thread=9))
    assert (found.first_contentful_paint, found.time_to_interactive, found.total_blocking_time) == (300, 300, 0)


def test_it_can_be_used_after_the_last_long_task_before_five_quiet_seconds() -> None:
    found = read(task(100, 100), task(400, 80), task(4_000, 120), task(9_500, 200))
    assert found.time_to_interactive == 4_120
    assert found.total_blocking_time == 30 + 70
    assert found.long_tasks == (100, 80, 120, 200)


def test_a_task_that_goes_on_over_the_paint_blocks_from_there() -> None:
    found = read(task(200, 300))
    assert (found.time_to_interactive, found.total_blocking_time) == (500, 150)


def test_while_more_than_two_requests_are_under_way_it_is_not_quiet() -> None:
    three = [*load("a", 100, 6_000), *load("b", 100, 6_100), *load("c", 100, 6_200)]
    assert read(*three, task(5_000, 60)).time_to_interactive == 5_060
    two = [*load("a", 100, 6_000), *load("b", 100, 6_100)]
    assert read(*two, task(5_400, 60)).time_to_interactive == 300
    streams = [*load("a", 100, 6_000), *load("b", 100, 6_100), *load("s", 100, None, "text/event-stream")]
    assert read(*streams, task(5_400, 60)).time_to_interactive == 300


def test_a_page_that_does_not_come_to_rest_has_no_figure() -> None:
    with pytest.raises(AssertionError, match="never came to rest"):
        read(task(400, 80), ended=4_000)


def test_another_visit_is_none() -> None:
    with pytest.raises(AssertionError, match="no visit to"):
        read_trace([event("navigationStart", 0, documentLoaderURL="about:blank")], PAGE)
