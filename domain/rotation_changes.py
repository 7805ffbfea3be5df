"""What can be changed about the rotation of the chair 轮值主席 after its order was settled.

Changes are added and revoked, never edited. A date named `period` stands for the period it lies in.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from domain.places import Id

LONGEST_STAND_IN_DAYS = 366


def _written_out(value: object) -> object:
    """A year, a month and a day; pydantic would also take a count of seconds for a date."""
    if isinstance(value, date) or (isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII)):
        return value
    raise PydanticCustomError("date_parsing", "not a date")


Day = Annotated[date, BeforeValidator(_written_out), Field(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


class _Change(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Skip(_Change):
    """The unit is passed over in this period; those after it move up, and its next turn is that of the next round."""

    type: Literal["skip"] = "skip"
    unit: Id
    period: Day


class Swap(_Change):
    """Two units exchange their periods; these two are settled then, whatever else moves."""

    type: Literal["swap"] = "swap"
    unit: Id
    period: Day
    with_unit: Id
    with_period: Day


class _Days(_Change):
    starts_on: Day = Field(alias="from")
    ends_on: Day = Field(alias="until")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not 0 <= (self.ends_on - self.starts_on).days < LONGEST_STAND_IN_DAYS:
            raise ValueError(f"`until` is a day from `from` on, at most {LONGEST_STAND_IN_DAYS} days in all")
        return self

    def covers(self, on: date) -> bool:
        return self.starts_on <= on <= self.ends_on

    def meets(self, other: _Days) -> bool:
        return self.starts_on <= other.ends_on and other.starts_on <= self.ends_on


class Substitute(_Days):
    """The unit is away on these days: while it would chair, another unit or a person stands in; the turn stays its own."""

    type: Literal["substitute"] = "substitute"
    unit: Id
    by_unit: Id | None = None
    by_person: Id | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if (self.by_unit is None) == (self.by_person is None):
            raise ValueError("a substitute is either `by_unit` or `by_person`, not both and not neither")
        return self


class Override(_Days):
    """On these days this unit or person chairs, whoever's turn it is; nobody's turn moves."""

    type: Literal["override"] = "override"
    unit: Id | None = None
    person: Id | None = None

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.unit is None and self.person is None:
            raise ValueError("an override names `unit` or `person`, or both")
        return self


Change = Annotated[Skip | Swap | Substitute | Override, Field(discriminator="type")]
CHANGE: TypeAdapter[Change] = TypeAdapter(Change)


class Entry(BaseModel):
    """A change as it stands in the register; `id` counts up. What was revoked no longer counts from that day on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: int
    change: Change
    revoked_on: date | None = None

    def counts(self, on: date) -> bool:
        """Whether it says something about that day: not after it was revoked, but still about the days before."""
        return self.revoked_on is None or on < self.revoked_on
