"""Words: what people wrote, sealed before a command names it, opened only for those who work with it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from domain.actors import Actor
from domain.demand import Demand
from domain.masking import strike
from domain.privacy import PUBLIC_KINDS, Field, ReadingReason, Sight, sight, text_sight
from runtime.logging import request_id
from service.desk import Desk
from service.reading import find
from service.views import View, instant
from store import personal, texts
from store.personal import Reading
from store.texts import KeptText


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
        ids[field] = text_id(number, key, kind)
        new = await texts.put(
            desk.pool, text_id=ids[field], number=number, kind=kind, author=actor.id, at=desk.now(),
            sealed=desk.sealer.seal(text, number),
        )  # fmt: skip
        if new:
            fresh.append(ids[field])
    return Written(ids, tuple(fresh))


def text_id(number: str, key: str, kind: str) -> str:
    """Under which a text of this kind stands that came with the command of this key."""
    return f"{number}.{key[:16]}{kind[0]}"


async def take_back(desk: Desk, written: Written, *, earlier: bool = False) -> None:
    """Forget what was written for a command that was refused; with `earlier` also what an undecided try had written."""
    for text_id in written.ids.values() if earlier else written.fresh:
        await texts.drop(desk.pool, text_id)


def reading(desk: Desk, actor: Actor, what: str, reason: str = ReadingReason.HANDLING, *fields: str) -> Reading:
    """The row that is kept before anything personal is shown."""
    return Reading(
        at=desk.now(), actor=actor.id, what=what, reason=str(reason), fields=fields, request_id=request_id.get()
    )


async def words_of(desk: Desk, actor: Actor, number: str, reason: ReadingReason = ReadingReason.HANDLING) -> View:
    """The texts of a demand that the caller may read, oldest first, and by id and kind those that they may not.

    Each says whether it is public (the reporter reads it too) or internal. That they were read is kept. DomainError
    `not_found` as in `find`.
    """
    demand = await find(desk, actor, number)
    kept = await texts.kept(desk.pool, number)
    shown = [one for one in kept if may_read(demand, actor, one.kind, one.author)]
    if shown:
        kinds = sorted({one.kind for one in shown})
        await personal.tell(desk.pool, reading(desk, actor, "texts", reason, *kinds), [number])
    words = await opened(desk, actor, demand, shown)
    return {
        "number": number,
        "texts": [
            {
                "id": one.id, "kind": one.kind, "audience": "public" if one.kind in PUBLIC_KINDS else "internal",
                "author": one.author, "written_at": instant(one.written_at), "text": text,
                "erased_at": instant(one.erased_at),
            }
            for one, text in zip(shown, words, strict=True)
        ],
        "withheld": [{"id": one.id, "kind": one.kind} for one in kept if one not in shown],
    }  # fmt: skip


async def opened(desk: Desk, actor: Actor, demand: Demand, kept: Sequence[KeptText]) -> list[str]:
    """These texts as this caller may read them: where the rules say masked, without the reporter's own name and numbers.

    The caller has looked at the rules, and keeps that they are read."""
    striking = [text_sight(demand, actor, one.kind, one.author) is Sight.MASKED for one in kept]
    person = await kept_person(desk, demand.number) if any(striking) else {}
    words = (desk.sealer.open(one.sealed, demand.number) for one in kept)
    return [strike(text, person) if struck else text for text, struck in zip(words, striking, strict=True)]


async def kept_person(desk: Desk, number: str) -> dict[str, object]:
    """What is kept of the reporter, for the product's own use: never to be shown by whoever calls this."""
    sealed = await texts.reporter(desk.pool, number)
    said: dict[str, object] = {} if sealed is None else json.loads(desk.sealer.open(sealed, number))
    return said


async def persons_hidden(desk: Desk, actor: Actor, numbers: Sequence[str]) -> dict[str, dict[str, object]]:
    """The reporters that have to be struck out of internal texts of these demands before this caller reads them."""
    rows = await desk.pool.fetch("select state from demand where number = any($1::text[])", list(numbers))
    demands = (Demand.model_validate_json(row["state"]) for row in rows)
    hidden = [d.number for d in demands if sight(d, actor, Field.INTERNAL_TEXT) < Sight.FULL]
    return {number: await kept_person(desk, number) for number in hidden}


def may_read(demand: Demand, actor: Actor, kind: str, author: str) -> bool:
    """Whether somebody who may see the demand may read this text of it, be it without its reporter."""
    return text_sight(demand, actor, kind, author) > Sight.NONE
