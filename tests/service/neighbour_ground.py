"""A city system as a test needs it, over real HTTP and badly behaved on demand; and one worker's neighbours with a clock of
their own."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from domain.neighbours import Neighbour
from service.calendars import read_years
from service.neighbour_keeper import NeighbourKeeper
from service.publish_in_force import Base
from service.publish_watch import Watch, local_year
from store import forwardings
from store.forwardings import Forwarding
from tests.builders import BLOCKED_DRAIN, Product, resident
from tests.gateways.receivers import Received, Receiver, status
from tests.service.breaking import a_copy

KEY = "a key of theirs"
UNIT = "u-sanitation"


@dataclass
class City:
    """`mode` is how it takes a POST: ok, token, html, busy, lost, slow, huge, refused, empty. All but the last two keep it."""

    mode: str = "ok"
    reads: str = "ok"
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    forms: list[dict[str, str]] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)
    keys: set[str | None] = field(default_factory=set)
    listed: int = 0
    held: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0
    _server: asyncio.Server | None = None
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)
    _ids: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v2"

    async def start(self) -> None:
        receiver = Receiver(self._answer)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._tasks.add(task)
            await receiver.serve(reader, writer)

        self._server = await asyncio.start_server(serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()

    async def _answer(self, asked: Received) -> bytes | None:
        url = urlsplit(asked.path)
        query = {k: v[0] for k, v in parse_qs(url.query).items()}
        if asked.body:
            return await self._take({k: v[0] for k, v in parse_qs(asked.body.decode(), keep_blank_values=True).items()})
        self.keys.add(query.get("api_key"))
        if self.reads != "ok":
            return _bad(self.reads)
        return self._read(url.path.removeprefix("/v2/").removesuffix(".json"), query)

    def _read(self, what: str, query: dict[str, str]) -> bytes:
        if what == "requests":
            self.listed += 1
            return _json(list(self.requests.values()))
        kind, _, id = what.partition("/")
        if kind == "tokens":
            return _json([{"token": id, "service_request_id": self.tokens.get(id)}])
        return _json([self.requests[id]]) if id in self.requests else status(404)

    async def _take(self, form: dict[str, str]) -> bytes | None:
        self.keys.add(form.pop("api_key", None))
        if self.mode in ("refused", "empty"):
            return status(400, body=b"[]") if self.mode == "refused" else _json([])
        id = f"C-{next(self._ids)}"
        self.forms.append(form)
        self.requests[id] = {
            "service_request_id": id, "status": "open", "status_notes": None, "description": form["description"],
            "updated_datetime": "2026-11-23T10:00:00+08:00",
        }  # fmt: skip
        if self.mode == "hold":
            await self.held.wait()
        if self.mode == "token":
            self.tokens["T-1"] = ""
            return _json([{"token": "T-1"}])
        return _bad(self.mode) if self.mode != "ok" else _json([{"service_request_id": id, "account_id": None}])

    def change(self, id: str, status: str, notes: str, extended: str = "", *, minute: int = 1) -> None:
        self.requests[id] |= {
            "status": status, "status_notes": notes, "updated_datetime": f"2026-11-23T11:{minute:02}:00+08:00",
            "extended_attributes": {"extended_status": extended} if extended else {},
        }  # fmt: skip


def _bad(mode: str) -> bytes | None:
    match mode:
        case "html":
            return status(200, "Content-Type: text/html", body=b"<!DOCTYPE html><html><body>Welcome</body></html>")
        case "busy":
            return status(503, "Retry-After: 120")
        case "lost":
            return None
        case "huge":
            return status(200, body=b'[{"service_request_id": "' + b"9" * 6_000_000 + b'"}]')
        case "slow":
            return b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n["
    raise AssertionError(mode)


def _json(value: Any) -> bytes:
    return status(200, "Content-Type: application/json", body=json.dumps(value).encode())


@contextlib.asynccontextmanager
async def city(**more: Any) -> AsyncIterator[City]:
    one = City(**more)
    await one.start()
    try:
        yield one
    finally:
        await one.stop()


@dataclass
class Ground:
    """One worker's neighbours; several grounds of one product are several workers."""

    product: Product
    to: Neighbour
    offset: timedelta = timedelta(0)
    keeper: NeighbourKeeper = field(init=False)

    def __post_init__(self) -> None:
        settings, district = self.product.settings, self.product.desk.district
        self.product.desk.district = district.model_copy(update={"neighbours": (self.to,)})
        watch = Watch(
            self.product.pool,
            Base(read_years(settings.calendar), self.product.desk.district),
            year=local_year(district.timezone),
        )
        self.keeper = NeighbourKeeper(settings, self.product.pool, watch, now=self.now, timeout=timedelta(seconds=1.5))

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset

    async def work(self, later: timedelta = timedelta(0)) -> None:
        """All that is due, `later` than the last time."""
        self.offset += later
        await self.keeper.look(self.product.environment.client)
        await self.keeper.idle()

    async def submit(self, **more: Any) -> str:
        """A demand that the unit has got, and the neighbour has heard of."""
        await self.work()  # from here on the feed is followed
        number = await self.product.submit(resident(1), category=BLOCKED_DRAIN, **more)
        await self.product.started(number)
        demand = await self.product.row(number)
        assert demand.unit == UNIT
        await self.work()
        return number

    async def rows(self, number: str) -> list[Forwarding]:
        return await forwardings.of_demand(self.product.pool, number)

    async def row(self, number: str) -> Forwarding:
        return (await self.rows(number))[-1]


def with_room(folder: Path) -> Path:
    """A pack in which the unit has capacity for all the demands of these tests."""
    pack = a_copy(folder)
    units = pack / "units.toml"
    kept = re.sub(rf'(id = "{UNIT}-r2".*?capacity = )10', r"\g<1>500", units.read_text(encoding="utf-8"))
    units.write_text(kept, encoding="utf-8")
    return pack


def to(url: str, **more: Any) -> Neighbour:
    given = {"id": "city", "name": "城市管理平台", "unit": UNIT, "base_url": url, "services": {"0401": "DRAIN"}, **more}
    return Neighbour.model_validate(given)
