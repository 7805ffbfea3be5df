"""Places in order of a rate only within their property grade; and every figure beside the same days a month earlier."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import groupby
from random import Random
from typing import Any

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from bench.rates_year.life import year_of_lives
from bench.rates_year.town import Town
from bench.rates_year.writing import write
from tests.api.callers import Http, bearer, code_of, http_for
from tests.builders import SUPERVISOR, Product, running_product

RATES = "/api/v1/rates"
AFTER = datetime(2027, 1, 15, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, new_database: Callable[..., str]) -> AsyncIterator[Product]:
    async with running_product(temporal, new_database(), serve=False) as running:
        await write(running.desk, year_of_lives(Town(running.desk, Random(5)), 2026, 60, AFTER))
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        client.app.state.desk.now = lambda: AFTER
        yield client


async def read(http: Http, **asked: Any) -> list[dict[str, Any]]:
    answer = await http.client.get(RATES, headers=bearer(SUPERVISOR), params=asked)
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return groups


YEAR = {"from": "2026-01-01", "until": "2026-12-31"}


@pytest.mark.parametrize(("figure", "sign"), [("satisfaction", -1), ("redo", 1), ("composite", -1)])
async def test_the_best_of_each_property_grade_comes_first(http: Http, figure: str, sign: int) -> None:
    groups = await read(http, by="property_grade,grid", rank=figure, **YEAR)
    grades = [g["key"]["property_grade"] for g in groups]
    assert [grade for grade, _ in groupby(grades)] == [*sorted({g for g in grades if g}), None], "grade by grade"
    ranked = 0
    for grade, found in groupby(groups, key=lambda g: g["key"]["property_grade"]):
        members = list(found)
        values = [g["figures"][figure]["value"] for g in members]
        if grade is None:
            assert all(g["rank"] is None for g in members), "a place without a grade is compared with nothing"
            continue
        known = [v for v in values if v is not None]
        assert values == known + [None] * (len(values) - len(known)), "what has no value comes last"
        assert [sign * v for v in known] == sorted(sign * v for v in known)
        assert [g["rank"] for g in members] == [1 + sum(sign * o < sign * v for o in known) for v in known] + [None] * (
            len(values) - len(known)
        )
        ranked += len(known)
    assert ranked > 8


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"by": "grid", "rank": "resolution"}, "rank_needs_property_grade"),
        ({"by": "grid,property_grade", "rank": "resolution"}, "rank_needs_property_grade"),
        ({"by": "property_grade", "rank": "resolution"}, "rank_needs_property_grade"),
        ({"by": "property_grade,channel", "rank": "resolution"}, "rank_needs_property_grade"),
        ({"rank": "resolution"}, "rank_needs_property_grade"),
        ({"by": "property_grade,grid", "rank": "opened"}, "invalid_filter"),
        ({"by": "property_grade,grid", "rank": "open_tasks"}, "invalid_filter"),
        ({"by": "property_grade,grid", "rank": "height"}, "invalid_filter"),
    ],
)
async def test_nothing_else_is_ranked(http: Http, asked: dict[str, str], code: str) -> None:
    answer = await http.client.get(RATES, headers=bearer(SUPERVISOR), params={"month": "2026-05", **asked})
    assert (answer.status_code, code_of(answer)) == (422, code)


async def test_without_a_rank_groups_come_in_the_order_of_their_ids(http: Http) -> None:
    groups = await read(http, by="property_grade,grid", **YEAR)
    keys = [tuple(part or "" for part in g["key"].values()) for g in groups]
    assert keys == sorted(keys) and all("rank" not in g for g in groups)


async def test_a_spreadsheet_has_the_ranks_too(http: Http) -> None:
    asked = {"by": "property_grade,grid", "rank": "redo", **YEAR}
    groups = await read(http, **asked)
    answer = await http.client.get(RATES, headers=bearer(SUPERVISOR), params={"format": "csv", **asked})
    rows = csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline=""))
    mine = [(row["property_grade"], row["grid"], row["rank"]) for row in rows if row["figure"] == "redo"]
    assert mine == [
        (g["key"]["property_grade"] or "", g["key"]["grid"] or "", "" if g["rank"] is None else str(g["rank"]))
        for g in groups
    ]


# ---- the same days a month earlier


def values(group: dict[str, Any], side: str) -> dict[str, Any]:
    return {id: figure[side] for id, figure in group["figures"].items()}


@pytest.mark.parametrize(
    ("days", "earlier"),
    [
        ({"month": "2026-05"}, {"month": "2026-04"}),
        ({"from": "2026-05-11", "until": "2026-05-20"}, {"from": "2026-04-11", "until": "2026-04-20"}),
        ({"from": "2026-03-01", "until": "2026-03-31"}, {"from": "2026-02-01", "until": "2026-02-28"}),
        ({"from": "2026-03-30", "until": "2026-05-30"}, {"from": "2026-02-28", "until": "2026-04-30"}),
        ({"from": "2026-01-05", "until": "2026-02-28"}, {"from": "2025-12-05", "until": "2026-01-31"}),
    ],
)
async def test_before_is_the_same_days_of_the_month_before(http: Http, days: Any, earlier: Any) -> None:
    (now,), (before,) = await read(http, compare=True, **days), await read(http, **earlier)
    assert values(now, "before") == values(before, "value")


async def test_a_group_by_time_is_beside_its_own_month_before(http: Http) -> None:
    before = {
        g["key"]["month"]: values(g, "value")
        for g in await read(http, by="month", **{"from": "2026-03-01", "until": "2026-05-31"})
    }
    for group in await read(http, by="month", compare=True, **{"from": "2026-04-01", "until": "2026-06-30"}):
        year, month = group["key"]["month"].split("-")
        assert values(group, "before") == before[f"{year}-{int(month) - 1:02d}"]


async def test_a_day_that_the_month_before_did_not_have_is_beside_nothing(http: Http) -> None:
    april = {g["key"]["day"]: values(g, "value") for g in await read(http, by="day", month="2026-04")}
    seen = 0
    for group in await read(http, by="day", month="2026-05", compare=True):
        day = group["key"]["day"]
        if day == "2026-05-31":
            assert all("before" not in figure for figure in group["figures"].values())
        elif day.replace("-05-", "-04-") in april:
            assert values(group, "before") == april[day.replace("-05-", "-04-")], day
            seen += 1
    assert seen > 2
