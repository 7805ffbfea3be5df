"""Two real Linlis side by side: a demand of one becomes a demand of the other, and the ends meet."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
import uvicorn
from temporalio.testing import WorkflowEnvironment

from api.app import create_app
from domain.neighbours import Neighbour, State
from domain.vocabulary import Stage
from service.tokens import mint
from tests.builders import CONSULT, INTEGRATOR, TOKEN_SECRET, Product, resident, running_product, until
from tests.service.neighbour_ground import Ground, to, with_room

POLL = timedelta(minutes=15)


@pytest_asyncio.fixture(scope="module")
async def there(temporal: WorkflowEnvironment, new_database: Callable[[], str]) -> AsyncIterator[tuple[Product, str]]:
    """The other Linli, and where it is."""
    async with running_product(temporal, new_database()) as running:
        config = uvicorn.Config(create_app(running.settings), host="127.0.0.1", port=0, log_config=None, lifespan="on")
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve())

        async def port() -> int | None:
            return server.servers[0].sockets[0].getsockname()[1] if server.started else None

        yield running, f"http://127.0.0.1:{await until(port)}/open311/v2"
        server.should_exit = True
        await serving


@pytest_asyncio.fixture(scope="module")
async def here(
    temporal: WorkflowEnvironment, database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Product]:
    keys = json.dumps({"city": mint(TOKEN_SECRET, INTEGRATOR)})
    pack = with_room(tmp_path_factory.mktemp("pack"))
    async with running_product(
        temporal, database, neighbour_allow="127.0.0.0/8", neighbour_keys=keys, pack=pack
    ) as running:
        yield running


def linli(url: str, **more: object) -> Neighbour:
    return to(url, services={"0401": CONSULT}, updates=True, **more)


@pytest.mark.parametrize(
    "spoken",
    [{"format": "json", "key_in": "query"}, {"format": "xml", "key_in": "header", "known_by": "resend"}],
    ids=["json", "xml"],
)
async def test_forwarded_followed_to_its_end_done_again_and_confirmed(
    here: Product, there: tuple[Product, str], spoken: dict[str, str]
) -> None:
    other, url = there
    before = await other.pool.fetchval("select count(*) from demand")
    ground = Ground(here, linli(url, **spoken))
    number = await ground.submit(
        text="下水道堵了，联系张小满 13912345678", reporter={"name": "张小满", "phone": "13912345678"}
    )
    theirs = (await ground.row(number)).their_id
    assert theirs is not None and theirs != number
    await other.started(theirs)
    story = await other.pool.fetchval("select sealed from demand_text where id = $1", f"{theirs}.0")
    words = other.desk.sealer.open(story, theirs)
    assert number in words and "张小满" not in words and "13912345678" not in words

    await _handled(other, theirs, "已疏通管道")
    await ground.work(POLL)
    ours = await here.row(number)
    assert (ours.stage, ours.handler, ours.accepted) == (Stage.FEEDBACK, "neighbour:city", True)
    reply = await here.pool.fetchval("select sealed from demand_text where id = $1", ours.reply_id)
    assert here.desk.sealer.open(reply, number) == "已疏通管道"
    notes = await here.pool.fetchval("select count(*) from demand_text where number = $1 and kind = 'note'", number)
    assert notes >= 1, "what they wrote on the way"

    await _answered(here, number, solved="no", satisfied="dissatisfied")
    assert (await here.row(number)).stage is Stage.UNIT
    await ground.work()
    rows = await ground.rows(number)
    assert [r.state for r in rows] == [State.DONE, State.SENT]
    assert rows[1].their_id == theirs, "theirs was opened again, not sent anew"
    assert (await other.row(theirs)).stage is Stage.GRID
    await ground.work(POLL)
    assert (await here.row(number)).stage is Stage.UNIT, "their first closing is no news"

    await _handled(other, theirs, "换了一段管道")
    await ground.work(POLL)
    await _answered(here, number, solved="yes", satisfied="satisfied")
    assert (await here.row(number)).stage is Stage.CLOSED
    assert await other.pool.fetchval("select count(*) from demand") == before + 1
    await ground.keeper.close()


async def test_what_leaves_the_unit_is_cancelled_there(here: Product, there: tuple[Product, str]) -> None:
    other, url = there
    ground = Ground(here, linli(url))
    number = await ground.submit()
    theirs = (await ground.row(number)).their_id
    assert theirs is not None
    await other.started(theirs)
    await here.act(number, resident(1), "withdraw")
    await ground.work(POLL)
    assert (await ground.row(number)).last_error == "left_unit"
    assert (await other.row(theirs)).outcome == "withdrawn"
    await ground.keeper.close()


async def test_a_wrong_key_is_seen_and_mended(here: Product, there: tuple[Product, str]) -> None:
    other, url = there
    ground = Ground(here, linli(url, id="stranger"))
    before = await other.pool.fetchval("select count(*) from demand")
    number = await ground.submit()
    row = await ground.row(number)
    assert (row.state, row.last_error, row.unsure) == (State.FAILED, "http_403", False)
    assert await other.pool.fetchval("select count(*) from demand") == before
    await ground.keeper.close()


async def _handled(other: Product, number: str, reply: str) -> None:
    worker = other.worker_of((await other.row(number)).place.grid)  # type: ignore[union-attr]
    await other.act(number, worker, "accept")
    await other.act(number, worker, "contact")
    await other.act(number, worker, "resolve", reply=reply)
    await _answered(other, number, solved="yes", satisfied="satisfied")
    assert (await other.row(number)).stage is Stage.CLOSED


async def _answered(product: Product, number: str, **said: str) -> None:
    if (await product.row(number)).awaiting_verification:
        await product.act(number, product.supervisor, "verify", ok=True)
    await product.act(number, product.operator, "confirm", contacted=True, **said)
