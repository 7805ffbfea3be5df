"""Open311 conformance, line 30: a FixMyStreet-like client over real sockets, whose connections break in the middle."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import pytest

from bench.open311_client import MISHAPS, Client, Report, reports, run
from tests.builders import INTEGRATOR, Product
from tests.contract.peers import BASE, Peer, golden, key_of

REPORTS = 100

# The SDK says so when a slow machine gives up an attempt of a local activity; it is tried again.
pytestmark = pytest.mark.filterwarnings("ignore:Cannot find activity to cancel")


@contextlib.asynccontextmanager
async def client(served: str, *, own_numbers: bool) -> AsyncIterator[Client]:
    opened = Client(served + BASE, key_of(INTEGRATOR), own_numbers=own_numbers)
    try:
        yield opened
    finally:
        await opened.close()


@pytest.mark.parametrize("own_numbers", [True, False], ids=["by its numbers", "by what it says"])
async def test_line_30_a_hundred_reports_are_a_hundred_demands(
    served: str, product: Product, own_numbers: bool
) -> None:
    count = "select count(*) from demand"
    before = await product.pool.fetchval(count)
    async with client(served, own_numbers=own_numbers) as fms:
        told = await run(fms, REPORTS, f"fms-{own_numbers}")
        ids = {report.external_id for report in fms.reports.values()}
    assert await product.pool.fetchval(count) == before + REPORTS
    assert (told["reports"], told["ids"], told["more_demands"]) == (REPORTS, REPORTS, REPORTS)
    assert set(told["mishaps"]) == set(MISHAPS) - {"none"} and told["sent_again"] >= REPORTS * 3 // 4
    assert set(told["answers"]) == {200}, "no answer was an error, whatever broke"
    assert told["withdrawn"] == REPORTS // 4 and told["new_in_a_repeated_poll"] == 0
    types = await product.pool.fetch(
        "select number, count(*) filter (where type = 'note_added') notes, count(*) filter (where type = 'closed') closed"
        " from demand_event where number = any($1::text[]) group by number", list(ids),
    )  # fmt: skip
    assert {row["number"] for row in types} == ids
    assert sum(row["closed"] for row in types) == REPORTS // 4
    assert sum(row["notes"] for row in types) == REPORTS + REPORTS // 4, "each comment once"


async def test_line_30_what_staff_do_reaches_the_client_once(served: str, product: Product) -> None:
    async with client(served, own_numbers=True) as fms:
        report: Report = reports(1, "staff")[0]
        number = await fms.send(report)
        holder = (await product.row(number)).holder
        assert holder is not None
        worker = product.person(holder)  # the grid's own worker may have too much to do
        await product.act(number, worker, "accept")
        await fms.poll()
        await product.act(number, worker, "resolve", reply="灯已修好")
        await fms.poll()
        await fms.poll()
        heard = Peer(fms.http, INTEGRATOR, served + BASE)
        await heard.get("/servicerequestupdates.xml", service_request_id=number)
    golden(30, heard)
    assert list(report.comments.values()) == ["IN_PROGRESS", "INVESTIGATING"]
