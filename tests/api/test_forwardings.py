"""Forwardings over HTTP: who sees them, who steers them, what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.api.callers import Http, code_of, http_for
from tests.builders import INTEGRATOR, SUPERVISOR, Product, running_product
from tests.service.neighbour_ground import UNIT, Ground, city, to, with_room


@pytest_asyncio.fixture(scope="module")
async def product(
    temporal: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    pack = with_room(tmp_path_factory.mktemp("pack"))
    async with running_product(temporal, database, neighbour_allow="127.0.0.0/8", pack=pack) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def http(product: Product) -> AsyncIterator[Http]:
    async with http_for(product.settings) as client:
        client.app.state.desk.district = product.desk.district
        yield client


def known(http: Http, product: Product) -> None:
    """Both processes read the same pack."""
    http.app.state.desk.district = product.desk.district


async def test_a_wait_shows_its_owner_and_its_instants(product: Product, http: Http) -> None:
    liaison = product.desk.district.unit(UNIT).liaison
    async with city() as there:
        ground = Ground(product, to(there.url))
        await there.stop()
        number = await ground.submit()
        known(http, product)
        (one,) = (await http.get(f"/api/v1/demands/{number}/forwardings", liaison)).json()
        assert one["owner"]["id"] == liaison and one["unit"]["id"] == UNIT
        assert (one["state"], one["attempts"], one["last_error"]) == ("failed", 1, "unreachable")
        assert one["next_at"] > one["planned_at"] and one["give_up_at"] > one["next_at"]
        assert one["neighbour"] == {"id": "city", "name": "城市管理平台"}

        listed = await http.get("/api/v1/forwardings", liaison, state="failed")
        assert [row["number"] for row in listed.json()] == [number]
        assert [row["number"] for row in (await http.get("/api/v1/forwardings", SUPERVISOR)).json()] == [number]
        stranger = product.desk.district.unit("u-gas").liaison
        assert (await http.get("/api/v1/forwardings", stranger)).json() == []
        assert (await http.get(f"/api/v1/demands/{number}/forwardings", stranger)).status_code == 404
        assert (await http.post(f"/api/v1/forwardings/{one['id']}/retry", None, stranger)).status_code == 404
        assert (await http.get("/api/v1/forwardings")).status_code == 403
        assert (await http.get("/api/v1/forwardings", INTEGRATOR)).status_code == 403

        await there.start()
        again = await http.post(f"/api/v1/forwardings/{one['id']}/retry", None, liaison, key="once")
        assert again.status_code == 200 and again.json()["attempts"] == 0, again.text
        same = await http.post(f"/api/v1/forwardings/{one['id']}/retry", None, liaison, key="once")
        assert same.headers["Idempotency-Replayed"] == "true" and same.json() == again.json()
        await ground.work()
        (one,) = (await http.get(f"/api/v1/demands/{number}/forwardings", liaison)).json()
        assert (one["state"], one["service_request_id"], one["give_up_at"]) == ("sent", "C-1", None)

        stopped = await http.post(f"/api/v1/forwardings/{one['id']}/stop", None, SUPERVISOR)
        assert (stopped.json()["state"], stopped.json()["ended_by"]) == ("stopped", SUPERVISOR)
        refused = await http.post(f"/api/v1/forwardings/{one['id']}/stop", None, SUPERVISOR)
        assert (refused.status_code, code_of(refused)) == (409, "forwarding_state")
        followed = await http.post(f"/api/v1/forwardings/{one['id']}/retry", None, SUPERVISOR)
        assert followed.json()["state"] == "sent"
        await ground.keeper.close()


async def test_given_up_and_tried_again_by_a_person(product: Product, http: Http) -> None:
    async with city() as there:
        ground = Ground(product, to(there.url))
        await there.stop()
        number = await ground.submit()
        for _ in range(13):
            await ground.work(timedelta(hours=2))
        known(http, product)
        given_up = (await http.get("/api/v1/forwardings", SUPERVISOR, state="given_up")).json()
        (one,) = [row for row in given_up if row["number"] == number]
        assert one["next_at"] is None
        await there.start()
        assert (await http.post(f"/api/v1/forwardings/{one['id']}/retry", None, SUPERVISOR)).status_code == 200
        await ground.work()
        assert (await ground.row(number)).their_id == "C-1" and len(there.requests) == 1
        await ground.keeper.close()


async def test_forwarded_by_hand_once(product: Product, http: Http) -> None:
    liaison = product.desk.district.unit(UNIT).liaison
    async with city() as there:
        ground = Ground(product, to(there.url, forward="asked"))
        number = await ground.submit()
        known(http, product)
        assert there.forms == []
        path = f"/api/v1/demands/{number}/forwardings"
        made = await http.post(path, {"neighbour": "city"}, liaison, key="hand")
        assert (made.status_code, made.json()["asked_by"]) == (201, liaison), made.text
        assert (await http.post(path, {"neighbour": "city"}, liaison, key="hand")).json() == made.json()
        twice = await http.post(path, {"neighbour": "city"}, liaison)
        assert (twice.status_code, code_of(twice)) == (409, "forwarding_state")
        await ground.work()
        assert len(there.requests) == 1 and (await ground.row(number)).their_id == "C-1"
        await ground.keeper.close()


async def test_what_cannot_be_forwarded(product: Product, http: Http) -> None:
    liaison = product.desk.district.unit(UNIT).liaison
    ground = Ground(product, to("https://city.example.cn/v2", forward="asked", services={"0101": "WASTE"}))
    known(http, product)
    number = await ground.submit()
    hidden = await ground.submit(confidential=True)
    at_grid = await product.submit()
    cases = [
        (number, "city", liaison, 422, "not_forwardable"),
        (number, "nobody", liaison, 422, "not_forwardable"),
        (hidden, "city", liaison, 422, "not_forwardable"),
        (at_grid, "city", SUPERVISOR, 422, "not_forwardable"),
        (number, "city", product.worker_of("xuanhualu-01").id, 403, "not_permitted"),
        (number, "city", product.desk.district.unit("u-gas").liaison, 404, "not_found"),
    ]
    for demand, neighbour, by, status, code in cases:
        answer = await http.post(f"/api/v1/demands/{demand}/forwardings", {"neighbour": neighbour}, by)
        assert (answer.status_code, code_of(answer)) == (status, code), (neighbour, by, answer.text)
    assert (await http.post("/api/v1/forwardings/999999/stop", None, SUPERVISOR)).status_code == 404
    assert (
        await product.pool.fetchval(
            "select count(*) from forwarding where number = any($1::text[])", [number, hidden, at_grid]
        )
        == 0
    )
    await ground.keeper.close()
