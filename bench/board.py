"""`python -m bench.board --demands 100000 --open 20000`: the supervisor's pages over a full district, beside their bare SQL.

Each page is asked of the application in this process, as a supervisor; then the very statements that it sent to the database are
sent again with nothing around them. What is told is the median of each and their ratio, in the same run and in turns. Then
the plans: a sequential scan of a large table is a fault, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import re
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median
from time import perf_counter
from typing import Any

import asyncpg
import httpx2
from sqlalchemy import event

from bench.seed_board import Seeded, seed
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.actors import Actor
from domain.district import District
from runtime.settings import Settings
from server import create_app
from service.desk import Desk
from service.tokens import mint
from store import migrate

SUPERVISOR = "p-0002"
LARGE = ("demand", "demand_event", "demand_text", "reporter", "clock", "demand_likeness", "meeting_item")
WHOLE_IS_ASKED = frozenset({"clock"})
"""Tables that a page may read from end to end: what ticks is counted as a whole, and it holds what ticks alone."""
TURNS = 15
TOKEN_SECRET = "a secret for this run only"


@dataclass
class Measured:
    """Seconds of a page and of its statements, turn by turn; `scans` are the large tables that it reads from end to end."""

    name: str
    path: str
    pages: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    statements: int = 0
    bytes: int = 0
    scans: list[str] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)

    @property
    def ratio(self) -> float:
        return median(page / bare for page, bare in zip(self.pages, self.bare, strict=True))

    @property
    def faults(self) -> list[str]:
        return [table for table in self.scans if table not in WHOLE_IS_ASKED]


def paths(district: District) -> dict[str, str]:
    grid, community = district.grids[0], district.communities[0].id
    return {
        "board": "/board",
        "board, overdue": "/board?state=breached",
        "board of a community": f"/board?community={community}",
        "board of a grid": f"/board?grid={grid.id}",
        "clocks, summary": "/api/v1/clocks/summary",
        "clocks, summary of a grid": f"/api/v1/clocks/summary?grid={grid.id}",
        "wall": "/wall",
    }


# ---- what a page sends to the database


Statement = tuple[str, tuple[Any, ...]]


@asynccontextmanager
async def recorded(desk: Desk) -> AsyncIterator[list[Statement]]:
    """The statements of SQLAlchemy's engine and of asyncpg's pool that are sent meanwhile, background work among them."""
    sent: list[Statement] = []

    def by_engine(_: Any, __: Any, statement: str, parameters: Any, ___: Any, ____: Any) -> None:
        sent.append((statement, tuple(parameters or ())))

    pool, wrapped = desk.pool, _Recording(desk.pool, sent)
    event.listen(desk.engine.sync_engine, "before_cursor_execute", by_engine)
    desk.pool = wrapped  # type: ignore[assignment]
    try:
        yield sent
    finally:
        desk.pool = pool
        event.remove(desk.engine.sync_engine, "before_cursor_execute", by_engine)


class _Recording:
    """A pool that notes what it is asked to fetch."""

    def __init__(self, pool: asyncpg.Pool, sent: list[Statement]) -> None:
        self._pool, self._sent = pool, sent

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._pool, name)
        if name not in ("fetch", "fetchrow", "fetchval"):
            return found

        def noted(statement: str, *parameters: Any, **more: Any) -> Any:
            self._sent.append((statement, parameters))
            return found(statement, *parameters, **more)

        return noted


# ---- measuring


async def measure(app: Any, desk: Desk, url: str, turns: int) -> list[Measured]:
    transport = httpx2.ASGITransport(app=app)
    headers = {"Authorization": f"Bearer {mint(TOKEN_SECRET, SUPERVISOR)}"}
    connection = await asyncpg.connect(url)
    try:
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://bench", timeout=120, headers=headers
        ) as http:
            return [await _measured(http, desk, connection, *one, turns) for one in paths(desk.district).items()]
    finally:
        await connection.close()


async def _measured(
    http: httpx2.AsyncClient, desk: Desk, connection: asyncpg.Connection, name: str, path: str, turns: int
) -> Measured:
    found = Measured(name, path)
    await http.get(path)  # what is made once is made
    async with recorded(desk) as sent:
        answer = await http.get(path)
        statements = [(_plain(sql), given) for sql, given in sent if _reads(sql)]
    answer.raise_for_status()
    found.statements, found.bytes = len(statements), len(answer.content)
    prepared = [(await connection.prepare(sql), given) for sql, given in statements]
    for _ in range(turns):
        began = perf_counter()
        (await http.get(path)).raise_for_status()
        found.pages.append(perf_counter() - began)
        began = perf_counter()
        for statement, given in prepared:
            await statement.fetch(*given)
        found.bare.append(perf_counter() - began)
    for sql, given in statements:
        await _explained(connection, sql, given, found)
    return found


def _reads(sql: str) -> bool:
    return sql.lstrip().lower().startswith(("select", "with")) and not re.search(
        r"\b(insert|update|delete)\b", sql.lower()
    )


def _plain(sql: str) -> str:
    return sql.replace("::VARCHAR", "::text").replace("::INTEGER", "::int")


async def _explained(connection: asyncpg.Connection, sql: str, given: Sequence[Any], found: Measured) -> None:
    lines = [row[0] for row in await connection.fetch(f"explain {sql}", *given)]
    for line in lines:
        if scan := re.search(r"Seq Scan on (\w+)", line):
            if scan[1] in LARGE and scan[1] not in found.scans:
                found.scans.append(scan[1])
        elif (index := re.search(r"Index(?: Only)? Scan (?:Backward )?(?:using|on) (\w+)", line)) and index[
            1
        ] not in found.indexes:
            found.indexes.append(index[1])


# ---- the ground


@asynccontextmanager
async def filled(demands: int, open: int, seed_of: int) -> AsyncIterator[tuple[Any, Desk, str, Seeded]]:
    """Application and desk over servers of their own, filled; the folder is gone afterwards."""
    with temporary_folder() as folder, Stack(folder, parts=("postgres", "temporal"), say=lambda line: None) as stack:
        await asyncio.to_thread(migrate.upgrade, stack.database_url)
        settings = Settings.model_validate(
            {
                "database_url": stack.database_url, "temporal_address": stack.temporal_address,
                "task_queue": "bench-board", "data_keys": "k1:" + base64.b64encode(b"k" * 32).decode(), "plain_http_cookie": True,
                "dev_token_secret": TOKEN_SECRET,
            }
        )  # fmt: skip
        app = create_app(settings)
        async with app.router.lifespan_context(app):
            desk: Desk = app.state.desk
            speak_as(app, desk, SUPERVISOR)
            yield app, desk, stack.database_url, await seed(desk, demands, open, Random(seed_of))


def speak_as(app: Any, desk: Desk, id: str) -> None:
    """Whoever opens a page is this person: signing in is not what is measured."""
    person = desk.district.person(id)
    actor = Actor(id=person.id, grants=tuple(person.grants))

    async def caller(_: Any) -> Actor:
        return actor

    app.state.caller = caller


def told(found: Sequence[Measured], seeded: Seeded) -> None:
    print(f"{seeded.demands:,} demands, {seeded.open:,} open, {seeded.events:,} events, {seeded.clocks:,} clocks")
    print(f"{'page':28s} {'page ms':>9s} {'SQL ms':>9s} {'ratio':>7s} {'stmts':>6s} {'KB':>6s}  plans")
    for one in found:
        plans = ", ".join(one.indexes) + (f" · whole: {', '.join(one.scans)}" if one.scans else "")
        print(
            f"{one.name:28s} {median(one.pages) * 1e3:9.1f} {median(one.bare) * 1e3:9.1f} {one.ratio:7.1f}"
            f" {one.statements:6d} {one.bytes / 1024:6.0f}  {plans}"
        )


async def _run(arguments: argparse.Namespace) -> list[Measured]:
    async with filled(arguments.demands, arguments.open, arguments.seed) as (app, desk, url, seeded):
        found = await measure(app, desk, url, arguments.turns)
        told(found, seeded)
        return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.board", description=__doc__)
    parser.add_argument("--demands", type=int, default=100_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--open", type=int, default=20_000, metavar="N", help="of them open (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=TURNS, metavar="N", help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="the same seed makes the same shapes")
    found = asyncio.run(_run(parser.parse_args()))
    faults = [f"{one.name} reads {table} from end to end" for one in found for table in one.faults]
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
