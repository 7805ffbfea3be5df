"""This month's figures for a page that many people have open: computed from the log at most once a minute for each scope."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from domain.actors import Actor
from service import rate_answers, rates
from service.desk import Desk
from service.places import local_date
from service.rates import Asked, Days, Scope
from service.views import View

KEPT = timedelta(minutes=1)

_found: dict[tuple[int, Scope], tuple[datetime, View]] = {}
_one_at_a_time = asyncio.Lock()


async def this_month(desk: Desk, actor: Actor) -> View:
    """The answer of `GET /rates` for the month so far, ungrouped. Raises DomainError `not_permitted`."""
    key = id(desk), rates.scope_of(actor)
    async with _one_at_a_time:
        now = desk.now()
        known = _found.get(key)
        if known is None or now - known[0] > KEPT:
            month = Days.of_month(f"{local_date(now, desk.district):%Y-%m}")
            counted = await rates.figures(desk, actor, Asked(month), compare=True)
            known = _found[key] = (now, rate_answers.answer(desk, counted))
    return known[1]
