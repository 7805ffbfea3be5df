"""`Prefer: respond-async, wait=5` (RFC 7240): wait so many seconds for the verdict, and go on behind a 202 without it.

A 202 means that it is being done and nothing more. The verdict is had by asking again with the same Idempotency-Key, which
does nothing twice; therefore the key is required here. Should this process end before it is done, that repetition does it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

import structlog
from fastapi import Request, Response

from api.problems import problem
from domain.errors import DomainError

SOON_SECONDS = 0.5
_LONGEST_WAIT = 30
_ASYNC = re.compile(r"(?:^|[,;\s])respond-async(?:$|[,;\s])", re.IGNORECASE)
_WAIT = re.compile(r"(?:^|[,;\s])wait\s*=\s*\"?(\d{1,6})", re.IGNORECASE)


class UnderWay:
    """What goes on behind answers that were given already."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def keep(self, task: asyncio.Task[Any]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._done)

    async def finish(self, seconds: float = 10.0) -> None:
        """Before the process ends; what is not done by then is done by the caller's repetition."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if isinstance(error, DomainError):
            structlog.get_logger("http").info("refused_after_202", code=error.code)
        elif error is not None:
            structlog.get_logger("http").error("failed_after_202", exc_info=error)


def patience(request: Request, key: str | None) -> float | None:
    """How many seconds to wait before a 202; None where the answer is to be waited for. Raises DomainError
    `idempotency_key_required`."""
    said = ",".join(request.headers.getlist("prefer"))
    if not said or not _ASYNC.search(said):
        return None
    if key is None:
        raise problem("idempotency_key_required", "Without a key nobody could ask what became of it.")
    wait = _WAIT.search(said)
    return SOON_SECONDS if wait is None else float(min(int(wait[1]), _LONGEST_WAIT))


async def done_within(request: Request, doing: Coroutine[Any, Any, dict[str, Any]], seconds: float) -> Any:
    """Its answer, or None if it goes on behind this one."""
    task = asyncio.create_task(doing)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if done:
        return task.result()
    request.app.state.under_way.keep(task)
    return None


def under_way(number: str, follow: str) -> Response:
    body = f'{{"status":"under_way","number":"{number}","follow":"{follow}"}}'
    headers = {"Location": follow, "Preference-Applied": "respond-async", "Cache-Control": "no-store"}
    return Response(body, status_code=202, headers=headers, media_type="application/json")
