"""What only the servers can tell, read behind the API's back: rows, texts, outbox, workflows and their own state."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from temporalio.client import (
    Client,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowQueryFailedError,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.service import RPCError

from bench.simulation.audit import Log
from bench.simulation.audit_clocks import check_clocks
from contracts import names
from domain.demand import Demand
from domain.meeting import Item

_SETTLE_SECONDS = 20.0
_LEASE_SECONDS = 30.0
_OF_MINUTES = ("minute", "plan")
"""Texts that the minutes name, not a demand's log."""
_NUMBER = "^[0-9]{8}-[0-9]+$"
"""A demand's; keys of projects and of the rotation's changes stand in the same table."""


@dataclass
class Servers:
    """`wrong` are the sentences; `history` is the number of history events of each demand's workflow."""

    wrong: list[str] = field(default_factory=list)
    history: list[int] = field(default_factory=list)


async def numbers_in(database_url: str) -> frozenset[str]:
    """Every demand that is there already."""
    db = await asyncpg.connect(database_url)
    try:
        return frozenset(row["number"] for row in await db.fetch("select number from demand"))
    finally:
        await db.close()


async def check_servers(
    logs: list[Log], before: frozenset[str], *, database_url: str, temporal_address: str
) -> Servers:
    """For a stack that nobody else uses; `before` are the demands it held before these."""
    found = Servers()
    client = await Client.connect(temporal_address, data_converter=pydantic_data_converter)
    connection = await asyncpg.connect(database_url)
    try:
        found.wrong += await _check_tables(connection, logs, before)
    finally:
        await connection.close()
    await _check_workflows(client, logs, len(logs) + len(before), found)
    found.wrong += await _check_meetings(client, logs)
    return found


async def _check_tables(db: asyncpg.Connection, logs: list[Log], before: frozenset[str]) -> list[str]:
    wrong = []
    numbers = [log.number for log in logs]
    states = {r["number"]: r["state"] for r in await db.fetch("select number, state::text state from demand")}
    for log in logs:
        row = states.get(log.number)
        if row is None:
            wrong.append(f"{log.number}: no row (lost)")
        elif Demand.model_validate_json(row) != log.demand:
            apart = _apart(Demand.model_validate_json(row), log.demand)
            wrong.append(f"{log.number}: the state in its row is not what its log makes: {apart}")
    for table in ("demand", "idempotency"):
        count = await db.fetchval(
            f"select count(*) from {table} where number ~ $2 and number <> all($1::text[])", list(before), _NUMBER
        )
        if count != len(numbers):
            wrong.append(f"table {table} has {count} rows for {len(numbers)} accepted demands")
    if left := await _left_in_outbox(db, numbers):
        wrong.append(f"{left} starts are still in the outbox")
    return wrong + await check_clocks(db) + await _check_texts(db, logs) + await _check_agendas(db)


async def _left_in_outbox(db: asyncpg.Connection, numbers: list[str]) -> int:
    """What is left when every lease is over: a start that somebody else made too is looked at again before it goes."""
    left = 0
    for _ in range(int(_LEASE_SECONDS)):
        left = await db.fetchval("select count(*) from outbox where number = any($1::text[])", numbers)
        if not left:
            break
        await asyncio.sleep(1)
    return left


def _apart(one: Demand, other: Demand) -> str:
    fields = [name for name in Demand.model_fields if getattr(one, name) != getattr(other, name)]
    return "; ".join(f"{name} {getattr(one, name)!r} and {getattr(other, name)!r}" for name in fields)


async def _check_texts(db: asyncpg.Connection, logs: list[Log]) -> list[str]:
    """Every text that a log names is kept, and no text is kept that no log names."""
    rows = await db.fetch(
        "select id, kind from demand_text where kind <> 'demand' and number = any($1::text[])",
        [log.number for log in logs],
    )
    kept, minutes = ({r["id"] for r in rows if (r["kind"] in _OF_MINUTES) is asked} for asked in (False, True))
    named = {
        str(text) for log in logs for entry in log.entries
        for text in (entry.data.get("reply_id"), entry.data.get("note_id"))
        if text and not str(text).startswith("screening:")
    }  # fmt: skip
    lost, orphans = named - kept - minutes, kept - named
    return [
        *([f"{len(lost)} texts that logs name are not kept, such as {min(lost)}"] if lost else []),
        *([f"{len(orphans)} texts are kept that no log names, such as {min(orphans)}"] if orphans else []),
    ]


async def _check_agendas(db: asyncpg.Connection) -> list[str]:
    rows = await db.fetch(
        "select i.meeting, i.number, i.turn from meeting_item i join demand d using (number)"
        " where i.ended_at is null and d.stage <> 'meeting'"
    )
    return [f"{r['number']}: still on the agenda of {r['meeting']} as turn {r['turn']}" for r in rows]


async def _check_workflows(client: Client, logs: list[Log], expected: int, found: Servers) -> None:
    gate = asyncio.Semaphore(8)

    async def one(log: Log) -> None:
        async with gate:
            found.wrong += await _check_workflow(client, log, found)

    await asyncio.gather(*(one(log) for log in logs))
    until = asyncio.get_running_loop().time() + _SETTLE_SECONDS
    query = f"WorkflowType = '{names.DEMAND_WORKFLOW}'"
    while (count := (await client.count_workflows(query)).count) != expected:
        if asyncio.get_running_loop().time() > until:  # the list of workflows follows a moment later
            found.wrong.append(f"Temporal has {count} demand workflows for {expected} accepted demands")
            return
        await asyncio.sleep(0.5)


async def _settled(handle: WorkflowHandle[Any, Any], wanted: WorkflowExecutionStatus) -> WorkflowExecutionDescription:
    """As it is described once it stands as `wanted`, or after ten seconds: its last event is in the tables before its
    last task is committed, and after a worker's death that takes another task."""
    described = await handle.describe()
    for _ in range(20):
        if described.status is wanted:
            break
        await asyncio.sleep(0.5)
        described = await handle.describe()
    return described


async def _check_workflow(client: Client, log: Log, found: Servers) -> list[str]:
    wanted = WorkflowExecutionStatus.COMPLETED if log.demand.sealed else WorkflowExecutionStatus.RUNNING
    handle = client.get_workflow_handle(log.number)
    try:
        described = await _settled(handle, wanted)
        state = await handle.query("state", result_type=Demand)
    except RPCError as failed:
        return [f"{log.number}: its workflow does not answer: {failed.status.name} (lost)"]
    except WorkflowQueryFailedError as failed:
        return [f"{log.number}: its history cannot be replayed: {failed.message}"]
    found.history.append(described.history_length)
    wrong = []
    if described.status is not wanted:
        wrong.append(f"{log.number}: its workflow is {described.status and described.status.name}, not {wanted.name}")
    if state != log.demand:
        wrong.append(
            f"{log.number}: the workflow's state (event {state.seq}) is not its log's (event {log.demand.seq})"
        )
    shown = described.typed_search_attributes.get(names.STAGE)
    if log.demand.sealed and shown != log.demand.stage:
        wrong.append(f"{log.number}: the search attribute Stage says {shown}, the log {log.demand.stage}")
    return wrong


async def _check_meetings(client: Client, logs: list[Log]) -> list[str]:
    """A meeting that decided everything has nothing on its agenda."""
    sent = Counter(str(e.data["meeting"]) for log in logs for e in log.entries if e.type == "sent_to_meeting")
    wrong = []
    closed = {log.number for log in logs if log.demand.closed_at is not None}
    for meeting in sent:
        handle = client.get_workflow_handle(names.meeting_workflow_id(meeting))
        left = [i.number for i in await handle.query("agenda", result_type=list[Item]) if i.number in closed]
        if left:
            wrong.append(f"the workflow of {meeting} still has closed demands on its agenda: {', '.join(left[:5])}")
    return wrong
