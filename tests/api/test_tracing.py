"""A caller's trace id stands in the lines of the API and of the worker, and nowhere when the caller sent none."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
import pytest_asyncio
import structlog
from temporalio import worker
from temporalio.testing import WorkflowEnvironment

from gateways.temporal import connect_patiently
from runtime.logging import configure_logging
from tests.api.callers import Http, bearer, http_for
from tests.builders import Product, new_key, running_product

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{PARENT}-01"


class Noting(worker.Interceptor):
    """Writes a line where an activity begins, as an activity of ours would."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def intercept_activity(self, next: worker.ActivityInboundInterceptor) -> worker.ActivityInboundInterceptor:
        lines = self.lines

        class Inner(worker.ActivityInboundInterceptor):
            async def execute_activity(self, input: worker.ExecuteActivityInput) -> Any:
                found: dict[str, Any] = {"event": input.fn.__name__}
                for process in structlog.get_config()["processors"][:3]:
                    found = process(None, "info", found)
                lines.append(found)
                return await super().execute_activity(input)

        return Inner(next)


@pytest_asyncio.fixture(scope="module")
async def noting(temporal: WorkflowEnvironment, database: str) -> AsyncIterator[tuple[Product, Noting]]:
    """The product, its worker made of a client as worker.py makes it."""
    async with running_product(temporal, database, serve=False) as product:
        client = await connect_patiently(product.settings.temporal_address, "default", asyncio.Event())
        assert client is not None
        config = product.new_worker().config()
        noted = Noting()
        own = worker.Worker(
            client, task_queue=product.task_queue, workflows=config["workflows"], activities=config["activities"],
            workflow_runner=config["workflow_runner"], interceptors=[noted], graceful_shutdown_timeout=timedelta(seconds=1),
        )  # fmt: skip
        async with own:
            yield product, noted


@pytest_asyncio.fixture(scope="module")
async def http(noting: tuple[Product, Noting]) -> AsyncIterator[Http]:
    async with http_for(noting[0].settings) as client:
        yield client


async def test_it_goes_into_the_worker_and_comes_back_to_the_caller(
    noting: tuple[Product, Noting], http: Http
) -> None:  # fmt: skip
    product, noted = noting
    view = await http.submit()
    number, worker_of_grid = view["number"], view["holder"]["id"]
    await product.started(number)
    noted.lines.clear()
    headers = bearer(worker_of_grid) | {"traceparent": TRACEPARENT, "Idempotency-Key": new_key()}
    path = f"/api/v1/demands/{number}/actions"
    done = await http.client.post(path, json={"type": "accept"}, headers=headers)
    assert done.status_code == 200 and done.headers["traceparent"] == TRACEPARENT
    assert [line.get("trace_id") for line in noted.lines if "record" in line["event"]] == [TRACE]
    noted.lines.clear()
    assert (await http.act(number, worker_of_grid, "contact")).status_code == 200
    recorded = [line for line in noted.lines if "record" in line["event"]]
    assert recorded and not any("trace_id" in line for line in recorded), "nobody else's trace is taken over"


async def test_what_is_no_trace_is_not_taken_over(noting: tuple[Product, Noting], http: Http) -> None:
    for wrong in (f"00-{'0' * 32}-{PARENT}-01", f"00-{TRACE}", "張", f"00-{TRACE.upper()}-{PARENT}-01"):
        answer = await http.client.get("/version", headers=[(b"traceparent", wrong.encode())])
        assert answer.status_code == 200 and "traceparent" not in answer.headers, wrong


@pytest.fixture
def lines() -> Iterator[StringIO]:
    out = StringIO()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(file=out))
    yield out
    configure_logging("info")


async def test_the_lines_of_the_api_carry_it(http: Http, lines: StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = bearer("p-0004") | {"traceparent": TRACEPARENT}
    problem = await http.client.get("/api/v1/demands/x", headers=headers)
    assert problem.status_code == 404 and problem.json()["trace_id"] == TRACE
    with monkeypatch.context() as broken:
        broken.setattr(http.app.state.desk, "pool", None)
        lost = await http.client.get("/api/v1/demands/20261123-000001", headers=headers)
    assert lost.status_code == 500 and f'"trace_id": "{TRACE}"' in lines.getvalue(), lines.getvalue()
