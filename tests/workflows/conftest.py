from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from tests.builders import Product, running_product


@pytest_asyncio.fixture(scope="module")
async def product(temporal: WorkflowEnvironment, database: str) -> AsyncIterator[Product]:
    async with running_product(temporal, database) as running:
        yield running
