from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.api.callers import Http
from tests.api.conftest import http, product
from tests.builders import INTEGRATOR, Product
from tests.contract.peers import Peer

__all__ = ["http", "peer", "product", "public"]


@pytest_asyncio.fixture
async def peer(http: Http, product: Product) -> AsyncIterator[Peer]:
    """An Open311 client with a key; what it said and heard can be compared with a golden file."""
    yield Peer(http.client, INTEGRATOR)


@pytest_asyncio.fixture
async def public(http: Http, product: Product) -> AsyncIterator[Peer]:
    """The same without a key."""
    yield Peer(http.client, None)
