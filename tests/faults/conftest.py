"""One whole stack of real servers for every test here, with a reopen window of seconds."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from bench.simulation.run import FAST
from devstack.reset import temporary_folder
from devstack.stack import Stack


def quick_overlay(folder: Path) -> Path:
    """The overlay of `./run simulate` with a shorter end, so that a test need not wait half a minute for a seal."""
    text, changed = re.subn(
        r"(?m)^reopen_window = .*$", 'reopen_window = { amount = 0.0009, unit = "hours" }', FAST.read_text()
    )
    assert changed == 1, "config/overlays/fast.toml no longer says how long the reopen window is"
    place = folder / "quick.toml"
    place.write_text(text)
    return place


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        overlay = quick_overlay(tmp_path_factory.mktemp("overlay"))
        with Stack(folder, port=0, overlay=overlay, say=lambda line: None) as running:
            yield running


@pytest_asyncio.fixture
async def db(stack: Stack) -> AsyncIterator[asyncpg.Connection]:
    """A look into the stack's database, closed however the test ends."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        yield connection
    finally:
        await connection.close()
