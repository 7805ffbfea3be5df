"""Connecting to Temporal: callers fail soon, the worker waits as long as it takes."""

from __future__ import annotations

import asyncio
import contextlib

import structlog
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RetryConfig, RPCError

from gateways.temporal.tracing import Traced

# A call to a dead server answers in a quarter of a second; with the defaults it takes ten.
SOON = RetryConfig(initial_interval_millis=100, max_interval_millis=300, max_elapsed_time_millis=1500, max_retries=3)

# What a call raises when the server does not answer: RPCError, or RuntimeError while a lazy client never connected.
UNREACHABLE: tuple[type[Exception], ...] = (RPCError, RuntimeError)

log = structlog.get_logger()


async def connect(address: str, namespace: str) -> Client:
    """A client that connects when it is first used, so that a dead server does not keep the process from starting."""
    return await Client.connect(
        address, namespace=namespace, data_converter=pydantic_data_converter, lazy=True, retry_config=SOON,
        interceptors=[Traced()],
    )  # fmt: skip


async def connect_patiently(address: str, namespace: str, stop: asyncio.Event) -> Client | None:
    """A connected client, however long that takes; None when `stop` came first."""
    pause = 0.5
    while not stop.is_set():
        try:
            return await Client.connect(
                address, namespace=namespace, data_converter=pydantic_data_converter, interceptors=[Traced()]
            )
        except RuntimeError as down:  # what the SDK raises when it cannot connect
            log.warning("temporal does not answer", reason=type(down).__name__)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            pause = min(pause * 2, 10)
    return None
