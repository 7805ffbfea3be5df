"""A year of some hundreds of demands, counted twice: by the product, and by an oracle that shares no code with it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from bench.rates_year.compare import Outcome, compare_kept, compare_live, compare_traces, read_logs
from bench.rates_year.leaving_out import leave_out
from bench.rates_year.life import year_of_lives
from bench.rates_year.oracle import Oracle
from bench.rates_year.town import Town
from bench.rates_year.writing import write
from service import rate_months
from service.desk import Desk
from service.rates import Days
from store import rate_months as kept
from tests.builders import Product, running_product

ROOT = Path(__file__).resolve().parents[2]
PACK, CALENDARS = ROOT / "config" / "shengli-road", ROOT / "config" / "calendar"
YEAR, DEMANDS, SEED = 2026, 150, 11
KINDS = ("response", "satisfaction", "on_time_resolve", "refusal", "redo", "meeting_yield", "load", "open_tasks")
"""A figure of each kind."""
MONTHS = [date(YEAR, month, 1) for month in range(1, 13)]
AFTER = datetime(YEAR + 1, 4, 1, tzinfo=UTC)


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, new_database: Callable[..., str]) -> AsyncIterator[Product]:
    async with running_product(temporal, new_database(), serve=False) as running:
        running.desk.now = lambda: AFTER  # type: ignore[method-assign]
        lives = list(year_of_lives(Town(running.desk, Random(SEED)), YEAR, DEMANDS, AFTER))
        await write(running.desk, lives)
        yield running


async def oracle_of(desk: Desk, version: str) -> Oracle:
    book = tomllib.loads((PACK / "rates.toml").read_text("utf-8"))
    (rules,) = [d for d in book["definitions"] if d["version"] == version]
    return Oracle(PACK, CALENDARS, rules, await read_logs(desk))


async def test_every_figure_of_every_month_is_the_oracles(product: Product) -> None:
    outcome, oracle = Outcome(), await oracle_of(product.desk, "2")
    for month in MONTHS:
        view, new = await rate_months.keep(product.desk, product.supervisor, f"{month:%Y-%m}", "2")
        assert new and view["computation"] == 1
        await compare_kept(product.desk, oracle, month, "2", outcome)
    assert outcome.wrong == []
    checked = [await rate_months.check(product.desk, product.supervisor, f"{m:%Y-%m}", "2") for m in MONTHS]
    assert all(view["agrees"] for view in checked)
    assert outcome.counted > 5_000 and outcome.cases > 1_000


async def test_so_is_what_is_answered_in_groupings_that_are_not_kept(product: Product) -> None:
    outcome, oracle = Outcome(), await oracle_of(product.desk, "2")
    for days in (Days.of_month("2026-05"), Days(date(2026, 8, 20), date(2026, 10, 11))):
        await compare_live(product.desk, oracle, days, "2", outcome)
    assert outcome.wrong == [] and outcome.counted > 1_000


async def test_exclusions_change_a_kept_month_only_by_a_new_computation(product: Product) -> None:
    desk, outcome, oracle = product.desk, Outcome(), await oracle_of(product.desk, "2")
    month = date(YEAR, 6, 1)
    view, _ = await rate_months.keep(desk, product.supervisor, "2026-06", "2")
    before = await kept.figures(desk.pool, month, "2", view["computation"])
    approved = await leave_out(desk, oracle, month, Random(SEED), 0.5)
    (checked,) = (await rate_months.check(desk, product.supervisor, "2026-06", "2"))["checked"]
    assert approved > 3 and len(checked["exclusions_since"]["approved"]) == approved
    assert checked["differences"] == 0, "what was kept is what was counted then"
    again = await rate_months.recompute(desk, product.supervisor, "2026-06", "2", "核减批准后重算", None)
    said = json.loads(again.body)
    assert (said["computation"], said["replaces"], len(said["exclusions"])) == (2, 1, approved) and said[
        "differences"
    ] > 10
    assert await kept.figures(desk.pool, month, "2", 1) == before
    await compare_kept(desk, oracle, month, "2", outcome)
    await compare_live(desk, oracle, Days.of_month("2026-06"), "2", outcome)
    assert outcome.wrong == []


async def test_every_figure_is_traced_to_the_oracles_events(product: Product) -> None:
    outcome, oracle = Outcome(), await oracle_of(product.desk, "2")
    await compare_traces(product.desk, oracle, product.supervisor, "2026-06", "2", KINDS, outcome)
    assert outcome.wrong == [] and outcome.traced > 50
