"""Waiting for something that nobody announces: another process, or a queue that gets shorter."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

_LOOK_SECONDS = 0.05


async def until(holds: Callable[[], bool]) -> None:
    """Look every 50 ms, for ever."""
    while True:
        if holds():
            return
        await asyncio.sleep(_LOOK_SECONDS)
