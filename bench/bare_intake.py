"""The floor of intake: FastAPI and asyncpg alone, one statement that writes the rows a demand of ours writes.

It decides nothing, knows nobody, encrypts nothing: a validated body goes in, and the rows of one real demand (`SAMPLE`)
are written again under a new number into tables of the same make in the schema `floor`. One commit, same server.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import uuid4

from fastapi import FastAPI, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from store.pool import Pool, open_pool

TABLES = ("idempotency", "demand", "demand_event", "clock", "demand_text", "reporter", "outbox")
GENERATED = ("co_units",)  # columns that the database works out by itself
SCHEMA = "floor"
POOL_SIZE = 10  # as the API has
LEASE = timedelta(seconds=20)
KINDS = {
    "seq": "int", "at": "timestamptz", "performed_at": "timestamptz", "data": "jsonb", "due_at": "timestamptz",
    "started_at": "timestamptz", "paused_at": "timestamptz", "breached": "bool", "warned": "int2", "provisional": "bool",
}  # fmt: skip


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BareLocation(_Form):
    lat: float | None = None
    lon: float | None = None
    compound: str | None = None
    building: str | None = None
    room: str | None = None
    grid: str | None = None


class BareReporter(_Form):
    name: str | None = None
    phone: str | None = None


class BareDemand(_Form):
    """The fields of our form, without its rules."""

    text: Annotated[str, Field(min_length=1, max_length=10_000)]
    category: str | None = None
    location: BareLocation | None = None
    reporter: BareReporter | None = None
    channel: str = "resident"
    confidential: bool = False


class Writer:
    """The statement and its parameters, made from the sample's rows; only number, key and instant change."""

    def __init__(self, rows: dict[str, list[dict[str, Any]]]) -> None:
        self._values: list[Any] = []
        self._parts: list[str] = []
        for table in ("idempotency", "demand", "demand_text", "reporter"):
            self._single(table, rows[table][0])
        for table in ("demand_event", "clock"):
            self._several(table, rows[table])
        self._parts.append(
            f"insert into {SCHEMA}.outbox (kind, number, claimed_until, attempts) values ('start', $1, $3 + $4, 0)"
        )
        named = ", ".join(f"p{i} as ({part})" for i, part in enumerate(self._parts[:-1]))
        self._statement = f"with {named} {self._parts[-1]}"
        self._answer: str = rows["idempotency"][0]["answer"]
        self._sample: str = rows["demand"][0]["number"]

    def _parameter(self, value: Any) -> str:
        self._values.append(value)
        return f"${len(self._values) + 4}"

    def _single(self, table: str, row: dict[str, Any]) -> None:
        fixed = {"number": "$1", "key": "$2", "opened_at": "$3", "updated_at": "$3", "created_at": "$3"}
        values = [
            "$1 || '.0'" if (table, name) == ("demand_text", "id") else fixed.get(name) or self._parameter(value)
            for name, value in row.items()
        ]
        once = " on conflict do nothing" if table == "idempotency" else ""
        self._parts.append(f"insert into {SCHEMA}.{table} ({', '.join(row)}) values ({', '.join(values)}){once}")

    def _several(self, table: str, rows: list[dict[str, Any]]) -> None:
        columns = [name for name in rows[0] if name != "number"]
        arrays = [f"{self._parameter([r[c] for r in rows])}::{KINDS.get(c, 'text')}[]" for c in columns]
        self._parts.append(
            f"insert into {SCHEMA}.{table} (number, {', '.join(columns)}) "
            f"select $1, e.* from unnest({', '.join(arrays)}) e"
        )

    async def write(self, pool: Pool, number: str, key: str) -> str:
        """The answer, as long as ours."""
        await pool.execute(self._statement, number, key, datetime.now(UTC), LEASE, *self._values)
        return self._answer.replace(self._sample, number, 1)


async def sample_rows(pool: Pool, number: str) -> dict[str, list[dict[str, Any]]]:
    tables = [table for table in TABLES if table != "outbox"]
    found = {
        table: await pool.fetch(f"select * from public.{table} where number = $1", number) for table in tables
    }  # fmt: skip
    return {
        table: [{name: value for name, value in row.items() if name not in GENERATED} for row in rows]
        for table, rows in found.items()
    }


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    url = os.environ["DATABASE_URL"]
    pool = await open_pool(url, size=POOL_SIZE)  # the product's own: what it spares, the floor is spared too
    app.state.pool = pool
    app.state.writer = Writer(await sample_rows(pool, os.environ["SAMPLE"]))
    app.state.run, app.state.numbers = uuid4().hex[:8], itertools.count()
    yield
    await pool.close()


app = FastAPI(lifespan=_lifespan)


@app.post("/api/v1/demands", status_code=201)
async def take(body: BareDemand, request: Request, idempotency_key: Annotated[str, Header()]) -> Response:
    state = request.app.state
    number = f"{state.run}-{next(state.numbers):06d}"
    answer = await state.writer.write(state.pool, number, idempotency_key)
    return Response(answer, status_code=201, media_type="application/json")
