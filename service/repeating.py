"""What the worker looks after again and again, whatever is away meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import structlog

from domain.errors import ConfigError, DomainError
from gateways.temporal import UNREACHABLE
from store.pool import UNAVAILABLE

WAITS_FOR: tuple[type[Exception], ...] = (*UNREACHABLE, *UNAVAILABLE)

log = structlog.get_logger()


async def repeat(what: str, once: Callable[[], Awaitable[object]], *, every: timedelta) -> None:
    """Run `once` until cancelled. What could not be done now is tried again a little later; the log says why."""
    while True:
        try:
            await once()
        except WAITS_FOR as down:
            log.warning(f"{what} wait", reason=type(down).__name__)
        except ConfigError as wrong:
            log.error(f"{what} stay as they are", problem=str(wrong))
        except DomainError as refused:
            log.warning(f"{what} wait", reason=refused.code)
        await asyncio.sleep(every.total_seconds())
