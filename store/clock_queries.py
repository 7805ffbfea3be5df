"""Reading clocks across demands: pages in the order of their due instants, and counts that equal the rows.

A clock stands in one of three states: it runs unbroken, it runs on broken, or it is paused. `due_soon` are those of the
unbroken that are due by a given instant. Each state has an index in the order of its list (`store.tables.ClockRow`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, exists, func, not_, or_, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased
from sqlmodel import col, select
from sqlmodel.ext.asyncio.session import AsyncSession

from domain.ladder import PROMISED
from domain.tasks import CO_DUE, CO_WINDOW
from store.queries import Filter, conditions
from store.tables import ClockRow, DemandRow

State = Literal["running", "due_soon", "breached", "paused"]
STATES: tuple[State, ...] = ("due_soon", "breached", "running", "paused")
_ALL: tuple[State, ...] = ("running", "breached", "paused")
OWED = (*PROMISED, CO_DUE)
"""The kinds of clock that somebody owes."""

# True of every demand that has a clock; said for the planner, who then may use the indexes of open demands.
_OPEN = col(DemandRow.stage) != "closed"

Key = tuple[bool, datetime, str, str]
"""Whether it is paused, the instant it is due or was paused at, number, name: the order of the lists."""


@dataclass(frozen=True)
class ClockFilter:
    """Which clocks: in `state`, of these kinds, of these demands. `soon` is the instant by which `due_soon` are due.

    The kind of a clock is its name, of a co-unit's clock the part before the colon. `once` takes of each demand one clock
    only, the one that worries most: owed to somebody before only waited for, broken before unbroken, paused last, then the
    soonest due.
    """

    state: State | Literal["all"]
    kinds: tuple[str, ...]
    soon: datetime
    demands: Filter = field(default_factory=Filter)
    sla_class: str | None = None
    once: bool = False


@dataclass(frozen=True)
class Ticking:
    """A clock's row with its demand's state as they stand in one snapshot; `updated_at` is the demand's."""

    clock: ClockRow
    state: dict[str, Any]
    updated_at: datetime

    @property
    def key(self) -> Key:
        c = self.clock
        at = c.paused_at or c.due_at
        assert at is not None, "a clock that is not paused has a due instant"
        return c.paused_at is not None, at, c.number, c.name


async def clocks(engine: AsyncEngine, f: ClockFilter, *, after: Key | None, limit: int) -> list[Ticking]:
    """One page after the key `after`: soonest due first, and behind them the paused ones, longest paused first."""
    states = _ALL if f.state == "all" else (f.state,)
    async with AsyncSession(engine) as session:
        found: list[Ticking] = []
        for state in states:
            if state == "paused" and len(found) >= limit:
                break
            found += await _page(session, f, state, after, limit)
    return sorted(found, key=lambda ticking: ticking.key)[:limit]


async def counts(engine: AsyncEngine, f: ClockFilter) -> dict[str, dict[State, int]]:
    """How many clocks of each kind are in each state, whatever `f.state` says; kinds without a clock are left out."""
    kind = func.split_part(ClockRow.name, ":", 1).label("kind")
    columns = [func.count().filter(_in_state(state, f.soon)) for state in STATES]
    query: Any = select(kind, *columns).where(_of_kind(f.kinds), *_worst(f)).group_by(kind)
    wanted = _of_demand(f)
    if wanted:
        query = query.join(DemandRow, _same_demand()).where(_OPEN, *wanted)
    async with AsyncSession(engine) as session:
        rows = (await session.exec(query)).all()
    return {found: dict(zip(STATES, numbers, strict=True)) for found, *numbers in rows}


async def _page(session: AsyncSession, f: ClockFilter, state: State, after: Key | None, limit: int) -> list[Ticking]:
    paused = state == "paused"
    at = col(ClockRow.paused_at if paused else ClockRow.due_at)
    order = (at, col(ClockRow.number), col(ClockRow.name))
    query: Any = (
        select(ClockRow, DemandRow.state, DemandRow.updated_at)
        .join(DemandRow, _same_demand())
        .where(_in_state(state, f.soon), _of_kind(f.kinds), _OPEN, *_worst(f), *_of_demand(f))
        .order_by(*order)
        .limit(limit)
    )
    if after is not None:
        after_paused, *rest = after
        if after_paused and not paused:
            return []
        if after_paused == paused:
            query = query.where(tuple_(*order) > tuple_(*rest))
    rows: Sequence[Any] = (await session.exec(query)).all()
    return [Ticking(*row) for row in rows]


def _same_demand() -> ColumnElement[bool]:
    return col(DemandRow.number) == col(ClockRow.number)


def _in_state(state: State, soon: datetime) -> ColumnElement[bool]:
    """In the words of the partial indexes, so that the planner recognises them."""
    broken, paused = col(ClockRow.breached), col(ClockRow.paused_at).is_not(None)
    if state == "paused":
        return paused
    ticks = and_(broken if state == "breached" else not_(broken), col(ClockRow.paused_at).is_(None))
    return and_(ticks, col(ClockRow.due_at) <= soon) if state == "due_soon" else ticks


def _worst(f: ClockFilter) -> list[ColumnElement[bool]]:
    """No other clock of the demand, of the kinds asked for, worries more."""
    if not f.once:
        return []
    other = aliased(ClockRow)
    worries_more = _worry(f, other) < _worry(f, ClockRow)
    return [~exists().where(col(other.number) == col(ClockRow.number), _of_kind(f.kinds, other), worries_more)]


def _worry(f: ClockFilter, row: Any) -> Any:
    paused = col(row.paused_at).is_not(None)
    order = (paused, not_(col(row.breached)), func.coalesce(row.paused_at, row.due_at), col(row.name))
    if set(f.kinds) <= set(OWED):
        return tuple_(*order)
    return tuple_(not_(_of_kind(OWED, row)), *order)


def _of_kind(kinds: Sequence[str], row: Any = ClockRow) -> ColumnElement[bool]:
    name = col(row.name)
    co_units = [name.startswith(f"{kind}:", autoescape=True) for kind in kinds if kind in (CO_DUE, CO_WINDOW)]
    return or_(name.in_(kinds), *co_units)


def _of_demand(f: ClockFilter) -> list[ColumnElement[bool]]:
    wanted = conditions(f.demands)
    if f.sla_class is not None:
        state: Any = DemandRow.state
        wanted.append(state["promise"]["sla_class"].astext == f.sla_class)
    return wanted
