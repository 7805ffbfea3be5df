"""A small district filled by the bulk command: every demand stands up to its log, and the pages over it are measured."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from random import Random

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from bench import board, seed_board
from bench.seed_board import seed
from domain.demand import Demand
from domain.ledger import Entry, replay
from server import create_app
from store.clocks import ticking
from tests.builders import SUPERVISOR, TOKEN_SECRET, Product, running_product

DEMANDS, OPEN = 60, 25


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, new_database: Callable[..., str]) -> AsyncIterator[Product]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(seed_board, "OPEN_SHAPES", 10)
        patch.setattr(seed_board, "CLOSED_SHAPES", 5)
        async with running_product(temporal, new_database(), serve=False) as running:
            seeded = await seed(running.desk, DEMANDS, OPEN, Random(3))
            assert (seeded.demands, seeded.open) == (DEMANDS, OPEN) and seeded.clocks > OPEN
            yield running


async def test_every_demand_is_what_its_log_makes(product: Product) -> None:
    rows = await product.pool.fetch("select number, state::text, stage, opened_at from demand")
    assert len(rows) == DEMANDS and sum(row["stage"] != "closed" for row in rows) == OPEN
    for row in rows:
        entries = await product.pool.fetch(
            "select seq, type, at, actor, performed_at, data::text, hash from demand_event where number = $1 order by seq",
            row["number"],
        )
        log = [Entry(**{**dict(entry), "data": json.loads(entry["data"])}) for entry in entries]
        assert replay(row["number"], log) == Demand.model_validate_json(row["state"])
        assert row["opened_at"] == log[0].at


async def test_clocks_agendas_and_texts_stand_as_the_product_writes_them(product: Product) -> None:
    wanted = await product.pool.fetch(ticking("demand") + " and demand.stage <> 'closed' order by 1, 2")
    assert await product.pool.fetch("select * from clock order by 1, 2") == wanted
    met = await product.pool.fetchval("select count(*) from demand where stage = 'meeting'")
    assert await product.pool.fetchval("select count(*) from meeting_item where ended_at is null") == met
    for row in await product.pool.fetch("select number, sealed from demand_text"):
        assert product.desk.sealer.open(row["sealed"], row["number"])
    assert await product.pool.fetchval("select count(*) from reporter") == DEMANDS
    assert await product.desk.likenesses.catch_up() == 0
    assert await product.desk.number() > f"20260101-{DEMANDS:06d}"


async def test_a_database_with_demands_is_left_alone(product: Product) -> None:
    with pytest.raises(ValueError, match="holds demands"):
        await seed(product.desk, 10, 5, Random(1))


async def test_the_bench_measures_pages_and_finds_scans(product: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(board, "TOKEN_SECRET", TOKEN_SECRET)
    app = create_app(product.settings)
    async with app.router.lifespan_context(app):
        board.speak_as(app, app.state.desk, SUPERVISOR)
        found = await board.measure(app, app.state.desk, product.settings.database_url, 2)
    assert [one.name for one in found] == list(board.paths(product.desk.district))
    assert all(one.statements and len(one.pages) == len(one.bare) == 2 and one.bytes > 100 for one in found)
    # So few rows are read from end to end by any sensible plan; with many it is the bench that judges.
    assert any(one.scans for one in found)
