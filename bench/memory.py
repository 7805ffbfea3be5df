"""(d) Memory of API and worker, idle and with open demands, against the bare API and the bare worker."""

from __future__ import annotations

import asyncio

from bench import gauges
from bench.figure import Figure, Line, Side, Size
from bench.ground import BenchError, Ground
from bench.intake import make_tables, sample

TARGET_MB = 200.0
OURS = ("api", "worker")
FLOORS = ("bare API", "bare worker")
_REST_SECONDS = 3


async def measure(ground: Ground, size: Size) -> Figure:
    idle: list[Side] = []
    for turn in range(size.passes):
        if turn:
            for part in OURS:
                await asyncio.to_thread(ground.stack.restart_part, part)
        await ground.settle()
        await asyncio.sleep(_REST_SECONDS)
        idle.append(_memory(ground, OURS))
    connection = await ground.connect()
    try:
        await make_tables(connection)
        ground.start_bare_intake(await sample(ground, connection))
        ground.start_bare_worker()
        await ground.settle()
        await asyncio.sleep(_REST_SECONDS)
        floor = [_memory(ground, FLOORS)] * size.passes
        have = await connection.fetchval("select count(*) from public.demand")
        wanted = size.open_demands - have
        await ground.drive(ground.intake_job(ground.api_port, lanes=4, seconds=300, most=wanted))
        seconds = await ground.settle()
        count = await connection.fetchval("select count(*) from public.demand where stage <> 'closed'")
    finally:
        await connection.close()
    if count != size.open_demands:
        raise BenchError(f"{size.open_demands} demands should be open and {count} are.")
    full = [_memory(ground, OURS)]
    return Figure(
        "memory", "d", "Memory of API and worker",
        "PSS of the API process and the worker process with their children, after a start and a few seconds of rest; "
        f"then again with {size.open_demands:,} open demands, whose workflows all run and are in the worker's cache.",
        "PSS of the bare API and the bare worker of (a) and (b), idle.",
        Line("idle", "MB", idle, floor, target=TARGET_MB, at_least=False, of_ours=True),
        [Line(f"with {size.open_demands:,} open demands", "MB", full, floor[:1])],
        notes=[f"{size.open_demands:,} workflows had started and come to rest {seconds:.0f} s after the last POST."],
    )  # fmt: skip


def _memory(ground: Ground, parts: tuple[str, ...]) -> Side:
    each = {f"{part} MB": gauges.pss_mb(ground.pids()[part]) for part in parts}
    return Side(sum(each.values()), facts=each)
