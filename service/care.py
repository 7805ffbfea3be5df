"""Individual needs 个性清单: whom the district looks after by name, for those only who do the looking-after.

list, history          nothing personal, within the caller's reach
read one               the person is opened; that it was read is on record before the answer leaves
add, change, check in  the person is sealed at once; answers never show it
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

from domain import roles
from domain.actors import Actor
from domain.care import Entry, Reach, reach_of
from domain.errors import DomainError
from domain.needs import Need
from domain.vocabulary import Role
from runtime.logging import request_id
from service.care_forms import CareChange, CareForm, CheckInForm, PersonForm
from service.desk import Desk
from service.places import local_date
from service.repeats import Answered, Asked, other_body
from service.views import View, instant, person_view
from store import care as storing
from store.care import Wanted
from store.histories import Change


def groups(desk: Desk) -> list[View]:
    return [g.model_dump() for g in desk.district.care_groups]


async def entries(desk: Desk, actor: Actor, wanted: Wanted, *, after: str | None, limit: int) -> list[View]:
    """Running entries without the persons, oldest first. DomainError `not_permitted` for whom the list is not for."""
    reach = _must_reach(desk, actor)
    found = await storing.page(
        desk.pool, reach, wanted, on=_today(desk), zone=desk.district.timezone, after=after, limit=limit
    )
    return [_view(desk, one) for one in found]


async def entry(desk: Desk, actor: Actor, id: str) -> View:
    """One entry with its person; leaves a row in the reading audit. DomainError `not_found`, also out of reach."""
    found = await _within(desk, actor, id)
    sealed = await storing.open_person(desk.pool, id, by=actor.id, at=desk.now(), request_id=request_id.get())
    person = None if sealed is None else json.loads(desk.sealer.open(sealed, id))
    return {**_view(desk, found), "person": person}


async def add(desk: Desk, actor: Actor, form: CareForm, key: str | None) -> Answered:
    """Raises DomainError: `not_permitted`, `not_found` for a grid out of reach, `unknown_…`, `service_not_offered`."""
    asked = Asked(desk, actor, key, f"add care {form.model_dump_json()}")
    reach, d = _must_reach(desk, actor), desk.district
    grid = d.grid(form.grid)
    if not reach.covers(grid.community, grid.id):
        raise _nothing_there()
    group, now = d.care_group(form.group), desk.now()
    made = Entry(
        id=await storing.next_id(desk.pool), community=grid.community, grid=grid.id, group=group.id,
        needs=_offered(desk, grid.community, form.needs), check_in_days=form.check_in_days or group.check_in_days,
        responsible=form.responsible or d.duty_worker(grid.id, _today(desk)), created_at=now, updated_at=now, seq=1,
    )  # fmt: skip
    _must_be_responsible(desk, made)
    body = json.dumps(_view(desk, made), ensure_ascii=False)
    async with storing.changing(desk.pool) as transaction:
        first = await asked.keep(transaction.connection, made.id, body)
        if first:
            await transaction.insert(made, _sealed(desk, made.id, form.person))
            said = {"group": made.group, "grid": made.grid, "needs": list(made.needs)}
            await transaction.record(made.id, Change(seq=1, type="added", at=now, actor=actor.id, data=said))
    return Answered(made.id, body) if first else await asked.must_repeat()


async def change(desk: Desk, actor: Actor, id: str, form: CareChange, key: str | None) -> Answered:
    """Raises as `add` does."""
    said = form.model_dump(mode="json", exclude_none=True, exclude={"person"})
    if form.person is not None:
        said["person"] = "changed"
    return await _changed(desk, actor, id, key, "changed", said, form)


async def check_in(desk: Desk, actor: Actor, id: str, form: CheckInForm, key: str | None) -> Answered:
    """Somebody visited or called; the next check-in is due one rhythm later. DomainError `not_found`."""
    return await _changed(desk, actor, id, key, "checked_in", {"result": form.result})


async def end(desk: Desk, actor: Actor, id: str, key: str | None) -> Answered:
    """Take somebody off the list: what was sealed is erased, the history stays. DomainError `not_found`."""
    return await _changed(desk, actor, id, key, "ended", {})


async def history(desk: Desk, actor: Actor, id: str, *, after: int, limit: int) -> list[View]:
    """What was done with an entry, oldest first. DomainError `not_found`."""
    await _within(desk, actor, id, ended=True)
    changes = await storing.HISTORY.page(desk.pool, id, after=after, limit=limit)
    return [
        {"seq": c.seq, "type": c.type, "at": instant(c.at), "by": person_view(desk, c.actor), "data": dict(c.data)}
        for c in changes
    ]  # fmt: skip


async def readings(
    desk: Desk, actor: Actor, id: str, *, before: int | None, limit: int
) -> list[tuple[int, View]]:  # fmt: skip
    """Who had the person opened, newest first: for those who oversee the list. DomainError `not_found`."""
    found = await _within(desk, actor, id, ended=True)
    roles.must(actor, Need.OVERSEE_CARE, community=found.community)
    rows = await storing.readings(desk.pool, id, before=before, limit=limit)
    return [(n, {"at": instant(r.at), "by": person_view(desk, r.actor)}) for n, r in rows]


# ---- one change under the lock of its row


async def _changed(
    desk: Desk, actor: Actor, id: str, key: str | None, type: str, said: dict[str, Any], form: CareChange | None = None
) -> Answered:
    asked = Asked(desk, actor, key, f"care {id} {type} {said} {form.model_dump_json() if form else ''}")
    reach = _reach(desk, actor)
    async with storing.changing(desk.pool) as transaction:
        before = await transaction.lock(id)
        if before is None or not reach.covers(before.community, before.grid):
            raise _nothing_there()
        answered = await asked.repetition()
        if answered is not None:
            return answered
        if before.ended_at is not None:
            raise _nothing_there()
        after = _after(desk, before, type, said, form)
        if not reach.covers(after.community, after.grid):
            raise _nothing_there()
        if form is not None:
            after = _checked(desk, before, after, form)
        person = form.person if form else None
        await transaction.save(after, None if person is None else _sealed(desk, id, person))
        await transaction.record(id, Change(seq=after.seq, type=type, at=after.updated_at, actor=actor.id, data=said))
        body = json.dumps(_view(desk, after), ensure_ascii=False)
        if not await asked.keep(transaction.connection, id, body):
            raise other_body()  # taken meanwhile by a request about something else
    return Answered(id, body)


def _after(desk: Desk, e: Entry, type: str, said: dict[str, Any], form: CareChange | None) -> Entry:
    now = desk.now()
    changes: dict[str, Any] = {"seq": e.seq + 1, "updated_at": now}
    if type == "ended":
        changes["ended_at"] = now
    elif type == "checked_in":
        changes |= {"last_check_in_at": now, "last_result": said["result"]}
    elif form is not None:
        changes |= form.model_dump(exclude_none=True, exclude={"person"})
        if form.grid is not None:
            changes["community"] = desk.district.grid(form.grid).community
    return e.model_copy(update=changes)


def _checked(desk: Desk, before: Entry, after: Entry, form: CareChange) -> Entry:
    """What it says now exists there. In another grid somebody else is responsible, unless it is said who."""
    if form.group is not None:
        desk.district.care_group(form.group)
    if form.needs is not None or after.community != before.community:
        _offered(desk, after.community, after.needs)
    if after.grid != before.grid and form.responsible is None:
        after = after.model_copy(update={"responsible": desk.district.duty_worker(after.grid, _today(desk))})
    if after.responsible != before.responsible:
        _must_be_responsible(desk, after)
    return after


# ---- who may, and what may be said


def _today(desk: Desk) -> date:
    return local_date(desk.now(), desk.district)


def _reach(desk: Desk, actor: Actor) -> Reach:
    if not any(grant.role is Role.GRID_WORKER for grant in actor.grants):
        return reach_of(actor, frozenset())
    d, today = desk.district, _today(desk)
    own = {grant.community for grant in actor.grants if grant.role is Role.GRID_WORKER and grant.community}
    on_duty = {g.id for community in own for g in d.grids_of(community) if d.duty_worker(g.id, today) == actor.id}
    return reach_of(actor, frozenset(on_duty))


def _must_reach(desk: Desk, actor: Actor) -> Reach:
    reach = _reach(desk, actor)
    if reach.none:
        raise roles.refusal(actor, Need.CARE)
    return reach


async def _within(desk: Desk, actor: Actor, id: str, *, ended: bool = False) -> Entry:
    found = await storing.one(desk.pool, id)
    if found is None or not _reach(desk, actor).covers(found.community, found.grid):
        raise _nothing_there()
    if found.ended_at is not None and not ended:
        raise _nothing_there()
    return found


def _nothing_there() -> DomainError:
    return DomainError("not_found", "There is no such entry, or it is not in your scope.")


def _offered(desk: Desk, community: str, needs: tuple[str, ...]) -> tuple[str, ...]:
    for id in needs:
        if desk.district.provider(desk.district.service(id), community) is None:
            raise DomainError("service_not_offered", "Nobody provides this service there.", field="/needs", service=id)
    return tuple(dict.fromkeys(needs))


def _must_be_responsible(desk: Desk, e: Entry) -> None:
    """Whoever owes the check-in must be able to see whom."""
    person = desk.district.person(e.responsible)
    if not _reach(desk, person.actor).covers(e.community, e.grid):
        rule = "Take the grid's worker, the community's secretary or a supervisor."
        raise DomainError("unknown_person", rule, field="/responsible")


def _sealed(desk: Desk, id: str, person: PersonForm) -> bytes:
    return desk.sealer.seal(json.dumps(person.model_dump(exclude_none=True), ensure_ascii=False), id)


def _view(desk: Desk, e: Entry) -> View:
    d = desk.district
    group, services = d.directory.care_groups.get(e.group), d.directory.services
    since = local_date(e.last_check_in_at or e.created_at, d)
    next_on = e.next_check_in_on(since)
    return {
        "id": e.id, "community": e.community, "grid": e.grid,
        "group": {"id": e.group, "name": group.name if group else None},
        "needs": [{"id": n, "name": services[n].name if n in services else None} for n in e.needs],
        "check_in_days": e.check_in_days, "responsible": person_view(desk, e.responsible),
        "last_check_in_at": instant(e.last_check_in_at), "last_result": e.last_result,
        "next_check_in_on": next_on.isoformat(), "overdue": e.ended_at is None and next_on < _today(desk),
        "created_at": instant(e.created_at), "updated_at": instant(e.updated_at), "ended_at": instant(e.ended_at),
        "seq": e.seq,
    }  # fmt: skip
