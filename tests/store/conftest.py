from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from store.pool import Pool, open_pool


@pytest_asyncio.fixture(scope="module")
async def pool(database: str) -> AsyncIterator[Pool]:
    opened = await open_pool(database, size=8)
    yield opened
    await opened.close()
