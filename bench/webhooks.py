"""`python -m bench.webhooks`: many events to three receivers, one failing every other time and one hanging, while the
worker is killed twice; then every receiver's own list is held against the event log.

A fresh stack, whose pauses between the tries of a delivery are seconds instead of hours. What is counted is what a
receiver took with a 2xx answer: all events of the log, each with a good signature, in order for each demand.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import asyncpg
import httpx2

from bench.ground import RESIDENTS, BenchError
from devstack.errors import StackError
from devstack.reset import temporary_folder
from devstack.stack import Stack
from domain.outgoing import OUTGOING
from gateways.webhooks import signing
from service.pack import load_pack
from service.tokens import mint

INTEGRATOR, CATEGORY = "p-0009", "120101"
PAUSES = "0.2,0.5,1,1,1,2,2,2,3,3,3,3,3,3,3,3,3,3,3,3"
EVENTS_OF_A_DEMAND, URGES = 10, 3
GIVE_UP_SECONDS = 1_800.0
KILLED_AT = (1 / 3, 2 / 3)


@dataclass
class Receiver:
    """`mood` says what it does with a request; `taken` are ids in the order in which it took them."""

    mood: str
    port: int = 0
    secret: str = ""
    requests: int = 0
    forged: int = 0
    taken: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
                headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
                body = await reader.readexactly(int(headers["content-length"]))
                writer.write(await self._answer(headers, body))
                await writer.drain()
        writer.close()

    async def _answer(self, headers: dict[str, str], body: bytes) -> bytes:
        self.requests += 1
        if self.mood == "hanging":
            await asyncio.sleep(3600)
        if self.mood == "failing" and self.requests % 2:
            return b"HTTP/1.1 500 no\r\nContent-Length: 0\r\n\r\n"
        id = headers["webhook-id"]
        right = signing.headers([self.secret], id, int(headers["webhook-timestamp"]), body)["webhook-signature"]
        if headers["webhook-signature"] == right and json.loads(body)["id"] == id:
            self.taken.append(id)
        else:
            self.forged += 1
        return b"HTTP/1.1 204 ok\r\nContent-Length: 0\r\n\r\n"


@contextlib.asynccontextmanager
async def listening(moods: tuple[str, ...]) -> AsyncIterator[list[Receiver]]:
    receivers, serving = [Receiver(mood) for mood in moods], set[asyncio.Task[None]]()

    def serve(one: Receiver, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.create_task(one.serve(reader, writer)))

    async with contextlib.AsyncExitStack() as stack:
        for one in receivers:
            server = await asyncio.start_server(partial(serve, one), "127.0.0.1", 0)
            stack.callback(server.close)
            one.port = server.sockets[0].getsockname()[1]
        yield receivers
    for task in serving:
        task.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


def headers(stack: Stack, person: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {mint(stack.token_secret, person)}", "Idempotency-Key": key}


async def subscribe(http: httpx2.AsyncClient, stack: Stack, one: Receiver) -> None:
    form = {"url": f"http://127.0.0.1:{one.port}/{one.mood}", "types": ["linli.demand.*", "linli.clock.*"]}
    answer = await http.post("/api/v1/webhooks", json=form, headers=headers(stack, INTEGRATOR, one.mood))
    if answer.status_code != 201:
        raise BenchError(f"No webhook: {answer.status_code} {answer.text[:200]}")
    one.secret = answer.json()["secret"]


async def make(http: httpx2.AsyncClient, stack: Stack, events: int) -> None:
    """Demands with a few urges each; commands are repeated under their key while the worker is away."""
    grids = [grid.id for grid in load_pack(stack.pack, None).grids]
    gate = asyncio.Semaphore(8)

    async def post(path: str, body: object, resident: str, key: str) -> httpx2.Response:
        until = time.monotonic() + 300
        while True:
            answer = await http.post(path, json=body, headers=headers(stack, resident, key))
            if answer.status_code < 500 or time.monotonic() > until:
                break
            await asyncio.sleep(0.5)
        if answer.status_code not in (200, 201):
            raise BenchError(f"Not taken: {answer.status_code} {answer.text[:200]}")
        return answer

    async def one(n: int) -> None:
        async with gate:
            resident = RESIDENTS[n % len(RESIDENTS)]
            body = {"text": "请问居住证怎么办理？", "category": CATEGORY, "location": {"grid": grids[n % len(grids)]}}
            number = (await post("/api/v1/demands", body, resident, f"webhooks-{n}")).json()["number"]
            for m in range(URGES):
                await post(f"/api/v1/demands/{number}/actions", {"type": "urge"}, resident, f"webhooks-{n}-{m}")

    await asyncio.gather(*(one(n) for n in range(events // EVENTS_OF_A_DEMAND)))


async def expected(db: asyncpg.Connection[asyncpg.Record]) -> dict[str, list[str]]:
    """Of each demand the ids of what leaves, in order."""
    rows = await db.fetch(
        "select number, number || '-' || seq || '-' || left(hash, 8) as id from demand_event"
        " where type = any($1::text[]) order by number, seq",
        list(OUTGOING),
    )
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row["number"], []).append(row["id"])
    return found


async def kill_on_the_way(stack: Stack, watched: Receiver, events: int) -> list[int]:
    """Kill the worker (SIGKILL) when the receiver has taken a third, and two thirds; how much it had then."""
    killed = []
    for share in KILLED_AT:
        while len(set(watched.taken)) < events * share:  # noqa: ASYNC110  (it is told from outside)
            await asyncio.sleep(0.02)
        killed.append(len(set(watched.taken)))
        await asyncio.to_thread(stack.kill, "worker")
        await asyncio.to_thread(stack.stop_part, "worker")
        await asyncio.to_thread(stack.start_part, "worker")
    return killed


def judge(one: Receiver, logs: dict[str, list[str]]) -> tuple[str, list[str]]:
    """A line about a receiver, and what is wrong with what it has."""
    times = Counter(one.taken)
    first = list(dict.fromkeys(one.taken))
    by_demand: dict[str, list[str]] = {}
    for id in first:
        by_demand.setdefault(id.rsplit("-", 2)[0], []).append(id)
    of_log = {id for ids in logs.values() for id in ids}
    missing = of_log - times.keys()
    disordered = sum(
        [id for id in by_demand.get(number, []) if id in of_log] != [id for id in ids if id in times]
        for number, ids in logs.items()
    )
    replaced = len(times.keys() - of_log)
    line = (
        f"{one.mood}: {len(of_log) - len(missing)} of {len(of_log)} events, {len(missing)} missing, {disordered} demands"
        f" out of order, {sum(times.values()) - len(times)} duplicates, {replaced} replaced by a later attempt,"
        f" {one.forged} with a bad signature; {one.requests} requests"
    )
    wrong = [f"{one.mood}: {line}"] if missing or disordered or one.forged else []
    return line, wrong


async def run(stack: Stack, events: int) -> tuple[list[str], list[str]]:
    """What is told, and what is wrong."""
    db = await asyncpg.connect(stack.database_url)
    try:
        async with listening(("well", "failing", "hanging")) as receivers:
            well, failing, hanging = receivers
            async with httpx2.AsyncClient(base_url=stack.url, timeout=60) as http:
                for one in receivers:
                    await subscribe(http, stack, one)
                began = time.monotonic()
                making = asyncio.create_task(make(http, stack, events))
                killing = asyncio.create_task(kill_on_the_way(stack, well, events))
                await making
                made = time.monotonic() - began
                killed = await asyncio.wait_for(killing, GIVE_UP_SECONDS)
            logs = await settled(db, (well, failing))
            took = time.monotonic() - began
            told = [
                f"{sum(map(len, logs.values()))} events of {len(logs)} demands, made in {made:.0f} s, all there after "
                f"{took:.0f} s; worker killed when `well` had {killed[0]} and {killed[1]} of them"
            ]
            wrong: list[str] = []
            for one in (well, failing):
                line, more = judge(one, logs)
                told.append(line)
                wrong += more
            told.append(f"hanging: {hanging.requests} requests, none answered")
            return told, wrong
    finally:
        await db.close()


async def settled(db: asyncpg.Connection[asyncpg.Record], living: tuple[Receiver, ...]) -> dict[str, list[str]]:
    """The log once nothing more comes and the living receivers have it all, or the patience is over."""
    until, before = time.monotonic() + GIVE_UP_SECONDS, -1
    while time.monotonic() < until:
        logs = await expected(db)
        count = sum(map(len, logs.values()))
        of_log = {id for ids in logs.values() for id in ids}
        if count == before and all(of_log <= set(one.taken) for one in living):
            break
        before = count
        await asyncio.sleep(1)
    return logs


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.webhooks", description=__doc__)
    parser.add_argument("--events", type=int, default=10_000, metavar="N", help="about so many (default: %(default)s)")
    events = parser.parse_args().events
    settings = {"LINLI_WEBHOOK_PAUSES": PAUSES, "LINLI_WEBHOOK_ALLOW": "127.0.0.0/8"}
    try:
        with temporary_folder() as folder, Stack(Path(folder) / "data", port=0, settings=settings) as stack:
            told, wrong = asyncio.run(run(stack, events))
    except (BenchError, StackError) as broken:
        print(broken, file=sys.stderr)
        return 1
    print("\n".join([*told, *(f"wrong: {sentence}" for sentence in wrong or ["nothing"])]), flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
