"""Reading notices: what a delivery is about, somebody's inbox, and who was told what about a demand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import asyncpg

from domain.demand import Demand
from store.pool import Connection, Pool

_SELECT = """
select n.id, n.number, n.seq, n.event, n.rule, n.audience, n.person, n.template, n.language, n.urgent, n.at, n.created_at,
    n.send_at, n.digest, n.read_at, n.state, d.state as demand, e.data::text as data, l.channel as lost_channel,
    l.person as lost_person
from notice n left join demand d on d.number = n.number
    left join demand_event e on e.number = n.number and e.seq = n.seq
    left join lateral (
        select x.channel, m.person from notice m join delivery x on x.notice = coalesce(m.digest, m.id)
        where n.event = 'undeliverable' and m.number = n.number and m.seq = n.seq and m.event <> 'undeliverable'
            and x.state = 'dead'
        order by x.id desc limit 1
    ) l on true
"""
Shelf = Literal["unread", "read"]


@dataclass(frozen=True)
class Noticed:
    """A notice as it is stored, with the demand of now and the event's data. `lost` is channel and person, None for the
    reporter, of the delivery that it tells of."""

    id: int
    number: str | None
    seq: int | None
    event: str
    audience: str
    person: str | None
    template: str
    language: str
    urgent: bool
    at: datetime
    send_at: datetime
    digest: int | None
    read_at: datetime | None
    state: str
    rule: str
    demand: Demand | None
    data: Mapping[str, Any]
    lost: tuple[str, str | None] | None


def _noticed(row: asyncpg.Record) -> Noticed:
    state, lost = row["demand"], row["lost_channel"]
    return Noticed(
        id=row["id"], number=row["number"], seq=row["seq"], event=row["event"], audience=row["audience"],
        person=row["person"], template=row["template"], language=row["language"], urgent=row["urgent"], at=row["at"],
        send_at=row["send_at"], digest=row["digest"], read_at=row["read_at"], state=row["state"], rule=row["rule"],
        demand=None if state is None else Demand.model_validate_json(state),
        data=json.loads(row["data"]) if row["data"] else {}, lost=None if lost is None else (lost, row["lost_person"]),
    )  # fmt: skip


async def of_delivery(database: Pool | Connection, delivery: int) -> tuple[str, Noticed] | None:
    """Its channel and its notice."""
    row = await database.fetchrow("select notice, channel from delivery where id = $1", delivery)
    if row is None:
        return None
    found = await database.fetchrow(f"{_SELECT} where n.id = $1", row["notice"])
    return None if found is None else (row["channel"], _noticed(found))


async def members_of(database: Pool | Connection, digest: int) -> list[Noticed]:
    """What is collected in it, in the order in which it was planned."""
    rows = await database.fetch(f"{_SELECT} where n.digest = $1 order by n.id", digest)
    return [_noticed(row) for row in rows]


async def tried(connection: Connection, notice: int) -> dict[str, str]:
    """Channel → state of its deliveries."""
    rows = await connection.fetch("select channel, state from delivery where notice = $1", notice)
    return {row["channel"]: row["state"] for row in rows}


# ---- the inbox


async def inbox(pool: Pool, reader: str, shelf: Shelf, *, below: int | None, limit: int) -> list[Noticed]:
    """Newest first, one shelf of it: the unread or the read."""
    read = "n.read_at is null" if shelf == "unread" else "n.read_at is not null"
    rows = await pool.fetch(
        f"{_SELECT} where n.reader = $1 and {read} and ($2::bigint is null or n.id < $2) order by n.id desc limit $3",
        reader, below, limit,
    )  # fmt: skip
    return [_noticed(row) for row in rows]


async def unread(pool: Pool, reader: str) -> int:
    count: int = await pool.fetchval("select count(*) from notice where reader = $1 and read_at is null", reader)
    return count


async def mark_read(pool: Pool, reader: str, ids: Sequence[int] | None, upto: int | None, now: datetime) -> int:
    """The reader's own only; without `ids` all of them up to the notice `upto`. How many were unread."""
    done: str = await pool.execute(
        "update notice set read_at = $4 where reader = $1 and read_at is null"
        " and ($2::bigint[] is null or id = any($2::bigint[])) and ($3::bigint is null or id <= $3)",
        reader, None if ids is None else list(ids), upto, now,
    )  # fmt: skip
    return int(done.split()[-1])


# ---- the timeline of a demand


@dataclass(frozen=True)
class Sent:
    """A delivery. `tries` are its attempts."""

    channel: str
    state: str
    tries: int
    next_at: datetime
    last_error: str | None
    delivered_at: datetime | None


async def of_demand(
    pool: Pool, number: str, *, after: int, limit: int, reporters_only: bool = False
) -> list[tuple[Noticed, list[Sent]]]:
    """Everybody who was to be told, in the order in which that was planned, and how it went out."""
    rows = await pool.fetch(
        f"{_SELECT} where n.number = $1 and n.id > $2 and (n.person is null or not $4) order by n.id limit $3",
        number, after, limit, reporters_only,
    )  # fmt: skip
    found = [_noticed(row) for row in rows]
    sent: dict[int, list[Sent]] = {}
    for row in await pool.fetch(
        "select notice, channel, state, attempts, next_at, last_error, delivered_at from delivery"
        " where notice = any($1::bigint[]) order by id",
        [one.digest or one.id for one in found],
    ):
        sent.setdefault(row["notice"], []).append(
            Sent(row["channel"], row["state"], row["attempts"], row["next_at"], row["last_error"], row["delivered_at"])
        )
    return [(one, sent.get(one.digest or one.id, [])) for one in found]
