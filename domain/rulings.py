"""Rulings: standing decisions of a joint meeting, "from now on this category here goes to that unit".

A ruling comes with the decision of an item, and is the first reason of routing for every later demand that it fits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.places import Id
from domain.units import CategoryCode


class Ruling(BaseModel):
    """`category` is a code or a prefix; `community` None means the whole district (a ruling of the committee).

    In force from `valid_from` until just before `valid_until` (None: until it is revoked). `number` is the demand that
    the meeting ruled on, `chair` the person who chaired.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(min_length=1, max_length=160)]
    meeting: Id
    community: Id | None
    category: CategoryCode
    unit: Id
    valid_from: AwareDatetime
    valid_until: AwareDatetime | None = None
    decided_at: AwareDatetime
    number: str
    chair: str

    def in_force(self, at: datetime) -> bool:
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)

    def fits(self, category: str, community: str) -> bool:
        return category.startswith(self.category) and self.community in (None, community)


def ruling_id(meeting: str, number: str, turn: int) -> str:
    """One for each decision: a meeting decides a visit of a demand to its agenda once."""
    return f"{meeting}.{number}.{turn}"


def in_force(rulings: Iterable[Ruling], at: datetime) -> tuple[Ruling, ...]:
    """Those in force at that instant, newest first; of two of the same instant the greater id."""
    return tuple(sorted((r for r in rulings if r.in_force(at)), key=lambda r: (r.decided_at, r.id), reverse=True))


def fitting(rulings: Iterable[Ruling], category: str, community: str) -> Iterator[Ruling]:
    """Those that speak of this category in this community, in the order given."""
    return (r for r in rulings if r.fits(category, community))
