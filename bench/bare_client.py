"""The driver of bare workflows, a process of its own: `python -m bench.bare_client` reads a job, prints its report."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from datetime import timedelta

from temporalio.client import Client

from bench.bare_workflow import UPDATES, BareCase
from bench.jobs import BareJob, Report, read_stdin

TASK_TIMEOUT = timedelta(seconds=2)  # as our demands have


async def run_all(job: BareJob) -> Report:
    client = await Client.connect(job.address)
    answers: list[float] = []
    ids: list[str] = []
    turns = iter(range(job.cases))
    began, cpu_began = time.perf_counter(), time.process_time()
    await asyncio.gather(*(_lane(client, job, turns, answers, ids) for _ in range(job.lanes)))
    seconds = time.perf_counter() - began
    cpu = (time.process_time() - cpu_began) * 1000
    return Report(count=len(ids), seconds=seconds, answers_ms=answers, refused={}, ids=ids, driver_cpu_ms=cpu)


async def _lane(client: Client, job: BareJob, turns: Iterator[int], answers: list[float], ids: list[str]) -> None:
    for turn in turns:
        handle = await client.start_workflow(
            BareCase.run, job.step, id=f"{job.prefix}-{turn}", task_queue=job.task_queue, task_timeout=TASK_TIMEOUT
        )
        for number in range(UPDATES):
            asked = time.perf_counter()
            await handle.execute_update(BareCase.act, number)
            answers.append(round((time.perf_counter() - asked) * 1000, 3))
        ids.append(handle.id)


if __name__ == "__main__":
    print(asyncio.run(run_all(BareJob.model_validate_json(read_stdin()))).model_dump_json(), flush=True)
    os._exit(0)  # the SDK's native threads may abort a normal interpreter exit
