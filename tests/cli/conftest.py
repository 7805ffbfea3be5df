"""One whole stack of real servers for the tests that import into it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.reset import temporary_folder
from devstack.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch, temporary_folder() as folder:
        patch.delenv("DATABASE_URL", raising=False)
        patch.delenv("TEMPORAL_ADDRESS", raising=False)
        with Stack(folder, port=0, say=lambda line: None) as running:
            yield running
