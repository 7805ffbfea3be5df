"""Individual needs 个性清单: whom the district looks after by name, and who may know of it.

The list is private. Only those who do the looking-after and those who answer for them may see that an entry exists:
the grid's worker (or who stands in today), the community's secretary, the supervisor. No other role, however wide.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain import roles
from domain.actors import Actor
from domain.needs import Need
from domain.places import Id, Name
from domain.vocabulary import Role

CheckInDays = Annotated[int, Field(ge=1, le=366, strict=True)]
"""How many days may lie between two visits or calls."""

CheckInResult = Literal["well", "needs_help", "not_reached"]
"""平安 · 需要帮助 · 未联系上."""


class CareGroup(BaseModel):
    """A named special-care group 重点人群, such as elderly people who live alone; `check_in_days` is its usual rhythm."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Id
    name: Name
    name_en: Name
    check_in_days: CheckInDays


class Entry(BaseModel):
    """One person on the list, without anything that names the person; that lies sealed beside it.

    `needs` are ids of the service menu; `responsible` owes the next check-in. An ended entry has nothing sealed any more.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    community: str
    grid: str
    group: str
    needs: tuple[str, ...]
    check_in_days: int
    responsible: str
    created_at: datetime
    updated_at: datetime
    seq: int
    last_check_in_at: datetime | None = None
    last_result: CheckInResult | None = None
    ended_at: datetime | None = None

    def next_check_in_on(self, on_date: date) -> date:
        """`on_date` is the local date of the last check-in, or of the entry where there was none."""
        return on_date + timedelta(days=self.check_in_days)


class Reach(BaseModel):
    """How far somebody's right to the list goes: everything, these communities, these grids. Empty: no right at all."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    everywhere: bool = False
    communities: frozenset[str] = frozenset()
    grids: frozenset[str] = frozenset()

    @property
    def none(self) -> bool:
        return not (self.everywhere or self.communities or self.grids)

    def covers(self, community: str, grid: str) -> bool:
        return self.everywhere or community in self.communities or grid in self.grids


def reach_of(actor: Actor, on_duty: frozenset[str]) -> Reach:
    """What of the list this actor may see and change; `on_duty` are the grids the actor is on duty for today."""
    far = roles.reach(actor, Need.CARE)
    on_duty = on_duty if any(grant.role is Role.GRID_WORKER for grant in actor.grants) else frozenset()
    return Reach(everywhere=far.everywhere, communities=far.communities, grids=far.grids | on_duty)
