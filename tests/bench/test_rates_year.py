"""A year of some hundreds of demands, counted twice: by the product, and by an oracle that shares no code with it."""

from __future__ import annotations

import tomllib
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from bench.rates_year.compare import Outcome, compare_kept, compare_live, compare_traces, read_logs
from bench.rates_year.life import year_of_lives
from bench.rates_year.oracle import Oracle
from bench.rates_year.town import Town
from bench.rates_year.writing import write
from service import rate_months
from service.desk import Desk
from service.rates import Days
from tests.builders import Product, running_product

ROOT = Path(__file__).resolve().parents[2]
PACK, CALENDARS = ROOT / "config" / "shengli-road", ROOT / "config" / "calendar"
YEAR, DEMANDS, SEED = 2026, 200, 11
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
    assert outcome.counted > 5_000 and outcome.cases > 3_000


async def test_so_is_what_is_answered_in_groupings_that_are_not_kept(product: Product) -> None:
    outcome, oracle = Outcome(), await oracle_of(product.desk, "2")
    for days in (Days.of_month("2026-05"), Days(date(2026, 8, 20), date(2026, 10, 11))):
        await compare_live(product.desk, oracle, days, "2", outcome)
    assert outcome.wrong == [] and outcome.counted > 1_000


async def test_every_figure_is_traced_to_the_oracles_events(product: Product) -> None:
    outcome, oracle = Outcome(), await oracle_of(product.desk, "2")
    await compare_traces(product.desk, oracle, product.supervisor, "2026-06", "2", outcome)
    assert outcome.wrong == [] and outcome.traced > 500
