"""Deliveries as planning leaves them, a desk that knows everybody's address, and a clock that only the test moves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from gateways.email import EmailGateway, SmtpServer
from gateways.sending import Gateway
from service.delivering import Delivering, Surroundings
from store.pool import Connection, Pool
from tests.gateways.mail_server import MailServer

NOON = datetime(2026, 11, 16, 4, tzinfo=UTC)
SENDER = "noreply@linli.test"


@dataclass
class Clock:
    at: datetime = NOON

    def __call__(self) -> datetime:
        return self.at

    def on(self, **more: float) -> None:
        self.at += timedelta(**more)


@dataclass(frozen=True)
class Words:
    subject: str
    body: str
    language: str = "zh"


@dataclass
class KnowsAll:
    """A lane is a person's id; their mailbox is their id. `owners` are the deliveries that somebody was to look after."""

    pool: Pool
    without_address: set[str] = field(default_factory=set)
    without_letter: set[str] = field(default_factory=set)
    breaks: bool = False
    owners: list[int] = field(default_factory=list)

    async def address(self, delivery: int) -> str | None:
        lane: str = await self.pool.fetchval("select lane from delivery where id = $1", delivery)
        return None if lane in self.without_address else f"{lane}@example.cn"

    async def letter(self, delivery: int) -> Words | None:
        lane: str = await self.pool.fetchval("select lane from delivery where id = $1", delivery)
        if self.breaks:
            raise KeyError("a template names what there is not")
        return None if lane in self.without_letter else Words("通知", f"{delivery}")

    async def raise_owner(self, connection: Connection, delivery: int, now: datetime) -> None:
        state = await connection.fetchval("select state from delivery where id = $1", delivery)
        assert state == "dead", "in the same transaction, after the state"
        self.owners.append(delivery)


def email_to(server: MailServer, **options: str) -> EmailGateway:
    query = "&".join(f"{name}={value}" for name, value in options.items())
    return EmailGateway(
        SmtpServer.parse(f"smtp://127.0.0.1:{server.port}?{query}"), SENDER, answer_seconds=5, send_seconds=20
    )  # fmt: skip


def delivering(pool: Pool, desk: KnowsAll, clock: Clock, gateways: Mapping[str, Gateway]) -> Delivering:
    return Delivering(gateways, Surroundings(pool, desk, clock, lambda: 0.5))


async def plan(
    pool: Pool, at: datetime, *lanes: str, channel: str = "email", urgent: bool = False
) -> list[int]:  # fmt: skip
    """A notice for each lane, one after the other, to be sent at `at`; returns the deliveries."""
    made = []
    for n, lane in enumerate(lanes):
        notice = await pool.fetchval(
            "insert into notice (event, rule, audience, person, reader, template, language, urgent, at, created_at,"
            " send_at, state) values ('test', 'test', 'holder', $1, $1, 'test', 'zh', $3, $2, $2, $2, 'outgoing')"
            " returning id",
            lane, at, urgent,
        )  # fmt: skip
        made.append(
            await pool.fetchval(
                "insert into delivery (notice, channel, lane, position, state, attempts, next_at, urgent)"
                " values ($1, $2, $3, $4, 'waiting', 0, $5, $6) returning id",
                notice, channel, lane, int(at.timestamp() * 1000) + n, at, urgent,
            )
        )  # fmt: skip
    return made


async def states(pool: Pool) -> dict[str, int]:
    rows = await pool.fetch("select state, count(*) n from delivery group by state")
    return {row["state"]: row["n"] for row in rows}


async def delivery(pool: Pool, id: int) -> Any:
    return await pool.fetchrow("select * from delivery where id = $1", id)


async def attempts(pool: Pool, id: int) -> list[tuple[str | None, str | None]]:
    rows = await pool.fetch("select outcome, code from delivery_attempt where delivery = $1 order by id", id)
    return [(row["outcome"], row["code"]) for row in rows]


def arrived(server: MailServer) -> dict[str, list[int]]:
    """Recipient → the deliveries that reached them, in the order in which they did."""
    found: dict[str, list[int]] = {}
    for letter in server.received:
        found.setdefault(letter.recipient.partition("@")[0], []).append(int(letter.text))
    return found
