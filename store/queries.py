"""Reading: lists and single rows, by SQLModel. Nothing here writes, and nothing personal is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from store.tables import DemandEventRow, DemandRow, MeetingItemRow


def open_engine(url: str, *, size: int) -> AsyncEngine:
    """An engine for reads; `url` as `postgresql://…`."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=size, max_overflow=0, pool_pre_ping=True
    )


@dataclass(frozen=True)
class Filter:
    """Which demands a list shows; None means any. `mine` limits to what one person opened, holds or works on."""

    stage: str | None = None
    community: str | None = None
    grid: str | None = None
    unit: str | None = None
    category: str | None = None
    channel: str | None = None
    holder: str | None = None
    meeting: str | None = None
    opened_by: str | None = None
    breached: bool | None = None
    communities: tuple[str, ...] | None = None
    units: tuple[str, ...] = ()
    person: str | None = None


_EQUAL = ("stage", "community", "grid", "unit", "channel", "holder", "meeting", "opened_by", "breached")


def _where(query: SelectOfScalar[DemandRow], f: Filter) -> SelectOfScalar[DemandRow]:
    for name in _EQUAL:
        value = getattr(f, name)
        if value is not None:
            query = query.where(getattr(DemandRow, name) == value)
    if f.category is not None:
        query = query.where(col(DemandRow.category).startswith(f.category, autoescape=True))
    if f.person is not None:
        seen = [col(DemandRow.opened_by) == f.person, col(DemandRow.holder) == f.person]
        if f.communities:
            seen.append(col(DemandRow.community).in_(f.communities))
        if f.units:
            seen.append(col(DemandRow.unit).in_(f.units))
        query = query.where(or_(*seen))
    return query


async def demands(
    engine: AsyncEngine, f: Filter, *, order: str, after: list[Any] | None, limit: int
) -> Sequence[DemandRow]:
    """One page: newest first (`order="opened"`) or soonest due first (`order="due"`), after the keyset `after`."""
    query = _where(select(DemandRow), f)
    if order == "due":
        query = query.where(col(DemandRow.stage) != "closed").order_by(
            col(DemandRow.due_at).asc().nulls_last(), col(DemandRow.number)
        )
        if after is not None:
            query = query.where(_after_due(after))
    else:
        query = query.order_by(col(DemandRow.number).desc())
        if after is not None:
            query = query.where(col(DemandRow.number) < after[0])
    async with AsyncSession(engine) as session:
        return (await session.exec(query.limit(limit))).all()


def _after_due(after: list[Any]) -> Any:
    due, number = after
    unset = and_(col(DemandRow.due_at).is_(None), col(DemandRow.number) > number)
    if due is None:
        return unset
    at = datetime.fromisoformat(due)
    same = and_(col(DemandRow.due_at) == at, col(DemandRow.number) > number)
    return or_(col(DemandRow.due_at) > at, same, col(DemandRow.due_at).is_(None))


async def events(engine: AsyncEngine, number: str, *, after: int, limit: int) -> Sequence[DemandEventRow]:
    query = (
        select(DemandEventRow)
        .where(DemandEventRow.number == number, DemandEventRow.seq > after)
        .order_by(col(DemandEventRow.seq))
        .limit(limit)
    )
    async with AsyncSession(engine) as session:
        return (await session.exec(query)).all()


async def agenda(engine: AsyncEngine, meeting: str, *, ended: bool, limit: int) -> Sequence[MeetingItemRow]:
    """Open items, longest waiting first; or the minutes, newest first."""
    query = select(MeetingItemRow).where(MeetingItemRow.meeting == meeting)
    if ended:
        query = query.where(col(MeetingItemRow.ended_at).is_not(None)).order_by(col(MeetingItemRow.ended_at).desc())
    else:
        query = query.where(col(MeetingItemRow.ended_at).is_(None)).order_by(col(MeetingItemRow.asked_at))
    async with AsyncSession(engine) as session:
        return (await session.exec(query.limit(limit))).all()


async def open_per_meeting(engine: AsyncEngine) -> dict[str, int]:
    query = (
        select(MeetingItemRow.meeting, func.count())
        .where(col(MeetingItemRow.ended_at).is_(None))
        .group_by(MeetingItemRow.meeting)
    )
    async with AsyncSession(engine) as session:
        return dict((await session.exec(query)).all())


async def loads(engine: AsyncEngine) -> tuple[dict[str, int], dict[str, int]]:
    """How many open demands each person holds, and each unit leads."""
    still = col(DemandRow.stage).in_(("grid", "unit"))
    people = select(DemandRow.holder, func.count()).where(still).group_by(DemandRow.holder)
    units = select(DemandRow.unit, func.count()).where(still).group_by(DemandRow.unit)
    async with AsyncSession(engine) as session:
        held = dict((await session.exec(people)).all())
        led = dict((await session.exec(units)).all())
    return {k: n for k, n in held.items() if k}, {k: n for k, n in led.items() if k}
