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

from activities.demand import DemandActivities
from activities.meeting import MeetingActivities
from activities.relay import relay
from gateways.temporal import connect_patiently
from runtime.logging import configure_logging
from runtime.settings import Settings, SettingsError, load_settings
from store.pool import open_pool
from workflows.joint_meeting import JointMeeting
from workflows.resident_demand import ResidentDemand

WORKFLOWS = [ResidentDemand, JointMeeting]


async def run(settings: Settings) -> None:
    """Serve the task queue and the relay until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(sign, stop.set)
    pool = await open_pool(settings.database_url, size=settings.db_pool_max)
    client = await connect_patiently(settings.temporal_address, settings.temporal_namespace, stop)
    if client is None:
        return
    demands = DemandActivities(pool, client, settings.task_queue)
    meetings = MeetingActivities(pool)
    worker = Worker(
        client,
        task_queue=settings.task_queue,
        workflows=WORKFLOWS,
        activities=[demands.record, demands.put_on_agenda, meetings.record_items],
        workflow_task_poller_behavior=PollerBehaviorAutoscaling(),
        activity_task_poller_behavior=PollerBehaviorAutoscaling(),
        sticky_queue_schedule_to_start_timeout=timedelta(seconds=1),  # a dead worker's demands go to another one
        max_cached_workflows=2000,
        graceful_shutdown_timeout=timedelta(seconds=10),
    )
    async with worker, asyncio.TaskGroup() as group:
        log = structlog.get_logger()
        log.info("worker ready", task_queue=settings.task_queue)
        relaying = group.create_task(relay(pool, client, settings.task_queue))
        await stop.wait()
        log.info("worker stopping")
        relaying.cancel()
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
