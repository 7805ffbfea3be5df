"""The load client, a process of its own: `python -m bench.load` reads a job on stdin and prints its report.

The same program, with the same requests, drives our API and the bare endpoint.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import uvloop
from pydantic import TypeAdapter

from bench.jobs import IntakeJob, LivesJob, Report, read_stdin
from bench.lane import Lane, post

PATH = "/api/v1/demands"
# Who sends it, and what: a demand's life without detours, closed by the resident's word.
COMMANDS: tuple[tuple[str, dict[str, object]], ...] = (
    ("holder", {"type": "accept"}),
    ("holder", {"type": "contact"}),
    ("holder", {"type": "note", "note": "现场查看，已联系维修人员，约明天上午。"}),
    ("reporter", {"type": "urge"}),
    ("holder", {"type": "resolve", "reply": "已处理完毕，请查看。如有问题请再联系我们。"}),
    ("reporter", {"type": "confirm", "contacted": True, "solved": "yes", "satisfied": "satisfied"}),
)


@dataclass
class Tally:
    run: str = field(default_factory=lambda: uuid4().hex[:12])
    answers_ms: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    ids: list[str] = field(default_factory=list)
    count: int = 0
    cpu_began: float = field(default_factory=time.process_time)

    def report(self, seconds: float) -> Report:
        return Report(
            count=self.count, seconds=seconds, answers_ms=[round(ms, 3) for ms in self.answers_ms],
            refused=dict(self.refused), ids=self.ids, driver_cpu_ms=(time.process_time() - self.cpu_began) * 1000,
        )  # fmt: skip


async def submit_all(job: IntakeJob) -> Report:
    tally = Tally()
    bodies = [body.encode() for body in job.bodies]
    lanes = [await Lane.to(job.host, job.port) for _ in range(job.lanes)]
    turns = itertools.count()
    began = time.perf_counter()
    until = began + job.seconds
    await asyncio.gather(
        *(_submit(lane, bodies, job.tokens[i % len(job.tokens)], turns, until, job.most, tally)
          for i, lane in enumerate(lanes))
    )  # fmt: skip
    seconds = time.perf_counter() - began
    for lane in lanes:
        lane.close()
    return tally.report(seconds)


async def _submit(
    lane: Lane, bodies: list[bytes], token: str, turns: Iterator[int], until: float, most: int | None, tally: Tally
) -> None:
    for turn in turns:
        if time.perf_counter() >= until or (most is not None and turn >= most):
            return
        request = post(PATH, bodies[turn % len(bodies)], token=token, key=f"{tally.run}-{turn}")
        asked = time.perf_counter()
        status, _ = await lane.ask(request)
        tally.answers_ms.append((time.perf_counter() - asked) * 1000)
        if status == 201:
            tally.count += 1
        else:
            tally.refused[str(status)] += 1


async def live_all(job: LivesJob) -> Report:
    tally = Tally()
    lanes = [await Lane.to(job.host, job.port) for _ in range(job.lanes)]
    turns = iter(range(job.demands))
    began = time.perf_counter()
    await asyncio.gather(*(_live(lane, job, turns, tally) for lane in lanes))
    seconds = time.perf_counter() - began
    for lane in lanes:
        lane.close()
    return tally.report(seconds)


async def _live(lane: Lane, job: LivesJob, turns: Iterator[int], tally: Tally) -> None:
    for turn in turns:
        reporter = job.reporters[turn % len(job.reporters)]
        key = f"{tally.run}-{turn}"
        body = job.bodies[turn % len(job.bodies)].encode()
        status, answer = await lane.ask(post(PATH, body, token=job.tokens[reporter], key=key))
        if status != 201:
            tally.refused[f"submit {status}"] += 1
            continue
        view: dict[str, Any] = json.loads(answer)
        who = {"holder": job.tokens[view["holder"]["id"]], "reporter": job.tokens[reporter]}
        if await _command_all(lane, view["number"], who, key, tally):
            tally.ids.append(view["number"])
            tally.count += 1


async def _command_all(lane: Lane, number: str, who: dict[str, str], key: str, tally: Tally) -> bool:
    stage = ""
    for place, (person, form) in enumerate(COMMANDS):
        body = json.dumps(form, ensure_ascii=False).encode()
        request = post(f"{PATH}/{number}/actions", body, token=who[person], key=f"{key}-{place}")
        asked = time.perf_counter()
        status, answer = await lane.ask(request)
        tally.answers_ms.append((time.perf_counter() - asked) * 1000)
        if status != 200:
            tally.refused[f"{form['type']} {status} {answer[:200].decode(errors='replace')}"] += 1
            return False
        stage = json.loads(answer)["stage"]
    if stage != "closed":
        tally.refused[f"ended in {stage}"] += 1
    return stage == "closed"


def main() -> None:
    jobs: TypeAdapter[IntakeJob | LivesJob] = TypeAdapter(IntakeJob | LivesJob)
    job = jobs.validate_json(read_stdin())
    work = submit_all(job) if isinstance(job, IntakeJob) else live_all(job)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(work).model_dump_json())


if __name__ == "__main__":
    main()
