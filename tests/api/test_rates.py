"""Figures over HTTP: computed from what really happened, traced to its events, kept and computed again."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio

from domain.kpi_words import LOADS
from tests.api.callers import RESIDENT, Http, bearer, code_of
from tests.builders import ADMIN, BLOCKED_DRAIN, CONSULT, INTEGRATOR, OPERATOR, SUPERVISOR, Product

RATES, TRACE, MONTHS = "/api/v1/rates", "/api/v1/rates/trace", "/api/v1/rates/months"
AUDITOR = "p-0007"
SHANGHAI = ZoneInfo("Asia/Shanghai")


class Lived(NamedTuple):
    solved: str
    refused: str
    withdrawn: str
    unit: str
    days: dict[str, str]
    month: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def lived(http: Http, product: Product) -> AsyncIterator[Lived]:
    """A handful of demands, seen from sixty days on: one solved, one refused by its unit, one withdrawn."""
    worker = product.desk.district.grid("xuanhualu-01").duty_worker
    solved = (await http.submit(category=CONSULT))["number"]
    for by, type, more in (
        (worker, "accept", {}), (worker, "contact", {}), (worker, "resolve", {"reply": "已答复"}),
        (RESIDENT, "confirm", {"contacted": True, "solved": "partly", "satisfied": "basically_satisfied"}),
    ):  # fmt: skip
        answer = await http.act(solved, by, type, **more)
        assert answer.status_code == 200, answer.text
    view = await http.submit(category=BLOCKED_DRAIN, location={"grid": "wenqulu-01"})
    unit = view["unit"]["id"]
    refusing = await http.act(view["number"], product.desk.district.unit(unit).liaison, "refuse", basis="no_resources")
    assert refusing.status_code == 200, refusing.text
    withdrawn = (await http.submit(category=CONSULT, location={"grid": "wenqulu-02"}))["number"]
    assert (await http.act(withdrawn, RESIDENT, "withdraw")).status_code == 200
    opened = datetime.fromisoformat(view["opened_at"]).astimezone(SHANGHAI).date()
    days = {"from": str(opened - timedelta(days=1)), "until": str(opened + timedelta(days=45))}
    desk, later = http.app.state.desk, datetime.now(UTC) + timedelta(days=60)
    desk.now = lambda: later
    yield Lived(solved, view["number"], withdrawn, unit, days, f"{opened:%Y-%m}")
    desk.__dict__.pop("now", None)


async def get(http: Http, path: str, who: str = SUPERVISOR, **asked: Any) -> httpx2.Response:
    return await http.client.get(path, headers=bearer(who), params=asked)


async def read(http: Http, who: str = SUPERVISOR, **asked: Any) -> dict[str, Any]:
    answer = await get(http, RATES, who, **asked)
    assert answer.status_code == 200, answer.text
    view: dict[str, Any] = answer.json()
    return view


def figures(view: dict[str, Any], *keys: str | None) -> dict[str, Any]:
    (group,) = [g for g in view["groups"] if tuple(g["key"].values()) == keys]
    found: dict[str, Any] = group["figures"]
    return found


async def traced(http: Http, who: str = SUPERVISOR, **asked: Any) -> list[dict[str, Any]]:
    """Every page, two rows each."""
    rows, answer = [], await get(http, TRACE, who, limit=2, **asked)
    while True:
        assert answer.status_code == 200, answer.text
        rows += answer.json()
        following = answer.links.get("next")
        if following is None:
            return rows
        answer = await http.get(following["url"], who)


async def test_the_figures_are_what_happened(http: Http, lived: Lived) -> None:
    whole = figures(await read(http, **lived.days))
    shares = {id: (f["numerator"], f["denominator"]) for id, f in whole.items() if id != "composite"}
    assert shares["response"] == (1, 2)
    assert whole["response"]["excluded"] == {"withdrawn": 1}
    assert (shares["resolution"], shares["satisfaction"]) == ((0.5, 1), (1, 1))
    assert whole["composite"] == {"value": 0.675}, "0.30 × ½ + 0.35 × ½ + 0.35 × 1"
    assert shares["refusal"][0] == 1 and shares["first_dispatch"] == (1, 2)
    assert (shares["opened"], shares["closed"]) == ((3, None), (2, None))
    assert shares["on_the_spot"] == (1, 1)
    assert whole["on_time_follow_up"] == {"value": 1, "numerator": 1, "denominator": 1, "excluded": {}}


async def test_a_period_without_cases_has_no_figures_but_says_so(http: Http, lived: Lived) -> None:
    whole = figures(await read(http, month="2020-02"))
    assert whole["response"] == {"value": None, "numerator": 0, "denominator": 0, "excluded": {}, "note": "no cases"}
    assert whole["composite"] == {"value": None, "note": "no cases"}
    assert whole["opened"]["value"] == 0
    beside = await read(http, month="2020-03", compare=True)
    assert figures(beside)["response"]["before"] is None and figures(beside)["opened"]["before"] == 0


@pytest.mark.parametrize(
    "by",
    ["community", "grid", "unit", "worker", "category", "channel", "property_grade", "day", "month", "unit,channel"],
)
async def test_the_parts_of_every_grouping_add_up(http: Http, lived: Lived, by: str) -> None:
    whole, parts = figures(await read(http, **lived.days)), (await read(http, by=by, **lived.days))["groups"]
    for id in whole.keys() - {"composite"}:
        for side in ("numerator", "denominator"):
            stock, measured = id in ("open_tasks", "capacity_used"), id in LOADS and side == "denominator"
            if not (measured or (stock and by in ("day", "month"))):
                assert sum(p["figures"][id][side] or 0 for p in parts) == (whole[id][side] or 0), (id, side)


async def test_groups_bear_names_and_come_in_the_order_of_their_ids(http: Http, lived: Lived) -> None:
    view = await read(http, by="community", **lived.days)
    keys = [g["key"]["community"] for g in view["groups"]]
    assert keys == sorted(keys) == ["wenqulu", "xuanhualu"]
    assert view["groups"][1]["names"] == {"community": "萱花路社区"}
    top = await read(http, by="category", **lived.days)
    leaves = await read(http, by="category", level=3, **lived.days)
    assert {g["key"]["category"] for g in top["groups"]} == {CONSULT[:2], BLOCKED_DRAIN[:2]}
    assert {g["key"]["category"] for g in leaves["groups"]} == {CONSULT, BLOCKED_DRAIN}


async def test_another_definition_counts_otherwise(http: Http, lived: Lived) -> None:
    strict = figures(await read(http, definition="1-strict", **lived.days))
    assert (strict["resolution"]["numerator"], strict["satisfaction"]["numerator"]) == (0, 0)
    answer = await get(http, RATES, SUPERVISOR, definition="9", **lived.days)
    assert (answer.status_code, code_of(answer)) == (422, "unknown_definition")
    assert answer.json()["facts"]["known"] == ["2", "1", "1-strict"]


async def test_a_figure_is_traced_to_the_events_that_made_it(http: Http, product: Product, lived: Lived) -> None:
    rows = await traced(http, figure="response", **lived.days)
    assert [(r["number"], r["type"]) for r in rows] == [
        (lived.solved, "accepted"),
        (lived.solved, "reporter_contacted"),
    ]
    entries = {e.seq: e for e in await product.entries(lived.solved)}
    assert all(
        (entries[r["seq"]].type, entries[r["seq"]].at) == (r["type"], datetime.fromisoformat(r["at"])) for r in rows
    )
    due = await traced(http, figure="response", side="denominator", **lived.days)
    assert {(r["number"], r["type"]) for r in due} == {(n, "clock_started") for n in (lived.solved, lived.refused)}
    assert [r["number"] for r in due].count(lived.solved) == 2, "accept and contact"
    gone = await traced(http, figure="response", side="excluded", **lived.days)
    assert {r["number"] for r in gone} == {lived.withdrawn}


async def test_a_trace_keeps_to_its_group(http: Http, lived: Lived) -> None:
    asked = {"figure": "refusal", "by": "unit", **lived.days}
    (row,) = await traced(http, key=lived.unit, **asked)
    assert (row["number"], row["type"]) == (lived.refused, "unit_refused")
    assert await traced(http, key="u-nobody", **asked) == []
    without_unit = await traced(http, figure="opened", by="unit,community", key=",xuanhualu", **lived.days)
    assert [r["number"] for r in without_unit] == [lived.solved]
    for wrong in ({"figure": "composite"}, {"figure": "nothing"}, {"figure": "refusal", "by": "unit", "key": "a,b"}):
        answer = await get(http, TRACE, SUPERVISOR, **wrong, **lived.days)
        assert (answer.status_code, code_of(answer)) == (422, "invalid_filter"), answer.text


async def test_everybody_sees_their_own_part(http: Http, product: Product, lived: Lived) -> None:
    district = product.desk.district
    for by in (SUPERVISOR, AUDITOR, ADMIN):
        assert figures(await read(http, by, **lived.days))["opened"]["value"] == 3
    secretary = await read(http, district.secretary("xuanhualu"), by="community", **lived.days)
    assert [g["key"]["community"] for g in secretary["groups"]] == ["xuanhualu"]
    liaison = district.unit(lived.unit).liaison
    own = await read(http, liaison, by="unit", **lived.days)
    assert [g["key"]["unit"] for g in own["groups"]] == [lived.unit]
    assert figures(own, lived.unit)["refusal"]["value"] == 1
    numbers = {r["number"] for r in await traced(http, liaison, figure="load", **lived.days)}
    assert numbers == {lived.refused}
    for by in (RESIDENT, OPERATOR, INTEGRATOR, district.grid("xuanhualu-01").duty_worker):
        if by == liaison:
            continue
        for path in (RATES, f"{RATES}/definitions", TRACE):
            answer = await get(http, path, by, **lived.days, figure="load")
            assert (answer.status_code, code_of(answer)) == (403, "not_permitted"), (by, path)


async def test_the_spreadsheet_has_the_same_figures_with_their_definitions(http: Http, lived: Lived) -> None:
    answer = await get(http, RATES, SUPERVISOR, by="community", format="csv", **lived.days)
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.content.startswith(b"\xef\xbb\xbf") and answer.content.count(b"\r\n") == answer.content.count(b"\n")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    view = await read(http, by="community", **lived.days)
    for group in view["groups"]:
        mine = {r["figure"]: r for r in rows if r["community"] == group["key"]["community"]}
        assert list(mine) == list(group["figures"])
        for id, figure in group["figures"].items():
            assert mine[id]["value"] == ("" if figure["value"] is None else str(figure["value"]))
            assert mine[id]["numerator_is"] and mine[id]["counted_in"]
    assert {r["community_name"] for r in rows} == {"文曲路社区", "萱花路社区"}


async def test_the_definitions_stand_beside_the_figures(http: Http, lived: Lived) -> None:
    answer = await get(http, f"{RATES}/definitions", SUPERVISOR)
    view = answer.json()
    assert (view["version"], view["in_force"], view["versions"]) == ("2", "2", ["2", "1", "1-strict"])
    assert [f["id"] for f in view["figures"]] == list(figures(await read(http, **lived.days)))
    resolution = next(f for f in view["figures"] if f["id"] == "resolution")
    assert "0.5" in resolution["numerator"]["zh"] and "0.5" in resolution["numerator"]["en"]
    strict = (await get(http, f"{RATES}/definitions", SUPERVISOR, definition="1-strict")).json()
    assert "0.5" not in next(f for f in strict["figures"] if f["id"] == "resolution")["numerator"]["en"]


async def test_a_month_is_kept_once_and_computed_alike(http: Http, product: Product, lived: Lived) -> None:
    path = f"{MONTHS}/{lived.month}"
    assert (await get(http, f"{path}/check", SUPERVISOR)).status_code == 404
    first, again = await http.post(path, {}, SUPERVISOR), await http.post(path, {}, ADMIN)
    assert (first.status_code, again.status_code) == (201, 200), first.text
    assert first.json() == again.json() and first.json()["figures"] > 100
    kept = await product.pool.fetchval(
        "select numerator from rate_figure where grouping = '' and figure = 'opened' and definition = '2'"
    )
    assert kept == 3
    assert (await http.post(f"{path}?definition=1-strict", {}, SUPERVISOR)).status_code == 201
    checked = (await get(http, f"{path}/check", AUDITOR)).json()
    assert checked["agrees"] and [c["definition"] for c in checked["checked"]] == ["1-strict", "2"]


async def test_a_figure_that_was_changed_by_hand_is_found(http: Http, product: Product, lived: Lived) -> None:
    await http.post(f"{MONTHS}/{lived.month}", {}, SUPERVISOR)
    where = "where definition = '2' and grouping = 'community' and key = 'xuanhualu' and figure = 'resolution'"
    await product.pool.execute(f"update rate_figure set numerator = 1 {where}")
    try:
        checked = (await get(http, f"{MONTHS}/{lived.month}/check", SUPERVISOR, definition="2")).json()
    finally:
        await product.pool.execute(f"update rate_figure set numerator = 0.5 {where}")
    (shown,) = checked["checked"][0]["shown"]
    assert not checked["agrees"] and checked["checked"][0]["differences"] == 1
    assert (shown["grouping"], shown["key"], shown["figure"]) == ("community", "xuanhualu", "resolution")
    assert (shown["stored"]["numerator"], shown["computed"]["numerator"]) == (1, 0.5)


async def test_months_are_kept_by_those_who_may_and_when_they_are_over(
    http: Http, product: Product, lived: Lived
) -> None:
    now = http.app.state.desk.now().astimezone(SHANGHAI).date()
    running = await http.post(f"{MONTHS}/{now:%Y-%m}", {}, SUPERVISOR)
    assert (running.status_code, code_of(running)) == (409, "month_not_over")
    secretary = product.desk.district.secretary("xuanhualu")
    for by in (AUDITOR, secretary, RESIDENT):
        answer = await http.post(f"{MONTHS}/{lived.month}", {}, by)
        assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    answer = await get(http, f"{MONTHS}/{lived.month}/check", secretary)
    assert (answer.status_code, code_of(answer)) == (403, "not_permitted")
    for month in ("2026-13", "november", "2026-1"):
        assert (await http.post(f"{MONTHS}/{month}", {}, SUPERVISOR)).status_code == 404


async def test_a_period_that_cannot_be_meant_is_refused(http: Http, lived: Lived) -> None:
    far = str(date.fromisoformat(lived.days["from"]) + timedelta(days=366))
    for asked, code in (
        ({}, "invalid_filter"), ({"month": lived.month, "from": "2026-01-01"}, "invalid_filter"),
        ({"from": lived.days["until"], "until": lived.days["from"]}, "invalid_filter"),
        ({"from": lived.days["from"], "until": far}, "span_too_long"), ({"month": "2026-00"}, "validation_failed"),
        ({"month": lived.month, "by": "height"}, "invalid_filter"),
        ({"month": lived.month, "by": "unit,unit"}, "invalid_filter"),
        ({"month": lived.month, "level": 0}, "validation_failed"),
    ):  # fmt: skip
        answer = await get(http, RATES, SUPERVISOR, **asked)
        assert (answer.status_code, code_of(answer)) == (422, code), asked
