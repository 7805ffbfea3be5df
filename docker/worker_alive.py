"""Is the worker of this container at work? Asks Temporal who polls the task queue, and looks for this host's name.

A worker whose event loop hangs, or that lost Temporal, stops polling; that its process still exists says nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import PollerInfo, TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.service import RPCError

from gateways.temporal import connect
from runtime.settings import Settings, SettingsError, load_settings

# A poll waits up to a minute for work before the next begins.
LONGEST_SILENCE = timedelta(seconds=120)


async def polls(settings: Settings) -> bool:
    """Raises RPCError when Temporal does not answer."""
    client = await connect(settings.temporal_address, settings.temporal_namespace)
    request = DescribeTaskQueueRequest(
        namespace=settings.temporal_namespace,
        task_queue=TaskQueue(name=settings.task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    answer = await client.workflow_service.describe_task_queue(request)
    return any(_is_ours(poller) for poller in answer.pollers)


def _is_ours(poller: PollerInfo) -> bool:
    # The SDK calls a worker pid@host, and every container has a host name of its own.
    seen = poller.last_access_time.ToDatetime(UTC)
    return poller.identity.endswith(f"@{socket.gethostname()}") and datetime.now(UTC) - seen < LONGEST_SILENCE


def main() -> int:
    try:
        alive = asyncio.run(polls(load_settings()))
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    except RPCError as down:
        print(f"Temporal does not answer: {down.status.name}", file=sys.stderr)
        return 1
    if not alive:
        print("No worker of this host polls the task queue.", file=sys.stderr)
    return 0 if alive else 1


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the SDK's native threads may abort a normal interpreter exit
