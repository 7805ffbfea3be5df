"""The worker: settings -> dependencies -> Worker -> run. On SIGTERM it finishes what it holds, then goes."""

from __future__ import annotations

import asyncio
import compileall
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import structlog
from temporalio.worker import PollerBehaviorAutoscaling, Worker

from activities.registry import activities_of
from activities.relay import relay
from gateways.temporal import connect_patiently
from runtime.logging import configure_logging
from runtime.settings import Settings, SettingsError, load_settings
from service.cadence import Bodies
from service.keepers import Keeper, open_keepers
from service.publish_watch import open_watch
from service.rotation_turns import Turns
from store.pool import open_pool
from store.seal import Sealer
from workflows.chair_rotation import ChairRotation
from workflows.convene_meeting import ConveneMeeting
from workflows.joint_meeting import JointMeeting
from workflows.resident_demand import ResidentDemand


async def run(settings: Settings) -> None:
    """Serve the task queue and the relay until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    pool = await open_pool(settings.database_url, size=settings.db_pool_max)
    client = await connect_patiently(settings.temporal_address, settings.temporal_namespace, stop)
    if client is None:
        return
    queue, watch = settings.task_queue, open_watch(settings, pool)
    bodies, turns = Bodies(watch), Turns(watch, pool)
    keepers: tuple[Keeper, ...] = (bodies, turns, *open_keepers(settings, pool, watch))
    worker = Worker(
        client, task_queue=queue, workflows=[ResidentDemand, JointMeeting, ConveneMeeting, ChairRotation],
        activities=[*activities_of(pool, client, queue, Sealer(settings.key_ring()), bodies.rules), turns.hand_over],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(), activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),  # a dead worker's demands go to another one
        max_cached_workflows=2000, graceful_shutdown_timeout=timedelta(seconds=10), max_concurrent_workflow_tasks=8,  # 0017
    )  # fmt: skip
    async with worker, asyncio.TaskGroup() as group:
        log = structlog.get_logger()
        log.info("worker ready", task_queue=queue)
        kept = (one.keep(client, queue) for one in keepers)
        tasks = [group.create_task(one) for one in (relay(pool, client, queue), *kept)]
        await stop.wait()
        log.info("worker stopping")
        for task in tasks:
            task.cancel()
    await pool.close()


def main() -> int:
    try:
        settings = load_settings()
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
        return 2
    configure_logging(settings.log_level)
    # The sandbox imports the workflow's file for every demand; from source that takes 10 ms each time.
    compileall.compile_dir(Path(__file__).with_name("workflows"), quiet=2)
    asyncio.run(run(settings))
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)  # the SDK's native threads may abort a normal interpreter exit
