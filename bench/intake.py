"""(a) Demands accepted per second at 16 keep-alive connections, against a bare endpoint that writes the same rows."""

from __future__ import annotations

import asyncpg

from bench import gauges
from bench.bare_intake import SCHEMA, TABLES
from bench.figure import Figure, Line, Side, Size, percentile
from bench.ground import BenchError, Ground

TARGET = 0.4
OURS = (
    "`POST /api/v1/demands` of the running product, 16 keep-alive connections in a closed loop: token, validation, "
    "screening, routing to a grid, sealing, idempotency, event log, outbox. Demands that wait at the same moment share "
    "a statement and a commit. Their workflows start on the same cores, as far as the starter does not step back in the "
    "surge; the next pass waits until all have started, and the time that takes is not counted."
)
FLOOR = (
    "FastAPI and asyncpg in a uvicorn process of its own, the same pool of connections, a validated pydantic body, one "
    "statement and one commit a request, which write the same rows (idempotency, demand, its events, text, reporter, outbox; "
    "copied from one real demand) into tables of the same make on the same PostgreSQL. It checks no token, decides and encrypts "
    "nothing, starts no workflow. Same load client, same requests."
)


async def measure(ground: Ground, size: Size) -> Figure:
    connection = await ground.connect()
    try:
        await make_tables(connection)
        port = ground.start_bare_intake(await sample(ground, connection))
        for warm in (port, ground.api_port):
            await ground.drive(ground.intake_job(warm, lanes=size.lanes, seconds=1, most=200))
        ours: list[Side] = []
        floor: list[Side] = []
        for _ in range(size.passes):
            await ground.settle()
            floor.append(await _pass(ground, connection, port, SCHEMA, size))
            await ground.settle()
            ours.append(await _pass(ground, connection, ground.api_port, "public", size))
        notes = await _same_rows(connection)
    finally:
        await connection.close()
    line = Line("accepted", "demands/s", ours, floor, target=TARGET)
    return Figure("intake", "a", "Demands accepted per second", OURS, FLOOR, line, notes=notes)


async def make_tables(connection: asyncpg.Connection[asyncpg.Record]) -> None:
    await connection.execute(f"create schema {SCHEMA}")
    for table in TABLES:
        await connection.execute(f"create table {SCHEMA}.{table} (like public.{table} including all)")
        options = await connection.fetchval(f"select reloptions from pg_class where oid = 'public.{table}'::regclass")
        if options:  # the fill factor, which `like` leaves behind
            await connection.execute(f"alter table {SCHEMA}.{table} set ({', '.join(options)})")


async def sample(ground: Ground, connection: asyncpg.Connection[asyncpg.Record]) -> str:
    await ground.drive(ground.intake_job(ground.api_port, lanes=1, seconds=5, most=1))
    number: str = await connection.fetchval("select number from public.demand order by number limit 1")
    await ground.settle()
    return number


async def _pass(
    ground: Ground, connection: asyncpg.Connection[asyncpg.Record], port: int, schema: str, size: Size
) -> Side:
    rows = f"select count(*) from {schema}.demand"
    before = await connection.fetchval(rows)
    cpu = gauges.cpu_seconds(ground.pids())
    report = await ground.drive(ground.intake_job(port, lanes=size.lanes, seconds=size.intake_seconds))
    spent = gauges.spent_ms(cpu, gauges.cpu_seconds(ground.pids()), report.count)
    written = await connection.fetchval(rows) - before
    if written != report.count:
        raise BenchError(f"{report.count} demands were accepted and {written} rows are there.")
    facts = {"p50 ms": percentile(report.answers_ms, 0.5), "p99 ms": percentile(report.answers_ms, 0.99)}
    spent["load client"] = round(report.driver_cpu_ms / report.count, 2)
    return Side(report.count / report.seconds, spent, facts)


async def _same_rows(connection: asyncpg.Connection[asyncpg.Record]) -> list[str]:
    """Counted in both schemas, so that nobody needs to believe it. Outbox rows of ours are gone once started."""
    told: list[str] = []
    for schema, name in ((SCHEMA, "floor"), ("public", "ours")):
        demands = await connection.fetchval(f"select count(*) from {schema}.demand")
        parts = []
        for table in TABLES[:-1]:
            rows, size = await connection.fetchrow(
                f"select count(*), coalesce(sum(pg_column_size(t.*)), 0) from {schema}.{table} t"
            ) or (0, 0)
            parts.append(f"{table} {rows / demands:.2f} rows / {size / demands:.0f} bytes")
        told.append(f"Rows per demand, {name}: {', '.join(parts)}.")
    return told
