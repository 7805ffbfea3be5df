"""Who reads as an Open311 client, and what that client may read of the words of residents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from domain.actors import Actor
from domain.open311 import Standing
from domain.privacy import ReadingReason
from service.desk import Desk
from service.words import reading
from store import personal, texts


@dataclass(frozen=True)
class Viewer:
    """Who reads. `words` is whether the key may read again what it sent; `english` chooses the language of sentences."""

    actor: Actor | None = None
    words: bool = False
    english: bool = False

    @property
    def id(self) -> str:
        return self.actor.id if self.actor else ""

    def may_read(self, s: Standing) -> bool:
        """An integrator reads the words of what it sent itself, of nothing else (domain/privacy.py)."""
        return self.words and self.actor is not None and s.opened_by == self.actor.id


async def keep_reading(desk: Desk, viewer: Viewer, numbers: Sequence[str], *fields: str) -> None:
    """Whoever reads words leaves a trace, kept before they are shown."""
    if numbers and viewer.actor is not None:
        told = reading(desk, viewer.actor, "open311", ReadingReason.HANDLING, *fields)
        await personal.tell(desk.pool, told, sorted(set(numbers)))


async def open_texts(desk: Desk, ids: Sequence[str]) -> dict[str, str]:
    """By id; what never was a text is left out."""
    rows = await texts.some(desk.pool, ids)
    return {id: desk.sealer.open(sealed, number) for id, (number, sealed) in rows.items()}
