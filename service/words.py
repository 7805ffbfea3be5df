"""Words: what people wrote, sealed before a command names it, opened only for those who work with it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from domain.actors import Actor
from domain.demand import Demand
from domain.vocabulary import Role
from service.desk import Desk
from service.reading import find
from service.views import View, instant
from store import texts


@dataclass(frozen=True)
class Written:
    """`ids` by field of the command; `fresh` are those that this call wrote, to be taken back if it is refused."""

    ids: dict[str, str]
    fresh: tuple[str, ...]


async def write(desk: Desk, actor: Actor, number: str, key: str, said: Mapping[str, tuple[str, str | None]]) -> Written:
    """Seal each text of `said` (field -> (kind, text)) under an id that a repetition with the same key finds again."""
    ids: dict[str, str] = {}
    fresh: list[str] = []
    for field, (kind, text) in said.items():
        if text is None:
            continue
        ids[field] = f"{number}.{key[:16]}{kind[0]}"
        new = await texts.put(
            desk.pool, text_id=ids[field], number=number, kind=kind, author=actor.id, at=desk.now(),
            sealed=desk.sealer.seal(text, number),
        )  # fmt: skip
        if new:
            fresh.append(ids[field])
    return Written(ids, tuple(fresh))


async def take_back(desk: Desk, written: Written, *, earlier: bool = False) -> None:
    """Forget what was written for a command that was refused; with `earlier` also what an undecided try had written."""
    for text_id in written.ids.values() if earlier else written.fresh:
        await texts.drop(desk.pool, text_id)


async def words_of(desk: Desk, actor: Actor, number: str) -> View:
    """The texts of a demand, oldest first, and its reporter for those who must reach that person.

    Auditors get neither. A confidential reporter is hidden from the handling unit. DomainError `not_found` as in `find`.
    """
    demand = await find(desk, actor, number)
    if _sees_nothing_personal(actor):
        return {"texts": [], "reporter": None}
    rows = await texts.of_demand(desk.pool, number)
    reporter = await texts.reporter(desk.pool, number) if _reaches_reporter(demand, actor) else None
    return {
        "texts": [
            {
                "id": text_id, "kind": kind, "author": author, "written_at": instant(at),
                "text": desk.sealer.open(sealed, number),
            }
            for text_id, kind, author, at, sealed in rows
            if may_read(demand, actor, kind, author)
        ],
        "reporter": json.loads(desk.sealer.open(reporter, number)) if reporter else None,
    }  # fmt: skip


def may_read(demand: Demand, actor: Actor, kind: str, author: str) -> bool:
    """Whether somebody who may see the demand may read this text of it: reporters read what is public and their own."""
    if _sees_nothing_personal(actor):
        return False
    return kind in ("demand", "reply") or author == actor.id or not _is_reporter(demand, actor)


def _sees_nothing_personal(actor: Actor) -> bool:
    return all(g.role is Role.AUDITOR for g in actor.grants)


def _is_reporter(demand: Demand, actor: Actor) -> bool:
    return actor.id == demand.opened_by and actor.has(Role.RESIDENT)


def _reaches_reporter(demand: Demand, actor: Actor) -> bool:
    if actor.id in (demand.opened_by, demand.worker):
        return True
    office = (Role.OPERATOR, Role.SUPERVISOR, Role.COMMUNITY_SECRETARY)
    if any(actor.has(role, community=demand.community) for role in office):
        return True
    return actor.id == demand.holder and not demand.confidential
