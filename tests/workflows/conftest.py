from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from tests.builders import Product, running_product
from temporalio.testing import WorkflowEnvironment


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str) -> AsyncIterator[Product]:
    async with running_product(temporal, database) as running:
        yield running
