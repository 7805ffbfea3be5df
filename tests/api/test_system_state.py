"""How the parts do, as `GET /api/v1/system` tells it: a worker that is killed, a queue that waits, receivers that fail."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from service import system_state
from tests.api.callers import Http, code_of, http_for
from tests.builders import ADMIN, INTEGRATOR, SUPERVISOR, Product, resident

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90
SYSTEM = "/api/v1/system"


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        yield client


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is kept from one look to the next."""
    monkeypatch.setattr(system_state, "KEPT_SECONDS", 0.0)


@pytest.fixture
def worker(product: Product) -> Iterator[subprocess.Popen[bytes]]:
    """A worker process of its own, as an installation runs it."""
    s = product.settings
    env = {
        **os.environ, "DATABASE_URL": s.database_url, "TEMPORAL_ADDRESS": s.temporal_address,
        "LINLI_TASK_QUEUE": s.task_queue, "LINLI_DATA_KEYS": s.data_keys.get_secret_value(),
    }  # fmt: skip
    process = subprocess.Popen([sys.executable, "worker.py"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def told(http: Http, who: str = SUPERVISOR) -> Any:
    answer = await http.get(SYSTEM, who)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def until(http: Http, part: str, state: str) -> Any:
    async with asyncio.timeout(PATIENCE):
        while (found := await told(http))["parts"][part]["state"] != state:  # noqa: ASYNC110  (another process's)
            await asyncio.sleep(0.5)
    return found


async def test_a_worker_that_is_killed_is_told(http: Http, worker: subprocess.Popen[bytes]) -> None:
    before = await told(http)
    assert before["parts"]["workers"] == {"state": "down", "workers": []} and before["state"] == "down"
    found = await until(http, "workers", "ok")
    (one,) = found["parts"]["workers"]["workers"]
    assert one["worker"].startswith(f"{worker.pid}@") and one["polled_at"] is not None
    assert {found["parts"][name]["state"] for name in ("database", "temporal", "queue", "events")} == {"ok"}
    os.kill(worker.pid, signal.SIGKILL)
    found = await until(http, "workers", "down")
    (one,) = found["parts"]["workers"]["workers"]
    assert one["silent_seconds"] >= system_state.LOST.total_seconds() - 1 and found["state"] == "down"


async def test_a_worker_that_stops_in_order_leaves_no_line(
    http: Http, product: Product, worker: subprocess.Popen[bytes]
) -> None:
    await product.pool.execute("delete from worker_beat")
    await until(http, "workers", "ok")
    worker.send_signal(signal.SIGTERM)
    await asyncio.to_thread(worker.wait, PATIENCE)
    assert (await told(http))["parts"]["workers"]["workers"] == []


async def test_demands_that_wait_to_be_started_are_counted_with_their_age(http: Http, product: Product) -> None:
    number = await product.pool.fetchval("select number from demand limit 1") or await _opened(product)
    await product.pool.execute("delete from outbox")
    await product.pool.execute(
        "insert into outbox (kind, number, claimed_until, attempts) values ('start', $1, now() + interval '1 hour', 3)",
        number,
    )
    await product.pool.execute("update demand set opened_at = now() - interval '2 minutes' where number = $1", number)
    try:
        queue = (await told(http))["parts"]["queue"]
        assert queue["state"] == "slow" and queue["starts_waiting"] == 1 and queue["tried_again"] == 1
        assert 119 <= queue["oldest_seconds"] <= 240
        await product.pool.execute("update demand set opened_at = now() - interval '1 hour' where number = $1", number)
        assert (await told(http))["parts"]["queue"]["state"] == "down"
    finally:
        await product.pool.execute("delete from outbox where number = $1", number)


async def _opened(product: Product) -> str:
    demand = await product.submit(resident())
    return str(getattr(demand, "number", demand))


async def test_failing_receivers_are_named_to_those_who_look_after_them(http: Http, product: Product) -> None:
    await product.pool.execute(
        "insert into webhook (id, owner, url, description, types, communities, categories, secret, since, created_at,"
        " changed_at, failures, failing_since) values ('wh-1', $1, 'https://receiver.example/hook?token=secret', '', '{}',"
        " '{}', '{}', '', '', now(), now(), 7, now() - interval '1 hour')",
        INTEGRATOR,
    )
    try:
        receivers = (await told(http, ADMIN))["parts"]["receivers"]
        (one,) = receivers["failing"]
        assert receivers["state"] == "slow" and one["host"] == "receiver.example" and one["failures"] == 7
        assert "secret" not in str(receivers)
        for_integrator = (await told(http, INTEGRATOR))["parts"]["receivers"]
        assert for_integrator["failing_count"] == 1 and for_integrator["failing"] == []
        await product.pool.execute("update webhook set disabled_at = now(), disabled_by = 'system'")
        assert (await told(http))["parts"]["receivers"]["state"] == "down"
    finally:
        await product.pool.execute("delete from webhook where id = 'wh-1'")


async def test_a_consumer_that_stands_still_is_told(http: Http, product: Product) -> None:
    number = await product.pool.fetchval("select number from demand limit 1") or await _opened(product)
    await product.pool.execute(
        "insert into feed_cursor (name, epoch, xid, number, seq, moved_at) values ('notices', 0, -1, '', 0, now())"
        " on conflict (name) do update set epoch = 0, xid = -1, number = '', seq = 0"
    )
    await product.pool.execute(
        "update demand_event set recorded_at = now() - interval '2 minutes' where number = $1", number
    )
    (one,) = [c for c in (await told(http))["parts"]["events"]["consumers"] if c["consumer"] == "notices"]
    assert one["state"] == "slow" and one["waiting"] >= 1 and one["oldest_seconds"] >= 119


async def test_who_may_not_see_it_is_told_so(http: Http) -> None:
    for who in ("resident-0001", "p-0014"):
        answer = await http.get(SYSTEM, who)
        assert answer.status_code == 403 and code_of(answer) == "not_permitted"
