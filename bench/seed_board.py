"""`python -m bench.seed_board --demands 100000 --open 20000`: a database as full as a district's after some years.

Fills the database of DATABASE_URL (LINLI_DATA_KEYS as for the API), which must be migrated and without a demand. Every
demand has its row, log, clocks, sealed text and reporter as the product writes them, and its mark for finding duplicates;
those on an agenda stand there. No workflow runs for them: they can be looked at, but nothing can be done with them.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from time import perf_counter
from zoneinfo import ZoneInfo

import asyncpg

from bench.rates_year.town import Town
from bench.seed_shapes import Copy, Shape, closed_shapes, open_shapes
from runtime.settings import SettingsError, load_settings
from service.desk import Desk, open_desk
from store.clocks import COLUMNS as CLOCK_COLUMNS
from store.clocks import ticking
from store.pool import Connection
from store.record import entry_values, row_values

AT_ONCE = 2_000
OPEN_SHAPES, CLOSED_SHAPES = 400, 160
YEARS_BACK_WEEKS = 44
WORDS = (
    "{place}3号楼前的垃圾已经三天没有清运，天热气味很重，请尽快派人处理。",
    "{place}2单元楼道灯坏了一个星期，晚上老人上下楼看不清。",
    "{place}门口下水道堵塞，污水漫到人行道上，孩子上学要绕路走。", "{place}楼上装修从早上六点开始，周末也不停，请管一管。",
    "{place}电梯本周第三次停运，七楼的老人下不来，物业电话没人接。", "{place}旁边的空地有人夜里倾倒建筑渣土。",
    "{place}自来水发黄，已经两天，问过水厂说要等小区加压泵检修。", "{place}健身器材的螺丝松了，小孩差点摔下来。",
    "{place}消防通道长期停着三辆车，请协调挪走。", "{place}楼顶漏水到顶层住户家里，雨季前希望能修。",
)  # fmt: skip
_DEMAND = (
    "number", "seq", "head", "stage", "category", "community", "grid", "compound", "unit", "holder", "meeting", "outcome",
    "breached", "due_at", "opened_at", "updated_at", "closed_at", "state", "channel", "opened_by",
)  # fmt: skip
_EVENT = ("number", "seq", "type", "at", "actor", "performed_at", "data", "hash", "recorded_at")
_TEXT = ("id", "number", "kind", "author", "written_at", "sealed")
_ITEM = (
    "meeting", "number", "turn", "community", "reason", "asked_at", "reporters", "breached", "due_at", "rolls", "late",
    "consented",
)  # fmt: skip


@dataclass(frozen=True)
class Seeded:
    demands: int
    open: int
    events: int
    clocks: int
    seconds: float


async def seed(desk: Desk, demands: int, open: int, chance: Random) -> Seeded:
    """Raises ValueError where the database holds demands already, or `open` is more than `demands`."""
    if not 0 <= open <= demands:
        raise ValueError("`open` is at most as many as there are demands.")
    if await desk.pool.fetchval("select exists (select from demand)"):
        raise ValueError("The database holds demands. Take an empty one: what is there would be mixed with these.")
    began, now = perf_counter(), desk.now().replace(microsecond=0)
    events = 0
    connection = await asyncpg.connect(desk.settings.database_url)
    try:
        copies = _copies(desk, now, demands, open, chance)
        while batch := [copy for _, copy in zip(range(AT_ONCE), copies, strict=False)]:
            await _write(desk, connection, batch, chance)
            events += sum(len(copy.entries) for copy in batch)
        await connection.execute(
            f"insert into clock ({CLOCK_COLUMNS}) {ticking('open')}".replace(
                "from open,", "from (select number, state from demand where stage <> 'closed') open,"
            )
        )
        await connection.execute("select setval('demand_number', $1)", demands + 1)
        await _mark(desk)
        await connection.execute("vacuum analyze")
        clocks = await connection.fetchval("select count(*) from clock")
    finally:
        await connection.close()
    return Seeded(demands, open, events, clocks, perf_counter() - began)


def _copies(desk: Desk, now: datetime, demands: int, open: int, chance: Random) -> Iterator[Copy]:
    """Closed ones all over the year, then those that are open, each under a number of its day."""
    town, zone = Town(desk, chance), ZoneInfo(desk.district.timezone)
    over = [
        shape.earlier(weeks)
        for shape in closed_shapes(town, now, min(CLOSED_SHAPES, demands - open))
        for weeks in chance.sample(range(YEARS_BACK_WEEKS), 4)
    ]
    alive = open_shapes(town, now, min(OPEN_SHAPES, open))
    for n in range(1, demands + 1):
        shape: Shape = chance.choice(over if n <= demands - open else alive)
        yield shape.copy(f"{shape.number_day.astimezone(zone):%Y%m%d}-{n:06d}")


async def _write(desk: Desk, connection: Connection, copies: Sequence[Copy], chance: Random) -> None:
    texts = [row for copy in copies for row in _texts(desk, copy, chance)]
    reporters = [(c.demand.number, desk.sealer.seal(_reporter(chance), c.demand.number)) for c in copies]
    entries = [(c.demand.number, *row, row[2]) for c in copies for row in entry_values(c.entries)]
    items = [
        (c.demand.meeting, c.demand.number, i.turn, i.community, i.reason, i.asked_at, i.reporters, i.breached, i.due_at,
         i.rolls, False, False)
        for c in copies if (i := c.item) is not None
    ]  # fmt: skip
    async with connection.transaction():
        for table, columns, rows in (
            ("demand", _DEMAND, [_row(copy) for copy in copies]), ("demand_event", _EVENT, entries),
            ("demand_text", _TEXT, texts), ("reporter", ("number", "sealed"), reporters), ("meeting_item", _ITEM, items),
        ):  # fmt: skip
            await connection.copy_records_to_table(table, records=rows, columns=list(columns))


def _row(c: Copy) -> tuple[object, ...]:
    return (*row_values(c.demand), c.opened_at, c.updated_at, c.demand.closed_at, c.state, c.channel, c.opened_by)


def _texts(desk: Desk, c: Copy, chance: Random) -> Iterator[tuple[object, ...]]:
    d = c.demand
    known = desk.district.directory
    compound = known.compounds.get(d.place.compound) if d.place and d.place.compound else None
    grid = known.grids.get(d.place.grid) if d.place else None
    place = compound.name if compound else grid.name if grid else "小区"
    first = desk.sealer.seal(chance.choice(WORDS).format(place=place), d.number)
    yield f"{d.number}.0", d.number, "demand", c.opened_by, c.opened_at, first
    for id in c.texts:
        kind = "note" if id.endswith(("-note", "-order")) else "reply"
        said = (
            "已到现场，约定明天上午处理。" if kind == "note" else "问题已处理完毕，感谢您的反映，如有反复请再联系我们。"
        )
        yield id, d.number, kind, d.holder or c.opened_by, c.updated_at, desk.sealer.seal(said, d.number)


def _reporter(chance: Random) -> str:
    return json.dumps(
        {"name": chance.choice("王李张刘陈杨") + chance.choice(("晓梅", "建国", "秀英", "伟", "芳")),
         "phone": f"138{chance.randrange(10**8):08d}", "building": str(chance.randint(1, 18)),
         "room": f"{chance.randint(1, 9)}0{chance.randint(1, 4)}"},
        ensure_ascii=False,
    )  # fmt: skip


async def _mark(desk: Desk) -> None:
    while await desk.likenesses.catch_up():
        pass


async def _run(arguments: argparse.Namespace) -> Seeded:
    desk = await open_desk(load_settings())
    try:
        return await seed(desk, arguments.demands, arguments.open, Random(arguments.seed))
    finally:
        await desk.close()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.seed_board", description=__doc__)
    parser.add_argument("--demands", type=int, default=100_000, metavar="N", help="default: %(default)s")
    parser.add_argument("--open", type=int, default=20_000, metavar="N", help="of them open (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=7, metavar="N", help="the same seed makes the same shapes")
    try:
        done = asyncio.run(_run(parser.parse_args()))
    except (SettingsError, ValueError, OSError, asyncpg.PostgresError) as wrong:
        print(wrong, file=sys.stderr)
        return 2
    print(
        f"{done.demands:,} demands ({done.open:,} open) with {done.events:,} events and {done.clocks:,} clocks"
        f" in {done.seconds:.0f} s"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
