"""Reading: lists and single rows, by SQLModel. Nothing here writes, and nothing personal is touched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, not_, or_
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from store.tables import DemandEventRow, DemandRow, ExternalRefRow, MeetingItemRow


def open_engine(url: str, *, size: int) -> AsyncEngine:
    """An engine for reads; `url` as `postgresql://…`."""
    return create_async_engine(
        url.replace("postgresql://", "postgresql+asyncpg://", 1), pool_size=size, max_overflow=0, pool_pre_ping=True
    )


@dataclass(frozen=True)
class Filter:
    """Which demands a list shows; None means any. `mine` limits to what one person opened, holds or works on.

    `reference` is (system, number there); `opened_until` is the first instant that is too late;
    `closed_from` and `closed_until` likewise bound the closing; `part` stands somewhere in the number;
    `without_duplicates` leaves out what is handled with another demand."""

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
    reference: tuple[str, str] | None = None
    opened_from: datetime | None = None
    opened_until: datetime | None = None
    closed_from: datetime | None = None
    closed_until: datetime | None = None
    part: str | None = None
    primary: str | None = None
    without_duplicates: bool = False
    communities: tuple[str, ...] | None = None
    units: tuple[str, ...] = ()
    person: str | None = None


_EQUAL = ("stage", "community", "grid", "unit", "channel", "holder", "meeting", "opened_by", "breached")


def conditions(f: Filter) -> list[ColumnElement[bool]]:
    """What a row of `demand` must be to pass; none where everything passes."""
    wanted: list[ColumnElement[bool]] = [
        getattr(DemandRow, name) == value for name in _EQUAL if (value := getattr(f, name)) is not None
    ]
    if f.category is not None:
        wanted.append(col(DemandRow.category).startswith(f.category, autoescape=True))
    if f.opened_from is not None:
        wanted.append(col(DemandRow.opened_at) >= f.opened_from)
        # A number begins with the local day of the intake: the primary key leads to those of the last days.
        wanted.append(col(DemandRow.number) >= f"{f.opened_from - timedelta(days=1):%Y%m%d}")
    if f.opened_until is not None:
        wanted.append(col(DemandRow.opened_at) < f.opened_until)
    if f.closed_from is not None:
        wanted.append(col(DemandRow.closed_at) >= f.closed_from)
    if f.closed_until is not None:
        wanted.append(col(DemandRow.closed_at) < f.closed_until)
    if f.part is not None:
        wanted.append(col(DemandRow.number).contains(f.part, autoescape=True))
    if f.reference is not None:
        known = (ExternalRefRow.system == f.reference[0], ExternalRefRow.ref == f.reference[1])
        wanted.append(col(DemandRow.number).in_(select(ExternalRefRow.number).where(*known)))
    if f.primary is not None:
        wanted.append(col(DemandRow.primary_number) == f.primary)
    if f.without_duplicates:
        elsewhere = and_(
            col(DemandRow.primary_number).is_not(None), col(DemandRow.stage).not_in(("feedback", "closed"))
        )
        wanted.append(not_(elsewhere))
    if f.person is not None:
        seen = [col(DemandRow.opened_by) == f.person, col(DemandRow.holder) == f.person]
        if f.communities:
            seen.append(col(DemandRow.community).in_(f.communities))
        if f.units:
            seen.append(col(DemandRow.unit).in_(f.units))
            seen.append(col(DemandRow.co_units).op("?|")(array(f.units)))
        wanted.append(or_(*seen))
    return wanted


async def followers(engine: AsyncEngine, number: str, *, after: str | None, limit: int) -> Sequence[DemandRow]:
    """The duplicates of a demand, oldest first, those whose handling is over among them."""
    query = select(DemandRow).where(DemandRow.primary_number == number).order_by(col(DemandRow.number)).limit(limit)
    async with AsyncSession(engine) as session:
        return (await session.exec(query if after is None else query.where(col(DemandRow.number) > after))).all()


async def demands(
    engine: AsyncEngine, f: Filter, *, order: str, after: list[Any] | None, limit: int
) -> Sequence[DemandRow]:
    """One page: newest first (`order="opened"`) or soonest due first (`order="due"`), after the keyset `after`."""
    query = select(DemandRow).where(*conditions(f))
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


async def count(engine: AsyncEngine, f: Filter) -> int:
    """How many rows `demands` has in all pages, in the order `opened`."""
    async with AsyncSession(engine) as session:
        return (await session.exec(select(func.count()).select_from(DemandRow).where(*conditions(f)))).one()


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


async def open_per_meeting(engine: AsyncEngine) -> dict[str, int]:
    query = (
        select(MeetingItemRow.meeting, func.count())
        .where(col(MeetingItemRow.ended_at).is_(None))
        .group_by(MeetingItemRow.meeting)
    )
    async with AsyncSession(engine) as session:
        return dict((await session.exec(query)).all())


async def held(engine: AsyncEngine) -> dict[str, int]:
    """How many demands that are being handled each person holds."""
    handled = col(DemandRow.stage).in_(("grid", "unit"))
    query = select(DemandRow.holder, func.count()).where(handled).group_by(DemandRow.holder)
    async with AsyncSession(engine) as session:
        return {person: n for person, n in (await session.exec(query)).all() if person}
