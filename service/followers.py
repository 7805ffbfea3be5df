"""Who follows a demand, and attaching many duplicates to one in a single request.

Each of them is told by its own command under a key of its own, so that a request that was cut off is finished by sending it
again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from domain.actors import Actor
from domain.demand import Demand
from domain.errors import DomainError
from domain.lifecycle import may_see
from domain.vocabulary import Stage
from service.actions import UNDECIDED, act
from service.desk import Desk
from service.forms import EscalateForm, GatherForm, MergeForm
from service.reading import current, find
from service.views import View, demand_view, instant, person_view
from store import queries

AT_ONCE = 4
PAUSES = (0.2, 1.0, 2.0, 4.0, 0.0)
"""Seconds between tries."""


async def listed(
    desk: Desk, actor: Actor, number: str, *, after: str | None, limit: int
) -> tuple[list[View], str | None]:
    """A page of a demand's duplicates, oldest first, without those that the caller may not see; and what the next page
    comes after. Raises DomainError `not_found`."""
    await find(desk, actor, number)
    rows = await queries.followers(desk.engine, number, after=after, limit=limit + 1)
    demands = (Demand.model_validate(row.state) for row in rows[:limit])
    views = [demand_view(desk, demand, actor) for demand in demands if may_see(demand, actor)]
    return views, rows[limit - 1].number if len(rows) > limit else None


async def handled_with(desk: Desk, demand: Demand) -> View | None:
    """Where the handling of a duplicate stands: with its primary, whoever may see that."""
    if demand.primary is None:
        return None
    primary = await current(desk, demand.primary)
    return {
        "number": primary.number,
        "stage": primary.stage,
        "holder": person_view(desk, primary.holder),
        "due_at": instant(primary.due_at),
        "outcome": primary.outcome,
    }


async def gather(desk: Desk, actor: Actor, number: str, form: GatherForm, key: str) -> View:
    """Attach each of `form.demands` to this one; with `onto_agenda` put it on the agenda of its community's meeting then.

    What a rule refused of single ones stands in the answer, and hinders no other. Raises DomainError `not_found`.
    """
    await find(desk, actor, number)
    gate = asyncio.Semaphore(AT_ONCE)

    async def attach(duplicate: str) -> tuple[str, DomainError | None]:
        async with gate:
            merging = MergeForm(type="merge", primary=number, note=form.note)
            return duplicate, await _patiently(desk, actor, duplicate, merging, f"{key}-{duplicate}")

    wanted = [one for one in dict.fromkeys(form.demands) if one != number]
    done = await asyncio.gather(*(attach(one) for one in wanted))
    on_agenda = await _onto_agenda(desk, actor, number, key) if form.onto_agenda else None
    return _report(number, done, on_agenda)


async def _patiently(desk: Desk, actor: Actor, number: str, form: MergeForm, key: str) -> DomainError | None:
    """What refused it. So many at once keep the engine busy: where no verdict came, it is asked again under the same key."""
    for pause in PAUSES:
        try:
            await act(desk, actor, number, form, key)
            return None
        except DomainError as refused:
            if refused.code == "merged" and refused.facts.get("primary") == form.primary:
                return None  # attached before
            last = refused
            if refused.code not in UNDECIDED:
                break
        await asyncio.sleep(pause)
    return last


def _report(number: str, done: Sequence[tuple[str, DomainError | None]], on_agenda: View | None) -> View:
    return {
        "number": number,
        "attached": [duplicate for duplicate, refused in done if refused is None],
        "refused": [
            {"number": duplicate, "code": refused.code, "rule": refused.rule} for duplicate, refused in done if refused
        ],
        "agenda": on_agenda,
    }


async def _onto_agenda(desk: Desk, actor: Actor, number: str, key: str) -> View:
    demand = await current(desk, number)
    if demand.stage is not Stage.MEETING:
        try:
            demand = await act(desk, actor, number, EscalateForm(type="escalate", reason="repeat"), f"{key}-agenda")
        except DomainError as refused:
            return {"meeting": None, "code": refused.code, "rule": refused.rule}
    return {"meeting": demand.meeting}
