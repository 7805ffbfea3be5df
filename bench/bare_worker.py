"""The worker of the bare workflow, a process of its own: sandbox, pollers and cache as our worker has them."""

from __future__ import annotations

import asyncio
import compileall
import os
import signal
import sys

from temporalio.client import Client
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from bench import bare_workflow
from bench.bare_workflow import BareCase, bare_step


async def run(address: str, task_queue: str) -> None:
    worker = Worker(
        await Client.connect(address),
        task_queue=task_queue,
        workflows=[BareCase],
        activities=[bare_step],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        max_cached_workflows=2000,
    )
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    async with worker:
        await stop.wait()


if __name__ == "__main__":
    compileall.compile_file(bare_workflow.__file__, quiet=2)  # as our worker does
    asyncio.run(run(os.environ["TEMPORAL_ADDRESS"], sys.argv[1]))
    os._exit(0)  # the SDK's native threads may abort a normal interpreter exit
