"""The register of changes to the rotation, and the turns that were handed over."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from contracts.rotation import TurnTaken
from domain.rotation_changes import CHANGE, Change, Entry
from store.pool import Pool

LOCK = 7_310_023

# An entry stops to count on the local day on which it was revoked.
_SELECT = (
    "select *, (revoked_at at time zone 'Asia/Shanghai')::date revoked_on from roster_change"
    " where $1::text is null or community = $1 order by id"
)


@dataclass(frozen=True)
class RosterChange:
    """One entry of the register, with who made it and why."""

    entry: Entry
    community: str
    reason: str
    made_by: str
    made_at: datetime
    revoked_by: str | None
    revoked_at: datetime | None


def _change(row: asyncpg.Record) -> RosterChange:
    entry = Entry(id=row["id"], change=CHANGE.validate_json(row["body"]), revoked_on=row["revoked_on"])
    said = ("community", "reason", "made_by", "made_at", "revoked_by", "revoked_at")
    return RosterChange(entry, **{name: row[name] for name in said})


async def changes(pool: Pool, community: str | None = None) -> dict[str, tuple[RosterChange, ...]]:
    """By community, in the order in which they were entered; those that were revoked too."""
    return _by_community(await pool.fetch(_SELECT, community))


async def entries(pool: Pool, community: str | None = None) -> dict[str, tuple[Entry, ...]]:
    """The same, with what the rules need."""
    found = await changes(pool, community)
    return {name: tuple(change.entry for change in those) for name, those in found.items()}


def _by_community(rows: list[asyncpg.Record]) -> dict[str, tuple[RosterChange, ...]]:
    found: defaultdict[str, list[RosterChange]] = defaultdict(list)
    for row in rows:
        found[row["community"]].append(_change(row))
    return {name: tuple(those) for name, those in found.items()}


class Changing:
    """One transaction in which nobody else changes the rotation of this community."""

    def __init__(self, connection: PoolConnectionProxy[Any], community: str) -> None:
        self.connection = connection
        self._community = community

    async def changes(self) -> tuple[RosterChange, ...]:
        rows = await self.connection.fetch(_SELECT, self._community)
        return _by_community(rows).get(self._community, ())

    async def insert(self, change: Change, *, reason: str, by: str, at: datetime) -> int:
        """Returns the id."""
        id: int = await self.connection.fetchval(
            "insert into roster_change (community, kind, body, reason, made_by, made_at)"
            " values ($1, $2, $3, $4, $5, $6) returning id",
            self._community, change.type, change.model_dump_json(by_alias=True), reason, by, at,
        )  # fmt: skip
        return id

    async def revoke(self, id: int, *, by: str, at: datetime) -> None:
        """An entry that was revoked before stays as it is."""
        await self.connection.execute(
            "update roster_change set revoked_by = $2, revoked_at = $3 where id = $1 and revoked_at is null", id, by, at
        )


@asynccontextmanager
async def changing(pool: Pool, community: str) -> AsyncIterator[Changing]:
    """Commits at the end, or undoes everything when something is raised."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1, hashtext($2))", LOCK, community)
        yield Changing(connection, community)


# ---- turns


async def last_turn_ends(pool: Pool, community: str) -> date | None:
    """The last day of the newest period that was handed over; None before the first hand-over."""
    found: date | None = await pool.fetchval(
        "select max(period_until) from chair_turn where community = $1", community
    )  # fmt: skip
    return found


async def agenda_at(pool: Pool, community: str, at: datetime) -> tuple[str, ...]:
    """The demands that waited for a decision of the community's meeting at that instant, longest waiting first."""
    rows = await pool.fetch(
        "select distinct on (number) number, asked_at from meeting_item"
        " where meeting = $1 and asked_at < $2 and (ended_at is null or ended_at >= $2) order by number, turn desc",
        community, at,
    )  # fmt: skip
    return tuple(row["number"] for row in sorted(rows, key=lambda row: (row["asked_at"], row["number"])))


async def projects_at(pool: Pool, community: str, at: datetime) -> tuple[str, ...]:
    """The projects of the community that were under way at that instant, oldest first."""
    rows = await pool.fetch(
        "select id from project where community = $1 and opened_at < $2 and (closed_at is null or closed_at >= $2)"
        " order by opened_at, id",
        community, at,
    )  # fmt: skip
    return tuple(row["id"] for row in rows)


async def take_turn(pool: Pool, turn: TurnTaken) -> bool:
    """Record it; False when this period was handed over before, which stays as it was."""
    items = json.dumps({"agenda": turn.agenda, "projects": turn.projects})
    done = await pool.execute(
        "insert into chair_turn (community, period_from, period_until, unit, person, how, handed_over_at, open_items, items)"
        " values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing",
        turn.community, turn.period_from, turn.period_until, turn.unit, turn.person, turn.how, turn.handed_over_at,
        turn.open_items, items,
    )  # fmt: skip
    return done.endswith(" 1")


async def turns(pool: Pool, community: str, *, limit: int) -> list[TurnTaken]:
    """What was handed over, newest first."""
    rows = await pool.fetch(
        "select community, period_from, period_until, unit, person, how, handed_over_at, items from chair_turn"
        " where community = $1 order by period_from desc limit $2",
        community, limit,
    )  # fmt: skip
    return [TurnTaken.model_validate({**dict(row), **json.loads(row["items"])}) for row in rows]
