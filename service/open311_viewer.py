"""Who reads as an Open311 client, and what that client may read of the words of residents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actors import Actor
from domain.open311 import Standing
from service.desk import Desk
from store import texts
from store.seal import UnknownKey


@dataclass(frozen=True)
class Viewer:
    """Who reads. `words` is whether the key may read what residents wrote; `english` chooses the language of words."""

    actor: Actor | None = None
    words: bool = False
    english: bool = False

    @property
    def id(self) -> str:
        return self.actor.id if self.actor else ""

    def may_read(self, s: Standing) -> bool:
        return self.actor is not None and (s.opened_by == self.actor.id or (self.words and not s.confidential))


async def open_texts(desk: Desk, ids: Sequence[str]) -> dict[str, str]:
    """By id; what was erased since, or never was a text, is left out."""
    rows = await texts.some(desk.pool, ids)
    opened = {id: opened_or_none(desk, sealed, number) for id, (number, sealed) in rows.items()}
    return {id: text for id, text in opened.items() if text is not None}


def opened_or_none(desk: Desk, sealed: bytes, number: str) -> str | None:
    try:
        return desk.sealer.open(sealed, number)
    except UnknownKey:
        return None
