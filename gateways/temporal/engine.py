"""Talking to a workflow: an update with its verdict, and whatever goes wrong turned into the product's errors."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar
from uuid import uuid4

from pydantic import BaseModel
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from domain.errors import DomainError
from gateways.temporal.client import UNREACHABLE

T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)

PATIENCE_SECONDS = 10.0


class NotRunning(Exception):
    """No workflow with this id, or it has ended; `ended` tells which."""

    def __init__(self, *, ended: bool) -> None:
        super().__init__("ended" if ended else "not started")
        self.ended = ended


async def update(client: Client, workflow_id: str, name: str, arg: object, *, key: str, result: type[T]) -> T:
    """Send an update and wait for its verdict; `key` makes a repetition get the first verdict.

    Raises DomainError with the rule's code when it was refused, `outcome_unknown` when no verdict came in time (it may
    still happen: repeat with the same key), `unavailable` when Temporal does not answer; NotRunning.
    """
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            args = [] if arg is None else [arg]
            answer: T = await handle.execute_update(name, args=args, id=key, result_type=result)
            return answer
    except WorkflowUpdateFailedError as failed:
        raise _refusal(failed) from None
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        raise _unknown() from None
    except RPCError as failed:
        raise _from_rpc(failed) from None
    except UNREACHABLE:
        raise _unavailable() from None


async def was_accepted(client: Client, workflow_id: str, key: str) -> bool:
    """Whether an update was taken under this key before, whatever its verdict. Raises as `update` does."""
    handle = client.get_workflow_handle(workflow_id).get_update_handle(key)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await handle.result()
    except WorkflowUpdateFailedError:
        return True
    except (WorkflowUpdateRPCTimeoutOrCancelledError, TimeoutError):
        raise _unknown() from None
    except RPCError as failed:
        if failed.status is RPCStatusCode.NOT_FOUND:
            return False
        raise _from_rpc(failed) from None
    except UNREACHABLE:
        raise _unavailable() from None
    return True


async def read(client: Client, workflow_id: str, name: str, *, result: type[M]) -> M:
    """Ask the workflow itself, by an update that it refuses with its state. Raises as `update` does."""
    try:
        await update(client, workflow_id, name, None, key=uuid4().hex, result=type(None))
    except DomainError as refused:
        if refused.code != name:
            raise
        return result.model_validate(refused.facts)
    raise AssertionError("a read is never accepted")


async def signal(client: Client, workflow_id: str, name: str, arg: object) -> None:
    """Tell a workflow something that it cannot refuse. Raises DomainError `unavailable`; NotRunning."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await client.get_workflow_handle(workflow_id).signal(name, arg)
    except RPCError as failed:
        raise _from_rpc(failed) from None
    except TimeoutError:
        raise _unknown() from None
    except UNREACHABLE:
        raise _unavailable() from None


def _refusal(failed: WorkflowUpdateFailedError) -> Exception:
    cause = failed.cause
    if not isinstance(cause, ApplicationError):
        return failed
    facts: dict[str, Any] = dict(cause.details[0]) if cause.details else {}
    return DomainError(cause.type or "internal", cause.message, **facts)


def _unknown() -> DomainError:
    return DomainError("outcome_unknown", "No verdict came in time. Repeat with the same Idempotency-Key.")


def _from_rpc(failed: RPCError) -> Exception:
    if failed.status is RPCStatusCode.NOT_FOUND:
        return NotRunning(ended="workflow not found" not in failed.message)  # completed, or closing under our hands
    if failed.status is RPCStatusCode.RESOURCE_EXHAUSTED:
        return DomainError("too_many_requests", "The engine is busy. Try again in a moment.")
    unsure = (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.FAILED_PRECONDITION, RPCStatusCode.CANCELLED)
    if failed.status in unsure:
        return _unknown()
    return _unavailable()


def _unavailable() -> DomainError:
    return DomainError("unavailable", "The engine does not answer. The demand is safe; repeat in a moment.")
