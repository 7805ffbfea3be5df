"""Rows on their way to the API: several at a time, each under its own key, repeated until there is a verdict."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from cli.server import NoServer, Server
from service.importing.bodies import BadRow, Body, Maker
from service.importing.checking import column_of
from service.importing.refusals import Refusal
from service.importing.rows import CsvFile, Row

PATIENCE_SECONDS = 300.0
_TRY_AGAIN = (429, 502, 503, 504)
_ADVICE = {
    "idempotency_key_reused": "It was imported before with other content or other options; change that demand instead.",
    "phone": "Write digits, spaces and hyphens only, 5 to 20 of them, after an optional +.",
    "body_too_large": "The row is too long for the server: shorten its text.",
}


@dataclass
class Tally:
    """`there` were taken in by an earlier run, or stand twice in the file."""

    taken: int = 0
    there: int = 0
    refusals: list[Refusal] = field(default_factory=list)
    repeated_calls: int = 0
    at_byte: int = 0

    @property
    def rows(self) -> int:
        return self.taken + self.there + len(self.refusals)


class Sender:
    """Raises NoServer when the server refuses us altogether, or stays away for too long."""

    def __init__(self, http: httpx2.AsyncClient, tally: Tally, on_change: Callable[[], None]) -> None:
        self._http, self._tally, self._on_change = http, tally, on_change
        self._last_verdict = time.monotonic()

    async def send(self, rows: Iterable[Row], file: CsvFile, maker: Maker, *, at_once: int) -> None:
        gate = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as group:
            for row in rows:
                await gate.acquire()  # the file is read only as fast as the server takes it
                task = group.create_task(self._one(row, file, maker))
                task.add_done_callback(lambda _: gate.release())

    async def _one(self, row: Row, file: CsvFile, maker: Maker) -> None:
        refusal = row.refusal
        if refusal is None:
            try:
                body, key = maker.make(row.values)
            except BadRow as bad:
                refusal = Refusal(row.number, row.line, bad.code, file.column(bad.field), bad.what_to_do)
            else:
                refusal = self._judge(row, file, await self._verdict(body, key))
        if refusal is not None:
            self._tally.refusals.append(refusal)
        self._tally.at_byte = max(self._tally.at_byte, row.end)
        self._on_change()

    def _judge(self, row: Row, file: CsvFile, said: httpx2.Response) -> Refusal | None:
        if said.status_code == 201 and said.headers.get("Idempotency-Replayed") != "true":
            self._tally.taken += 1
            return None
        problem = _problem(said)
        if said.status_code == 201 or problem.get("code") == "external_ref_taken":
            self._tally.there += 1
            return None
        if said.status_code in (401, 403):
            raise NoServer(f"The server does not let this token import: {problem.get('detail', said.status_code)}")
        code = str(problem.get("code", said.status_code))
        where, advice = _explained(problem)
        return Refusal(
            row.number,
            row.line,
            code,
            file.column(where) if where else "",
            _ADVICE.get(where or "", _ADVICE.get(code, advice)),
        )

    async def _verdict(self, body: Body, key: str) -> httpx2.Response:
        """The same key every time, so that a lost answer is no second demand."""
        tries = 0
        while True:
            try:
                said = await self._http.post("/api/v1/demands", json=body, headers={"Idempotency-Key": key})
                if said.status_code not in _TRY_AGAIN:
                    self._last_verdict = time.monotonic()
                    return said
                wait = float(said.headers.get("Retry-After", 1))
            except httpx2.TransportError:
                wait = 0.0
            if time.monotonic() - self._last_verdict > PATIENCE_SECONDS:
                raise NoServer(
                    f"The server has not answered for {PATIENCE_SECONDS:.0f} s. Run the same command again when it is "
                    "back: it goes on where this ended, and takes nothing in twice."
                )
            self._tally.repeated_calls += 1
            await asyncio.sleep(max(wait, min(10.0, 0.25 * 2**tries)) * random.uniform(0.75, 1.25))
            tries = min(tries + 1, 8)


def _problem(said: httpx2.Response) -> dict[str, Any]:
    try:
        found = said.json()
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _explained(problem: dict[str, Any]) -> tuple[str | None, str]:
    """The field that is meant, and what to do: the first of the problem's `errors`, or its rule."""
    errors = problem.get("errors") or [{}]
    pointer = str(errors[0].get("pointer") or (problem.get("facts") or {}).get("field") or "")
    where = column_of(pointer)
    advice = errors[0].get("detail") or problem.get("rule") or problem.get("detail") or "Correct the row."
    return where, str(advice)


@asynccontextmanager
async def connected(server: Server, at_once: int) -> AsyncIterator[httpx2.AsyncClient]:
    """A client that has been let in. Raises NoServer."""
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    headers = {"Authorization": f"Bearer {server.token}", "Accept-Language": "en"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers, limits=limits, timeout=30.0) as http:
        try:
            said = await http.get("/api/v1/communities")
        except (httpx2.TransportError, httpx2.InvalidURL, httpx2.UnsupportedProtocol) as problem:
            raise NoServer(f"{server.url} does not answer ({type(problem).__name__}): is it running?") from None
        if said.status_code in (401, 403):
            raise NoServer(f"{server.url} does not know this token: {_problem(said).get('detail', said.status_code)}")
        if said.status_code != 200:
            raise NoServer(f"{server.url} is no Linli server: /api/v1/communities was answered {said.status_code}.")
        yield http


async def categories_of(http: httpx2.AsyncClient) -> dict[str, str]:
    """Name -> code of every leaf, in Chinese and in English."""
    leaves = (await http.get("/api/v1/categories")).json()
    return {leaf[name]: leaf["code"] for leaf in leaves for name in ("name_en", "name")}
