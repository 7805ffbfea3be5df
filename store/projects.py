"""Projects in the database: changed one at a time under a lock on their row, every change kept as an event.

Which demands a joint meeting gave to a project is read from the logs of those demands: whatever becomes of the attempt
that recorded the decision, the list says the same as the log.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from domain.projects import Project
from store.histories import Change, History
from store.pool import Pool

_WHOLE = """
select p.id, p.community, p.title, p.meeting, p.lead_unit, p.due_on, p.state, p.opened_at, p.opened_by, p.closed_at, p.seq,
    (select coalesce(jsonb_agg(to_jsonb(m) - 'project' order by m.seq), '[]') from project_milestone m
     where m.project = p.id) as milestones,
    (select coalesce(jsonb_agg(to_jsonb(a) - 'project' order by a.seq), '[]') from project_activity a
     where a.project = p.id) as activities,
    (select coalesce(jsonb_agg(d.number order by d.number), '[]') from project_demand d where d.project = p.id) as linked,
    (select coalesce(jsonb_agg(distinct e.number), '[]') from demand_event e
     where e.type = 'meeting_decided' and e.data ->> 'project' is not null and e.data ->> 'project' = p.id) as decided
from project p
"""

# The newest first, before the id $1; the other parameters narrow the list or are null.
_PAGE = f"""{_WHOLE}
where ($1::text is null or p.id < $1) and ($2::text is null or p.community = $2) and ($3::text is null or p.state = $3)
    and ($4::text is null or p.lead_unit = $4)
    and ($5::bool is null or $5 = (p.state = 'open' and (coalesce(p.due_on < $6, false) or exists (
        select from project_milestone m where m.project = p.id and m.done_at is null and m.due_on < $6))))
order by p.id desc limit $7
"""

_OF_DEMAND = f"""{_WHOLE}
where p.id in (
    select d.project from project_demand d where d.number = $1
    union select e.data ->> 'project' from demand_event e
    where e.number = $1 and e.type = 'meeting_decided' and e.data ->> 'project' is not null)
order by p.id
"""

_INSERT = """
insert into project (id, community, title, meeting, lead_unit, due_on, state, opened_at, opened_by, closed_at, seq, origin)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) on conflict do nothing
"""

_UPDATE = """
update project set title = $2, lead_unit = $3, due_on = $4, state = $5, closed_at = $6, seq = $7 where id = $1
"""


HISTORY = History("project_event", "project")


@dataclass(frozen=True)
class Wanted:
    """Which projects a list shows; None means any. `overdue` is reckoned as of the local date `on`."""

    community: str | None = None
    state: str | None = None
    unit: str | None = None
    overdue: bool | None = None


async def next_id(pool: Pool) -> str:
    """An id nobody else gets; ids grow with time."""
    number: int = await pool.fetchval("select nextval('project_number')")
    return f"prj-{number:06d}"


async def one(pool: Pool, id: str) -> Project | None:
    row = await pool.fetchrow(f"{_WHOLE} where p.id = $1", id)
    return None if row is None else _project(row)


async def by_origin(pool: Pool, origin: str) -> str | None:
    """The project that a decision with this key opened."""
    id: str | None = await pool.fetchval("select id from project where origin = $1", origin)
    return id


async def page(pool: Pool, wanted: Wanted, *, on: date, before: str | None, limit: int) -> list[Project]:
    """Newest first."""
    w = wanted
    rows = await pool.fetch(_PAGE, before, w.community, w.state, w.unit, w.overdue, on, limit)
    return [_project(row) for row in rows]


async def of_demand(pool: Pool, number: str) -> list[Project]:
    return [_project(row) for row in await pool.fetch(_OF_DEMAND, number)]


class Changing:
    """One transaction on one project; nobody else changes it meanwhile."""

    def __init__(self, connection: PoolConnectionProxy[Any]) -> None:
        self.connection = connection

    async def lock(self, id: str) -> Project | None:
        if await self.connection.fetchval("select 1 from project where id = $1 for update", id) is None:
            return None
        row = await self.connection.fetchrow(f"{_WHOLE} where p.id = $1", id)
        return None if row is None else _project(row)

    async def insert(self, p: Project, *, origin: str | None) -> bool:
        """False when the decision with this key opened one before."""
        done = await self.connection.execute(
            _INSERT, p.id, p.community, p.title, p.meeting, p.lead_unit, p.due_on, p.state, p.opened_at, p.opened_by,
            p.closed_at, p.seq, origin,
        )  # fmt: skip
        if done.endswith(" 1"):
            await self._write_parts(p)
            return True
        return False

    async def save(self, p: Project) -> None:
        await self.connection.execute(_UPDATE, p.id, p.title, p.lead_unit, p.due_on, p.state, p.closed_at, p.seq)
        await self._write_parts(p)

    async def record(self, project: str, change: Change) -> None:
        await HISTORY.append(self.connection, project, change)

    async def _write_parts(self, p: Project) -> None:
        for table in ("project_milestone", "project_demand", "project_activity"):
            await self.connection.execute(f"delete from {table} where project = $1", p.id)
        await self.connection.executemany(
            "insert into project_milestone (project, seq, title, due_on, percent, done_at, done_by)"
            " values ($1, $2, $3, $4, $5, $6, $7)",
            [(p.id, m.seq, m.title, m.due_on, m.percent, m.done_at, m.done_by) for m in p.milestones],
        )
        await self.connection.executemany(
            "insert into project_demand (project, number) values ($1, $2)", [(p.id, number) for number in p.linked]
        )
        await self.connection.executemany(
            "insert into project_activity (project, seq, kind, title, unit, planned_on, announced_at, done_at, cancelled_at)"
            " values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            [
                (p.id, a.seq, a.kind, a.title, a.unit, a.planned_on, a.announced_at, a.done_at, a.cancelled_at)
                for a in p.activities
            ],
        )


@asynccontextmanager
async def changing(pool: Pool) -> AsyncIterator[Changing]:
    """Commits at the end, or undoes everything when something is raised."""
    async with pool.acquire() as connection, connection.transaction():
        yield Changing(connection)


async def forget(pool: Pool, id: str) -> None:
    """Take back a project whose decision was refused, unless something was done with it since."""
    await pool.execute(
        "with gone as (delete from project p where p.id = $1 and p.seq = 1 and not exists (select from demand_event e"
        " where e.type = 'meeting_decided' and e.data ->> 'project' is not null and e.data ->> 'project' = p.id)"
        " returning id),"
        " milestones as (delete from project_milestone where project in (select id from gone))"
        " delete from project_event where project in (select id from gone)",
        id,
    )


def _project(row: asyncpg.Record) -> Project:
    said = dict(row)
    for part in ("milestones", "activities", "linked", "decided"):
        said[part] = json.loads(said[part])
    return Project.model_validate(said)
