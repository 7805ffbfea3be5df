"""The list of clocks over HTTP: what is about to break, what is broken, what waits; and its counts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio

from domain.calendar import Calendar
from domain.vocabulary import ClockName
from domain.worktime import elapsed, working_days_between
from service.clock_answers import iso_duration
from tests.api.callers import Http, code_of
from tests.builders import CONSULT, OPERATOR, SUPERVISOR, Product

CLOCKS, SUMMARY = "/api/v1/clocks", "/api/v1/clocks/summary"
SHANGHAI = ZoneInfo("Asia/Shanghai")
ONE_SECOND = timedelta(seconds=1)


@pytest_asyncio.fixture(loop_scope="session")
async def at(http: Http) -> AsyncIterator[Callable[[datetime], None]]:
    """Sets the clock on the wall of the API; the workflows have their own."""
    desk = http.app.state.desk
    yield lambda instant: setattr(desk, "now", lambda: instant)
    desk.__dict__.pop("now", None)


async def everything(http: Http, by: str = SUPERVISOR, **asked: Any) -> list[dict[str, Any]]:
    """Every page, two rows each."""
    rows, answer = [], await http.get(CLOCKS, by, limit=2, **asked)
    while True:
        assert answer.status_code == 200, answer.text
        rows += answer.json()
        following = answer.links.get("next")
        if following is None:
            return rows
        answer = await http.get(following["url"], by)


async def clock_of(http: Http, number: str, name: str, by: str = SUPERVISOR, **asked: Any) -> dict[str, Any] | None:
    found = [r for r in await everything(http, by, clock=name, **asked) if r["number"] == number]
    assert len(found) <= 1
    return found[0] if found else None


def next_friday(calendar: Calendar) -> datetime:
    """17:00 of a Friday to come whose weekend is free and whose Monday is worked."""
    day = (datetime.now(UTC) + timedelta(days=14)).astimezone(SHANGHAI).date()
    while day.weekday() != 4 or working_days_between(calendar, day, day + timedelta(days=3)) != 2:
        day += timedelta(days=1)
    return datetime(day.year, day.month, day.day, 17, tzinfo=SHANGHAI)


async def test_due_soon_looks_ahead_in_working_hours(http: Http, product: Product, at: Any) -> None:
    calendar = product.desk.calendar
    friday = next_friday(calendar)
    at(friday)
    view = await http.submit(category=CONSULT)
    number, due = view["number"], datetime.fromisoformat(view["clocks"]["accept"]["due_at"])
    left = elapsed(calendar, friday, due)
    assert due - friday > timedelta(days=2) and left < timedelta(hours=5), "the weekend lies between"
    hours = left / timedelta(hours=1)
    assert await clock_of(http, number, "accept", state="due_soon", within=hours - 0.01) is None
    row = await clock_of(http, number, "accept", state="due_soon", within=hours)
    assert row is not None and (row["state"], row["remaining"]) == ("due_soon", iso_duration(left))
    shown = await clock_of(http, number, "accept", state="running", within=hours - 0.01)
    assert shown is not None and shown["state"] == "running"
    for later, remaining in ((timedelta(days=1), left - timedelta(minutes=30)), (timedelta(days=9), timedelta(0))):
        at(friday + later)  # Saturday: only the half hour until the office closed has passed
        row = await clock_of(http, number, "accept", state="due_soon")
        assert row is not None and row["remaining"] == iso_duration(remaining)


async def test_a_row_says_who_holds_it_and_who_hears_next(http: Http, product: Product) -> None:
    view = await http.submit(category=CONSULT, location={"grid": "wenqulu-04"})
    row = await clock_of(http, view["number"], "resolve")
    assert row is not None
    worker = product.desk.district.grid("wenqulu-04").duty_worker
    assert {k: row[k] for k in ("number", "clock", "stage", "community", "grid", "unit", "category", "holder")} == {
        "number": view["number"], "clock": "resolve", "stage": "grid", "community": "wenqulu", "grid": "wenqulu-04",
        "unit": None, "category": view["category"], "holder": view["holder"],
    }  # fmt: skip
    assert (row["due_at"], row["started_at"]) == (view["clocks"]["resolve"]["due_at"], view["opened_at"])
    assert (row["breached"], row["breached_by"], row["warned"], row["paused_at"]) == (False, None, 0, None)
    told = row["told_next"]
    assert (told["step"], told["do"], told["tell"]) == ("50%", "remind", [worker])
    assert row["started_at"] < told["at"] < row["due_at"]


async def breaks(product: Product, number: str) -> datetime:
    """Nobody accepts it in time; returns when it was due."""
    due = (await product.started(number)).clocks[ClockName.ACCEPT].due_at
    await product.pass_until(number, due)
    await product.until_row(number, lambda d: d.clocks[ClockName.ACCEPT].breached)
    return due


async def pauses(http: Http, product: Product, grid: str) -> str:
    number: str = (await http.submit(location={"grid": grid}))["number"]
    worker = product.desk.district.grid(grid).duty_worker
    assert (await http.act(number, worker, "request_info", reason="awaiting_access")).status_code == 200
    return number


async def test_a_broken_promise_is_listed_with_how_late_it_is(http: Http, product: Product, at: Any) -> None:
    number = await product.submit(category=CONSULT)
    assert await clock_of(http, number, "accept", state="breached") is None
    due = await breaks(product, number)
    row = await clock_of(http, number, "accept", state="breached")
    assert row is not None
    assert (row["breached"], row["remaining"], row["warned"]) == (True, "PT0S", 100)
    assert datetime.fromisoformat(row["due_at"]) == due
    told = row["told_next"]
    assert (told["step"], told["do"]) == ("300%", "far_breach") and SUPERVISOR in told["tell"]
    assert told["at"] > row["due_at"]
    later = due + timedelta(days=30)
    at(later)
    row = await clock_of(http, number, "accept", state="breached")
    assert row is not None and row["breached_by"] == iso_duration(elapsed(product.desk.calendar, due, later))
    assert await clock_of(http, number, "accept", state="running") is None


async def test_paused_clocks_come_last_and_have_no_due(http: Http, product: Product) -> None:
    number = await pauses(http, product, "yonggangcun-01")
    row = await clock_of(http, number, "resolve", state="paused")
    assert row is not None
    assert (row["state"], row["due_at"], row["remaining"], row["told_next"]) == ("paused", None, None, None)
    assert row["paused_at"] is not None
    assert await clock_of(http, number, "resolve", state="running") is None
    rows = await everything(http, community="yonggangcun", clock=["resolve", "accept", "pause"])
    mine = [(r["clock"], r["state"]) for r in rows if r["number"] == number]
    assert mine[-1] == ("resolve", "paused") and {name for name, _ in mine[:-1]} == {"accept", "pause"}
    assert [r["paused_at"] is not None for r in rows] == sorted(r["paused_at"] is not None for r in rows)
    paused = [r["paused_at"] for r in await everything(http, state="paused")]
    assert paused == sorted(paused)
    bell = next(r for r in rows if (r["number"], r["clock"]) == (number, "pause"))
    assert (bell["told_next"]["do"], bell["told_next"]["tell"]) == ("resume", [])
    assert "pause" not in {r["clock"] for r in await everything(http)}, "nobody owes the end of a pause"


async def test_what_is_over_is_not_listed(http: Http, product: Product) -> None:
    number = (await http.submit(location={"grid": "yonggangcun-02"}))["number"]
    worker = product.desk.district.grid("yonggangcun-02").duty_worker
    assert (await http.act(number, worker, "accept")).status_code == 200
    assert await clock_of(http, number, "accept") is None
    assert await clock_of(http, number, "contact") is not None
    assert (await http.act(number, "resident-0001", "withdraw")).status_code == 200
    assert not [r for r in await everything(http, clock=list(ClockName)) if r["number"] == number]


async def test_no_open_demand_is_missing_when_each_is_asked_for_once(http: Http, product: Product) -> None:
    """Somebody was met at the door for the first time: nobody owes anything before the next attempt."""
    number = (await http.submit(category=CONSULT, location={"grid": "yonggangcun-03"}))["number"]
    worker = product.desk.district.grid("yonggangcun-03").duty_worker
    assert (await http.act(number, worker, "resolve", reply="已答复")).status_code == 200
    called = await http.act(number, OPERATOR, "call_back", channel="visit", result="no_answer")
    assert called.status_code == 200, called.text
    assert number not in {r["number"] for r in await everything(http)}
    (row,) = [r for r in await everything(http, once=True) if r["number"] == number]
    assert (row["clock"], row["stage"], row["breached"]) == ("call_back", "feedback", False)
    counted = (await http.get(SUMMARY, SUPERVISOR, once=True)).json()
    assert counted["running"] + counted["breached"] + counted["paused"] == len(await everything(http, once=True))
    open_rows = await product.pool.fetchval("select count(*) from demand where stage <> 'closed'")
    assert len(await everything(http, once=True)) == open_rows


async def test_a_resident_sees_the_own_promises_only(http: Http, product: Product) -> None:
    mine = (await http.submit("resident-0701", category="040102"))["number"]
    foreign = (await http.submit("resident-0702"))["number"]
    rows = await everything(http, "resident-0701", clock=list(ClockName))
    assert {r["number"] for r in rows} == {mine}
    assert {r["clock"] for r in rows} == {"accept", "contact", "resolve"}
    assert [r["told_next"]["tell"] for r in rows] == [[]] * 3
    assert {r["clock"] for r in await everything(http, SUPERVISOR, clock=list(ClockName)) if r["number"] == mine} > {
        "accept", "contact", "resolve",
    }  # fmt: skip
    assert {r["number"] for r in await everything(http, "resident-0702")} == {foreign}
    assert await everything(http, "resident-0799") == []
    assert (await http.get(SUMMARY, "resident-0701")).json()["running"] == 3


async def test_staff_sees_what_their_scope_holds(http: Http, product: Product) -> None:
    d = product.desk.district
    number = (await http.submit(location={"grid": "wenqulu-02"}))["number"]
    near, far = d.secretary("wenqulu"), d.secretary("xuanhualu")
    assert number in {r["number"] for r in await everything(http, near)}
    assert number not in {r["number"] for r in await everything(http, far)}
    assert {r["community"] for r in await everything(http, near)} == {"wenqulu"}
    holder = d.grid("wenqulu-02").duty_worker
    held = await everything(http, holder, holder="me")
    assert number in {r["number"] for r in held} and {r["holder"]["id"] for r in held} == {holder}


async def test_every_filter_narrows_and_the_counts_equal_the_rows(http: Http, product: Product, at: Any) -> None:
    await breaks(product, await product.submit(grid="wenqulu-03"))
    await pauses(http, product, "wenqulu-05")
    led = await product.submit(category="040102", grid="wenqulu-01")
    demand = await product.started(led)
    at(min(c.due_at for c in demand.clocks.values()) - timedelta(minutes=1))
    summary = (await http.get(SUMMARY, SUPERVISOR)).json()
    assert all(summary[state] > 0 for state in ("due_soon", "breached", "running", "paused"))
    for asked in (
        {}, {"community": "wenqulu"}, {"grid": "wenqulu-01"}, {"unit": demand.unit}, {"category": "04"},
        {"category": CONSULT}, {"holder": demand.holder}, {"stage": "unit"}, {"sla_class": "livelihood"},
        {"clock": "accept"}, {"clock": ["accept", "resolve", "co_due"]}, {"within": 40}, {"community": "nowhere"},
    ):  # fmt: skip
        summary = (await http.get(SUMMARY, SUPERVISOR, **asked)).json()
        for state in ("due_soon", "breached", "running", "paused"):
            rows = await everything(http, state=state, **asked)
            assert summary[state] == len(rows), (asked, state)
            by_kind = {kind: n for kind, counted in summary["clocks"].items() if (n := counted[state])}
            assert by_kind == {kind: [r["clock"] for r in rows].count(kind) for kind in {r["clock"] for r in rows}}
            assert all(_fits(row, asked) for row in rows)
        listed = await everything(http, **asked)
        assert len(listed) == summary["running"] + summary["breached"] + summary["paused"]
        assert len({(r["number"], r["clock"]) for r in listed}) == len(listed)


def _fits(row: dict[str, Any], asked: dict[str, Any]) -> bool:
    """Whether the row shows what was asked for."""
    shown = {
        "unit": row["unit"] and row["unit"]["id"], "holder": row["holder"]["id"], "category": row["category"]["code"],
        "community": row["community"], "grid": row["grid"], "stage": row["stage"], "sla_class": row["sla_class"],
    }  # fmt: skip
    kinds = asked.get("clock", row["clock"])
    return row["clock"] in (kinds if isinstance(kinds, list) else [kinds]) and all(
        str(shown[name]).startswith(str(value)) for name, value in asked.items() if name in shown
    )


async def test_paging_loses_and_repeats_nothing_while_clocks_come_and_go(http: Http, product: Product) -> None:
    grid = "xuanhualu-05"
    numbers = [(await http.submit(location={"grid": grid}))["number"] for _ in range(4)]
    worker = product.desk.district.grid(grid).duty_worker
    first = await http.get(CLOCKS, SUPERVISOR, grid=grid, limit=5)
    assert [r["clock"] for r in first.json()] == ["accept"] * 4 + ["contact"]
    assert (await http.act(numbers[0], worker, "accept")).status_code == 200  # a row of the page that was read is gone
    new = (await http.submit(location={"grid": grid}))["number"]
    rows, answer = first.json(), first
    while "next" in answer.links:
        answer = await http.get(answer.links["next"]["url"], SUPERVISOR)
        rows += answer.json()
    seen = [(r["number"], r["clock"]) for r in rows if r["number"] != new]
    assert sorted(seen) == sorted((number, clock) for number in numbers for clock in ("accept", "contact", "resolve"))
    keys = [(r["due_at"], r["number"], r["clock"]) for r in rows]
    assert keys == sorted(keys), "one instant, several clocks: number and name decide"


@pytest.mark.parametrize(
    "asked",
    [{"state": "late"}, {"within": 0}, {"within": -1}, {"within": "nan"}, {"within": 1e9}, {"clock": "lunch"},
     {"stage": "nowhere"}, {"sla_class": "vip"}, {"limit": 0}, {"grid": "a b"}],
)  # fmt: skip
async def test_a_question_that_makes_no_sense_is_refused(http: Http, asked: dict[str, Any]) -> None:
    answer = await http.get(CLOCKS, SUPERVISOR, **asked)
    assert (answer.status_code, code_of(answer)) == (422, "validation_failed")


async def test_a_cursor_of_another_question_is_refused(http: Http) -> None:
    first = await http.get(CLOCKS, SUPERVISOR, limit=1)
    url = first.links["next"]["url"]
    for wrong in (url + "&state=breached", url.replace("/clocks?", "/demands?"), url[:-1]):
        answer = await http.get(wrong, SUPERVISOR)
        assert (answer.status_code, code_of(answer)) == (400, "invalid_cursor")
