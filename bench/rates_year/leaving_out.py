"""Exclusions for a simulated year: asked for by secretaries, approved by a supervisor, some refused, some revoked."""

from __future__ import annotations

from datetime import date
from random import Random

from bench.rates_year.oracle import Oracle
from domain.actors import Actor
from domain.errors import DomainError
from domain.exclusions import Basis, Decision
from service import exclusions
from service.desk import Desk
from service.exclusion_forms import ExclusionForm
from service.rates import Days

_REASON = "核查后不成立"


async def leave_out(desk: Desk, oracle: Oracle, month: date, chance: Random, share: float) -> int:
    """For about this share of the demands that count in the month; answers how many exclusions count."""
    period = Days.of_month(f"{month:%Y-%m}").period(desk.district)
    supervisor = _person(desk, desk.staffing.supervisor)
    counting = 0
    for number, log in oracle.logs.items():
        alone = Oracle(oracle.pack, oracle.calendars, oracle.rules, {number: log})
        cases = [c for c in alone.found(period.start, period.end) if c.rate and not c.excluded]
        community = log.where_at(len(log.events))["community"]
        if not cases or community is None or chance.random() >= share:
            continue
        figures = tuple(sorted({c.figure for c in cases if chance.random() < 0.7} or {cases[0].figure}))
        form = ExclusionForm(month=f"{month:%Y-%m}", figures=figures, basis=chance.choice(list(Basis)))
        secretary = _person(desk, desk.district.secretary(community))
        try:
            asked = await exclusions.ask(desk, secretary, number, form, None)
        except DomainError as refused:
            if refused.code != "exclusion_overlaps":
                raise
            continue
        counting += await _decided(desk, supervisor, asked.id, chance)
    return counting


async def _decided(desk: Desk, supervisor: Actor, id: str, chance: Random) -> int:
    """1 where it counts in the end."""
    fate = chance.random()
    if fate < 0.1:
        return 0
    approve = fate >= 0.2
    first = Decision(kind="approve") if approve else Decision(kind="refuse", reason=_REASON)
    await exclusions.decide(desk, supervisor, id, first, None)
    if approve and fate >= 0.9:
        await exclusions.decide(desk, supervisor, id, Decision(kind="revoke", reason=_REASON), None)
        return 0
    return int(approve)


def _person(desk: Desk, id: str) -> Actor:
    return Actor(id=id, grants=tuple(desk.district.person(id).grants))
