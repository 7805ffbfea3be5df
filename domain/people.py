"""The people of a district pack and when they are away."""

from __future__ import annotations

from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from domain.actors import Actor, Grant
from domain.places import Id, Name


class Span(BaseModel):
    """From one local date to another, both included; without an end it goes on."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    starts_on: date = Field(alias="from", strict=True)
    ends_on: date | None = Field(default=None, alias="until", strict=True)

    def covers(self, on: date) -> bool:
        return self.starts_on <= on and (self.ends_on is None or on <= self.ends_on)


class Person(BaseModel):
    """One person, many roles. `id` is opaque and stays when the name changes; `titles` are for display only."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    grants: tuple[Grant, ...] = Field(min_length=1)
    titles: tuple[Name, ...] = ()
    leave: tuple[Span, ...] = ()

    @property
    def actor(self) -> Actor:
        return Actor(id=self.id, grants=self.grants)

    def away(self, on: date) -> bool:
        return any(span.covers(on) for span in self.leave)
