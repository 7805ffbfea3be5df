"""Rotating the keys and anonymising, of very many demands, each killed in the middle and started again.

`python -m bench.privacy --demands 10000` loads demands that are closed for good straight into a PostgreSQL of its own, then
runs `./run keys rotate` and `./run privacy anonymise` on it as anybody would, and checks what they left.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import perf_counter

import asyncpg

from devstack.program import ROOT
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.masking import ERASED
from domain.privacy import IMPERSONAL_KINDS
from service.key_rotation import look
from store import migrate
from store.phone_digests import PhoneDigests
from store.pool import Pool, open_pool
from store.reporter_index import found
from store.seal import Sealer
from store.sealed_columns import SEALED

OLD, NEW = b"1" * 32, b"2" * 32
KINDS = ("demand", "note", "reply", "plan")
AT_ONCE = 2_000
KILLED_AT = 0.3
"""The share of the work after which a command is killed."""

_TEXT = "楼下下水道堵了三天，污水漫到单元门口，老人出门要垫砖头，请尽快派人疏通，并告知什么时候能来，谢谢。"


@dataclass
class Told:
    """One command: how far it was when it was killed, and how long both parts of it took together."""

    what: str
    work: int
    unit: str
    at_kill: int = 0
    seconds: float = 0.0

    def line(self) -> str:
        return (
            f"{self.what:10s} {self.work:8,d} {self.unit:14s} {self.seconds:7.1f} s {self.work / self.seconds:8,.0f} a second;"
            f" killed at {self.at_kill:,d}, the rest by the same command"
        )


async def _filled(url: str, sealer: Sealer, demands: int) -> float:
    """Seconds that sealing and loading took."""
    began = perf_counter()
    connection = await asyncpg.connect(url)
    try:
        for first in range(0, demands, AT_ONCE):
            await _some(connection, sealer, range(first, min(demands, first + AT_ONCE)))
        await connection.execute("analyze")
    finally:
        await connection.close()
    return perf_counter() - began


async def _some(connection: asyncpg.Connection[asyncpg.Record], sealer: Sealer, ns: range) -> None:
    closed = datetime.now(UTC) - timedelta(days=1_200)
    opened, state = closed - timedelta(days=9), json.dumps({"stage": "closed", "sealed": True})
    numbers = [_number(n) for n in ns]
    by = "resident-9001"
    await connection.copy_records_to_table(
        "demand",
        records=[(one, 1, "", "closed", "010101", "api", by, False, opened, opened, closed, state) for one in numbers],
        columns=["number", "seq", "head", "stage", "category", "channel", "opened_by", "breached", "opened_at",
                 "updated_at", "closed_at", "state"],
    )  # fmt: skip
    await connection.copy_records_to_table(
        "demand_text",
        records=[
            (f"{one}.{place}", one, kind, by, opened, sealer.seal(_TEXT, one))
            for one in numbers for place, kind in enumerate(KINDS)
        ],
        columns=["id", "number", "kind", "author", "written_at", "sealed"],
    )  # fmt: skip
    await connection.copy_records_to_table(
        "reporter",
        records=[
            (one, sealer.seal(json.dumps({"name": "王晓梅", "phone": _phone(n), "building": "3", "room": "402"}), one))
            for n, one in zip(ns, numbers, strict=True)
        ],
        columns=["number", "sealed"],
    )  # fmt: skip


def _number(n: int) -> str:
    return f"20230301-{n:06d}"


def _phone(n: int) -> str:
    return f"139{n:08d}"


async def _interrupted(told: Told, url: str, words: list[str], progress: Callable[[], Awaitable[int]]) -> None:
    """Run it, kill it (no signal that it could see), and run it again to its end."""
    began = perf_counter()
    first = _command(url, words)
    try:
        while await progress() < told.work * KILLED_AT:
            if first.poll() is not None:
                raise SystemExit(f"{told.what} ended before it could be killed: take more demands.")
            await asyncio.sleep(0.005)
    finally:
        first.send_signal(signal.SIGKILL)
        first.wait()
    told.at_kill = await progress()
    second = _command(url, words)
    if await asyncio.to_thread(second.wait) != 0:
        raise SystemExit(f"{told.what} ended with code {second.returncode}.")
    told.seconds = perf_counter() - began


def _command(url: str, words: list[str]) -> subprocess.Popen[bytes]:
    keys = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (("k2", NEW), ("k1", OLD)))
    environment = {**os.environ, "DATABASE_URL": url, "LINLI_DATA_KEYS": keys}
    return subprocess.Popen([sys.executable, "-m", *words], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)


# ---- what must hold afterwards


async def _opens_with(pool: Pool, ring: dict[str, bytes]) -> int:
    """Every sealed value, opened with these keys alone; how many there are."""
    sealer, count = Sealer(ring), 0
    for column in SEALED:
        for row in await pool.fetch(
            f"select {column.bound_to} b, {column.column} s from {column.table} where {column.column} is not null",
            timeout=600,
        ):
            sealer.open(row["s"], row["b"])
            count += 1
    return count


async def _forgotten(pool: Pool, demands: int) -> None:
    rows = await pool.fetch("select number, kind, sealed, erased_at from demand_text", timeout=600)
    sealer = Sealer({"k2": NEW})
    for row in rows:
        kept = row["kind"] in IMPERSONAL_KINDS
        assert (row["erased_at"] is None) is kept
        assert sealer.open(row["sealed"], row["number"]) == (_TEXT if kept else ERASED)
    assert len(rows) == demands * len(KINDS)
    left = await pool.fetchrow("select (select count(*) from reporter) r, (select count(*) from reporter_index) i")
    assert left is not None and tuple(left) == (0, 0)
    assert await pool.fetchval("select count(*) from erasure where done_at is not null") == demands


async def measured(url: str, demands: int) -> None:
    loaded = await _filled(url, Sealer({"k1": OLD}), demands)
    values = demands * (len(KINDS) + 1)
    print(f"{demands:,} demands closed for good, {values:,} sealed values, loaded in {loaded:.1f} s", flush=True)
    pool = await open_pool(url, size=2)
    try:
        rotation = Told("rotate", values, "sealed values")
        await _interrupted(rotation, url, ["cli.keys", "rotate"], lambda: _of(pool, "k2"))
        assert await _opens_with(pool, {"k2": NEW}) == values
        assert await found(pool, PhoneDigests({"k2": NEW}).all(_phone(7)), 9) == [_number(7)]
        print(rotation.line(), flush=True)
        forgetting = Told("anonymise", demands, "demands")
        await _interrupted(forgetting, url, ["cli.privacy", "anonymise"], lambda: _erased(pool))
        await _forgotten(pool, demands)
        print(forgetting.line())
        print(
            "checked: everything opens with the new key alone; afterwards no reporter, no index, no personal text is left"
        )
    finally:
        await pool.close()


async def _of(pool: Pool, key_id: str) -> int:
    return (await look(pool)).of(key_id)


async def _erased(pool: Pool) -> int:
    count: int = await pool.fetchval("select count(*) from erasure where done_at is not null")
    return count


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.privacy", description=__doc__)
    parser.add_argument("--demands", type=int, default=10_000, metavar="N", help="default: %(default)s")
    given = parser.parse_args()
    with temporary_folder() as folder, Stack(folder, parts=("postgres",), say=lambda line: None) as stack:
        migrate.upgrade(stack.database_url)
        asyncio.run(measured(stack.database_url, given.demands))
    return 0


if __name__ == "__main__":
    sys.exit(main())
