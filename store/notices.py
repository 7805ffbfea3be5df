"""Notices and their deliveries as they are written: once each, whoever plans them and however often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg

from domain.notice_rules import DIGEST
from domain.notices import Planned
from store.pool import Connection
from store.record import turned

_NOTICES = """
insert into notice (number, seq, event, rule, audience, person, reader, template, language, urgent, at, created_at, send_at,
    state)
select number, seq, event, rule, audience, person, reader, template, language, urgent, at, $1, send_at, state
from unnest($2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
            $11::bool[], $12::timestamptz[], $13::timestamptz[], $14::text[])
    as g (number, seq, event, rule, audience, person, reader, template, language, urgent, at, send_at, state)
on conflict do nothing
returning id, number, seq, event, person, template
"""
# The row of a collection is written again where it stands, so that two who collect wait for one another.
_COLLECTIONS = """
insert into notice (event, rule, audience, person, template, language, urgent, at, created_at, send_at, state)
select $1, $1, 'holder', person, $1, language, false, send_at, $2, send_at, 'outgoing'
from unnest($3::text[], $4::text[], $5::timestamptz[]) as g (person, language, send_at)
order by person, send_at
on conflict (person, send_at) where event = 'digest' do update set state = excluded.state
returning id, person, send_at
"""
_DELIVERIES = """
insert into delivery (notice, channel, lane, position, state, attempts, next_at, number, urgent)
select notice, channel, lane, (extract(epoch from send_at) * 1000)::bigint, 'waiting', 0, send_at, number, urgent
from unnest($1::bigint[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bool[])
    as g (notice, channel, lane, send_at, number, urgent)
on conflict do nothing
"""

Key = tuple[str, int, str, str | None, str]


def lane_of(person: str | None, number: str | None) -> str:
    """What goes to one recipient goes in order: a member of staff, or the reporter of a demand."""
    return person if person is not None else f"reporter:{number}"


async def add(connection: Connection, planned: Sequence[Planned], now: datetime) -> int:
    """Write those that nobody has planned before, with their deliveries; how many they were.

    Part of the caller's transaction.
    """
    if not planned:
        return 0
    rows = await connection.fetch(_NOTICES, now, *turned([_values(one) for one in planned], 13))
    ids: dict[Key, int] = {
        (r["number"], r["seq"], r["event"], r["person"], r["template"]): r["id"] for r in rows
    }  # fmt: skip
    new = {ids[_key(one)]: one for one in planned if _key(one) in ids}
    deliveries: list[Delivery] = [
        (id, via, lane_of(one.person, one.number), one.send_at, one.number, one.urgent)
        for id, one in new.items() if not one.collected for via in one.channels
    ]  # fmt: skip
    deliveries += await _collect(connection, {id: one for id, one in new.items() if one.collected}, now)
    await deliver(connection, deliveries)
    return len(new)


def _key(one: Planned) -> Key:
    return one.number, one.seq, one.event, one.person, one.template


def _values(one: Planned) -> tuple[object, ...]:
    return (
        one.number, one.seq, one.event, one.rule, one.audience, one.person, one.reader, one.template, one.language,
        one.urgent, one.at, one.send_at, one.state,
    )  # fmt: skip


Delivery = tuple[int, str, str, datetime, str | None, bool]
"""Notice, channel, lane, when, number, urgent."""


async def deliver(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    """Send these notices on their way, each through a channel once."""
    if deliveries:
        await connection.execute(_DELIVERIES, *turned(deliveries, 6))


async def _collect(connection: Connection, members: Mapping[int, Planned], now: datetime) -> list[Delivery]:
    """Put them into the collections of their people; what these then go out by."""
    if not members:
        return []
    wanted = {(one.person, one.send_at): one.language for one in members.values()}
    keys = [(person, language, send_at) for (person, send_at), language in wanted.items()]
    rows = await connection.fetch(_COLLECTIONS, DIGEST, now, *turned(keys, 3))
    collections = {(r["person"], r["send_at"]): r["id"] for r in rows}
    into = [(id, collections[one.person, one.send_at]) for id, one in members.items()]
    await connection.execute(
        "update notice n set digest = g.digest from unnest($1::bigint[], $2::bigint[]) as g (id, digest) where n.id = g.id",
        *turned(into, 2),
    )
    found = {
        (collections[one.person, one.send_at], via, lane_of(one.person, None), one.send_at, None, False)
        for one in members.values() for via in one.channels
    }  # fmt: skip
    return sorted(found, key=lambda one: one[:2])


async def logs_of(connection: Connection, numbers: Sequence[str]) -> dict[str, list[asyncpg.Record]]:
    """The whole log of each demand, in order: what an event means depends on what was before it."""
    rows = await connection.fetch(
        "select number, seq, type, at, actor, data::text as data, hash from demand_event where number = any($1::text[])"
        " order by number, seq",
        list(numbers),
    )
    logs: dict[str, list[asyncpg.Record]] = {}
    for row in rows:
        logs.setdefault(row["number"], []).append(row)
    return logs


async def reporters_of(connection: Connection, numbers: Sequence[str]) -> dict[str, bytes]:
    """The sealed reporter of each demand that has one."""
    rows: list[Any] = await connection.fetch(
        "select number, sealed from reporter where number = any($1::text[])", list(numbers)
    )
    return {row["number"]: row["sealed"] for row in rows}
