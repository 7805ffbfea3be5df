"""Which unit takes a demand: a decision that is recorded with its rule, its inputs and its alternatives.

What came after 0.1 is left out of the stored event where it says nothing, so that older events hash as they did.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

KNOWN = Field(exclude_if=lambda value: value is None)
SAID = Field(exclude_if=lambda value: not value)

Why = Literal[
    "no_capacity", "had_it_before", "no_resource", "resource_expired", "resource_not_yet", "not_in_community",
    "no_such_unit", "enough_candidates",
]  # fmt: skip
"""已满负荷 · 曾经承办 · 资源不覆盖 · 资源已到期 · 资源未生效 · 不是本社区的单位 · 单位已不存在 · 候选已够."""


class Candidate(BaseModel):
    """A unit that could take it: `score` orders candidates of the same reason, higher first.

    `reason` is `ruling:<id>`, `rule:<id>`, `steward`, `resource`, `station`, or what a person said: `chosen`, `meeting`,
    `menu:<service>` (whoever provides what was asked for).
    `load` is how many tasks the unit had at that moment, `capacity` how many its resources for this category allow; it
    is unknown where the unit lists none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    liaison: str
    reason: str
    score: float = 0.0
    load: Annotated[int | None, KNOWN] = None
    capacity: Annotated[int | None, KNOWN] = None


class PassedOver(BaseModel):
    """A unit that was considered for `reason` and not taken, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    unit: str
    reason: str
    why: Why
    load: int | None = None
    capacity: int | None = None


class Inputs(BaseModel):
    """What the decision looked at. `property_grade` and `has_property_unit` are unknown without a compound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    category: str
    community: str
    grid: str
    compound: str | None = None
    property_grade: str | None = None
    has_property_unit: bool | None = None
    steward: str | None = None


class Routing(BaseModel):
    """The candidates in the order in which they are asked; none means the joint meeting.

    `version` is that of the district's rules and `rule` the reason of the first candidate. `on` is the local date for
    which resources and stewardships were looked up; a decision of 0.1 has neither that nor `inputs`. `more` counts what
    was passed over and is not listed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: str
    rule: str
    candidates: tuple[Candidate, ...] = ()
    on: Annotated[date | None, KNOWN] = None
    inputs: Annotated[Inputs | None, KNOWN] = None
    passed_over: Annotated[tuple[PassedOver, ...], SAID] = ()
    more: Annotated[int, SAID] = 0
