"""Reading demands and their logs from end to end: one snapshot, a cursor on the server, a few hundred rows in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import Row, Select, func, literal
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select

from store.pool import Pool
from store.queries import Filter, conditions
from store.tables import DemandEventRow, DemandRow, ExternalRefRow

AT_ONCE = 500
Batches = AsyncIterator[Sequence[Row[Any]]]


def demands(f: Filter) -> Select[Any]:
    """What stands in the rows, with `refs` ("SYSTEM:NUMBER; …"), oldest first."""
    named = col(ExternalRefRow.system) + ":" + col(ExternalRefRow.ref)
    refs = select(func.string_agg(named, aggregate_order_by(literal("; "), named))).where(
        col(ExternalRefRow.number) == DemandRow.number
    )
    chosen = (
        DemandRow.number, DemandRow.stage, DemandRow.outcome, DemandRow.channel, DemandRow.category, DemandRow.community,
        DemandRow.grid, DemandRow.compound, DemandRow.unit, DemandRow.holder, DemandRow.meeting, DemandRow.breached,
        DemandRow.due_at, DemandRow.opened_at, DemandRow.closed_at, DemandRow.state, refs.scalar_subquery().label("refs"),
    )  # fmt: skip
    return select(*chosen).where(*conditions(f)).order_by(col(DemandRow.number))  # type: ignore[call-overload, no-any-return]


def history(f: Filter) -> Select[Any]:
    """Every entry of the logs of these demands, log by log, in order."""
    return (
        select(DemandEventRow.__table__)  # type: ignore[attr-defined]
        .join(DemandRow.__table__, col(DemandRow.number) == DemandEventRow.number)  # type: ignore[attr-defined]
        .where(*conditions(f))
        .order_by(col(DemandEventRow.number), col(DemandEventRow.seq))
    )


@asynccontextmanager
async def batches(engine: AsyncEngine, query: Select[Any]) -> AsyncIterator[Batches]:
    """The rows as of one instant, some hundred at a time."""
    async with engine.connect() as plain:
        connection = await plain.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        try:
            async with connection.stream(query, execution_options={"yield_per": AT_ONCE}) as rows:
                yield rows.partitions()
        finally:
            await connection.rollback()


async def personal_parts(pool: Pool, numbers: Sequence[str]) -> dict[str, tuple[bytes | None, bytes | None]]:
    """Number -> what is sealed: (what the reporter wrote, the reporter). Whoever calls this keeps that it was read."""
    rows = await pool.fetch(
        "select n as number, t.sealed as words, r.sealed as person from unnest($1::text[]) n"
        " left join demand_text t on t.id = n || '.0' left join reporter r on r.number = n",
        list(numbers),
    )
    return {row["number"]: (row["words"], row["person"]) for row in rows}
