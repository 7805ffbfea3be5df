"""What is asked of the administration: the whole of a unit, one resource, who stewards a grid, a roster, leave."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from domain.places import Id, Name
from domain.units import Resource, Unit, UnitKind
from service.publish_district import Leave, Standing, Turn

Reason = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]
StewardForm: TypeAlias = Turn
LeaveForm: TypeAlias = Leave
PersonForm: TypeAlias = Standing
ResourceForm: TypeAlias = Resource


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UnitForm(_Form):
    """A unit as it shall be from now on; its id stands in the address."""

    name: Name
    kind: UnitKind
    communities: Annotated[tuple[Id, ...], Field(min_length=1, max_length=50)]
    liaison: Id
    resources: Annotated[tuple[Resource, ...], Field(max_length=200)]

    def unit(self, id: str) -> Unit:
        return Unit(id=id, **dict(self))


class RetireForm(_Form):
    """`keep_running` says that the unit works off what it has; or `hand_over_to` names who takes that over."""

    reason: Reason
    hand_over_to: Id | None = None
    keep_running: Annotated[bool, Field(strict=True)] = False


class RosterForm(_Form):
    """Who chairs, in which order, from the first day of a period on."""

    period: Literal["month", "quarter"]
    starts_on: Annotated[date, Field(strict=True)]
    roster: Annotated[tuple[Id, ...], Field(min_length=1, max_length=200)]


class CancelForm(_Form):
    reason: Reason


@dataclass(frozen=True)
class How:
    """How a change is asked for: `effective_at` is None for now, `if_match` are the versions that may be replaced (None
    where the caller did not say), `key` is the Idempotency-Key."""

    dry_run: bool = False
    key: str | None = None
    effective_at: datetime | None = None
    if_match: tuple[str, ...] | None = None
