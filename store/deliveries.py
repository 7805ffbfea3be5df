"""Deliveries in the database: claimed for a while with the attempt on record, then settled together with the channel.

A claim is a lease. Who sends without settling, because the process ended, loses it: the next claim closes the open
attempt as lost and sends again. So a message goes out twice only when a worker ends, or loses its database for longer
than the lease, between the server's yes and the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

import asyncpg

from domain.delivery import OUTAGE_LIMIT, Circuit, Outcome, State, Verdict, verdict
from store.pool import Connection, Pool


class Why(Enum):
    """Why a delivery was claimed: to send it, to see whether its channel is back, or to give it up for the channel."""

    SEND = auto()
    PROBE = auto()
    GIVE_UP = auto()


@dataclass(frozen=True)
class Claim:
    """A delivery that is ours until `until`. `tried` counts the attempts before this one."""

    id: int
    attempt: int
    notice: int
    channel: str
    lane: str
    position: int
    tried: int
    waiting_since: datetime
    until: datetime
    why: Why

    @property
    def message_id(self) -> str:
        """The same at every attempt, and not the same in another installation."""
        return f"{self.id}.{self.position}"


# Due, and no earlier one open in its lane. What a lost worker had claimed goes before the others of its lane: it may
# have been sent already.
_FREE = """
select d.id from delivery d
where d.channel = $1 and d.state in ('waiting', 'sending', 'failed')
    and case d.state when 'sending' then d.claimed_until < $2 else d.next_at <= $2 end
    and not exists (
        select from delivery e where e.lane = d.lane and e.channel = d.channel and e.id <> d.id
            and e.state in ('waiting', 'sending', 'failed')
            and case when e.state = 'sending' and e.claimed_until >= $2 then true when d.state = 'sending' then false
                     else e.state = 'sending' or (e.position, e.id) < (d.position, d.id) end)
"""
_CLAIM = """
with free as ({free} for update of d skip locked), lost as (
    update delivery_attempt set ended_at = $2, outcome = 'lost', code = 'worker_lost'
    where delivery in (select id from free) and ended_at is null
), taken as (
    update delivery set state = 'sending', claimed_until = $3, attempts = attempts + 1
    where id in (select id from free)
    returning id, notice, lane, position, attempts, replayed_at
), begun as (
    insert into delivery_attempt (delivery, started_at) select id, $2 from taken returning id as attempt, delivery
)
select * from taken join begun on delivery = id order by position, id
"""
_SEND = _CLAIM.format(free=f"{_FREE} and d.urgent = $5 order by d.position, d.id limit $4")
# Who was tried longest ago goes first, so that one recipient in trouble does not keep a channel at rest.
_PROBE = _CLAIM.format(free=f"{_FREE} order by d.next_at, d.position, d.id limit $4")
_GIVE_UP = _CLAIM.format(
    free=f"{_FREE} and d.position < $5 and coalesce(d.replayed_at < $6, true) order by d.position, d.id limit $4"
)
_CIRCUIT = "select down_since, probe_at, probes, suspects from channel_state where channel = $1"


async def claim(pool: Pool, channel: str, *, now: datetime, until: datetime, limit: int) -> list[Claim]:
    """Deliveries that may go out now, the urgent ones first; while the channel rests, at most one to probe it."""
    circuit = _circuit(await pool.fetchrow(_CIRCUIT, channel))
    if circuit.rests:
        return await _claim_of_resting(pool, channel, circuit, now, until, limit)
    claimed: list[Claim] = []
    for urgent in (True, False):
        if len(claimed) < limit:
            rows = await pool.fetch(_SEND, channel, now, until, limit - len(claimed), urgent)
            claimed += [_claim(row, channel, until, Why.SEND) for row in rows]
    return claimed


async def _claim_of_resting(
    pool: Pool, channel: str, seen: Circuit, now: datetime, until: datetime, limit: int
) -> list[Claim]:
    oldest = now - OUTAGE_LIMIT
    if seen.down_since is not None and seen.down_since <= oldest:
        rows = await pool.fetch(_GIVE_UP, channel, now, until, limit, _position(oldest), oldest)
        if rows:
            return [_claim(row, channel, until, Why.GIVE_UP) for row in rows]
    if not seen.may_send(now):
        return []
    async with pool.acquire() as connection, connection.transaction():
        circuit = _circuit(await connection.fetchrow(f"{_CIRCUIT} for update", channel))
        if not circuit.rests or not circuit.may_send(now):
            return []  # another worker was quicker
        rows = await connection.fetch(_PROBE, channel, now, until, 1)
        if rows:
            await _keep_circuit(connection, channel, circuit.probing(until))
        return [_claim(row, channel, until, Why.PROBE) for row in rows]


async def settle(
    connection: Connection, one: Claim, outcome: Outcome, *, now: datetime, chance: float
) -> Verdict | None:
    """Write down what became of an attempt, of its delivery and of its channel, in the transaction on `connection`.

    None when the delivery is not ours any more: the lease was over and somebody else has claimed it.
    """
    await connection.execute("select from delivery where id = $1 for update", one.id)
    ours = await connection.fetchval(
        "update delivery_attempt set ended_at = $2, outcome = $3, code = $4 where id = $1 and ended_at is null"
        " returning true",
        one.attempt, now, outcome.kind, outcome.reason,
    )  # fmt: skip
    if not ours:
        return None
    await connection.execute(
        "insert into channel_state (channel, probes, suspects) values ($1, 0, '{}') on conflict do nothing", one.channel
    )
    before = _circuit(await connection.fetchrow(f"{_CIRCUIT} for update", one.channel))
    said = verdict(
        outcome, tried=one.tried, waiting_since=one.waiting_since, circuit=before, now=now, chance=chance
    )  # fmt: skip
    await connection.execute(
        "update delivery set state = $2, attempts = $3, next_at = coalesce($4, next_at), claimed_until = null,"
        " last_error = $5, delivered_at = $6 where id = $1",
        one.id, said.state, said.tried, said.next_at, said.reason, now if said.state is State.DELIVERED else None,
    )  # fmt: skip
    await _keep_health(connection, one.channel, outcome, now)
    after = before.after(outcome, one.lane, now, chance, probe=one.why is Why.PROBE)
    if after != before:
        await _keep_circuit(connection, one.channel, after)
    return said


async def channel_works(pool: Pool, channel: str, now: datetime) -> None:
    """Somebody has seen it work: it rests no longer."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "insert into channel_state (channel, probes, suspects) values ($1, 0, '{}') on conflict do nothing", channel
        )
        await _keep_circuit(connection, channel, Circuit())
        await connection.execute("update channel_state set last_success_at = $2 where channel = $1", channel, now)


async def _keep_health(connection: Connection, channel: str, outcome: Outcome, now: datetime) -> None:
    if outcome.delivered:
        await connection.execute("update channel_state set last_success_at = $2 where channel = $1", channel, now)
    elif outcome.of_service:
        await connection.execute(
            "update channel_state set last_failure_at = $2, last_failure = $3 where channel = $1",
            channel, now, outcome.reason,
        )  # fmt: skip


async def _keep_circuit(connection: Connection, channel: str, circuit: Circuit) -> None:
    await connection.execute(
        "update channel_state set down_since = $2, probe_at = $3, probes = $4, suspects = $5 where channel = $1",
        channel, circuit.down_since, circuit.probe_at, circuit.probes, list(circuit.suspects),
    )  # fmt: skip


def _circuit(row: asyncpg.Record | None) -> Circuit:
    if row is None:
        return Circuit()
    return Circuit(
        down_since=row["down_since"], probe_at=row["probe_at"], probes=row["probes"], suspects=tuple(row["suspects"])
    )


def _claim(row: asyncpg.Record, channel: str, until: datetime, why: Why) -> Claim:
    planned = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=row["position"])
    return Claim(
        id=row["id"], attempt=row["attempt"], notice=row["notice"], channel=channel, lane=row["lane"],
        position=row["position"], tried=row["attempts"] - 1, waiting_since=max(planned, row["replayed_at"] or planned),
        until=until, why=why,
    )  # fmt: skip


def _position(at: datetime) -> int:
    """Milliseconds since 1970, as `delivery.position` counts."""
    return int(at.timestamp() * 1000)
