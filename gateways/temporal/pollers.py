"""Who polls a task queue, as Temporal tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client


async def last_polls(client: Client, task_queue: str, patience: timedelta) -> dict[str, datetime]:
    """Worker (`pid@host`) → when it last asked for work. A poll waits up to a minute for some.

    Raises RPCError or RuntimeError when Temporal does not answer within `patience`.
    """
    request = DescribeTaskQueueRequest(
        namespace=client.namespace,
        task_queue=TaskQueue(name=task_queue),
        task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
    )
    answer = await client.workflow_service.describe_task_queue(request, timeout=patience)
    found: dict[str, datetime] = {}
    for poller in answer.pollers:
        seen = poller.last_access_time.ToDatetime(UTC)
        found[poller.identity] = max(seen, found.get(poller.identity, seen))
    return found
