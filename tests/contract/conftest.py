from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio
import uvicorn

from api.app import create_app
from runtime.wire import BoundedHeads
from tests.api.callers import Http
from tests.api.conftest import http, product
from tests.builders import INTEGRATOR, Product, until
from tests.contract.peers import Peer

__all__ = ["http", "peer", "product", "public", "served"]


@pytest_asyncio.fixture
async def peer(http: Http, product: Product) -> AsyncIterator[Peer]:
    """An Open311 client with a key; what it said and heard can be compared with a golden file."""
    yield Peer(http.client, INTEGRATOR)


@pytest_asyncio.fixture
async def public(http: Http, product: Product) -> AsyncIterator[Peer]:
    """The same without a key."""
    yield Peer(http.client, None)


@pytest_asyncio.fixture(scope="module")
async def served(product: Product) -> AsyncIterator[str]:
    """The address of the application on a real socket."""
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(product.settings), host="127.0.0.1", port=0, http=BoundedHeads, log_config=None, lifespan="on"
        )
    )
    serving = asyncio.create_task(server.serve())

    async def port() -> int | None:
        return server.servers[0].sockets[0].getsockname()[1] if server.started else None

    yield f"http://127.0.0.1:{await until(port)}"
    server.should_exit = True
    await serving
