"""What a person may ask of us about their own data: a copy of all of it, and that it be erased."""

from __future__ import annotations

import json
from datetime import datetime

from domain import roles
from domain.actors import Actor, reporter_of
from domain.demand import Demand
from domain.masking import ERASED
from domain.needs import Need
from domain.privacy import PUBLIC_KINDS, REPORTER_FIELDS, ReadingReason, speaks_for
from domain.vocabulary import ClockName, Role, Stage
from domain.worktime import due
from service.desk import Desk
from service.erasure import Eraser
from service.phone_keeper import PhoneKeeper
from service.reading import find
from service.repeats import Answered, Asked, other_body
from service.reporter_forms import DeletionForm, ExportForm
from service.views import View, instant
from service.words import kept_person, reading
from store import erasure as erasing
from store import files, personal, texts
from store import reporter_index as phones

FORMAT = "linli-personal-data/1"
MOST_DEMANDS = 1_000


async def export(desk: Desk, actor: Actor, number: str, form: ExportForm) -> View:
    """All that is kept of the person behind the demand, in clear. That it was given out is kept of each demand.

    Internal texts are named, not shown: they are the office's own. Raises DomainError: `not_found`, `not_permitted`.
    """
    demand = await _theirs(desk, actor, number)
    demands = [demand] if form.scope == "demand" else await _of_same_person(desk, actor, demand)
    numbers = [one.number for one in demands]
    reason = ReadingReason.OWN_DATA
    await personal.tell(desk.pool, reading(desk, actor, "export", reason, *REPORTER_FIELDS, "texts"), numbers)
    return {
        "format": FORMAT,
        "exported_at": instant(desk.now()),
        "exported_by": actor.id,
        "demands": [await _everything(desk, one) for one in demands],
    }


async def delete(desk: Desk, actor: Actor, number: str, form: DeletionForm, key: str | None) -> Answered:
    """Erase what is personal: at once where the demand is closed for good, else as soon as it is, and it is said when.

    Raises DomainError: `not_found`, `not_permitted`.
    """
    demand = await _theirs(desk, actor, number)
    asked = Asked(desk, actor, key, f"delete personal data {number} {form.model_dump_json()}")
    if (before := await asked.repetition()) is not None:
        return before
    now = desk.now()
    async with desk.pool.acquire() as connection, connection.transaction():
        told = reading(desk, actor, "deletion_asked", ReadingReason.OWN_DATA)
        await personal.tell(connection, told, [number])
        await erasing.ask(connection, number, at=now, by=actor.id)
        if demand.sealed:
            await Eraser(desk.pool, desk.sealer).within(connection, [number], at=now, by=actor.id, why="request")
        stands = await erasing.asked(connection, number)
        assert stands is not None
        body = json.dumps(_deletion_view(desk, demand, stands), ensure_ascii=False)
        if not await asked.keep(connection, number, body):
            raise other_body()
    return Answered(number, body)


async def _theirs(desk: Desk, actor: Actor, number: str) -> Demand:
    demand = await find(desk, actor, number)
    if not speaks_for(demand, actor):
        raise roles.refusal(actor, Need.OWN_DATA)
    return demand


async def _of_same_person(desk: Desk, actor: Actor, demand: Demand) -> list[Demand]:
    """Residents get what they opened themselves: a phone may be a household's. Operators also what has the same number."""
    rows = []
    if demand.opened_by.startswith("resident-"):  # an operator opens demands of many people
        rows = await desk.pool.fetch(
            "select state from demand where opened_by = $1 order by number desc limit $2",
            demand.opened_by,
            MOST_DEMANDS,
        )
    same = [Demand.model_validate_json(row["state"]) for row in rows]
    if actor.id != demand.opened_by or not actor.has(Role.RESIDENT):
        same += await _of_same_phone(desk, demand)
    own = {one.number: one for one in (demand, *same) if speaks_for(one, actor)}
    return [own[number] for number in sorted(own)]


async def _of_same_phone(desk: Desk, demand: Demand) -> list[Demand]:
    phone = (await kept_person(desk, demand.number)).get("phone")
    if not isinstance(phone, str):
        return []
    await PhoneKeeper(desk.pool, desk.sealer, desk.phone_digests).catch_up()
    numbers = await phones.found(desk.pool, desk.phone_digests.all(phone), MOST_DEMANDS)
    rows = await desk.pool.fetch("select state from demand where number = any($1::text[])", numbers)
    return [Demand.model_validate_json(row["state"]) for row in rows]


async def _everything(desk: Desk, demand: Demand) -> View:
    number = demand.number
    kept, theirs = await texts.kept(desk.pool, number), (demand.opened_by, reporter_of(number))
    own = [one for one in kept if one.kind in PUBLIC_KINDS or one.author in theirs]
    refs = await desk.pool.fetch("select system, ref from external_ref where number = $1 order by 1, 2", number)
    read = await personal.page(desk.pool, person=None, subject=number, communities=None, before=None, limit=10_000)
    return {
        "number": number,
        "opened_at": instant(demand.opened_at),
        "closed_at": instant(demand.closed_at),
        "stage": demand.stage,
        "outcome": demand.outcome,
        "category": demand.category,
        "place": None if demand.place is None else demand.place.model_dump(include={"community", "grid", "compound"}),
        "confidential": demand.confidential,
        "reporter": await kept_person(desk, number),
        "texts": [
            {
                "kind": one.kind, "written_at": instant(one.written_at), "erased_at": instant(one.erased_at),
                "text": ERASED if one.erased_at else desk.sealer.open(one.sealed, number),
            }
            for one in kept if one in own
        ],
        "internal_texts": [{"kind": one.kind, "written_at": instant(one.written_at)} for one in kept if one not in own],
        "files": [
            {"id": one.id, "media_type": one.media_type, "size": one.size, "created_at": instant(one.created_at)}
            for one in await files.of_demand(desk.pool, number)
        ],
        "external_refs": [{"system": row["system"], "number": row["ref"]} for row in refs],
        "readings": [
            {"at": instant(one.at), "what": one.what, "fields": list(one.fields), "reason": one.reason} for one in read
        ],
    }  # fmt: skip


def _deletion_view(desk: Desk, demand: Demand, stands: erasing.Erasure) -> View:
    expected, exact = (stands.done_at, True) if stands.done_at else _end(desk, demand)
    return {
        "number": demand.number,
        "state": "done" if stands.done_at else "scheduled",
        "asked_at": instant(stands.asked_at),
        "erased_at": instant(stands.done_at),
        "expected_at": instant(expected),
        "exact": exact,
    }


def _end(desk: Desk, demand: Demand) -> tuple[datetime, bool]:
    """When the demand is closed for good, if all goes as promised; exact once it is closed and only waits for its end."""
    now, clocks, budgets = desk.now(), demand.clocks, demand.terms.budgets
    reopen = clocks.get(ClockName.REOPEN)
    if demand.stage is Stage.CLOSED and reopen is not None:
        return max(reopen.due_at, now), True
    resolve = clocks.get(ClockName.RESOLVE)
    end = max(now, resolve.due_at) if resolve is not None else now
    for budget in (budgets.get(ClockName.FOLLOW_UP), budgets.get(ClockName.REOPEN)):
        end = end if budget is None else due(desk.calendar, end, budget)
    return end, False
