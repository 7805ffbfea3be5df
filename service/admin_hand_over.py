"""Carries the open tasks of a retired unit over to its successor: demands that it leads, and parts that it helps with.

The worker runs it. Nothing is remembered: as long as a unit that is to hand over has open tasks, they are handed over. So
a task that is refused for now, because its demand is paused, follows later, and it does no harm to do it from two places.
"""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta

import structlog
from temporalio.client import Client

from contracts.demand import Acted
from domain import commands as c
from domain.actors import Actor, Grant
from domain.demand import Demand
from domain.district import District
from domain.errors import DomainError
from domain.routing import Candidate
from domain.tasks import CoUnit
from domain.units import Unit
from domain.vocabulary import Role
from gateways.temporal.engine import NotRunning, update
from service.publish_district import UNIT
from service.publish_watch import Watch
from service.repeating import repeat
from store import concerned
from store.pool import Pool
from store.publications import Publication

EVERY = timedelta(seconds=10)
REFUSED_AGAIN_AFTER = timedelta(minutes=10)
DOWN = frozenset({"unavailable", "outcome_unknown", "too_many_requests"})

log = structlog.get_logger()


class HandOvers:
    """`refused` tells when a task that could not be handed over is tried again, in the loop's time."""

    def __init__(self, watch: Watch, pool: Pool) -> None:
        self._watch = watch
        self._pool = pool
        self._refused: dict[tuple[int, str], float] = {}

    async def keep(self, client: Client, _: str) -> None:
        """Run until cancelled."""
        await repeat("hand-overs", lambda: self.once(client), every=EVERY)

    async def once(self, client: Client) -> int:
        """Hand over what can be; returns how many tasks were. Raises when Temporal or the database is away."""
        found = await self._watch.take_over()
        done = 0
        for one in found.standing:
            unit = found.district.directory.units.get(one.key) if one.kind == UNIT else None
            successor = None if unit is None else successor_of(found.district, unit)
            if unit is not None and successor is not None:
                done += await self._of_unit(client, one, unit.id, successor)
        return done

    async def _of_unit(self, client: Client, one: Publication, unit: str, successor: Unit) -> int:
        tasks = await concerned.of_unit(self._pool, unit)
        lead = Candidate(unit=successor.id, liaison=successor.liaison, reason="swapped")
        done = 0
        for number in tasks.leads:
            done += await self._tried(client, one, number, [c.SwapLead(lead=lead)])
        for number in tasks.helps:
            done += await self._tried(client, one, number, await self._part(number, unit, successor))
        return done

    async def _part(self, number: str, unit: str, successor: Unit) -> list[c.Command]:
        """The successor is asked for the part, unless it has to do with the demand already; then the unit is let go."""
        row = await self._pool.fetchval("select state from demand where number = $1", number)
        demand = Demand.model_validate_json(row)
        part = next((task for task in demand.co_tasks if task.unit == unit and task.open), None)
        if part is None:
            return []
        involved = {demand.unit, *(task.unit for task in demand.co_tasks if task.open)}
        asked = CoUnit(unit=successor.id, liaison=successor.liaison, required=part.required)
        add: list[c.Command] = [] if successor.id in involved else [c.AddCoUnits(co_units=(asked,))]
        return [*add, c.CoRelease(unit=unit)]

    async def _tried(self, client: Client, one: Publication, number: str, commands: list[c.Command]) -> bool:
        now = asyncio.get_running_loop().time()
        if self._refused.get((one.id, number), now) > now:
            return False
        try:
            for command in commands:
                await _send(client, one, number, command)
        except NotRunning:
            return False  # it is about to start, or has just ended
        except DomainError as refused:
            if refused.code in DOWN:
                raise
            self._refused[one.id, number] = now + REFUSED_AGAIN_AFTER.total_seconds()
            log.info("not handed over", number=number, publication=one.id, reason=refused.code, rule=refused.rule)
            return False
        return bool(commands)


def successor_of(district: District, unit: Unit) -> Unit | None:
    """Who takes its tasks over; where that unit has been retired since, the one that takes over from it."""
    passed = {unit.id}
    while unit.retired is not None and unit.retired.hand_over_to not in {None, *passed}:
        unit = district.unit(str(unit.retired.hand_over_to))
        passed.add(unit.id)
    return unit if unit.retired is None and len(passed) > 1 else None


async def _send(client: Client, one: Publication, number: str, command: c.Command) -> None:
    """In the name of whoever retired the unit, with the right that it takes to change who does what."""
    actor = Actor(id=one.published_by, grants=(Grant(role=Role.SUPERVISOR),))
    key = hashlib.sha256(f"hand over {one.id} {number} {command.model_dump_json()}".encode()).hexdigest()[:32]
    act = c.Act(command=command, actor=actor, key=key, fingerprint=key)
    await update(client, number, "act", act, key=f"{key}-{key[:8]}", result=Acted)
