"""`python -m bench.outage`: every worker is killed while the promises of many demands break, and started again.

A fresh stack with plain-hour promises of seconds instead of hours. The demands are submitted evenly over `spread`
seconds, so their accept clocks fall due evenly over as long. When every workflow has set its timer on the server, and
before the first reminder, the worker is killed (SIGKILL) and kept away until the last due instant has passed. Then it
is started, and the event logs are read.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import asyncpg
import httpx2
from pydantic import TypeAdapter
from temporalio.client import Client

from bench.ground import RESIDENTS, BenchError
from devstack.errors import StackError
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.ledger import Entry, replay
from service.pack import load_pack
from service.tokens import mint

CLOCK, CATEGORY = "accept", "120101"
STEPS = {"clock_warned": (50, 80), "clock_breached": (100,)}
STARTS_SECONDS, RECORDS_SECONDS = 300.0, 900.0
_DATA: TypeAdapter[dict[str, object]] = TypeAdapter(dict[str, object])
_COUNT = "select count(*) from public.demand_event where type = $1 and data->>'clock' = $2"
_LOGS = """
    select number, seq, type, at, actor, data::text data, performed_at, hash from public.demand_event order by number, seq
"""


@dataclass(frozen=True)
class Plan:
    """`spread` and `lead` are seconds: over how long the demands come, and from the last one to the first reminder."""

    demands: int = 1000
    spread: float = 180.0
    lead: float = 30.0

    @property
    def hours(self) -> float:
        """The promise to accept: its first reminder, at half of it, comes after all have been submitted."""
        return round(2 * (self.spread + self.lead)) / 3600

    def overlay(self) -> str:
        accept = f'accept = {{ amount = {self.hours}, unit = "hours" }}'
        return f'[classes.ordinary]\n{accept}\ncontact = {{ amount = 900, unit = "hours" }}\n'


@dataclass
class Report:
    """Times in seconds. `deviation` is the largest distance of a recorded instant from the true one."""

    demands: int
    breaches: int = 0
    broken: int = 0
    deviation: float = 0.0
    due_over: float = 0.0
    away: float = 0.0
    noticed_late: float = 0.0
    until_first: float = 0.0
    until_last: float = 0.0
    wrong: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        return [
            f"{self.demands} demands, due over {self.due_over:.1f} s; worker killed and away for {self.away:.1f} s",
            f"{self.breaches} breaches recorded for {self.broken} demands, {self.breaches - self.broken} of them double",
            f"largest deviation from the true instant: {self.deviation:.6f} s (noticed up to {self.noticed_late:.1f} s late)",
            f"from the start of the worker: first breach recorded after {self.until_first:.1f} s, the last after "
            f"{self.until_last:.1f} s",
            *(f"wrong: {sentence}" for sentence in self.wrong or ["nothing"]),
        ]


async def outage_in(stack: Stack, plan: Plan) -> Report:
    """The stack must have been started with `plan.overlay()`. Raises BenchError when the machine is too slow for it."""
    report = Report(plan.demands)
    db = await asyncpg.connect(stack.database_url)
    client = await Client.connect(stack.temporal_address)
    try:
        numbers = await _submit(stack, plan)
        await _armed(client, numbers, "timer_started_event_attributes", STARTS_SECONDS)
        await _kill(stack)
        gone = time.monotonic()
        opened = await db.fetch("select (data->>'due_at')::timestamptz due from public.demand_event"
                                " where type = 'clock_started' and data->>'clock' = $1", CLOCK)  # fmt: skip
        due = sorted(row["due"] for row in opened)
        await _nothing_told(db, "before the worker was killed")
        await asyncio.sleep((due[-1] - datetime.now(UTC)).total_seconds() + 1)
        await _armed(client, numbers, "timer_fired_event_attributes", 60)
        await _nothing_told(db, "while no worker ran")
        report.due_over, report.away = (due[-1] - due[0]).total_seconds(), time.monotonic() - gone
        await _come_back(stack, db, report)
        await _audit(db, plan, numbers, report)
        return report
    finally:
        await db.close()


async def _submit(stack: Stack, plan: Plan) -> list[str]:
    grids = [grid.id for grid in load_pack(stack.pack, None).grids]
    began = time.monotonic()

    async def one(http: httpx2.AsyncClient, n: int) -> str:
        await asyncio.sleep(max(0.0, began + plan.spread * n / plan.demands - time.monotonic()))
        heads = {
            "Authorization": f"Bearer {mint(stack.token_secret, RESIDENTS[n % len(RESIDENTS)])}",
            "Idempotency-Key": f"outage-{n}",
        }
        body = {"text": "请问居住证怎么办理？", "category": CATEGORY, "location": {"grid": grids[n % len(grids)]}}
        answer = await http.post("/api/v1/demands", json=body, headers=heads)
        if answer.status_code != 201:
            raise BenchError(f"Not taken: {answer.status_code} {answer.text[:200]}")
        return str(answer.json()["number"])

    async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
        return list(await asyncio.gather(*(one(http, n) for n in range(plan.demands))))


async def _armed(client: Client, numbers: list[str], kind: str, seconds: float) -> None:
    """Until the server's history of every demand has an event of this kind."""
    gate, give_up = asyncio.Semaphore(16), time.monotonic() + seconds

    async def has(number: str) -> bool:
        async with gate:
            history = await client.get_workflow_handle(number).fetch_history()
        return any(event.WhichOneof("attributes") == kind for event in history.events)

    missing = numbers
    while missing:
        found = await asyncio.gather(*(has(number) for number in missing))
        missing = [number for number, there in zip(missing, found, strict=True) if not there]
        if missing and time.monotonic() > give_up:
            raise BenchError(f"{len(missing)} demands have no {kind} after {seconds:g} s.")
        await asyncio.sleep(0.2)


async def _kill(stack: Stack) -> None:
    await asyncio.to_thread(stack.kill, "worker")
    await asyncio.to_thread(stack.stop_part, "worker")  # the watch leaves it alone until it is started


async def _nothing_told(db: asyncpg.Connection[asyncpg.Record], when: str) -> None:
    told = sum([await db.fetchval(_COUNT, kind, CLOCK) for kind in STEPS])
    if told:
        raise BenchError(f"{told} bells were heard {when}: the demands came too slowly; give them more lead.")


async def _come_back(stack: Stack, db: asyncpg.Connection[asyncpg.Record], report: Report) -> None:
    """Start the worker and wait for the last breach."""
    began = time.monotonic()
    await asyncio.to_thread(stack.start_part, "worker")
    while (count := await db.fetchval(_COUNT, "clock_breached", CLOCK)) < report.demands:
        if count and not report.until_first:
            report.until_first = time.monotonic() - began
        if time.monotonic() > began + RECORDS_SECONDS:
            break  # the audit says which are missing
        await asyncio.sleep(0.05)
    report.until_last = time.monotonic() - began
    report.until_first = report.until_first or report.until_last
    await asyncio.sleep(3)  # a second one would come now


async def _audit(db: asyncpg.Connection[asyncpg.Record], plan: Plan, numbers: list[str], report: Report) -> None:
    logs: dict[str, list[Entry]] = {}
    for row in await db.fetch(_LOGS):
        said = {**row, "data": _DATA.validate_json(row["data"])}
        logs.setdefault(said.pop("number"), []).append(Entry.model_validate(said))
    for number in numbers:
        report.wrong += wrong_in(number, logs.get(number, []), timedelta(hours=plan.hours))
        for entry in (e for e in logs.get(number, []) if is_step(e) and e.type == "clock_breached"):
            away = abs(_instant(entry) - (logs[number][0].at + timedelta(hours=plan.hours)))
            report.deviation = max(report.deviation, away.total_seconds())
            report.noticed_late = max(report.noticed_late, (entry.at - _instant(entry)).total_seconds())
    found = Counter(number for number, log in logs.items() for e in log if is_step(e) and e.type == "clock_breached")
    report.breaches, report.broken = found.total(), len(found)


def is_step(entry: Entry) -> bool:
    return entry.type in STEPS and entry.data["clock"] == CLOCK


def _instant(entry: Entry) -> datetime:
    return datetime.fromisoformat(str(entry.data.get("fell_at") or entry.data["due_at"]))


def wrong_in(number: str, log: list[Entry], promise: timedelta) -> Iterator[str]:
    """What is wrong with the reminders and the breach of one demand: missing, doubled, shifted or out of order."""
    try:
        replay(number, log)
    except ValueError as broken:
        yield f"hash chain: {broken}"
    steps = [entry for entry in log if is_step(entry)]
    must = [(kind, percent) for kind, percents in STEPS.items() for percent in percents]
    told = [(e.type, int(str(e.data.get("step", "100%")).removesuffix("%"))) for e in steps]
    if told != must:
        yield f"{number}: its {CLOCK} clock told {told}, not {must}"
        return
    for entry, (_, percent) in zip(steps, must, strict=True):
        true = log[0].at + promise * (percent / 100)
        if _instant(entry) != true:
            yield f"{number}: {percent} % fell at {true.isoformat()}, and its log says {_instant(entry).isoformat()}"
    if any(later < earlier for earlier, later in pairwise(map(_instant, steps))):
        yield f"{number}: its instants run backwards"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.outage", description=__doc__)
    parser.add_argument("--demands", type=int, default=Plan.demands, metavar="N", help="(default: %(default)s)")
    parser.add_argument("--spread", type=float, default=Plan.spread, metavar="SECONDS", help="(default: %(default)s)")
    parser.add_argument("--lead", type=float, default=Plan.lead, metavar="SECONDS", help="(default: %(default)s)")
    chosen = parser.parse_args()
    plan = Plan(chosen.demands, chosen.spread, chosen.lead)
    try:
        with temporary_folder() as folder:
            overlay = Path(folder) / "promises.toml"
            overlay.write_text(plan.overlay(), encoding="utf-8")
            with Stack(Path(folder) / "data", port=0, overlay=overlay) as stack:
                report = asyncio.run(outage_in(stack, plan))
    except (BenchError, StackError) as broken:
        print(broken, file=sys.stderr)
        return 1
    print("\n".join(report.lines()), flush=True)
    return 1 if report.wrong or report.breaches != report.demands else 0


if __name__ == "__main__":
    sys.exit(main())
