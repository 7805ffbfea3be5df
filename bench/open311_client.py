"""A client that behaves as FixMyStreet does: XML only, no keys of its own for repetitions, patient and forgetful.

It sends a report until it gets an id, however often the line breaks; it asks for the updates of the last two hours again
and again and keeps those it does not know; it sends updates of its own until they are answered.

    python -m bench.open311_client --url http://127.0.0.1:8080/open311/v2 --key KEY --reports 100
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle
from time import perf_counter
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit
from xml.etree import ElementTree

import httpx2

Mishap = Literal["none", "unheard", "half_sent", "impatient"]
"""What happens to the first try: nothing, the line breaks before the answer, or in the middle of the body, or the client
gives up waiting and sends it again while the first one is still on its way."""

MISHAPS: tuple[Mishap, ...] = ("none", "unheard", "half_sent", "impatient")
FORM = "application/x-www-form-urlencoded"
WINDOW = timedelta(hours=2)
MOST_TRIES = 8


class GaveUp(Exception):
    """No answer that could be used, after every try."""


@dataclass
class Report:
    """What the client has of a report: its own id, and the other side's once it has told it."""

    id: str
    fields: dict[str, str]
    external_id: str | None = None
    tries: int = 0
    comments: dict[str, str] = field(default_factory=dict)


@dataclass
class Tally:
    answers: Counter[int] = field(default_factory=Counter)
    mishaps: Counter[str] = field(default_factory=Counter)
    again: int = 0
    unknown: int = 0


class Client:
    def __init__(self, url: str, key: str, *, own_numbers: bool = True, pause: float = 0.05) -> None:
        """`own_numbers`: whether reports carry `attribute[fixmystreet_id]`; without it they are known by what they say.
        `pause` stands for the minutes that FixMyStreet waits before it tries again, in seconds."""
        self.url, self._key, self._own_numbers, self._pause = url.rstrip("/"), key, own_numbers, pause
        self.reports: dict[str, Report] = {}
        self.tally = Tally()
        self.http = httpx2.AsyncClient(timeout=30)

    async def close(self) -> None:
        await self.http.aclose()

    # ---- reports

    async def send(self, report: Report, mishap: Mishap = "none") -> str:
        """The other side's id. Raises GaveUp."""
        self.reports[report.id] = report
        fields = {"api_key": self._key, **report.fields}
        if self._own_numbers:
            fields["attribute[fixmystreet_id]"] = report.id
        row = await self._until_answered("/requests.xml", fields, mishap, report)
        report.external_id = row["service_request_id"]
        return report.external_id

    async def comment(
        self, report: Report, update_id: str, text: str, status: str = "OPEN", mishap: Mishap = "none"
    ) -> str:
        """Send an update; returns the other side's id of it. Raises GaveUp."""
        assert report.external_id is not None, "a report is sent first"
        fields = {
            "api_key": self._key, "service_request_id": report.external_id, "update_id": update_id, "status": status,
            "updated_datetime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "description": text,
            "first_name": "丽", "last_name": "-",
        }  # fmt: skip
        return (await self._until_answered("/servicerequestupdates.xml", fields, mishap))["update_id"]

    async def _until_answered(
        self, path: str, fields: dict[str, str], mishap: Mishap, report: Report | None = None
    ) -> dict[str, str]:
        body = urlencode(fields).encode()
        early = None
        if mishap != "none":
            self.tally.mishaps[mishap] += 1
            early = await self._first_try(path, body, mishap)
        try:
            for attempt in range(MOST_TRIES):
                self.tally.again += attempt > 0 or mishap != "none"
                if report is not None:
                    report.tries += 1
                row = await self._try(path, body)
                if row is not None:
                    return row
                await asyncio.sleep(self._pause * 2**attempt)
            raise GaveUp(path)
        finally:
            if early is not None:
                await asyncio.gather(early, return_exceptions=True)

    async def _first_try(self, path: str, body: bytes, mishap: Mishap) -> asyncio.Task[Any] | None:
        if mishap == "impatient":
            return asyncio.create_task(self._try(path, body))
        address = urlsplit(self.url + path)
        head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nContent-Type: {FORM}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode()
        _, writer = await asyncio.open_connection(address.hostname, address.port)
        writer.write(head + (body if mishap == "unheard" else body[: len(body) // 2]))
        await writer.drain()
        writer.transport.abort()  # as when the line is cut: no farewell
        return None

    async def _try(self, path: str, body: bytes) -> dict[str, str] | None:
        try:
            answer = await self.http.post(self.url + path, content=body, headers={"Content-Type": FORM})
        except httpx2.TransportError:
            return None
        self.tally.answers[answer.status_code] += 1
        rows = rows_of(answer.content)
        return rows[0] if answer.is_success and rows else None

    # ---- updates

    async def poll(self) -> int:
        """Ask for the last two hours; how many updates were new."""
        now = datetime.now(UTC)
        span = {"start_date": now - WINDOW, "end_date": now + timedelta(seconds=1)}
        query = {"api_key": self._key, **{name: f"{at:%Y-%m-%dT%H:%M:%S}Z" for name, at in span.items()}}
        answer = await self.http.get(f"{self.url}/servicerequestupdates.xml", params=query)
        self.tally.answers[answer.status_code] += 1
        answer.raise_for_status()
        mine = {report.external_id: report for report in self.reports.values()}
        new = 0
        for row in rows_of(answer.content):
            report = mine.get(row.get("service_request_id"))
            if report is None or not row.get("update_id"):
                self.tally.unknown += 1
            elif row["update_id"] not in report.comments:
                report.comments[row["update_id"]] = row["status"]
                new += 1
        return new

    async def there(self) -> int:
        """How many requests the other side has in all."""
        answer = await self.http.get(f"{self.url}/requests.xml", params={"api_key": self._key, "page_size": 1})
        answer.raise_for_status()
        return int(answer.headers["X-Result-Count"])


def rows_of(content: bytes) -> list[dict[str, str]]:
    return [{part.tag: part.text or "" for part in row} for row in ElementTree.fromstring(content)]


def reports(count: int, prefix: str) -> list[Report]:
    """Reports of a district's matters at different points, each with words of its own."""
    codes = cycle(["010101", "120101", "030101", "050202"])
    return [
        Report(
            id=f"{prefix}-{n}",
            fields={
                "service_code": code, "lat": f"{29.362 + n % 10 / 1000:.4f}", "long": f"{105.910 + n // 10 / 1000:.4f}",
                "description": f"第 {n} 件（{prefix}）：路边的灯不亮，请来看看", "email": f"r{n}@example.org",
                "first_name": "丽", "last_name": "王", "media_url": f"https://example.org/photo/{n}.jpg",
            },
        )
        for n, code in zip(range(count), codes, strict=False)
    ]  # fmt: skip


async def run(client: Client, count: int, prefix: str, *, at_once: int = 8) -> dict[str, Any]:
    """Send that many, comment on each, withdraw every fourth, and poll until every withdrawal was heard of."""
    before, started = await client.there(), perf_counter()
    made = reports(count, prefix)
    gate = asyncio.Semaphore(at_once)

    async def one(report: Report, mishap: Mishap) -> None:
        async with gate:
            await client.send(report, mishap)
            await client.comment(report, f"{report.id}-c1", "还没有来人", mishap=mishap)

    await asyncio.gather(*(one(report, mishap) for report, mishap in zip(made, cycle(MISHAPS), strict=False)))
    sent = perf_counter() - started
    withdrawn = made[::4]
    for report in withdrawn:
        await client.comment(report, f"{report.id}-c2", "不用了", status="CANCELLED", mishap="unheard")
    polls = 0
    while not all("CANCELLED" in report.comments.values() for report in withdrawn):
        if polls == 200:
            raise GaveUp("updates")
        await client.poll()
        polls += 1
    repeated = await client.poll()
    return {
        "reports": count, "ids": len({report.external_id for report in made}), "more_demands": await client.there() - before,
        "sent_again": client.tally.again, "mishaps": dict(client.tally.mishaps), "answers": dict(client.tally.answers),
        "withdrawn": len(withdrawn), "updates_kept": sum(len(report.comments) for report in made),
        "new_in_a_repeated_poll": repeated, "seconds_to_send": round(sent, 2),
    }  # fmt: skip


async def _main(arguments: argparse.Namespace) -> int:
    client = Client(arguments.url, arguments.key, own_numbers=not arguments.by_words)
    try:
        told = await run(client, arguments.reports, f"b{int(datetime.now(UTC).timestamp())}")
    finally:
        await client.close()
    print(json.dumps(told, ensure_ascii=False))
    return 0 if told["ids"] == told["reports"] == told["more_demands"] else 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.open311_client", description=__doc__)
    parser.add_argument("--url", required=True, help="the base, such as http://127.0.0.1:8080/open311/v2")
    parser.add_argument("--key", required=True, help="an API key with the scope open311:write")
    parser.add_argument("--reports", type=int, default=100, metavar="N")
    parser.add_argument("--by-words", action="store_true", help="send no number of one's own")
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    sys.exit(main())
