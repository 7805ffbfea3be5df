"""The working calendar over HTTP: days with their holidays, and due times with every reason on the way."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.api.callers import RESIDENT, Http, code_of
from tests.builders import INTEGRATOR, SUPERVISOR, Product

SHANGHAI = ZoneInfo("Asia/Shanghai")
DUE = "/api/v1/calendar/due"


async def due(http: Http, start: str, amount: float, unit: str) -> dict[str, Any]:
    """`start` by the clock in Shanghai."""
    answer = await http.post(DUE, {"start": f"{start}:00+08:00", "amount": amount, "unit": unit})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def day(http: Http, date: str, by: str = RESIDENT) -> dict[str, Any]:
    answer = await http.get(f"/api/v1/calendar/{date}", by)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize(
    ("amount", "unit", "start", "expected"),
    [
        (4, "working_hours", "2026-02-13T17:00", "2026-02-14T14:00"),
        (2, "working_hours", "2026-02-14T16:30", "2026-02-24T10:00"),
        (4, "working_hours", "2026-09-30T16:00", "2026-10-08T11:30"),
        (4, "working_hours", "2026-10-09T16:30", "2026-10-10T12:00"),
        (2, "working_hours", "2026-05-08T17:00", "2026-05-09T10:30"),
        (4, "working_hours", "2026-03-04T11:30", "2026-03-04T17:00"),
        (4, "working_hours", "2026-03-07T10:00", "2026-03-09T14:30"),
        (2, "working_hours", "2026-01-04T16:00", "2026-01-05T09:30"),
        (4, "working_hours", "2026-09-19T10:00", "2026-09-20T14:30"),
        (1, "working_days", "2026-10-09T10:00", "2026-10-10T17:30"),
        (7, "working_days", "2026-09-17T10:00", "2026-09-28T17:30"),
        (5, "working_days", "2026-09-28T10:00", "2026-10-10T17:30"),
        (3, "working_days", "2026-02-12T10:00", "2026-02-24T17:30"),
        (20, "working_days", "2026-09-10T10:00", "2026-10-14T17:30"),
        (15, "working_days", "2026-04-28T10:00", "2026-05-21T17:30"),
        (1, "working_days", "2026-04-30T23:00", "2026-05-06T17:30"),
        (24, "hours", "2026-09-30T16:00", "2026-10-01T16:00"),
        (15, "calendar_days", "2026-09-30T16:00", "2026-10-15T16:00"),
        (1, "working_days", "2024-12-31T10:00", "2025-01-02T17:30"),
    ],
)
async def test_golden_due_times_with_an_explanation_that_adds_up(
    http: Http, amount: float, unit: str, start: str, expected: str
) -> None:
    answer = await due(http, start, amount, unit)
    assert answer["due_at"].endswith("Z")
    assert datetime.fromisoformat(answer["due_at"]) == datetime.fromisoformat(expected).replace(tzinfo=SHANGHAI)
    assert answer["provisional"] is False
    assert answer["calendar"].startswith("CN-")
    lines = answer["explanation"]
    assert sum(line["counted"] for line in lines) == pytest.approx(amount)
    assert all(one["until_at"] == two["from_at"] for one, two in pairwise(lines))
    assert lines[-1]["until_at"] == answer["due_at"]


async def test_an_explanation_names_the_holiday_and_what_a_saturday_is_worked_for(http: Http) -> None:
    lines = (await due(http, "2026-02-13T17:00", 9, "working_hours"))["explanation"]
    (holiday,) = [line for line in lines if line["kind"] == "holiday"]
    assert holiday == {
        "from_at": "2026-02-14T16:00:00Z", "until_at": "2026-02-23T16:00:00Z", "kind": "holiday", "name": "春节",
        "text_zh": "2026-02-15 – 2026-02-23 春节 法定节假日，不计",
        "text_en": "2026-02-15 – 2026-02-23 Spring Festival, public holiday, not counted", "counted": 0.0,
    }  # fmt: skip
    made_up = [line for line in lines if line["kind"] == "make_up"]
    assert [line["text_zh"] for line in made_up] == [
        "2026-02-14 09:00–12:00 春节调休上班日，计 3 工作时",
        "2026-02-14 13:30–17:30 春节调休上班日，计 4 工作时",
    ]
    assert made_up[0]["text_en"].endswith("make-up working day for Spring Festival, counts 3 working hours")


async def test_due_times_of_unpublished_dates_are_provisional_and_say_so(http: Http) -> None:
    answer = await due(http, "2026-12-30T16:30", 2, "working_days")
    assert answer["provisional"] is True
    assert answer["explanation"][-1]["kind"] == "unpublished"
    assert (await due(http, "2026-12-30T16:30", 100, "hours"))["provisional"] is False


async def test_a_day_says_what_it_is_and_when_it_is_worked(http: Http) -> None:
    windows = [{"opens": "09:00", "closes": "12:00"}, {"opens": "13:30", "closes": "17:30"}]
    made_up = await day(http, "2026-02-14", SUPERVISOR)
    assert made_up.pop("calendar").startswith("CN-")
    assert made_up == {
        "date": "2026-02-14", "weekday": 6, "working": True, "kind": "make_up", "name": "春节", "windows": windows,
        "provisional": False,
    }  # fmt: skip
    holiday = await day(http, "2026-02-16", INTEGRATOR)
    assert (holiday["kind"], holiday["name"], holiday["working"], holiday["windows"]) == ("holiday", "春节", False, [])
    assert (await day(http, "2026-03-04"))["kind"] == "workday"
    assert (await day(http, "2026-03-07"))["kind"] == "weekend"
    assert (await day(http, "2025-10-06"))["name"] == "国庆节、中秋节"
    assert (await day(http, "2024-02-18"))["kind"] == "make_up"


@pytest.mark.parametrize(
    ("date", "kind", "name"),
    [("2027-02-05", "holiday", "春节"), ("2027-02-09", "workday", None), ("2036-05-01", "workday", None)],
)
async def test_days_without_a_published_notice_are_provisional(
    http: Http, date: str, kind: str, name: str | None
) -> None:
    found = await day(http, date)
    assert (found["kind"], found["name"], found["provisional"]) == (kind, name, True)


async def test_a_range_lists_every_day_of_it(http: Http) -> None:
    answer = await http.get("/api/v1/calendar", **{"from": "2025-12-31", "until": "2026-12-31"})
    days = answer.json()
    assert [days[0]["date"], days[-1]["date"], len(days)] == ["2025-12-31", "2026-12-31", 366]
    assert sum(one["working"] for one in days[1:]) == 248
    assert {one["name"] for one in days if one["kind"] == "make_up"} == {"元旦", "春节", "劳动节", "国庆节"}
    assert days[46] == await day(http, "2026-02-15")


@pytest.mark.parametrize(
    ("first", "until", "code"),
    [
        ("2026-01-02", "2026-01-01", "invalid_filter"),
        ("2026-01-01", "2027-02-05", "span_too_long"),
        ("2000-01-01", "2199-12-31", "span_too_long"),
        ("1999-12-31", "2000-01-01", "validation_failed"),
        ("2026-01-01", "2200-01-01", "validation_failed"),
        ("2026-01-01", "2026-13-01", "validation_failed"),
        ("0", "2026-01-01", "validation_failed"),
    ],
)
async def test_a_range_is_bounded(http: Http, first: str, until: str, code: str) -> None:
    answer = await http.get("/api/v1/calendar", **{"from": first, "until": until})
    assert (answer.status_code, code_of(answer)) == (422, code)


@pytest.mark.parametrize("date", ["0", "1e9", "2026-02-30", "2026-2-1", "20260201", "2026-W07-1", "0001-01-01", "9999-12-31",
                                  "2026-02-01T00:00:00", "2026-02-01%0a", "-2026-02-01", "%EF%BC%92026-02-01", "x" * 3000])  # fmt: skip
async def test_what_is_no_date_is_refused(http: Http, date: str) -> None:
    answer = await http.get(f"/api/v1/calendar/{date}")
    assert (answer.status_code, code_of(answer)) == (422, "validation_failed"), answer.text
    assert [(e["in"], e["pointer"]) for e in answer.json()["errors"]] == [("path", "/date")]


GOOD: dict[str, Any] = {"start": "2026-02-13T17:00:00+08:00", "amount": 4, "unit": "working_hours"}
WRONG: dict[str, list[Any]] = {
    "start": [
        "2026-02-13T17:00:00", "2026-02-13", "yesterday", "", None, [], 1e300, 2**62, "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00", "1999-12-31T00:00:00Z", "2200-01-01T00:00:00Z",
    ],
    "amount": [0, -1, -0.0, "4", True, None, [4]],
    "unit": ["weeks", "", None, 1, ["hours"]],
}  # fmt: skip
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"null", "validation_failed"),
    "array": (b"[]", "validation_failed"),
    "empty": (b"", "validation_failed"),
    "no start": (b'{"amount": 1, "unit": "hours"}', "validation_failed"),
    "unknown field": (json.dumps(GOOD | {"calendar": "CN"}).encode(), "validation_failed"),
    **{
        f"{name} {value!r}": (json.dumps({**GOOD, name: value}).encode(), "validation_failed")
        for name, values in WRONG.items()
        for value in values
    },
    "half a day": (json.dumps(GOOD | {"amount": 1.5, "unit": "working_days"}).encode(), "validation_failed"),
    "nan": (b'{"start": "2026-02-13T17:00:00Z", "amount": NaN, "unit": "hours"}', "number_not_finite"),
    "1e400": (b'{"start": "2026-02-13T17:00:00Z", "amount": 1e400, "unit": "hours"}', "number_not_finite"),
    **{
        f"{amount:g} {unit}": (json.dumps(GOOD | {"amount": amount, "unit": unit}).encode(), "span_too_long")
        for unit in ("working_hours", "working_days", "hours", "calendar_days")
        for amount in (1e9, 1e300, 2**63 - 1)
    },
    "7,000 working hours": (json.dumps(GOOD | {"amount": 7000}).encode(), "span_too_long"),
    "2,000 working days": (json.dumps(GOOD | {"amount": 2000, "unit": "working_days"}).encode(), "span_too_long"),
}  # fmt: skip


@pytest.mark.parametrize(("raw", "code"), BAD.values(), ids=BAD.keys())
async def test_what_cannot_be_calculated_is_refused(http: Http, raw: bytes, code: str) -> None:
    answer = await http.raw(DUE, raw)
    assert 400 <= answer.status_code < 500, answer.text
    assert code_of(answer) == code
    assert len(answer.content) < 4_000


@pytest.mark.parametrize(("amount", "unit"), [(3000, "working_hours"), (1000, "working_days"), (170_000, "hours"), (7000, "calendar_days")])  # fmt: skip
async def test_a_span_of_years_is_still_explained_whole(http: Http, amount: float, unit: str) -> None:
    lines = (await due(http, "2026-01-05T10:00", amount, unit))["explanation"]
    assert len(lines) <= 2001
    assert sum(line["counted"] for line in lines) == pytest.approx(amount)


@pytest.mark.parametrize("amount", [1e-300, 5e-324])
async def test_a_budget_of_next_to_nothing_is_due_at_once(http: Http, amount: float) -> None:
    for unit in ("working_hours", "hours"):
        answer = await due(http, "2026-03-04T10:00", amount, unit)
        assert answer["due_at"] == "2026-03-04T02:00:00Z"


@pytest.mark.parametrize("start", ["2000-01-01T00:00:00+14:00", "2199-12-31T23:59:59Z", "2199-12-31T23:59:59-12:00"])
async def test_the_ends_of_the_years_are_answered_or_refused(http: Http, start: str) -> None:
    for unit in ("working_hours", "working_days", "hours", "calendar_days"):
        answer = await http.post(DUE, {"start": start, "amount": 1, "unit": unit})
        assert answer.status_code == 200 or code_of(answer) in ("span_too_long", "validation_failed"), answer.text


async def test_nobody_is_answered_without_a_token(http: Http) -> None:
    for path in ("/api/v1/calendar/2026-02-14", "/api/v1/calendar?from=2026-02-14&until=2026-02-14"):
        answer = await http.client.get(path)
        assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")
    answer = await http.client.post(DUE, json=GOOD)
    assert (answer.status_code, code_of(answer)) == (401, "unauthenticated")


async def test_the_years_beside_the_desks_own_are_counted_by_their_own_tables(http: Http, product: Product) -> None:
    answer = await due(http, "2024-09-13T17:00", 40, "working_days")
    assert answer["calendar"].startswith("CN-2024/")
    across = await due(http, "2024-12-30T10:00", 30, "working_days")
    assert across["calendar"].startswith("CN-2024-2025/")
    assert {line["name"] for line in across["explanation"]} == {None, "元旦", "春节"}
    now = product.desk.now() + timedelta(hours=8)
    assert (await due(http, f"{now:%Y}-01-05T10:00", 1, "hours"))["calendar"] == product.desk.calendar.version
